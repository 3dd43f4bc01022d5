"""The connections that read a file: made when they are needed, dropped where another file stands in its place."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from livery.errors import Locked, SourceNotFound, SourceUnavailable
from livery.stores.sql.database import Row
from livery.stores.sql.sqlite.errors import FOREIGN, code_of, told, translated
from livery.stores.sql.sqlite.file import Identity, has_more_beside, identity_of, in_its_state, may_be_read
from livery.stores.sql.sqlite.link import Link

_MOST_IDLE: Final = 8
_NO_WAY_IN: Final = {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY}
_NOT_READ_HERE: Final = (
    "it has changes beside it that this user cannot read; let it read the files that end in -wal and -shm "
    "or write the folder, or close the programs that write the database"
)


class Readers:
    """A pool of connections that cannot write, and one beside it that tells whether there was a commit."""

    def __init__(self, path: Path, label: str) -> None:
        self._path, self._label = path, label
        self._idle: list[Link] = []
        self._watching: Link | None = None
        self._watching_lock = threading.Lock()
        self._closed = False

    def fetch(self, sql: str, parameters: Sequence[Any]) -> list[Row]:
        """The rows of one statement; by the watching connection where it is free, which knows the file as it is."""
        identity = self._demanded_identity()
        is_ours = self._watching_lock.acquire(blocking=False)
        try:
            watching = self._watching if is_ours else None
            if watching is not None and not watching.identity.state and self._is_current(watching, identity):
                watching.demand_ours()
                return watching.rows(sql, parameters)
        except FOREIGN as error:
            raise told(self._label, error) from error
        finally:
            if is_ours:
                self._watching_lock.release()
        with self.lent() as link:
            link.demand_ours()
            return link.rows(sql, parameters)

    @contextmanager
    def lent(self) -> Iterator[Link]:
        """A connection that reads, in no transaction before and after."""
        with translated(self._label):
            link = self._taken()
            try:
                yield link
                self._demand_whole(link)
            finally:
                if link.roll_back() and len(self._idle) < _MOST_IDLE and not self._closed:
                    self._idle.append(link)
                else:
                    link.close()

    def pulse(self) -> object | None:
        """The file and the number that its connection sees change with each commit of another one.

        None where there is no file, and where the connection is in use: then it has to be asked what has changed.
        """
        if not self._watching_lock.acquire(blocking=False):
            return None
        try:
            self.demand_open()
            with translated(self._label):
                return self._pulse()
        finally:
            self._watching_lock.release()

    def _pulse(self) -> object | None:
        identity = identity_of(self._path, self._label)
        if self._watching is not None and (identity is None or not self._is_current(self._watching, identity)):
            self._watching.close()
            self._watching = None
        if identity is None:
            return None
        if self._watching is None:
            self._watching = self._opened(identity)
        (number,) = self._watching.execute("PRAGMA data_version").fetchone()
        return self._watching.identity, id(self._watching), number

    def demand_open(self) -> None:
        if self._closed:
            raise SourceUnavailable(self._label, "it is closed")

    def close(self) -> None:
        self._closed = True
        with self._watching_lock:
            if self._watching is not None:
                self._watching.close()
                self._watching = None
        while self._idle:
            with suppress(IndexError):
                self._idle.pop().close()

    def _demanded_identity(self) -> Identity:
        self.demand_open()
        identity = identity_of(self._path, self._label)
        if identity is None:
            raise SourceNotFound(self._label, where="(the first write makes it)")
        return identity

    def _taken(self) -> Link:
        identity = self._demanded_identity()
        while self._idle:
            try:
                link = self._idle.pop()
            except IndexError:  # another thread was quicker
                break
            if self._is_current(link, identity):
                return link
            link.close()
        return self._opened(identity)

    def _is_current(self, link: Link, identity: Identity) -> bool:
        if not link.identity.state:
            return link.identity == identity
        return not has_more_beside(self._path) and link.identity == in_its_state(self._path, identity)

    def _demand_whole(self, link: Link) -> None:
        """Refuse what was read without locks while another program wrote the file itself."""
        if link.identity.state and link.identity != in_its_state(self._path, link.identity):
            raise Locked(self._label, "another program that writes it")

    def _opened(self, identity: Identity) -> Link:
        link = self._opened_with_log(identity)
        if link is None and has_more_beside(self._path) and may_be_read(self._path):
            link = self._opened_with_log(identity)  # a writer has come only just now
            if link is None:
                raise SourceUnavailable(self._label, _NOT_READ_HERE)
        if link is not None:
            return link
        # There is no log and none can be made here: the file alone is the whole state, until somebody begins a log.
        return Link(self._path, self._label, in_its_state(self._path, identity), query="mode=ro&immutable=1")

    def _opened_with_log(self, identity: Identity) -> Link | None:
        """A connection that sees each commit; None where what it needs beside the file is not there or not for us."""
        link = Link(self._path, self._label, identity)
        try:
            link.execute("PRAGMA query_only = ON")
            link.demand_ours()
            return link
        except BaseException as error:
            link.close()
            if isinstance(error, sqlite3.OperationalError) and code_of(error) in _NO_WAY_IN:
                return None
            raise
