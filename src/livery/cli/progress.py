"""How far a long command is: a bar on standard error, in a terminal alone, and only where it takes a while."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_PATIENCE_S = 0.5


@contextmanager
def progress_bar(color: bool) -> Iterator[Bar]:
    """What is told of the steps of a command; the bar goes when the command is through."""
    bar = Bar(color)
    try:
        yield bar
    finally:
        bar.end()


class Bar:
    """A bar that appears after half a second. Called with what is done, how much of it, and how much there is."""

    def __init__(self, color: bool) -> None:
        self._color = color
        self._begun = time.monotonic()
        self._is_wanted = sys.stderr.isatty()
        self._drawn: tuple[Progress, TaskID] | None = None

    def __call__(self, what: str, done: int, total: int) -> None:
        if not self._is_wanted or (self._drawn is None and time.monotonic() - self._begun < _PATIENCE_S):
            return
        drawn, task = self._drawn = self._drawn or _drawn(self._color)
        drawn.update(task, description=what, completed=done, total=total or None)

    def end(self) -> None:
        if self._drawn is not None:
            self._drawn[0].stop()


def _drawn(color: bool) -> tuple[Progress, TaskID]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    console = Console(stderr=True, no_color=not color, highlight=False)
    drawn = Progress(*columns, console=console, transient=True)
    drawn.start()
    return drawn, drawn.add_task("")
