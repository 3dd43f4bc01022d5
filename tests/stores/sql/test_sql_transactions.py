"""Several writes are one, and none is stored over something that was checked and has changed since."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from livery.core.names import Reference
from livery.core.profile import Profile, Registry
from livery.errors import RegistryNotFound, SourceUnavailable, UsageError, VersionConflict
from livery.stores.protocols import EventQuery, Overtaken, Seen, WriteOptions
from livery.stores.sql import SQLStore

ALICE = WriteOptions(actor="alice", at_ms=1_000)
BASE = Reference("team", "base")


def named(slug: str, text: str = "", **fields: object) -> Profile:
    return Profile(slug=slug, registry="team", display_name=text, **fields)  # type: ignore[arg-type]


@pytest.fixture
def team(store: SQLStore) -> SQLStore:
    store.save_registry(Registry(slug="team"), ALICE)
    return store


# Transactions


def test_the_writes_of_a_transaction_are_numbered_together(team: SQLStore) -> None:
    with team.transaction() as transaction:
        transaction.save_registry(Registry(slug="other"), ALICE)
        transaction.save_profile(Profile(slug="a", registry="other"), ALICE)
        transaction.delete_registry("team", ALICE)
    found = team.events(EventQuery(newest_first=False))[1:]
    assert [(event.seq, event.registry, event.profile) for event in found] == [
        (2, "other", ""), (3, "other", "a"), (4, "team", ""),
    ]  # fmt: skip


def test_the_bases_of_what_a_transaction_writes_are_those_at_its_end(team: SQLStore) -> None:
    with team.transaction() as transaction:
        for slug in ("a", "b", "c"):
            transaction.save_profile(named(slug, extends=(BASE,)), ALICE)
        transaction.save_profile(named("a", extends=()), ALICE)
        transaction.delete_profile(Reference("team", "b"), ALICE)
        transaction.save_profile(named("b"), ALICE)
    assert team.follow(None).users(BASE) == [Reference("team", "c")]


def test_thousands_of_profiles_are_written_as_one(team: SQLStore) -> None:
    slugs = [f"p{number:04}" for number in range(2_500)]
    with team.transaction() as transaction:
        for slug in slugs:
            transaction.save_profile(named(slug, extends=(BASE,)), ALICE)
    now = team.follow(None)
    assert (now.seq, now.names("team"), len(now.users(BASE))) == (2_501, slugs, 2_500)


def test_a_registry_that_was_deleted_comes_back_with_versions_that_go_on(team: SQLStore) -> None:
    team.save_profile(named("a"), ALICE)
    team.delete_registry("team", ALICE)
    profiles = {slug: named(slug) for slug in ("a", "b")}
    again = team.save_registry(Registry(slug="team", profiles=profiles), ALICE)
    assert {slug: profile.version for slug, profile in again.profiles.items()} == {"a": 2, "b": 1}


def test_a_transaction_that_fails_stores_nothing(team: SQLStore) -> None:
    before = team.load_registries()
    with pytest.raises(RegistryNotFound), team.transaction() as transaction:
        transaction.save_profile(named("a"), ALICE)
        transaction.save_profile(Profile(slug="x", registry="nowhere"), ALICE)
    assert team.load_registries() == before
    assert team.facts().seq == 1


def test_a_transaction_reads_its_own_writes_and_nobody_else_does(team: SQLStore) -> None:
    with team.transaction() as transaction:
        saved = transaction.save_profile(named("a", "x"), ALICE)
        assert transaction.get_profile("team", "a") == saved
        assert list(transaction.load_registries().registries[0].profiles) == ["a"]
        assert team.get_profile("team", "a") is None
    assert team.get_profile("team", "a") == saved


def test_an_item_written_twice_in_one_transaction_has_two_versions(team: SQLStore) -> None:
    with team.transaction() as transaction:
        transaction.save_profile(named("a", "x"), ALICE)
        transaction.save_profile(named("a", "y"), ALICE._replace(expected_version=1))
        transaction.delete_profile(Reference("team", "a"), ALICE)
    events = team.events(EventQuery(profile="a", newest_first=False))
    assert [(event.from_version, event.to_version) for event in events] == [(0, 1), (1, 2), (2, 0)]


@pytest.mark.parametrize("exclusive", [False, True])
def test_within_a_transaction_the_store_itself_is_not_written(team: SQLStore, exclusive: bool) -> None:
    with team.transaction(exclusive=exclusive), pytest.raises(UsageError, match="transaction of this thread"):
        team.save_profile(named("a"), ALICE)
    team.save_profile(named("a"), ALICE)


def test_after_its_end_a_transaction_takes_nothing(team: SQLStore) -> None:
    with team.transaction() as transaction:
        pass
    with pytest.raises(SourceUnavailable, match="is over"):
        transaction.save_profile(named("a"), ALICE)


def test_with_an_exclusive_transaction_others_wait(team: SQLStore, opened: Callable[[], SQLStore]) -> None:
    other = opened()
    writer = threading.Thread(target=lambda: other.save_profile(named("b"), ALICE))
    with team.transaction(exclusive=True) as transaction:
        writer.start()
        for number in range(20):
            transaction.save_profile(named("a", str(number)), ALICE)
        assert transaction.get_profile("team", "b") is None
    writer.join()
    assert [event.profile for event in team.events(EventQuery())][:2] == ["b", "a"]


def test_many_writers_leave_a_log_without_gaps(team: SQLStore, opened: Callable[[], SQLStore]) -> None:
    def write(store: SQLStore, slug: str) -> None:
        for number in range(10):
            store.save_profile(named(slug, str(number)), ALICE)
            with store.transaction(exclusive=number % 3 == 0) as transaction:
                transaction.save_profile(named("shared"), ALICE)
                transaction.save_profile(named(slug), ALICE)

    threads = [threading.Thread(target=write, args=(opened(), f"p{number}")) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    events = team.events(EventQuery(limit=1_000, newest_first=False))
    assert [event.seq for event in events] == list(range(1, 122))
    shared = [event.to_version for event in events if event.profile == "shared"]
    assert shared == list(range(1, 41))


def test_of_two_who_create_the_same_one_wins(team: SQLStore, opened: Callable[[], SQLStore]) -> None:
    outcomes: list[object] = []

    def create(store: SQLStore) -> None:
        try:
            outcomes.append(store.save_profile(named("new"), ALICE._replace(expected_version=0)).version)
        except VersionConflict as conflict:
            outcomes.append((conflict.expected, conflict.actual))

    threads = [threading.Thread(target=create, args=(opened(),)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes, key=str) == [*[(0, 1)] * 5, 1]


# Overtaken


def seen(store: SQLStore, *items: tuple[str, str], bases: frozenset[Reference] = frozenset()) -> WriteOptions:
    """The options of a write that looked at some items in the present state."""
    return ALICE._replace(seen=Seen(store.follow(None).seq, frozenset(items), bases))


def test_a_write_over_what_was_seen_goes_through(team: SQLStore) -> None:
    options = seen(team, ("team", "a"), ("team", ""))
    assert team.save_profile(named("a"), options).version == 1


@pytest.mark.parametrize("item", [("team", "base"), ("team", "")])
def test_a_write_is_overtaken_where_an_item_has_changed(team: SQLStore, item: tuple[str, str]) -> None:
    team.save_profile(named("base"), ALICE)
    options = seen(team, item)
    team.save_profile(named("base", "x"), ALICE)
    team.save_registry(Registry(slug="team", display_name="x"), ALICE)
    before = team.facts().seq
    with pytest.raises(Overtaken):
        team.save_profile(named("a"), options)
    assert (team.get_profile("team", "a"), team.facts().seq) == (None, before)


def test_other_changes_overtake_nobody(team: SQLStore) -> None:
    options = seen(team, ("team", "base"), bases=frozenset({BASE}))
    team.save_profile(named("elsewhere"), ALICE)
    assert team.save_profile(named("a"), options).version == 1


def test_a_new_user_of_a_base_overtakes(team: SQLStore) -> None:
    options = seen(team, bases=frozenset({BASE}))
    team.save_profile(named("user", extends=(BASE,)), ALICE)
    with pytest.raises(Overtaken):
        team.save_profile(named("base"), options)


def test_a_user_of_a_base_that_goes_overtakes(team: SQLStore) -> None:
    team.save_profile(named("user", extends=(BASE,)), ALICE)
    options = seen(team, bases=frozenset({BASE}))
    team.delete_profile(Reference("team", "user"), ALICE)
    with pytest.raises(Overtaken):
        team.save_profile(named("base"), options)


def test_a_state_that_never_was_overtakes(team: SQLStore) -> None:
    with pytest.raises(Overtaken):
        team.save_profile(named("a"), ALICE._replace(seen=Seen(99, frozenset())))


def test_within_a_transaction_own_writes_overtake_nobody(team: SQLStore) -> None:
    options = seen(team, ("team", "a"), ("team", "b"))
    with team.transaction() as transaction:
        transaction.save_profile(named("a"), options)
        transaction.save_profile(named("b"), options)
    assert team.facts().seq == 3


def test_a_transaction_is_overtaken_as_a_whole(team: SQLStore) -> None:
    options = seen(team, ("team", "b"))
    team.save_profile(named("b", "x"), ALICE)
    with pytest.raises(Overtaken), team.transaction() as transaction:
        transaction.save_profile(named("a"), ALICE)
        transaction.save_profile(named("c"), options)
    assert team.get_profile("team", "a") is None
