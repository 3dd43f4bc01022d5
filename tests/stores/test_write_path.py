"""A write that the operating system fails, or that is killed, leaves the old or the new: at every one of its calls."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.faults import (
    ERRORS,
    KILLED,
    FaultServer,
    Files,
    Stopped,
    before_and_after,
    files_in,
    stopped_at_every_step,
)
from tests.support.write_scenarios import REPLACED_DIRECTORY, SCENARIOS, WRITERS

KILLS = int(os.environ.get("LIVERY_KILLS", "40"))

FILE_SCENARIOS = [scenario for scenario in SCENARIOS if scenario != REPLACED_DIRECTORY]

LOCK_CALLS = {"flock", "lstat", "fstat", "unlink", "rmdir"}
"""Where one of these fails a lock file may stay, of which nobody knows whether it is still in use, and nothing else."""


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    server = FaultServer()
    yield server
    server.close()


@pytest.fixture(scope="module")
def reader() -> Iterator[FaultServer]:
    reader = FaultServer()
    yield reader
    reader.close()


@pytest.mark.parametrize("scenario", FILE_SCENARIOS)
def test_a_failure_of_any_call_leaves_old_or_new_files_and_nothing_else(
    scenario: str, server: FaultServer, tmp_path: Path
) -> None:
    before, after = before_and_after(scenario, tmp_path)
    reading = SCENARIOS[scenario].load is None  # enough for those of bare files, which the others are made of
    for stopped in stopped_at_every_step(server, scenario, ERRORS, tmp_path, reading=reading):
        assert not stopped.odd, stopped
        assert_old_or_new(stopped, before, after)
        if not stopped.error:
            assert_done(stopped, after)
        left = leftovers(stopped.files, before, after)
        assert left == [] or (stopped.call in LOCK_CALLS and is_lock(left)), stopped.step
        assert_goes_on(stopped, before, after)


@pytest.mark.parametrize("scenario", FILE_SCENARIOS)
def test_a_kill_at_any_call_leaves_old_or_new_files_and_no_obstacle(
    scenario: str, server: FaultServer, tmp_path: Path
) -> None:
    before, after = before_and_after(scenario, tmp_path)
    for stopped in stopped_at_every_step(server, scenario, KILLED, tmp_path):
        assert_old_or_new(stopped, before, after)
        assert_goes_on(stopped, before, after)


@pytest.mark.parametrize("faults", [ERRORS, KILLED], ids=["failure", "kill"])
def test_a_directory_is_replaced_whole_or_not_at_all_and_what_was_there_is_kept(
    faults: tuple[int, ...], server: FaultServer, tmp_path: Path
) -> None:
    for stopped in stopped_at_every_step(server, REPLACED_DIRECTORY, faults, tmp_path, reading=True):
        contents = {path.split("/")[0]: found[0] for path, found in stopped.files.items() if path.endswith(".yaml")}
        assert contents["store"] in (b"old", b"new"), stopped
        assert sorted(contents.values()) == [b"new", b"old"], stopped
        assert stopped.error or contents["store"] == b"new" or faults == KILLED, stopped


@pytest.mark.parametrize("writer", WRITERS)
def test_what_was_written_before_a_kill_is_there_and_nothing_is_half_there(
    writer: str, server: FaultServer, reader: FaultServer, tmp_path: Path
) -> None:
    """``LIVERY_KILLS=500`` kills more often."""
    chance = random.Random(7)
    WRITERS[writer].prepare(tmp_path)
    reader.begin("read_on", writer=writer, directory=tmp_path)
    written: dict[str, list[int]] = {}
    held = WRITERS[writer].held(tmp_path)
    for turn in range(KILLS):
        request = {"directory": tmp_path, "turn": turn, "kill_after_s": chance.uniform(0, 0.03)}
        written |= {slug: said for slug, *said in server.ask("write_on", writer=writer, **request)["written"]}
        before, held = held, WRITERS[writer].held(tmp_path)
        for slug, (version, number) in written.items():
            is_one_unsaid = held[slug][0] > version and held[slug][1] > number
            assert held[slug] == [version, number] or is_one_unsaid, (turn, slug)
        assert all(held[slug] >= before[slug] for slug in before), turn
    reader.say("")
    read = reader.answer()
    assert len(written) == 2 and read["reads"] and read["wrong"] == []


def assert_old_or_new(stopped: Stopped, before: Files, after: Files) -> None:
    for path in {*before, *after}:
        assert stopped.files.get(path) in (before.get(path), after.get(path)), (stopped.step, path)
    load = SCENARIOS[stopped.scenario].load
    if load is not None:
        assert not load(stopped.directory).broken, stopped.step


def assert_done(stopped: Stopped, after: Files) -> None:
    for path in SCENARIOS[stopped.scenario].matters or after:
        assert stopped.files[path] == after[path], stopped.step


def assert_goes_on(stopped: Stopped, before: Files, after: Files) -> None:
    """The next write works at once, and takes away what a killed one has left."""
    SCENARIOS[stopped.scenario].act_next(stopped.directory)
    assert leftovers(files_in(stopped.directory), before, after) == [], stopped.step


def leftovers(files: Files, *known: Files) -> list[str]:
    return sorted(path for path in files if not any(path in some for some in known))


def is_lock(left: list[str]) -> bool:
    return len([path for path in left if path.endswith(".lock")]) == 1 and not any(".tmp" in path for path in left)
