"""The last changes of the states that a store has given: the number of one is not enough to know it again.

A restored backup that was written to since has other changes under the same numbers, and what was checked in a state
before that is checked no more.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Final

from livery.stores.protocols import Event, Overtaken, Seen
from livery.stores.sql.database import Connection
from livery.stores.sql.events import change_of

_MOST: Final = 1_000


class SeenChanges:
    """The newest few by number. Safe for threads."""

    def __init__(self) -> None:
        self._by_number: dict[int, Event] = {}

    def note(self, change: Event | None) -> None:
        if change is None:
            return
        self._by_number[change.seq] = change
        if len(self._by_number) > _MOST:
            with suppress(KeyError, RuntimeError, StopIteration):  # another thread does the same
                del self._by_number[next(iter(self._by_number))]

    def demand_kept(self, connection: Connection, seen: Iterable[Seen]) -> None:
        """Overtaken where the change that a check was made after is not in the log any more."""
        for seq in {looked.seq for looked in seen}:
            known = self._by_number.get(seq)
            if known is not None and change_of(connection, seq) != known:
                raise Overtaken(f"the log tells of another change {seq} than the one that was seen")
