"""A process that does writes of :mod:`tests.support.write_scenarios` in children, and lets the system fail under them.

Each request is a line of JSON on standard input, each answer one on standard output. The children are forked from a
process that has everything imported, so that a test can afford one for every single call of the operating system.
"""

from __future__ import annotations

import fcntl
import importlib
import json
import os
import signal
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from livery.errors import LiveryError
from tests.support.lines import Lines
from tests.support.write_scenarios import SCENARIOS, WRITERS

LINES = Lines()

CHANGING = (
    *("open", "write", "pwrite", "truncate", "fsync", "fchmod", "fchown", "chmod", "utime"),
    *("rename", "replace", "unlink", "link", "symlink", "mkdir", "rmdir"),
)
"""The functions of ``os`` that change files; between two of them it makes no difference when a process is killed."""

READING = ("read", "pread", "lseek", "close", "stat", "lstat", "fstat", "listdir", "scandir")

LOADED_ON_DEMAND = ("livery.formats.yaml_edit", "livery.formats.toml_edit")
"""By the product, with its first write; by now once for all children."""


class Failing:
    """Stops the process at one of its calls of the operating system: with an error, or for good."""

    def __init__(self, calls: Sequence[str], fault: int, at: int) -> None:
        self._names = calls
        self._fault = fault  # an error number, or a signal where it is negative
        self._at = at
        self._calls = 0
        self.stopped_at = ""

    def arm(self) -> None:
        for name in self._names:
            setattr(os, name, self._wrapped(name, getattr(os, name)))
        fcntl.flock = self._wrapped("flock", fcntl.flock)

    def _wrapped(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(*arguments: Any, **options: Any) -> Any:
            self._calls += 1
            if self._calls != self._at:
                return call(*arguments, **options)
            self.stopped_at = name
            if name in ("write", "pwrite"):  # half of it is on the disk
                call(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2], *arguments[2:])
            if name == "close":  # a descriptor is gone, whatever close says
                call(*arguments, **options)
            if self._fault < 0:
                os.kill(os.getpid(), -self._fault)
            raise OSError(self._fault, os.strerror(self._fault))

        return wrapper


def act(scenario: str, directory: str, fault: int, at: int, reading: bool) -> dict[str, Any]:
    """Do a write of which one call fails, which it was (none: there were not so many), and how it ended."""

    def child(say: Callable[[Any], None]) -> None:
        failing = Failing(CHANGING + READING if reading else CHANGING, fault, at)
        failing.arm()
        error = odd = ""
        try:
            SCENARIOS[scenario].act(Path(directory))
        except LiveryError as problem:
            error = f"{type(problem).__name__}: {problem}"
        except BaseException:
            odd = traceback.format_exc()
        say({"stopped_at": failing.stopped_at, "error": error, "odd": odd})

    answers, status = forked(child)
    return answers[0] if answers else {"stopped_at": "killed", "error": "", "odd": "", "status": status}


def write_on(writer: str, directory: str, turn: int, kill_after_s: float) -> dict[str, Any]:
    """Let a writer write until it is killed, some time after its first write; gives what it said was written."""
    answers, _ = forked(lambda say: WRITERS[writer].write_on(Path(directory), turn, say), kill_after_s)
    return {"written": answers}


def read_on(writer: str, directory: str) -> dict[str, Any]:
    """Read what a writer writes until the next line comes on standard input; gives what was wrong."""
    wrong: list[str] = []
    seen: dict[str, list[int]] = {}
    reads = 0
    while not LINES.is_waiting(0):
        try:
            held = WRITERS[writer].held(Path(directory))
            wrong += [f"{slug} went from {seen[slug]} to {held.get(slug)}" for slug in seen if held[slug] < seen[slug]]
            seen = held
        except Exception:
            wrong.append(traceback.format_exc())
        reads += 1
    LINES.read()
    return {"reads": reads, "wrong": wrong}


def forked(work: Callable[[Callable[[Any], None]], None], kill_after_s: float | None = None) -> tuple[list[Any], int]:
    """What a child has said, and its exit status; it may be killed, some time after it has first said something."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        write, exit_now = os.write, os._exit
        try:
            work(lambda value: write_line(write, writing, value))
        except BaseException:
            write(2, traceback.format_exc().encode())
        finally:
            exit_now(0)
    os.close(writing)
    with open(reading, "rb") as said:
        lines = said.readlines() if kill_after_s is None else [said.readline()]
        if kill_after_s is not None:
            time.sleep(kill_after_s)
            os.kill(pid, signal.SIGKILL)
            lines += said.readlines()
    return [json.loads(line) for line in lines if line], os.waitpid(pid, 0)[1]


def write_line(write: Callable[[int, bytes], int], file: int, value: Any) -> None:
    write(file, json.dumps(value).encode() + b"\n")


def main() -> None:
    for module in LOADED_ON_DEMAND:
        importlib.import_module(module)
    while line := LINES.read():
        request = json.loads(line)
        answer = {"act": act, "write_on": write_on, "read_on": read_on}[request.pop("do")](**request)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
