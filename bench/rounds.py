"""Fair timing: every subject in every round, the order turning, the median of all rounds."""

from __future__ import annotations

import gc
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

Subject = Callable[[], object]


def microseconds(subjects: Mapping[str, Subject], *, rounds: int, batch_s: float = 0.02) -> dict[str, float]:
    """The median time of one call of each subject, in microseconds.

    A round times one batch of calls of each subject, long enough for the clock, so that what else the machine does
    falls on all of them alike. The collector runs as it does in a program; what was there before is hidden from it.
    """
    counts = {name: _calls_in(subject, batch_s) for name, subject in subjects.items()}
    times: dict[str, list[float]] = {name: [] for name in subjects}
    with _settled_heap():
        for name in _interleaved(list(subjects), rounds):
            times[name].append(_seconds(subjects[name], counts[name]) / counts[name] * 1e6)
    return {name: statistics.median(found) for name, found in times.items()}


def measured(subjects: Mapping[str, Callable[[], float]], *, rounds: int) -> dict[str, list[float]]:
    """What each subject measured of itself in each round, e.g. the seconds of a process."""
    found: dict[str, list[float]] = {name: [] for name in subjects}
    for name in _interleaved(list(subjects), rounds):
        found[name].append(subjects[name]())
    return found


def say(text: str) -> None:
    """Progress, for people."""
    print(text, file=sys.stderr, flush=True)


def _interleaved(names: list[str], rounds: int) -> Iterator[str]:
    for turn in range(rounds):
        at = turn % len(names)
        yield from names[at:] + names[:at]


def _seconds(subject: Subject, calls: int) -> float:
    begin = time.perf_counter()
    for _ in range(calls):
        subject()
    return time.perf_counter() - begin


def _calls_in(subject: Subject, batch_s: float) -> int:
    """How many calls fill a batch; the calls that find out also warm the subject up."""
    calls = 1
    while (took := _seconds(subject, calls)) < batch_s / 4:
        calls *= 4
    return max(1, round(calls * batch_s / took))


@contextmanager
def _settled_heap() -> Iterator[None]:
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
