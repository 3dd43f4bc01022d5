"""Writes to files that are recorded in a journal: before, after, and what a killed process has left open."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from livery.core.names import Reference
from livery.core.profile import Metadata, Profile, Registry, RuntimeSpec
from livery.errors import Locked, SourceUnavailable, VersionConflict
from livery.state import StateDatabase, StateJournal
from livery.stores.config_profiles import ConfigProfilesStore
from livery.stores.intents import Intent, Stored, content_digest, outcome
from livery.stores.journaled import JournaledStore, journal_label, journaled
from livery.stores.memory import MemoryStore
from livery.stores.opening import open_source
from livery.stores.profile_store import DirectoryStore
from livery.stores.protocols import Event, EventQuery, WritableProfileStore, WriteOptions
from livery.stores.sql import Database, open_database
from livery.stores.yaml import YAMLStore
from livery.testing.store_contract import StoreContract
from tests.support.registries import ALICE, BOB, write
from tests.support.write_scenarios import WRITERS

ALL = EventQuery(newest_first=False)
ROOT = Path(__file__).resolve().parents[2]
CODER = Reference("team", "coder")


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where the journal is kept."""
    if request.param == "sqlite":
        return f"sqlite:{tmp_path / 'state' / 'state.db'}"
    return str(request.getfixturevalue("postgresql_database_url"))


@pytest.fixture
def database(address: str) -> Iterator[Database]:
    database = open_database(address)
    yield database
    database.close()


@pytest.fixture
def journal(database: Database) -> StateJournal:
    return StateJournal(StateDatabase(database))


@pytest.fixture
def store(tmp_path: Path, journal: StateJournal) -> JournaledStore:
    file = write(tmp_path / "team.yaml", "slug: team\nprofiles: {coder: {display_name: Coder}}\n")
    return JournaledStore(YAMLStore(file), journal, "yaml:team.yaml")


class TestJournaledYAML(StoreContract):
    """A store with a journal is the store."""

    @pytest.fixture
    def opened(self, tmp_path: Path) -> Callable[[], WritableProfileStore]:
        journal = StateJournal(StateDatabase(open_database(tmp_path / "state.db")))
        return lambda: JournaledStore(YAMLStore(tmp_path / "profiles.yaml"), journal, "yaml")


Later = Callable[[JournaledStore], JournaledStore]


@pytest.fixture
def later(address: str) -> Iterator[Later]:
    """The same store in a process that starts long after."""
    databases: list[Database] = []

    def started(store: JournaledStore) -> JournaledStore:
        databases.append(open_database(address))
        journal = StateJournal(StateDatabase(databases[-1]), clock=lambda: 2**50)
        return JournaledStore(store.inner, journal, store._label)

    yield started
    for database in databases:
        database.close()


def told(events: Sequence[Event]) -> list[tuple[str, str, int, int]]:
    return [(event.action, event.profile, event.from_version, event.to_version) for event in events]


def test_each_write_is_an_event_with_who_and_what(store: JournaledStore) -> None:
    options = ALICE._replace(request_id="r1", diff='[{"path": "tools"}]')
    store.save_profile(Profile(slug="coder", registry="team", runtime=RuntimeSpec(tools=["x"])), options)
    (event,) = store.events(ALL)
    assert event == Event(
        1, 1_000, "alice", "update", "team", "coder", 1, 2, "runtime", "seed", "r1", '[{"path": "tools"}]'
    )


def test_a_profile_s_life_is_told_in_order(store: JournaledStore) -> None:
    new = Profile(slug="new", registry="team")
    store.save_profile(new, ALICE)
    store.save_profile(Profile(slug="new", registry="team", description="x"), BOB._replace(action="rollback"))
    store.delete_profile(new.reference, ALICE)
    store.save_profile(new, ALICE)
    events = store.events(ALL)
    assert told(events) == [
        ("create", "new", 0, 1),
        ("rollback", "new", 1, 2),
        ("delete", "new", 2, 0),
        ("create", "new", 0, 3),
    ]
    assert [event.scope for event in events] == ["runtime", "presentation", "runtime", "runtime"]


def test_a_list_that_is_emptied_is_a_change_of_the_runtime(store: JournaledStore) -> None:
    store.save_profile(Profile(slug="coder", registry="team", runtime=RuntimeSpec(tools=[])), ALICE)
    assert [event.scope for event in store.events(ALL)] == ["runtime"]


def test_a_registry_comes_and_goes_with_an_event_for_each_profile(store: JournaledStore) -> None:
    profiles = {slug: Profile(slug=slug, registry="two") for slug in ("a", "b")}
    store.save_registry(Registry(slug="two", profiles=profiles), ALICE)
    store.save_registry(Registry(slug="two", display_name="Two"), ALICE)
    store.delete_registry("two", ALICE)
    assert told(store.events(ALL)) == [
        ("create", "", 0, 1), ("create", "a", 0, 1), ("create", "b", 0, 1), ("update", "", 1, 2),
        ("delete", "a", 1, 0), ("delete", "b", 1, 0), ("delete", "", 2, 0),
    ]  # fmt: skip


def test_what_comes_with_a_registry_comes_by_the_same_action(store: JournaledStore) -> None:
    profiles = {"a": Profile(slug="a", registry="two")}
    store.save_registry(Registry(slug="two", profiles=profiles), ALICE._replace(action="import"))
    assert told(store.events(ALL)) == [("import", "", 0, 1), ("import", "a", 0, 1)]


def test_what_the_store_refuses_is_no_event(store: JournaledStore) -> None:
    with pytest.raises(VersionConflict):
        store.save_profile(Profile(slug="coder", registry="team"), ALICE._replace(expected_version=7))
    assert store.events(ALL) == []


def test_events_are_asked_for_by_item_actor_action_time_and_place(store: JournaledStore) -> None:
    for number, options in enumerate((ALICE, BOB, ALICE, BOB)):
        slug = "coder" if number < 2 else "other"
        store.save_profile(Profile(slug=slug, registry="team", description=str(number)), options)

    def numbers(**asked: object) -> list[int]:
        return [event.seq for event in store.events(EventQuery(**asked))]  # type: ignore[arg-type]

    assert numbers() == [4, 3, 2, 1]
    assert numbers(newest_first=False, limit=2) == [1, 2]
    assert numbers(actor="bob") == [4, 2]
    assert numbers(profile="other") == [4, 3] and numbers(profile="") == []
    assert numbers(registry="team", action="create") == [3]
    assert numbers(since_ms=1_001) == [4, 2] and numbers(until_ms=2_000) == [3, 1]
    assert numbers(after=1, before=4) == [3, 2]


def test_a_journal_keeps_the_sources_apart(store: JournaledStore, journal: StateJournal, tmp_path: Path) -> None:
    store.save_profile(Profile(slug="new", registry="team"), ALICE)
    other = JournaledStore(YAMLStore(tmp_path / "other.yaml"), journal, "yaml:other.yaml")
    assert other.events(ALL) == []


@pytest.mark.parametrize("hostile", ["\0", "\udcff", "'; DROP TABLE write_intents; --", "ü\n\x1b[31m"])
def test_any_text_can_be_recorded(store: JournaledStore, hostile: str) -> None:
    options = WriteOptions(actor=hostile, action=hostile, request_id=hostile, diff=hostile, source=hostile)
    store.delete_profile(CODER, options)
    assert len(store.events(EventQuery(actor=hostile, action=hostile))) == 1


# Others write in between


def overtaken(store: JournaledStore, *times: str) -> None:
    """Whoever writes the profile is each time overtaken by another process, after having looked at what is there."""
    save, delete = store.inner.save_profile, store.inner.delete_profile
    left = list(times)

    def others_first() -> None:
        if left:
            save(Profile(slug="coder", registry="team", description=left.pop()), BOB)

    def saved(profile: Profile, options: WriteOptions) -> Profile:
        others_first()
        return save(profile, options)

    def deleted(reference: Reference, options: WriteOptions) -> None:
        others_first()
        delete(reference, options)

    store.inner.save_profile, store.inner.delete_profile = saved, deleted  # type: ignore[method-assign]


def test_an_event_says_what_the_write_has_replaced(store: JournaledStore) -> None:
    overtaken(store, "one", "two")
    store.save_profile(Profile(slug="coder", registry="team", description="mine"), ALICE)
    assert told(store.events(ALL)) == [("update", "coder", 3, 4)]


def test_a_deletion_says_which_version_is_gone(store: JournaledStore) -> None:
    overtaken(store, "one")
    store.delete_profile(CODER, ALICE)
    assert told(store.events(ALL)) == [("delete", "coder", 2, 0)]


def test_who_is_always_overtaken_writes_all_the_same(store: JournaledStore) -> None:
    overtaken(store, *"123456789")
    store.save_profile(Profile(slug="coder", registry="team", description="mine"), ALICE)
    (event,) = store.events(ALL)
    stored = store.get_profile("team", "coder")
    assert stored is not None and (stored.description, event.to_version) == ("mine", stored.version)


def test_who_expects_a_version_is_not_helped_over_another_write(store: JournaledStore) -> None:
    overtaken(store, "one")
    with pytest.raises(VersionConflict):
        store.save_profile(Profile(slug="coder", registry="team"), ALICE._replace(expected_version=1))
    assert store.events(ALL) == []


# The journal is not to be had


def test_nothing_is_written_that_cannot_be_recorded(tmp_path: Path) -> None:
    file = write(tmp_path / "team.yaml", "slug: team\n")
    (tmp_path / "state.db").write_text("no database " * 100)
    journal = StateJournal(StateDatabase(open_database(tmp_path / "state.db")))
    store = JournaledStore(YAMLStore(file), journal, "yaml")
    with pytest.raises(SourceUnavailable, match=r"state database .*state\.db.*LIVERY_STATE"):
        store.save_profile(Profile(slug="a", registry="team"), ALICE)
    assert file.read_text() == "slug: team\n"


def test_a_journal_that_others_hold_on_to_is_named_with_what_to_do(tmp_path: Path) -> None:
    class Held(StateJournal):
        def begin(self, intents: Sequence[Intent]) -> list[int]:
            raise Locked("state database s", "another program that writes it")

    file = write(tmp_path / "team.yaml", "slug: team\n")
    journal = Held(StateDatabase(open_database(tmp_path / "state.db")))
    with pytest.raises(Locked, match=r"another program that writes it \(.*LIVERY_STATE\); try again"):
        JournaledStore(YAMLStore(file), journal, "yaml").save_profile(Profile(slug="a", registry="team"), ALICE)
    assert file.read_text() == "slug: team\n"


def test_a_write_that_was_made_stands_though_its_completion_cannot_be_recorded(
    store: JournaledStore, database: Database, later: Later
) -> None:
    save = store.inner.save_profile

    def and_lose_the_journal(profile: Profile, options: WriteOptions) -> Profile:
        database.close()
        return save(profile, options)

    store.inner.save_profile = and_lose_the_journal  # type: ignore[method-assign]
    assert store.save_profile(Profile(slug="new", registry="team"), ALICE).version == 1
    assert told(later(store).events(ALL)) == [("create", "new", 0, 1)]


# What becomes of open intents


class Killed(BaseException):
    """The process ends here, as far as the journal can tell."""


WRITING = """
import os, signal, sys
from pathlib import Path
from livery.state import StateDatabase, StateJournal
from livery.stores.journaled import JournaledStore
from livery.stores.sql import Database, open_database
from tests.support.registries import ALICE
from tests.support.write_scenarios import WRITERS

address, layout, directory, moment = sys.argv[1:]
inner = WRITERS[layout].opened(Path(directory))
save = inner.save_profile

def killed(profile, options):
    if moment == "after":
        save(profile, options)
    os.kill(os.getpid(), signal.SIGKILL)

inner.save_profile = killed
store = JournaledStore(inner, StateJournal(StateDatabase(open_database(address))), "files")
store.save_profile(WRITERS[layout].profile("coder", 7), ALICE)
"""


@pytest.mark.parametrize("layout", WRITERS)
@pytest.mark.parametrize("moment", ["before", "after"])
def test_what_a_killed_process_did_is_told_by_the_next_one(
    address: str, later: Later, journal: StateJournal, tmp_path: Path, layout: str, moment: str
) -> None:
    (tmp_path / "files").mkdir()
    WRITERS[layout].prepare(tmp_path / "files")
    command = [sys.executable, "-c", WRITING, address, layout, str(tmp_path / "files"), moment]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == -signal.SIGKILL
    store = later(JournaledStore(WRITERS[layout].opened(tmp_path / "files"), journal, "files"))
    expected = [("update", "coder", 1, 2)] if moment == "after" else []
    assert told(store.events(ALL)) == expected


def stopped(store: JournaledStore, profile: Profile, *, after_writing: bool) -> None:
    """A write whose process is killed before or after the file is written."""
    inner = store.inner

    class Dying:
        kind, url, writable, advice = inner.kind, inner.url, True, ""
        get_profile, load_registries = staticmethod(inner.get_profile), staticmethod(inner.load_registries)

        def save_profile(self, profile: Profile, options: WriteOptions) -> Profile:
            if after_writing:
                inner.save_profile(profile, options)
            raise Killed

    dying = JournaledStore(Dying(), store._journal, store._label)  # type: ignore[arg-type]
    with pytest.raises(Killed):
        dying.save_profile(profile, ALICE)


NEW_ONE = Profile(slug="new", registry="team", description="x")


def test_an_open_intent_is_told_as_open_while_its_process_may_be_writing(store: JournaledStore) -> None:
    stopped(store, NEW_ONE, after_writing=False)
    assert told(store.events(ALL)) == [("create (open)", "new", 0, 1)]


def test_an_intent_whose_file_was_written_is_settled_as_done(store: JournaledStore, later: Later) -> None:
    stopped(store, NEW_ONE, after_writing=True)
    assert told(later(store).events(ALL)) == [("create", "new", 0, 1)]


def test_an_intent_whose_file_was_not_written_is_settled_as_failed(store: JournaledStore, later: Later) -> None:
    stopped(store, NEW_ONE, after_writing=False)
    assert later(store).events(ALL) == []


def test_an_intent_of_which_nothing_is_left_to_see_is_unknown(store: JournaledStore, later: Later) -> None:
    stopped(store, NEW_ONE, after_writing=False)
    store.inner.save_profile(Profile(slug="new", registry="team", description="by hand"), BOB)
    assert told(later(store).events(ALL)) == [("create (unknown)", "new", 0, 1)]


def test_what_the_next_write_found_tells_of_the_one_before(store: JournaledStore, later: Later) -> None:
    stopped(store, NEW_ONE, after_writing=True)
    store.save_profile(Profile(slug="new", registry="team", description="y"), BOB)
    assert told(later(store).events(ALL)) == [("create", "new", 0, 1), ("update", "new", 1, 2)]


def test_a_write_settles_what_was_left_open_before(store: JournaledStore, later: Later) -> None:
    stopped(store, NEW_ONE, after_writing=True)
    later(store).save_profile(Profile(slug="other", registry="team"), BOB)
    assert told(store.events(ALL)) == [("create", "new", 0, 1), ("create", "other", 0, 1)]


def test_a_file_that_cannot_be_read_settles_nothing(store: JournaledStore, later: Later, tmp_path: Path) -> None:
    stopped(store, NEW_ONE, after_writing=True)
    sound = (tmp_path / "team.yaml").read_text()
    (tmp_path / "team.yaml").write_text("slug: [\n")
    assert told(later(store).events(ALL)) == [("create (open)", "new", 0, 1)]
    (tmp_path / "team.yaml").write_text(sound)
    assert told(later(store).events(ALL)) == [("create", "new", 0, 1)]


def test_a_settled_intent_stays_and_a_late_writer_adds_what_it_did(store: JournaledStore, later: Later) -> None:
    save = store.inner.save_profile

    def and_be_judged_meanwhile(profile: Profile, options: WriteOptions) -> Profile:
        assert later(store).events(ALL) == []
        return save(profile, options)

    store.inner.save_profile = and_be_judged_meanwhile  # type: ignore[method-assign]
    store.save_profile(NEW_ONE, ALICE)
    assert [event.seq for event in store.events(ALL)] == [2]


def test_a_write_of_the_same_content_is_told_by_its_version() -> None:
    event = Event(1, 0, "", "update", "team", "a", 3, 4)
    same = Intent("s", event, "d", "d")
    assert outcome(same, [], Stored(4, "d")) == "done"
    assert outcome(same, [], Stored(3, "d")) == "failed"


# Digests, labels, and which stores have a journal


@pytest.mark.parametrize("layout", WRITERS)
def test_what_is_stored_has_the_digest_of_what_was_given(layout: str, tmp_path: Path) -> None:
    writer = WRITERS[layout]
    writer.prepare(tmp_path)
    for slug in ("coder", "other"):
        given = writer.profile(slug, 7)
        writer.opened(tmp_path).save_profile(given, ALICE)
        stored = writer.opened(tmp_path).get_profile("team", slug)
        assert stored is not None and content_digest(stored) == content_digest(given)


def test_times_versions_and_actors_are_not_content_and_tags_are() -> None:
    one = Profile(slug="a", registry="t", metadata=Metadata(version=3, created_by="x", updated_at_ms=5))
    assert content_digest(one) == content_digest(Profile(slug="a", registry="t"))
    tagged = Profile(slug="a", registry="t", metadata=Metadata(tags=("x",)))
    assert content_digest(one) != content_digest(tagged)
    off, zero = ({"extensions": {"a.b@v1": value}} for value in (False, 0))
    assert content_digest(Profile(slug="a", **off)) != content_digest(Profile(slug="a", **zero))


def test_a_file_has_one_label_from_wherever_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "a" / "team.yaml", "slug: team\n")
    (tmp_path / "link.yaml").symlink_to(tmp_path / "a" / "team.yaml")
    monkeypatch.chdir(tmp_path / "a")
    names = ["team.yaml", f"yaml:{tmp_path}/a/team.yaml", str(tmp_path / "link.yaml"), "../a/team.yaml"]
    assert {journal_label(open_source(name)) for name in names} == {f"yaml:{tmp_path}/a/team.yaml"}


def test_programs_that_share_a_directory_have_labels_of_their_own(tmp_path: Path) -> None:
    labels = {journal_label(open_source(f"config-profiles:{tmp_path}?app={app}")) for app in ("a", "b")}
    assert len(labels) == 2


def test_only_what_outlives_the_process_and_keeps_no_history_has_a_journal(
    journal: StateJournal, tmp_path: Path
) -> None:
    assert isinstance(journaled(open_source(str(tmp_path / "a.yaml")), journal), JournaledStore)
    assert isinstance(journaled(open_source("memory:"), journal), MemoryStore)
    assert isinstance(journaled(open_source(str(tmp_path / "a.yaml")), None), YAMLStore)


def test_every_store_of_files_can_have_one(journal: StateJournal, tmp_path: Path) -> None:
    for name, opened in (("p", DirectoryStore), ("c", ConfigProfilesStore)):
        (tmp_path / name / "profiles").mkdir(parents=True)
        write(tmp_path / name / "profiles" / "default.yaml", "servers: []\n") if name == "p" else None
        args = {"registry": "team"} if name == "p" else {"app": "team"}
        store = JournaledStore(opened(tmp_path / name, **args), journal, name)  # type: ignore[operator]
        settings = {"level": 1} if name == "c" else {"routeTimeoutSeconds": 5}
        store.save_profile(
            Profile(slug="new", registry="team", runtime=RuntimeSpec(step_settings_patch=settings)), ALICE
        )
        assert told(store.events(ALL)) == [("create", "new", 0, 1)]
