"""Old versions go by themselves, as configured, and nothing else does."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from livery.errors import ProfileNotFound
from livery.service import RegistryService
from livery.service.retention import pruning
from livery.stores.protocols import Retention
from tests.support.registries import ALICE, BOB, opened, write
from tests.support.waiting import until

ROOT = Path(__file__).resolve().parents[2]
TWO = Retention(keep=2, min_age_ms=86_400_000)
SLUGS = [f"coder{number}" for number in range(20)]
PROGRAM = """
import sys
from livery import open_registry
from livery.service.retention import pruning
from livery.stores.protocols import Retention
service = open_registry(sys.argv[1])
_ = service.catalogue
print("ready", flush=True)
sys.stdin.readline()
with pruning(service, Retention(keep=2, min_age_ms=86_400_000)):
    pass
service.close()
"""


@pytest.fixture
def service(database_url: str) -> Iterator[RegistryService]:
    """Three versions of a profile, each of long ago."""
    with closing(opened("builtin:", database_url)) as service:
        service.create_registry({"slug": "team"}, ALICE)
        filled(service, "coder")
        yield service


def filled(service: RegistryService, slug: str, versions: int = 3) -> None:
    service.create_profile("team", {"slug": slug}, ALICE)
    for number in range(2, versions + 1):
        service.update_profile("team", slug, {"description": str(number)}, BOB)


def kept(service: RegistryService, slug: str = "coder") -> list[int]:
    """The versions whose content is still there."""

    def is_there(version: int) -> bool:
        try:
            return bool(service.profile_revision("team", slug, version).version)
        except ProfileNotFound:
            return False

    versions = [event.to_version for event in service.history("team", slug)]
    return [version for version in versions if is_there(version)]


def test_what_nobody_has_to_keep_goes_at_once_and_its_events_stay(service: RegistryService) -> None:
    with pruning(service, TWO):
        until(lambda: kept(service) == [3, 2])
    assert [event.to_version for event in service.history("team", "coder")] == [3, 2, 1]


def test_it_goes_on_until_the_end(service: RegistryService) -> None:
    with pruning(service, TWO, every_s=0.01):
        until(lambda: kept(service) == [3, 2])
        service.update_profile("team", "coder", {"description": "4"}, BOB)
        until(lambda: kept(service) == [4, 3])
    service.update_profile("team", "coder", {"description": "5"}, BOB)
    assert kept(service) == [5, 4, 3]


def test_what_is_young_stays(service: RegistryService) -> None:
    service.update_profile("team", "coder", {"description": "4"})  # now: version 3 is an old one since then
    service.update_profile("team", "coder", {"description": "5"})
    with pruning(service, TWO):
        pass
    assert kept(service) == [5, 4, 3]


def test_everything_stays_where_nothing_is_configured(service: RegistryService) -> None:
    with pruning(service, Retention()):
        assert "livery-retention" not in [thread.name for thread in threading.enumerate()]
    assert kept(service) == [3, 2, 1]


def test_a_source_that_is_only_read_is_left_alone(service: RegistryService, caplog: pytest.LogCaptureFixture) -> None:
    label = service.sources[1].url.text
    with closing(opened(f"{label}{'&' if '?' in label else '?'}readonly=1")) as reading, pruning(reading, TWO):
        pass
    assert kept(service) == [3, 2, 1] and caplog.records == []


def test_files_and_a_database_that_is_not_there_are_left_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = write(tmp_path / "team.yaml", "slug: team\nprofiles: {coder: {}}\n")
    for source in (str(file), f"sqlite:{tmp_path / 'none.db'}?optional=1"):
        with closing(opened("builtin:", source)) as service, pruning(service, TWO):
            pass
    assert sorted(path.name for path in tmp_path.iterdir()) == ["team.yaml"]
    assert caplog.records == []


def test_a_failure_is_logged_once_and_does_not_end_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "team.db"
    with closing(opened(f"sqlite:{path}")) as service:
        service.create_registry({"slug": "team"}, ALICE)
        filled(service, "coder")
    good = path.read_bytes()
    with closing(opened(f"sqlite:{path}")) as service:
        _ = service.catalogue
        path.write_bytes(b"no database at all" * 1000)
        with caplog.at_level(logging.WARNING, "livery.service"), pruning(service, TWO, every_s=0.001):
            until(lambda: caplog.records)
            path.write_bytes(good)
            until(lambda: kept(service) == [3, 2])
    (record,) = caplog.records
    assert "old versions cannot be dropped now" in record.getMessage() and record.exc_info is None


def test_several_processes_at_once_do_no_harm(service: RegistryService) -> None:
    for slug in SLUGS:
        filled(service, slug, versions=6)
    command = [sys.executable, "-c", PROGRAM, service.sources[1].url.text]
    pipe = subprocess.PIPE
    running = [subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe, text=True) for _ in range(3)]
    for process in running:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
    for process in running:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    assert [process.communicate(timeout=60) for process in running] == [("", "")] * 3
    assert [kept(service, slug) for slug in SLUGS] == [[6, 5]] * len(SLUGS)
