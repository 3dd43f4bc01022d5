"""From the end of a write in one process to the moment a subscriber in another knows, through a database."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import count
from queue import SimpleQueue
from typing import Any

from bench.results import Figure, Gate, Result
from bench.rounds import measured
from bench.sql_engines import Database, engines, fill, slug
from livery import ResolveInput, open_registry
from livery.changes import ChangeFeed

NAME = "sql-latency"
MOST_MS = {"SQLite": 250.0, "PostgreSQL": 1_000.0}
PROFILES = 50

_REFERENCE = "a line through a pipe, there and back"
_LONGEST_S = 30.0


def run(*, quick: bool) -> Result:
    rounds = 10 if quick else 120
    with engines() as made, ExitStack() as stack:
        writers = {engine: stack.enter_context(_changed(database())) for engine, database in made.items()}
        echo = stack.enter_context(_process("-"))
        found = measured({_REFERENCE: lambda: _echoed(echo), **writers}, rounds=rounds)
    result = Result(
        NAME,
        f"from the end of a write of one of {PROFILES} profiles in one process to the moment a subscriber in another "
        "is told",
        f"{_REFERENCE} ({found.median(_REFERENCE):.2f} ms)",
    )
    for engine, most in MOST_MS.items():
        p99 = _percentile(found.found[engine], 99)
        result.figures += [
            Figure(f"{engine}, p50", found.median(engine), "ms", found.ratio(engine, _REFERENCE)),
            Figure(f"{engine}, p99", p99, "ms", p99 / _percentile(found.found[_REFERENCE], 99)),
        ]
        result.gates.append(Gate(f"{engine}, p99 of {rounds}", p99, most, "ms"))
    return result


def _percentile(found: list[float], percent: int) -> float:
    return statistics.quantiles(found, n=100, method="inclusive")[percent - 1]


@contextmanager
def _changed(database: Database) -> Iterator[Callable[[], float]]:
    """A service that follows a database, with one profile in use; each call lets another process change that one."""
    fill(database.url, PROFILES)
    seen: SimpleQueue[float] = SimpleQueue()
    numbers = count(1)

    def take(_: object, changes: list[object]) -> None:
        if changes:
            seen.put(time.monotonic())

    with closing(open_registry(database.url)) as service, _process(database.url) as writer:
        service.resolve_effective_profile(ResolveInput(profile_slug=slug(7)))
        service.subscribe(take)
        with ChangeFeed(service) as feed:
            _await_notices(feed)

            def once() -> float:
                while not seen.empty():
                    seen.get()
                written = _asked(writer, next(numbers))
                return (seen.get(timeout=_LONGEST_S) - written) * 1000

            yield once


def _await_notices(feed: Any) -> None:
    while not feed.is_notified:
        time.sleep(0.01)


@contextmanager
def _process(url: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "bench.sql_latency", url]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
    try:
        _asked(process, 0)
        yield process
    finally:
        process.communicate()


def _echoed(process: subprocess.Popen[str]) -> float:
    begin = time.monotonic()
    _asked(process, 0)
    return (time.monotonic() - begin) * 1000


def _asked(process: subprocess.Popen[str], number: int) -> float:
    """What the process says, when it has done it: the time, on the clock that all processes share."""
    assert process.stdin and process.stdout
    process.stdin.write(f"{number}\n")
    return float(json.loads(process.stdout.readline()))


# In the other process


def _write(url: str) -> None:
    """Change the profile for each number on standard input, but for 0, and say when that was done."""
    from contextlib import nullcontext

    service = nullcontext() if url == "-" else closing(open_registry(url))
    with service as registry:
        for line in sys.stdin:
            if int(line) and registry is not None:
                registry.update_profile("team", slug(7), {"display_name": f"Assistant, change {int(line)}"})
            print(json.dumps(time.monotonic()), flush=True)


if __name__ == "__main__":
    _write(sys.argv[1])
