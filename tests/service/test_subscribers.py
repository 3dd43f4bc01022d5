"""Whoever subscribes is told of every generation, once and in order."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from livery.core.catalogue import Catalogue
from livery.core.changes import Change
from livery.service import RegistryService
from tests.support.registries import opened, settings, write
from tests.support.waiting import until


class Told:
    """A subscriber that keeps what it hears."""

    def __init__(self, service: RegistryService) -> None:
        self.generations: list[int] = []
        self.changes: list[Change] = []
        self.unsubscribe = service.subscribe(self.take)

    def take(self, catalogue: Catalogue, changes: list[Change]) -> None:
        self.generations.append(catalogue.generation)
        self.changes += changes

    def kinds(self) -> list[tuple[str, str]]:
        return [(change.profile, change.kind) for change in self.changes]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write(tmp_path / "team.yaml", "slug: team\nprofiles: {coder: {}}\n")


@pytest.fixture
def service(path: Path) -> Iterator[RegistryService]:
    service = opened(path)
    _ = service.catalogue
    yield service
    service.close()


def test_a_write_is_told(service: RegistryService) -> None:
    told = Told(service)
    service.update_profile("team", "coder", settings(engine="x"))
    until(lambda: told.changes)
    assert told.changes == [Change("team", "coder", "updated", 1, 2, "runtime")]


def test_an_edit_that_a_refresh_takes_in_is_told(service: RegistryService, path: Path) -> None:
    told = Told(service)
    write(path, "slug: team\nprofiles: {coder: {}, new: {}}\n")
    service.refresh()
    until(lambda: told.changes)
    assert told.kinds() == [("new", "created")]


def test_an_edit_that_a_write_finds_is_told_before_it(service: RegistryService, path: Path) -> None:
    told = Told(service)
    write(path, "slug: team\nprofiles: {coder: {}, new: {}}\n")
    service.update_profile("team", "coder", settings(engine="x"))
    until(lambda: len(told.changes) == 2)
    assert told.kinds() == [("new", "created"), ("coder", "updated")]


def test_each_generation_is_told_once_and_in_order_whoever_makes_it(service: RegistryService) -> None:
    told = Told(service)
    writers = [
        threading.Thread(target=lambda n=number: service.create_profile("team", {"slug": f"p{n}"}))
        for number in range(20)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    until(lambda: len(told.changes) == 20)
    assert told.generations == list(range(2, service.catalogue.generation + 1))


def test_the_first_load_is_told_to_those_who_waited_for_it(path: Path) -> None:
    service = opened(path)
    told = Told(service)
    _ = service.catalogue
    until(lambda: told.changes)
    assert told.kinds() == [("", "created"), ("coder", "created")]


def test_what_happened_before_is_not_told(service: RegistryService) -> None:
    service.update_profile("team", "coder", settings(engine="x"))
    told = Told(service)
    service.update_profile("team", "coder", settings(engine="y"))
    until(lambda: told.changes)
    assert told.changes == [Change("team", "coder", "updated", 2, 3, "runtime")]


def test_a_subscriber_that_fails_is_logged_and_keeps_no_other_from_being_told(
    service: RegistryService, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(catalogue: Catalogue, changes: list[Change]) -> None:
        raise RuntimeError("no paper left")

    service.subscribe(fail)
    told = Told(service)
    for engine in ("x", "y"):
        service.update_profile("team", "coder", settings(engine=engine))
    until(lambda: len(told.changes) == 2)
    assert caplog.text.count("RuntimeError: no paper left") == 2


def test_a_subscriber_may_read_and_write(service: RegistryService) -> None:
    def answer(catalogue: Catalogue, changes: list[Change]) -> None:
        if "echo" not in catalogue.registries["team"].profiles:
            writer = threading.Thread(target=lambda: service.create_profile("team", {"slug": "echo"}))
            writer.start()
            writer.join()

    service.subscribe(answer)
    told = Told(service)
    service.update_profile("team", "coder", settings(engine="x"))
    until(lambda: len(told.changes) == 2)
    assert told.kinds() == [("coder", "updated"), ("echo", "created")]


def test_who_unsubscribes_is_told_no_more(service: RegistryService) -> None:
    first, second = Told(service), Told(service)
    first.unsubscribe()
    first.unsubscribe()
    service.update_profile("team", "coder", settings(engine="x"))
    until(lambda: second.changes)
    assert first.changes == []


def test_nobody_subscribed_means_no_thread(service: RegistryService) -> None:
    def threads() -> set[threading.Thread]:
        return {thread for thread in threading.enumerate() if thread.name == "livery-subscribers"}

    before = threads()
    told = Told(service)
    (begun,) = threads() - before
    told.unsubscribe()
    until(lambda: not begun.is_alive())
    again = Told(service)
    service.update_profile("team", "coder", settings(engine="x"))
    until(lambda: again.changes)


def test_a_broken_edit_is_told_with_its_reason_and_so_is_its_repair(service: RegistryService, path: Path) -> None:
    told = Told(service)
    for text in ("slug: team\nprofiles: {coder: {extend: 1}}\n", "slug: team\nprofiles: {coder: {}}\n"):
        write(path, text)
        service.refresh()
    until(lambda: len(told.changes) == 2)
    assert told.kinds() == [("coder", "broken"), ("coder", "repaired")]
    assert "did you mean 'extends'" in told.changes[0].error


def test_a_file_that_cannot_be_read_breaks_its_registry_alone(tmp_path: Path, path: Path) -> None:
    other = write(tmp_path / "other.yaml", "slug: other\nprofiles: {a: {}}\n")
    service = opened(path, other)
    _ = service.catalogue
    told = Told(service)
    write(path, "slug: [")
    write(other, "slug: other\nprofiles: {a: {}, b: {}}\n")
    service.refresh()
    until(lambda: told.changes)
    assert [change[:3] for change in told.changes] == [("other", "b", "created"), ("team", "", "broken")]
