"""Several services on one database, as processes are: nothing is lost, everybody sees every change once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from livery import open_registry
from livery.changes import ChangeFeed
from livery.core.changes import Change
from livery.errors import LiveryError, SourceUnavailable, VersionConflict
from livery.service import RegistryService
from livery.stores.protocols import WriteOptions
from tests.support.postgresql import PostgreSQL
from tests.support.registries import engine, settings
from tests.support.waiting import until

Told = list[tuple[str, int, int]]


@pytest.fixture
def services(database_url: str) -> Iterator[list[RegistryService]]:
    with ExitStack() as stack:
        services = [open_registry(database_url) for _ in range(6)]
        for service in services:
            stack.callback(service.close)
        services[0].create_registry(
            {"slug": "team", "profiles": {"a": settings(engine="one"), "b": {"extends": ["a"]}}}
        )
        yield services


@contextmanager
def following(service: RegistryService) -> Iterator[Told]:
    """What a service is told of profiles while a feed follows its sources: slug and versions, in order."""
    told: Told = []

    def take(catalogue: object, changes: list[Change]) -> None:
        told.extend((change.profile, change.from_version, change.to_version) for change in changes if change.profile)

    service.refresh()
    unsubscribe = service.subscribe(take)
    with ChangeFeed(service):
        yield told
    unsubscribe()


def together(services: list[RegistryService], work: object) -> None:
    threads = [threading.Thread(target=work, args=(service,)) for service in services]  # type: ignore[arg-type]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_patches_that_expect_no_version_are_all_stored(services: list[RegistryService]) -> None:
    versions: list[int] = []

    def work(service: RegistryService) -> None:
        for number in range(5):
            versions.append(service.update_profile("team", "a", settings(top_p=number / 10)).version)
            versions.append(service.update_profile("team", "a", {"description": f"{id(service)} {number}"}).version)

    together(services, work)
    last = services[0].history("team", "a")[0].to_version
    assert sorted(set(versions)) == list(range(min(versions), last + 1))
    assert last > 6 * 5


def test_in_each_round_one_of_all_that_expect_a_version_wins(services: list[RegistryService]) -> None:
    for version in range(1, 6):
        outcomes: list[str] = []

        def work(service: RegistryService, version: int = version, outcomes: list[str] = outcomes) -> None:
            try:
                service.update_profile("team", "a", {"description": f"{id(service)} {version}"}, WriteOptions(version))
                outcomes.append("won")
            except VersionConflict:
                outcomes.append("lost")

        for service in services:
            service.refresh()
        together(services, work)
        assert sorted(outcomes) == ["lost"] * 5 + ["won"]


def test_a_new_registry_is_made_by_one_of_many(services: list[RegistryService]) -> None:
    made: list[str] = []

    def work(service: RegistryService) -> None:
        try:
            service.create_registry({"slug": "new", "profiles": {"x": {}}})
            made.append("made")
        except LiveryError as error:
            made.append(type(error).__name__)

    together(services, work)
    assert made.count("made") == 1
    assert [event.action for event in services[0].history("new")] == ["create"]


def test_a_feed_tells_of_every_change_of_another_process_once(services: list[RegistryService]) -> None:
    with following(services[1]) as told:
        for number in range(1, 21):
            services[0].update_profile("team", "a", {"description": str(number)})
        until(lambda: len(told) >= 20)
        assert told == [("a", number, number + 1) for number in range(1, 21)]


def test_a_resolution_follows_a_change_of_a_base_elsewhere(services: list[RegistryService]) -> None:
    with following(services[1]):
        assert engine(services[1], "b", registry_slug="team") == "one"
        services[0].update_profile("team", "a", settings(engine="two"))
        until(lambda: engine(services[1], "b", registry_slug="team") == "two")


def test_a_server_that_goes_and_comes_back_costs_no_change(postgresql_server: PostgreSQL) -> None:
    with postgresql_server.database() as name, ExitStack() as stack:
        writer, reader = (open_registry(postgresql_server.url(name)) for _ in range(2))
        for service in (writer, reader):
            stack.callback(service.close)
        writer.create_registry({"slug": "team", "profiles": {"a": settings(engine="one")}})
        with following(reader) as told:
            writer.update_profile("team", "a", {"description": "before"})
            until(lambda: told == [("a", 1, 2)])
            postgresql_server.stop()
            with pytest.raises(SourceUnavailable):
                writer.update_profile("team", "a", {"description": "lost"})
            for _ in range(3):
                reader.refresh()
            assert engine(reader, "a", registry_slug="team") == "one"
            postgresql_server.start()
            for number in range(3, 6):
                writer.update_profile("team", "a", {"description": str(number)})
            until(lambda: len(told) >= 4)
            assert told == [("a", number, number + 1) for number in range(1, 5)]


def test_connections_that_are_cut_are_made_again(
    shared_postgresql: PostgreSQL, postgresql_database: str, postgresql_database_url: str
) -> None:
    with ExitStack() as stack:
        writer, reader = (open_registry(postgresql_database_url) for _ in range(2))
        for service in (writer, reader):
            stack.callback(service.close)
        writer.create_registry({"slug": "team", "profiles": {"a": {}}})
        with following(reader) as told:
            writer.update_profile("team", "a", {"description": "1"})
            until(lambda: len(told) == 1)
            assert shared_postgresql.disconnect(postgresql_database) > 0
            writer.update_profile("team", "a", {"description": "2"})
            until(lambda: len(told) == 2)
            assert told == [("a", 1, 2), ("a", 2, 3)]
