"""Letting the operating system fail under a write, one call after the other, and killing writers at any moment."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tests.support.write_scenarios import SCENARIOS

ERRORS = (errno.ENOSPC, errno.EACCES, errno.EIO)
"""A full disk, a change of rights, a broken disk."""

KILLED = (-signal.SIGKILL,)

Files = dict[str, tuple[bytes, int]]
"""What a directory holds, at any depth: relative path → content (of a link: where it leads) and mode."""


class Stopped(NamedTuple):
    """A write of which one call failed: which one, what the write said of it, and what lies in the directory now."""

    scenario: str
    directory: Path
    call: str
    number: int
    error: str
    odd: str
    files: Files

    @property
    def step(self) -> str:
        return f"call {self.number}, {self.call}"


class FaultServer:
    """The process of :mod:`tests.support.fault_server`."""

    def __init__(self) -> None:
        root = Path(__file__).resolve().parents[2]
        command = [sys.executable, "-m", "tests.support.fault_server"]
        self._process = subprocess.Popen(
            command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )

    def ask(self, do: str, **request: Any) -> dict[str, Any]:
        self.begin(do, **request)
        return self.answer()

    def begin(self, do: str, **request: Any) -> None:
        self.say(json.dumps({"do": do, **request}, default=str))

    def say(self, line: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(line + "\n")

    def answer(self) -> dict[str, Any]:
        assert self._process.stdout
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


def stopped_at_every_step(
    server: FaultServer, scenario: str, faults: Sequence[int], directory: Path, *, reading: bool = False
) -> Iterator[Stopped]:
    """The scenario once for each of its calls that change files, which fails, with each fault in turn.

    Each time in a new directory; with ``reading`` the calls that only read fail too.
    """
    number = 0
    while True:
        number += 1
        place = prepared(scenario, directory / str(number))
        fault = faults[number % len(faults)]
        answer = server.ask("act", scenario=scenario, directory=place, fault=fault, at=number, reading=reading)
        if not answer["stopped_at"]:
            assert number > 1 and not answer["error"] and not answer["odd"], answer
            return
        yield Stopped(scenario, place, answer["stopped_at"], number, answer["error"], answer["odd"], files_in(place))
        shutil.rmtree(place)


def prepared(scenario: str, directory: Path) -> Path:
    """A new directory with what is there before the scenario."""
    directory.mkdir(mode=0o700)
    SCENARIOS[scenario].prepare(directory)
    return directory


def before_and_after(scenario: str, directory: Path) -> tuple[Files, Files]:
    """What lies in the directory before and after the whole scenario."""
    place = prepared(scenario, directory / "whole")
    before = files_in(place)
    SCENARIOS[scenario].act(place)
    return before, files_in(place)


def files_in(directory: Path) -> Files:
    found = {}
    for path in directory.rglob("*"):
        found[str(path.relative_to(directory))] = (_content(path), stat.S_IMODE(path.lstat().st_mode))
    return found


def _content(path: Path) -> bytes:
    if path.is_symlink():
        return os.readlink(path).encode()
    return b"" if path.is_dir() else path.read_bytes()
