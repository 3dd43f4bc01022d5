"""The one connection of this process that writes a file; the first write makes the file."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from livery.errors import Locked, SourceNotFound, UsageError
from livery.stores.sql.schema import bring_up_to_date, newest
from livery.stores.sql.sqlite.errors import translated
from livery.stores.sql.sqlite.file import Identity, identity_of, make
from livery.stores.sql.sqlite.link import WAIT_S, Link


class Writer:
    """Transactions that write, one after another."""

    def __init__(self, path: Path, label: str) -> None:
        self._path, self._label = path, label
        self._link: Link | None = None
        self._lock = threading.Lock()
        self._thread: int | None = None

    @contextmanager
    def writing(self, part: str) -> Iterator[Link]:
        """A transaction with a part of the schema in place, committed at the end."""
        with self._held(), translated(self._label):
            link = self._ready(part)
            try:
                yield link
                link.execute("COMMIT")
            except BaseException:
                if not link.roll_back():
                    self._drop()
                raise

    def close(self) -> None:
        if self._thread != threading.get_ident() and self._lock.acquire(timeout=WAIT_S):
            self._drop()
            self._lock.release()

    @contextmanager
    def _held(self) -> Iterator[None]:
        """One thread at a time; within its own transaction a thread has to go on with that."""
        if self._thread == threading.get_ident():
            raise UsageError(f"{self._label} is in a transaction of this thread already; write through that")
        if not self._lock.acquire(timeout=WAIT_S):
            raise Locked(self._label, "another write of this process")
        self._thread = threading.get_ident()
        try:
            yield
        finally:
            self._thread = None
            self._lock.release()

    def _ready(self, part: str) -> Link:
        link = self._begun()
        if link.parts.get(part, 0) < newest("sqlite", part):
            try:
                bring_up_to_date(link, part)
                link.execute("COMMIT")
            except BaseException:
                link.roll_back()
                raise
            link = self._begun()
        return link

    def _begun(self) -> Link:
        while True:
            link = self._opened()
            link.execute("BEGIN IMMEDIATE")
            try:
                link.demand_ours()
            except BaseException:
                link.roll_back()
                raise
            if identity_of(self._path, self._label) == link.identity:
                return link
            self._drop()  # replaced between opening and locking it

    def _opened(self) -> Link:
        identity = identity_of(self._path, self._label)
        if self._link is not None and self._link.identity == identity:
            return self._link
        self._drop()
        link = Link(self._path, self._label, identity or self._made())
        try:
            link.demand_ours()
            link.prepare_to_write()
        except BaseException:
            link.close()
            raise
        self._link = link
        return link

    def _made(self) -> Identity:
        make(self._path)
        identity = identity_of(self._path, self._label)
        if identity is None:
            raise SourceNotFound(self._label)
        return identity

    def _drop(self) -> None:
        if self._link is not None:
            self._link.close()
            self._link = None
