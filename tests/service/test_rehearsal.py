"""Writes that are tried on a database: they cost what they change, say what the write would, and never reach it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from livery import open_registry
from livery.core.changes import Change, changes_between
from livery.core.names import Reference
from livery.core.profile import Metadata, Profile, Registry, RuntimeSpec
from livery.errors import (
    LineageError,
    ProfileNotFound,
    RegistryNotFound,
    SourceUnavailable,
    StillReferenced,
    UsageError,
    VersionConflict,
)
from livery.service import RegistryService
from livery.stores.protocols import BrokenItem, EventQuery, HistoryStore, Retention, Snapshot
from livery.stores.rehearsed import RehearsedStore
from livery.stores.sql import SQLStore, open_database
from livery.testing import StoreContract
from tests.support.asked_rows import note_asked_rows
from tests.support.registries import ALICE, BOB, engine, expecting, opened, settings, write

MANY = 20_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "profiles.db"


@pytest.fixture
def service(path: Path) -> Iterator[RegistryService]:
    service = open_registry(f"sqlite:{path}")
    profiles = {"base": settings(engine="one"), "mine": {"extends": ["base"]}, "other": settings(engine="other")}
    service.create_registry({"slug": "team", "default_profile_slug": "base", "profiles": profiles}, ALICE)
    yield service
    service.close()


@pytest.fixture
def many(path: Path, service: RegistryService) -> Iterator[RegistryService]:
    """The same with very many profiles more, opened by another process."""
    with sqlite3.connect(path) as db:
        rows = [(f"p{number:05}",) for number in range(MANY)]
        db.executemany("INSERT INTO profiles (registry_slug, slug, runtime_json) VALUES ('team', ?, '{}')", rows)
    db.close()
    many = open_registry(f"sqlite:{path}")
    yield many
    many.close()


@pytest.fixture
def store(path: Path) -> Iterator[SQLStore]:
    store = SQLStore(open_database(path))
    store.save_registry(Registry(slug="team", profiles={slug: item(slug) for slug in ("a", "c", "e")}), ALICE)
    yield store
    store.close()


@pytest.fixture
def trial(store: SQLStore) -> RehearsedStore:
    return RehearsedStore(store, store.follow(None))


def item(slug: str, **fields: Any) -> Profile:
    return Profile(slug=slug, registry="team", **fields)


def at_hand(service: RegistryService) -> list[str]:
    return sorted(service.catalogue.registries["team"].profiles.at_hand)


class TestRehearsedStore(StoreContract):
    """It keeps the contract of every store that is written."""

    survives_reopening = False

    @pytest.fixture
    def opened(self, tmp_path: Path) -> Callable[[], RehearsedStore]:
        real = SQLStore(open_database(tmp_path / "livery.db"))
        real.save_registry(Registry(slug="gone"), ALICE)
        real.delete_registry("gone", ALICE)
        return lambda: RehearsedStore(real, real.follow(None))


# What it costs


WRITES: dict[str, Callable[[RegistryService], object]] = {
    "set": lambda service: service.update_profile("team", "p00007", {"description": "x"}, BOB),
    "create": lambda service: service.create_profile("team", {"slug": "new", "extends": ["base"]}, BOB),
    "copy": lambda service: service.copy_profile("team", "mine", "copied", BOB),
    "rename": lambda service: service.rename_profile("team", "base", "renamed", BOB),
    "delete": lambda service: service.delete_profile("team", "other", BOB),
    "default": lambda service: service.set_default_profile("team", "mine", BOB),
    "registry": lambda service: service.create_registry({"slug": "second", "profiles": {"x": {}}}, BOB),
}


@pytest.mark.parametrize("name", WRITES)
def test_a_rehearsal_reads_few_profiles_however_many_there_are(
    many: RegistryService, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rehearsal = many.rehearsal()
    before, asked = rehearsal.catalogue, note_asked_rows(monkeypatch)
    WRITES[name](rehearsal)
    assert changes_between(before, rehearsal.catalogue)
    assert 0 < len(asked) < 30
    assert len(at_hand(rehearsal)) <= 5 and at_hand(many) == ["base"]  # the default, which is always looked at


@pytest.mark.parametrize("name", WRITES)
def test_nothing_reaches_the_database(path: Path, many: RegistryService, name: str) -> None:
    with sqlite3.connect(path) as watching:
        before = marks(watching)
        WRITES[name](many.rehearsal())
        assert marks(watching) == before
    watching.close()
    assert not many.refresh()


def marks(db: sqlite3.Connection) -> list[Any]:
    """What is another after any commit of another connection."""
    return [db.execute(sql).fetchone() for sql in ("PRAGMA data_version", "SELECT seq FROM profile_counter")]


# It is as the write would be


@pytest.mark.parametrize("name", [name for name in WRITES if name != "set"])
def test_the_state_and_the_log_are_those_that_the_write_leads_to(service: RegistryService, name: str) -> None:
    rehearsal = service.rehearsal()
    for each in (rehearsal, service):
        WRITES[name](each)
    assert documents(rehearsal) == documents(service)
    assert rehearsal.events(EventQuery()) == service.events(EventQuery())
    assert rehearsal.catalogue.seqs == service.catalogue.seqs


def documents(service: RegistryService) -> dict[str, Any]:
    return {row.slug: service.get_registry(row.slug).document() for row in service.list_registries()}


def test_what_is_recreated_goes_on_counting(service: RegistryService) -> None:
    service.delete_profile("team", "other")
    rehearsal = service.rehearsal()
    assert rehearsal.create_profile("team", {"slug": "other"}).version == 2
    rehearsal.delete_profile("team", "other")
    assert rehearsal.create_profile("team", {"slug": "other"}).version == 3
    service.delete_registry("team")
    rehearsal = service.rehearsal()
    assert rehearsal.create_registry({"slug": "team", "profiles": {"other": {}}}).version == 2
    assert rehearsal.get_profile("team", "other").version == 2


def test_a_row_of_another_program_goes_on_counting(many: RegistryService) -> None:
    rehearsal = many.rehearsal()
    rehearsal.delete_profile("team", "p00001")
    assert rehearsal.create_profile("team", {"slug": "p00001"}).version == 2


def test_a_rolled_back_profile_and_registry_come_back(service: RegistryService) -> None:
    service.update_profile("team", "other", settings(engine="new"))
    assert engine_after(service, lambda it: it.rollback_profile("team", "other", 1)) == "other"
    service.delete_registry("team")
    assert engine_after(service, lambda it: it.rollback_registry("team", 1)) == "new"
    assert service.list_registries() == []


def engine_after(service: RegistryService, action: Callable[[RegistryService], object]) -> Any:
    rehearsal = service.rehearsal()
    action(rehearsal)
    return engine(rehearsal, "other", registry_slug="team")


def test_a_rehearsal_refuses_what_the_write_would(service: RegistryService) -> None:
    rehearsal = service.rehearsal()
    with pytest.raises(VersionConflict):
        rehearsal.update_profile("team", "mine", {"description": "x"}, expecting(7))
    with pytest.raises(LineageError):
        rehearsal.update_profile("team", "mine", {"extends": ["gone"]})
    with pytest.raises(StillReferenced):
        rehearsal.delete_profile("team", "base")
    with pytest.raises(RegistryNotFound):
        rehearsal.create_profile("nowhere", {"slug": "x"})


def test_later_writes_of_a_rehearsal_stand_on_earlier_ones(service: RegistryService) -> None:
    rehearsal = service.rehearsal()
    rehearsal.create_profile("team", {"slug": "new", **settings(engine="new")})
    rehearsal.update_profile("team", "mine", {"extends": ["new"]})
    assert engine(rehearsal, "mine") == "new"
    with pytest.raises(StillReferenced):
        rehearsal.delete_profile("team", "new")
    rehearsal.delete_profile("team", "mine")
    rehearsal.delete_profile("team", "new")
    assert [row.slug for row in rehearsal.list_profiles("team")] == ["base", "other"]


def test_only_the_changed_item_is_told(service: RegistryService) -> None:
    rehearsal = service.rehearsal()
    before = rehearsal.catalogue
    rehearsal.update_profile("team", "other", {"description": "x"})
    assert changes_between(before, rehearsal.catalogue) == [
        Change("team", "other", "updated", 1, 2, "presentation", seq=5, source=rehearsal.sources[0].label)
    ]


def test_a_rehearsal_stands_on_one_state_whatever_is_written_meanwhile(path: Path, service: RegistryService) -> None:
    rehearsal, second = service.rehearsal(), open_registry(f"sqlite:{path}")
    second.update_profile("team", "other", {"description": "later"})
    second.close()
    assert rehearsal.update_profile("team", "other", {"display_name": "x"}).version == 2
    assert rehearsal.get_profile("team", "other").description == ""


def test_a_layer_over_a_file_is_rehearsed_like_any(tmp_path: Path, path: Path, service: RegistryService) -> None:
    file = write(tmp_path / "low.yaml", "slug: team\nprofiles: {low: {description: below}, base: {description: low}}")
    both = opened(f"yaml:{file}", f"sqlite:{path}")
    rehearsal = both.rehearsal()
    assert rehearsal.update_profile("team", "low", {"description": "above"}).description == "above"
    assert rehearsal.delete_profile("team", "base", revert=True) is not None
    assert both.get_profile("team", "low").description == "below"
    both.close()


def test_a_database_that_is_not_there_is_made_only_in_thought(path: Path) -> None:
    service = open_registry(f"sqlite:{path}")
    assert service.rehearsal().create_registry({"slug": "team"}).version == 1
    assert not path.exists()


def test_a_lost_database_refuses_a_rehearsal_like_a_write(path: Path, service: RegistryService) -> None:
    for file in path.parent.glob("profiles.db*"):
        file.unlink()
    path.write_bytes(b"no database at all, but a file that is longer than a header of one would have to be" * 9)
    service.refresh()
    with pytest.raises(SourceUnavailable) as real:
        service.delete_profile("team", "other")
    with pytest.raises(SourceUnavailable) as rehearsed:
        service.rehearsal().delete_profile("team", "other")
    assert str(rehearsed.value) == str(real.value)


# The store beneath


def test_a_block_that_fails_leaves_nothing(trial: RehearsedStore) -> None:
    before = trial.follow(None)
    with pytest.raises(ProfileNotFound), trial.transaction(exclusive=True) as batch:
        batch.save_profile(item("b"), ALICE)
        assert batch.get_profile("team", "b") is not None and trial.get_profile("team", "b") is None
        batch.delete_profile(Reference("team", "nobody"), ALICE)
    assert trial.follow(before) is before
    assert trial.save_profile(item("b"), ALICE).version == 1


def test_a_batch_is_one_step_and_over_at_its_end(trial: RehearsedStore) -> None:
    before = trial.follow(None)
    with trial.transaction() as batch:
        batch.save_profile(item("b"), ALICE)
        batch.delete_profile(Reference("team", "b"), ALICE)
        with pytest.raises(UsageError):
            trial.save_profile(item("d"), ALICE)
    after = trial.follow(before)
    assert [event.seq for event in after.events] == [before.seq + 1, before.seq + 2]
    assert after.follows == before.seq
    with pytest.raises(SourceUnavailable):
        batch.save_profile(item("d"), ALICE)


def script(store: HistoryStore) -> None:
    """Writes of every kind, with and without others in the same transaction."""
    store.save_profile(item("b", extends=(Reference("team", "a"),), display_name="Bee"), ALICE)
    store.save_profile(item("c", runtime=RuntimeSpec(tools=["x"]), metadata=Metadata(tags=("t",))), BOB)
    store.save_profile(item("c", runtime=RuntimeSpec(tools=["x"]), display_name="sea"), BOB)
    store.delete_profile(Reference("team", "e"), BOB._replace(action="away", diff="[]"))
    with store.transaction() as batch:
        batch.save_registry(Registry(slug="more", profiles={"x": Profile(slug="x", registry="more")}), ALICE)
        bases = (Reference("team", "a"), Reference("more", "x"))
        batch.save_profile(Profile(slug="y", registry="more", extends=bases), ALICE._replace(at_ms=3_000))
        batch.save_profile(item("e", description="again"), ALICE)
    store.save_registry(Registry(slug="team", display_name="Team"), BOB)
    store.delete_registry("more", BOB)
    store.save_registry(Registry(slug="more", profiles={"x": Profile(slug="x", registry="more")}), BOB)
    store.save_profile(Profile(slug="z", registry="more", extends=(Reference("team", "c"),)), BOB)


def told(store: HistoryStore, snapshot: Snapshot) -> dict[str, Any]:
    """Everything that a state says."""
    bases = [Reference("team", slug) for slug in "abce"]
    return {
        "heads": [replace(head, profiles={}) for head in snapshot.heads],
        "names": [snapshot.names(head.slug) for head in snapshot.heads],
        "some": [snapshot.names("team", after=after, limit=limit) for after in ("", "a", "b") for limit in (1, 2, 9)],
        "prefix": snapshot.names("team", prefix="b"),
        "count": [snapshot.count(head.slug) for head in snapshot.heads],
        "pages": [snapshot.page("team", after=after, limit=limit) for after in ("", "b") for limit in (1, 3, 9)],
        "found": [snapshot.page("team", limit=9, query="BEE"), snapshot.page("team", limit=9, tag="t")],
        "profiles": [snapshot.profile(head.slug, name) for head in snapshot.heads for name in "abcdexyz"],
        "users": [snapshot.users(base) for base in bases],
        "users of registries": [snapshot.users_of_registry(slug) for slug in ("team", "more")],
        "log": [store.events(query) for query in (EventQuery(), EventQuery("team", newest_first=False, limit=3))],
        "asked": store.events(EventQuery("team", actor="bob", since_ms=2_000, until_ms=2_001, after=5, before=9)),
        "revisions": [store.revision("team", name, version) for name in ("", *"abce") for version in (1, 2, 3)],
    }


def test_a_rehearsed_store_says_what_the_real_one_will_say(database_url: str) -> None:
    store = SQLStore(open_database(database_url))
    store.save_registry(Registry(slug="team", profiles={slug: item(slug) for slug in ("a", "c", "e")}), ALICE)
    trial = RehearsedStore(store, store.follow(None))
    script(trial)
    rehearsed = told(trial, trial.follow(None))
    script(store)
    assert rehearsed == told(store, store.follow(None))
    store.close()


def test_every_state_on_the_way_can_be_asked_for(store: SQLStore, trial: RehearsedStore) -> None:
    trial.save_profile(item("b"), ALICE)
    trial.delete_profile(Reference("team", "a"), BOB)
    assert [trial.snapshot_at(seq).names("team") for seq in (0, 4, 5, 6)] == [
        [], ["a", "c", "e"], ["a", "b", "c", "e"], ["b", "c", "e"],
    ]  # fmt: skip
    assert [trial.seq_at(at_ms) for at_ms in (0, 1_000, 2_000)] == [0, 5, 6]


def test_a_rehearsal_drops_no_history(store: SQLStore, trial: RehearsedStore) -> None:
    for text in ("x", "y", "z"):
        store.save_profile(item("a", display_name=text), ALICE)
    assert trial.prune(Retention(keep=2, min_age_ms=0), 9_000_000) == 0
    assert store.revision("team", "a", 1) is not None
    assert trial.facts().seq == 4


def test_broken_rows_are_refused_and_go_with_their_registry(path: Path, store: SQLStore) -> None:
    with sqlite3.connect(path) as db:
        db.execute("UPDATE profiles SET metadata_json = '[' WHERE slug = 'c'")
    db.close()
    trial = RehearsedStore(store, store.follow(None))
    assert any(isinstance(found, BrokenItem) for found in trial.follow(None).page("team", limit=9))
    with pytest.raises(Exception, match="team"):
        trial.save_profile(item("c"), ALICE)
    assert len(trial.load_registries().broken) == 1
    trial.delete_registry("team", ALICE)
    assert trial.load_registries().registries == () and trial.follow(None).count("team") == 0
