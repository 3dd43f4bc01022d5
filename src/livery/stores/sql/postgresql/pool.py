"""A few connections to one server, made when they are needed; one that was lost meanwhile is replaced."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final, TypeVar

from livery.errors import Locked, SourceUnavailable
from livery.stores.sql.postgresql.errors import MOST_WAIT_S, is_lost, translated
from livery.stores.sql.postgresql.link import Link, connected

First = TypeVar("First")

_MOST_CONNECTIONS: Final = 10


class Pool:
    """Connections that wait for use, in no transaction."""

    def __init__(self, label: str, address: str) -> None:
        self._label, self._address = label, address
        self._idle: list[Link] = []
        self._places = threading.BoundedSemaphore(_MOST_CONNECTIONS)
        self.is_closed = False

    @contextmanager
    def lent(self, first: Callable[[Link], First]) -> Iterator[tuple[Link, First]]:
        """A connection, and what the first thing done with it gives: that is repeated where it was lost before.

        Foreign errors become ours.
        """
        with translated(self._label, self._address), self.lent_bare(first) as lent:
            yield lent

    @contextmanager
    def lent_bare(self, first: Callable[[Link], First]) -> Iterator[tuple[Link, First]]:
        """The same with the errors of the driver."""
        self.demand_open()
        if not self._places.acquire(timeout=MOST_WAIT_S):
            raise Locked(self._label, f"{_MOST_CONNECTIONS} other connections of this process")
        try:
            link, answer = self._first(first)
            try:
                yield link, answer
            finally:
                self._take_back(link)
        finally:
            self._places.release()

    def connected(self) -> Link:
        """A connection that is not of the pool."""
        return connected(self._label, self._address)

    def demand_open(self) -> None:
        if self.is_closed:
            raise SourceUnavailable(self._label, "it is closed")

    def close(self) -> None:
        self.is_closed = True
        while self._idle:
            with suppress(IndexError):
                self._idle.pop().close()

    def _first(self, first: Callable[[Link], First]) -> tuple[Link, First]:
        while True:
            link, is_new = self._any()
            try:
                return link, first(link)
            except BaseException as error:
                self._take_back(link)
                if is_new or not is_lost(error):
                    raise

    def _any(self) -> tuple[Link, bool]:
        """A connection that waits for use, else a new one."""
        try:
            return self._idle.pop(), False
        except IndexError:
            return self.connected(), True

    def _take_back(self, link: Link) -> None:
        if link.roll_back() and not self.is_closed:
            self._idle.append(link)
        else:
            link.close()
