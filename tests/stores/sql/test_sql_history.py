"""Every change is in the log once, every version is kept, and any state can be asked for later."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from livery.core.names import Reference
from livery.core.profile import Metadata, PolicySpec, Profile, Registry, RuntimeSpec
from livery.errors import SourceReadOnly, SourceUnavailable
from livery.stores.protocols import BrokenItem, EventQuery, HistoryStore, Retention, Snapshot, WriteOptions
from livery.stores.sql import Database, SQLStore, open_database

ALICE = WriteOptions(actor="alice", source="cli", request_id="r1", at_ms=1_000)
CODER = Reference("team", "coder")


def coder(text: str = "", **fields: object) -> Profile:
    return Profile(slug="coder", registry="team", display_name=text, **fields)  # type: ignore[arg-type]


@pytest.fixture
def team(store: SQLStore) -> SQLStore:
    store.save_registry(Registry(slug="team"), ALICE)
    return store


def versions(store: SQLStore) -> list[tuple[str, int, int]]:
    found = store.events(EventQuery(newest_first=False))
    return [(event.profile, event.from_version, event.to_version) for event in found]


# The log


def test_the_log_counts_from_one_without_gaps(team: SQLStore) -> None:
    team.save_profile(coder(), ALICE)
    team.save_profile(coder("x"), ALICE)
    team.delete_profile(CODER, ALICE)
    assert [event.seq for event in team.events(EventQuery())] == [4, 3, 2, 1]
    assert versions(team) == [("", 0, 1), ("coder", 0, 1), ("coder", 1, 2), ("coder", 2, 0)]


def test_an_event_says_who_did_what(team: SQLStore) -> None:
    team.save_profile(coder(), ALICE._replace(action="import", diff='[{"path": "a"}]'))
    (event,) = team.events(EventQuery(profile="coder"))
    assert (event.at_ms, event.actor, event.action, event.source) == (1_000, "alice", "import", "cli")
    assert (event.request_id, event.diff) == ("r1", '[{"path": "a"}]')


def test_actions_without_a_name_are_called_what_they_are(team: SQLStore) -> None:
    team.save_profile(coder(), ALICE)
    team.save_profile(coder("x"), ALICE)
    team.delete_profile(CODER, ALICE)
    assert [event.action for event in team.events(EventQuery(profile="coder"))] == ["delete", "update", "create"]


def test_a_refused_write_leaves_no_trace(team: SQLStore) -> None:
    with pytest.raises(Exception, match="not 7"):
        team.save_profile(coder(), ALICE._replace(expected_version=7))
    assert versions(team) == [("", 0, 1)]
    assert team.revision("team", "coder", 1) is None


def test_names_alone_are_presentation(team: SQLStore) -> None:
    team.save_profile(coder(runtime=RuntimeSpec(tools=["a"])), ALICE)
    team.save_profile(coder("x", runtime=RuntimeSpec(tools=["a"]), metadata=Metadata(tags=("t",))), ALICE)
    team.save_profile(coder("x", runtime=RuntimeSpec(tools=["b"])), ALICE)
    team.save_profile(coder("x", runtime=RuntimeSpec(tools=["b"]), policy=PolicySpec(read_only=True)), ALICE)
    scopes = [event.scope for event in team.events(EventQuery(profile="coder", newest_first=False))]
    assert scopes == ["runtime", "presentation", "runtime", "runtime"]


def test_one_and_true_are_two_runtimes(team: SQLStore) -> None:
    team.save_profile(coder(runtime=RuntimeSpec(step_settings_patch={"chat": {"n": 1}})), ALICE)
    team.save_profile(coder(runtime=RuntimeSpec(step_settings_patch={"chat": {"n": True}})), ALICE)
    assert team.events(EventQuery())[0].scope == "runtime"


def test_a_default_of_a_registry_is_runtime_and_its_name_is_not(team: SQLStore) -> None:
    team.save_registry(Registry(slug="team", description="d"), ALICE)
    team.save_registry(Registry(slug="team", default_profile_slug="coder"), ALICE)
    assert [event.scope for event in team.events(EventQuery(newest_first=False))[1:]] == ["presentation", "runtime"]


def test_a_registry_goes_with_one_event_for_each_profile(team: SQLStore) -> None:
    team.save_profile(coder(), ALICE)
    team.save_profile(Profile(slug="other", registry="team"), ALICE)
    team.delete_registry("team", ALICE)
    assert versions(team)[3:] == [("coder", 1, 0), ("other", 1, 0), ("", 1, 0)]


def test_a_registry_made_again_goes_on_counting(team: SQLStore) -> None:
    team.save_profile(coder(), ALICE)
    team.delete_registry("team", ALICE)
    again = Registry(slug="team", profiles={"coder": coder()})
    saved = team.save_registry(again, ALICE._replace(expected_version=0))
    assert (saved.version, saved.profiles["coder"].version) == (2, 2)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (EventQuery(), [4, 3, 2, 1]),
        (EventQuery(newest_first=False, limit=2), [1, 2]),
        (EventQuery(registry="team", profile=""), [1]),
        (EventQuery(registry="nobody"), []),
        (EventQuery(actor="bob"), [4]),
        (EventQuery(action="update"), [4, 3]),
        (EventQuery(since_ms=2_000, until_ms=3_000), [3]),
        (EventQuery(after=1, before=4), [3, 2]),
        (EventQuery(actor="' OR 1=1 --"), []),
        (EventQuery(registry="a\0b", actor="\udc80"), []),
        (EventQuery(limit=0), []),
        (EventQuery(after=10**30), []),
        (EventQuery(until_ms=-(10**30)), []),
    ],
)
def test_events_are_found_by_what_is_asked(team: SQLStore, query: EventQuery, found: list[int]) -> None:
    team.save_profile(coder(), ALICE)
    team.save_profile(coder("x"), ALICE._replace(at_ms=2_000))
    team.save_profile(coder("y"), WriteOptions(actor="bob", at_ms=3_000))
    assert [event.seq for event in team.events(query)] == found


def test_a_time_leads_to_the_last_change_before_it(team: SQLStore) -> None:
    team.save_profile(coder(), ALICE._replace(at_ms=2_000))
    assert [team.seq_at(at_ms) for at_ms in (0, 1_000, 1_999, 2_000, 10**30)] == [0, 1, 1, 2, 2]


# Revisions


def test_every_version_is_kept_whole(team: SQLStore) -> None:
    full = coder("x", extends=(CODER,), extensions={"a.b@v1": {"n": 1}}, metadata=Metadata(tags=("t",)))
    saved = [team.save_profile(full, ALICE), team.save_profile(coder("y"), ALICE)]
    team.delete_profile(CODER, ALICE)
    assert [team.revision("team", "coder", version) for version in (1, 2)] == saved
    assert team.revision("team", "coder", 3) is None


def test_versions_of_a_registry_are_kept_without_its_profiles(team: SQLStore) -> None:
    saved = team.save_registry(Registry(slug="team", callers={"a": "b"}, foreign_sections=("x",)), ALICE)
    assert team.revision("team", "", 2) == saved


@pytest.mark.parametrize("version", [0, -1, 10**30])
def test_a_version_that_never_was_is_none(team: SQLStore, version: int) -> None:
    assert team.revision("team", "", version) is None
    assert team.revision("te\0am", "\udc80", 1) is None


# States


def test_a_snapshot_goes_on_answering_as_it_was(team: SQLStore) -> None:
    first = team.save_profile(coder("old", metadata=Metadata(tags=("t",))), ALICE)
    before = team.follow(None)
    team.save_profile(coder("new"), ALICE)
    team.save_profile(Profile(slug="other", registry="team"), ALICE)
    assert before.profile("team", "coder") == first
    assert before.profile("team", "other") is None
    assert (before.names("team"), before.count("team")) == (["coder"], 1)
    assert before.page("team", limit=9) == [first]


def test_a_deleted_profile_is_still_in_an_older_state(team: SQLStore) -> None:
    saved = team.save_profile(coder("x"), ALICE)
    before = team.follow(None)
    team.delete_registry("team", ALICE)
    assert before.profile("team", "coder") == saved
    assert (before.count("team"), before.names("team"), before.page("team", limit=1)) == (1, ["coder"], [saved])
    now = team.follow(before)
    assert (now.profile("team", "coder"), now.count("team"), now.page("team", limit=1)) == (None, 0, [])
    assert ([head.slug for head in before.heads], now.heads) == (["team"], ())


def test_every_old_state_can_be_asked_for(team: SQLStore) -> None:
    states: dict[int, list[Profile | BrokenItem]] = {}
    for number in range(12):
        slug = f"p{number * 5 % 7}"
        if number % 4 == 3:
            team.delete_profile(Reference("team", f"p{(number - 1) * 5 % 7}"), ALICE)
        else:
            team.save_profile(Profile(slug=slug, registry="team", display_name=str(number)), ALICE)
        states[number + 2] = team.follow(None).page("team", limit=100)
    for seq, page in states.items():
        old = team.snapshot_at(seq)
        assert old.page("team", limit=100) == page
        assert old.names("team") == [item.slug for item in page if isinstance(item, Profile)]
        assert old.count("team") == len(page)
        assert paged(old, 2) == page


def paged(snapshot: Snapshot, limit: int) -> list[Profile | BrokenItem]:
    """All profiles, a few at a time."""
    found: list[Profile | BrokenItem] = []
    after = ""
    while page := snapshot.page("team", after=after, limit=limit):
        found += page
        last = page[-1]
        after = last.slug if isinstance(last, Profile) else last.profile
    return found


def test_heads_of_old_states_are_as_they_were(team: SQLStore) -> None:
    team.save_registry(Registry(slug="team", display_name="Team"), ALICE)
    team.save_registry(Registry(slug="alpha"), ALICE)
    team.delete_registry("team", ALICE)
    heads = [[(head.slug, head.display_name) for head in team.snapshot_at(seq).heads] for seq in range(5)]
    assert heads == [[], [("team", "")], [("team", "Team")], [("alpha", ""), ("team", "Team")], [("alpha", "")]]


def test_a_state_beyond_the_last_is_the_last(team: SQLStore) -> None:
    assert team.snapshot_at(10**30).seq == 1
    assert team.snapshot_at(-5).seq == 0


def test_a_page_has_headings_alone(team: SQLStore) -> None:
    runtime = RuntimeSpec(system_prompt="long")
    full = coder("x", extends=(CODER,), runtime=runtime, policy=PolicySpec(read_only=True), extensions={"a.b@v1": 1})
    saved = team.save_profile(full, ALICE)
    (listed,) = team.follow(None).page("team", limit=5)
    assert isinstance(listed, Profile)
    assert (listed.runtime, listed.bases, listed.extensions) == (RuntimeSpec(), (), {})
    assert (listed.policy, listed.metadata) == (saved.policy, saved.metadata)


@pytest.mark.parametrize(
    ("query", "tag", "found"),
    [
        ("", "", ["alpha", "beta", "gamma"]),
        ("STRASSE", "", ["alpha"]),
        ("ÄPFEL", "", ["beta"]),
        ("ET", "", ["beta"]),
        ("", "x", ["alpha", "gamma"]),
        ("m", "x", ["gamma"]),
        ("%", "", []),
        ("'\\\0\udc80", "", []),
        ("", '"x', []),
    ],
)
def test_a_page_can_be_searched(team: SQLStore, query: str, tag: str, found: list[str]) -> None:
    x = Metadata(tags=("x", "y"))
    team.save_profile(Profile(slug="alpha", registry="team", display_name="Straße", metadata=x), ALICE)
    team.save_profile(Profile(slug="beta", registry="team", description="äpfel"), ALICE)
    before = team.save_profile(Profile(slug="gamma", registry="team", metadata=x), ALICE)
    old = team.follow(None)
    team.save_profile(replace(before, metadata=Metadata()), ALICE)
    listed = old.page("team", limit=10, query=query, tag=tag)
    assert [item.slug for item in listed if isinstance(item, Profile)] == found


@pytest.mark.parametrize(
    ("prefix", "after", "limit", "found"),
    [
        ("", "", None, ["a", "a.b", "a-b", "ab", "b"]),
        ("a", "", 3, ["a", "a.b", "a-b"]),
        ("a", "a", None, ["a.b", "a-b", "ab"]),
        ("a-", "", None, ["a-b"]),
        ("", "b", None, []),
        ("", "a\0", 1, ["a-b"]),
        ("", "a\udc80", None, ["b"]),
        ("é", "", None, []),
        ("a%", "", None, []),
        ("a_", "", None, []),
        ("", "", 0, []),
        ("", "", -1, []),
    ],
)
def test_names_come_in_order_from_any_of_them_on(
    team: SQLStore, prefix: str, after: str, limit: int | None, found: list[str]
) -> None:
    for slug in ("ab", "a", "b", "a.b", "a-b"):
        team.save_profile(Profile(slug=slug, registry="team"), ALICE)
    team.save_registry(Registry(slug="team2", profiles={"a": Profile(slug="a")}), ALICE)
    assert team.follow(None).names("team", prefix=prefix, after=after, limit=limit) == sorted(found)


def test_the_users_of_a_base_are_found_in_every_state(team: SQLStore) -> None:
    base = Reference("team", "base")
    team.save_profile(coder(extends=(base,)), ALICE)
    before = team.follow(None)
    team.save_registry(Registry(slug="far", profiles={"x": Profile(slug="x", extends=(base, CODER))}), ALICE)
    team.save_profile(coder(), ALICE)
    now = team.follow(before)
    assert (before.users(base), now.users(base)) == ([CODER], [Reference("far", "x")])
    assert (before.users_of_registry("team"), now.users_of_registry("team")) == ([], [Reference("far", "x")])
    assert team.follow(None).users(Reference("te\0am", "\udc80")) == []


# Following


def test_nothing_new_is_the_same_object(team: SQLStore) -> None:
    snapshot = team.follow(None)
    assert team.follow(snapshot) is snapshot
    assert team.follow(snapshot) is snapshot


def test_what_is_new_is_told_in_order(team: SQLStore, opened: Callable[[], SQLStore]) -> None:
    other = opened()
    before = other.follow(None)
    team.save_profile(coder(), ALICE)
    team.save_profile(coder("x"), ALICE)
    after = other.follow(before)
    assert (before.seq, after.seq, after.follows) == (1, 3, 1)
    assert [(event.seq, event.profile, event.to_version) for event in after.events] == [
        (2, "coder", 1),
        (3, "coder", 2),
    ]
    assert after.heads is before.heads


def test_a_changed_registry_is_read_again(team: SQLStore) -> None:
    before = team.follow(None)
    team.save_registry(Registry(slug="team", display_name="new"), ALICE)
    assert [head.display_name for head in team.follow(before).heads] == ["new"]


def test_two_followers_of_one_store_each_get_their_own_changes(team: SQLStore) -> None:
    one = two = team.follow(None)
    team.save_profile(coder(), ALICE)
    one = team.follow(one)
    team.save_profile(coder("x"), ALICE)
    one, two = team.follow(one), team.follow(two)
    assert ([event.seq for event in one.events], [event.seq for event in two.events]) == ([3], [2, 3])
    assert team.follow(two) is two


def test_a_database_without_tables_is_empty_until_somebody_writes(opened: Callable[[], SQLStore]) -> None:
    reader, writer = opened(), opened()
    with writer._database.writing("state"):
        pass
    empty = reader.follow(None)
    assert (empty.seq, empty.heads, empty.page("team", limit=1), empty.count("team")) == (0, (), [], 0)
    assert (reader.follow(empty), reader.load_registries().registries, reader.events(EventQuery())) == (empty, (), [])
    assert (reader.get_profile("team", "coder"), reader.seq_at(5), reader.snapshot_at(1).heads) == (None, 0, ())
    writer.save_registry(Registry(slug="team"), ALICE)
    assert [head.slug for head in reader.follow(empty).heads] == ["team"]


def test_a_log_that_went_back_has_nothing_in_common(team: SQLStore, database: Database) -> None:
    team.save_profile(coder(), ALICE)
    before = team.follow(None)
    with database.writing("profiles") as connection:
        connection.execute("UPDATE profile_counter SET seq = 1")
    after = team.follow(before)
    assert (after.seq, after.follows, after.events) == (1, None, ())


def test_another_identity_has_nothing_in_common(team: SQLStore, database: Database) -> None:
    before = team.follow(None)
    with database.writing("profiles") as connection:
        connection.execute("UPDATE livery_database SET id = 'other'")
    with pytest.raises(SourceUnavailable, match="another database"):
        before.profile("team", "coder")
    with pytest.raises(SourceUnavailable, match="another database"):
        before.count("team")
    team.save_profile(coder(), ALICE)
    assert team.follow(before).follows is None


# Retention

HOUR_MS = 3_600_000
MUCH_LATER = 10**12


def history(store: SQLStore, count: int) -> None:
    for number in range(count):
        store.save_profile(coder(str(number)), ALICE._replace(at_ms=1_000 * (number + 1)))


def kept(store: SQLStore, count: int) -> list[int]:
    return [version for version in range(1, count + 1) if store.revision("team", "coder", version)]


def test_the_newest_revisions_stay(team: SQLStore) -> None:
    history(team, 6)
    assert team.prune(Retention(keep=3), MUCH_LATER) == 3
    assert kept(team, 6) == [4, 5, 6]
    assert len(team.events(EventQuery())) == 7


def test_the_last_two_stay_whatever_is_asked(team: SQLStore) -> None:
    history(team, 4)
    team.prune(Retention(keep=1), MUCH_LATER)
    assert kept(team, 4) == [3, 4]


def test_what_was_the_present_a_moment_ago_stays(team: SQLStore) -> None:
    history(team, 5)
    team.prune(Retention(keep=2, min_age_ms=2 * HOUR_MS), 2 * HOUR_MS + 3_500)
    assert kept(team, 5) == [3, 4, 5]


@pytest.mark.parametrize("min_age_ms", [0, -HOUR_MS, HOUR_MS])
def test_what_was_replaced_within_the_hour_stays_whatever_is_asked(team: SQLStore, min_age_ms: int) -> None:
    history(team, 5)
    team.prune(Retention(keep=2, min_age_ms=min_age_ms), HOUR_MS + 3_500)
    assert kept(team, 5) == [3, 4, 5]


def test_keeping_nothing_means_everything(team: SQLStore) -> None:
    history(team, 4)
    assert team.prune(Retention(), MUCH_LATER) == 0
    assert kept(team, 4) == [1, 2, 3, 4]


def test_a_deleted_item_goes_on_counting_after_a_pruning(team: SQLStore) -> None:
    history(team, 4)
    team.delete_profile(CODER, ALICE)
    team.prune(Retention(keep=2), MUCH_LATER)
    assert team.save_profile(coder(), ALICE).version == 5


def test_a_state_whose_revision_is_gone_says_so(team: SQLStore) -> None:
    history(team, 4)
    team.prune(Retention(keep=2), MUCH_LATER)
    old = team.snapshot_at(2)
    with pytest.raises(SourceUnavailable, match="version 1 of team/coder is not kept"):
        old.profile("team", "coder")
    (listed,) = old.page("team", limit=1)
    assert isinstance(listed, BrokenItem)


# The present state


def test_the_present_state_answers_with_one_statement(tmp_path: Path) -> None:
    store = SQLStore(open_database(tmp_path / "livery.db"))
    store.save_registry(Registry(slug="team", profiles={"coder": coder(extends=(CODER,)), "other": coder()}), ALICE)
    snapshot = store.follow(store.follow(None))
    asked: list[str] = []
    store._database._readers._watching.db.set_trace_callback(asked.append)  # type: ignore[attr-defined]
    answers = [
        snapshot.profile("team", "coder"), snapshot.users(CODER), snapshot.users(Reference("team", "other")),
        snapshot.users_of_registry("team"), snapshot.count("team"), snapshot.names("team"),
        snapshot.page("team", limit=5),
    ]  # fmt: skip
    statements = [sql for sql in asked if not sql.startswith(("PRAGMA", "--"))]
    assert (len(statements), answers[1:6]) == (len(answers), [[CODER], [], [], 2, ["coder", "other"]])
    store.close()


def test_an_older_state_answers_as_the_present_one_did(team: SQLStore) -> None:
    team.save_profile(coder("a", extends=(Reference("team", "base"),)), ALICE)
    old = team.follow(None)

    def answers() -> list[object]:
        return [
            old.profile("team", "coder"), old.users(Reference("team", "base")), old.users_of_registry("team"),
            old.count("team"), old.names("team"), old.page("team", limit=5), old.page("team", limit=5, query="A"),
        ]  # fmt: skip

    before = answers()
    team.save_profile(coder("b"), ALICE)
    team.save_profile(Profile(slug="added", registry="team", extends=(Reference("team", "base"),)), ALICE)
    assert answers() == before


# The rest


def test_it_is_a_history_store(store: SQLStore) -> None:
    assert isinstance(store, HistoryStore)


def test_facts_tell_size_schema_and_the_last_change(team: SQLStore) -> None:
    facts = team.facts()
    assert (facts.schema_version, facts.seq) == (1, 1)
    assert facts.size_bytes is not None
    assert facts.size_bytes > 1_000


def test_a_store_that_is_not_written_says_so(team: SQLStore) -> None:
    reader = SQLStore(team._database, writable=False)
    with pytest.raises(SourceReadOnly):
        reader.save_profile(coder(), ALICE)
    with pytest.raises(SourceReadOnly), reader.transaction():
        pass


def test_after_closing_every_call_says_so(team: SQLStore) -> None:
    snapshot = team.follow(None)
    team.close()
    calls: list[Callable[[], object]] = [
        lambda: team.follow(None),
        lambda: team.snapshot_at(1),
        lambda: team.seq_at(1),
        lambda: team.events(EventQuery()),
        lambda: team.revision("team", "", 1),
        lambda: team.prune(Retention(keep=2), 1),
        team.facts,
        lambda: team.transaction().__enter__(),
        lambda: team.delete_registry("team", ALICE),
        lambda: snapshot.profile("team", "coder"),
        lambda: snapshot.count("team"),
    ]
    for call in calls:
        with pytest.raises(SourceUnavailable, match="it is closed"):
            call()
