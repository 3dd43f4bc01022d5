"""Fair timing: every subject in every round, the order turning, medians over the rounds."""

from __future__ import annotations

import gc
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

Subject = Callable[[], object]


@dataclass
class Rounds:
    """What each subject took in each round."""

    found: dict[str, list[float]]

    def median(self, name: str) -> float:
        return statistics.median(self.found[name])

    def ratio(self, name: str, reference: str) -> float:
        """How many times the reference a subject takes: within each round, so that a slow minute falls on both."""
        pairs = zip(self.found[name], self.found[reference], strict=True)
        return statistics.median(value / base for value, base in pairs)

    def over(self, name: str, reference: str) -> float:
        """How much more than the reference a subject takes, within each round."""
        pairs = zip(self.found[name], self.found[reference], strict=True)
        return statistics.median(value - base for value, base in pairs)


def microseconds(subjects: Mapping[str, Subject], *, rounds: int, batch_s: float = 0.01) -> Rounds:
    """The time of one call of each subject in each round, in microseconds.

    A round times one batch of calls of each subject, long enough for the clock, so that what else the machine does
    falls on all of them alike. The collector runs as it does in a program; what was there before is hidden from it.
    """
    counts = {name: _calls_in(subject, batch_s) for name, subject in subjects.items()}

    def timed(name: str) -> float:
        return _seconds(subjects[name], counts[name]) / counts[name] * 1e6

    with _settled_heap():
        return _rounds(list(subjects), timed, rounds)


def measured(subjects: Mapping[str, Callable[[], float]], *, rounds: int) -> Rounds:
    """What each subject measured of itself in each round, e.g. the seconds of a process."""
    return _rounds(list(subjects), lambda name: subjects[name](), rounds)


def say(text: str) -> None:
    """Progress, for people."""
    print(text, file=sys.stderr, flush=True)


def _rounds(names: list[str], measure: Callable[[str], float], rounds: int) -> Rounds:
    found: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(rounds):
        at = turn % len(names)
        for name in names[at:] + names[:at]:
            found[name].append(measure(name))
    return Rounds(found)


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
