"""An SQLite file: one connection that writes, a few that read, the write-ahead log, and every commit on the disk.

Reading never creates the file; the first write does, with mode 0600, and missing folders with 0700.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

from livery.errors import Locked, SourceNotFound, SourceUnavailable, UsageError
from livery.stores.sql.database import Answer, Connection, Dialect, NoSuchTable, Row
from livery.stores.sql.schema import VERSIONS, bring_up_to_date, demand_known, newest, versions_of

_WAIT_S: Final = 5
_MOST_IDLE: Final = 8
_NO_WAY_IN: Final = {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY}
_OLDER = "'trusted_files', 'active_profiles', 'sqlite_sequence'"  # the state of the time before numbered schemas
_TABLES: Final = f"""SELECT count(*) FILTER (WHERE name NOT IN ({_OLDER})),
count(*) FILTER (WHERE name = 'livery_schema') FROM sqlite_master WHERE type = 'table'"""
_REASONS: Final = {
    sqlite3.SQLITE_CORRUPT: "it is damaged",
    sqlite3.SQLITE_NOTADB: "it is no SQLite database",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_READONLY: "it cannot be written here",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened",
    sqlite3.SQLITE_IOERR: "the disk does not do what it should",
    sqlite3.SQLITE_PERM: "access is not permitted",
}


class _Identity(NamedTuple):
    """Which file stands at the path; of one that is read as if it never changed, also in which state."""

    device: int
    inode: int
    state: tuple[int, ...] = ()


def _text(data: bytes) -> str:
    """What is no UTF-8 becomes halves of surrogate pairs: the row is found to be broken, not the whole database."""
    return data.decode("utf-8", "surrogateescape")


class _Link:
    """One connection to one file."""

    dialect: Final = "sqlite"

    def __init__(self, path: Path, label: str, identity: _Identity, *, query: str = "mode=rw") -> None:
        self.identity = identity
        self.parts: dict[str, int] = {}
        self._label = label
        self._cookie: int | None = None
        uri = f"{path.absolute().as_uri()}?{query}"
        self.db = sqlite3.connect(uri, uri=True, timeout=_WAIT_S, isolation_level=None, check_same_thread=False)
        self.db.text_factory = _text
        self.execute = self.db.execute
        self.executemany = self.db.executemany

    def demand_ours(self) -> None:
        """Refuse what another program or a later version has written; looked at anew after each change of schema."""
        (cookie,) = self.execute("PRAGMA schema_version").fetchone()
        if cookie == self._cookie:
            return
        tables, ledgers = self.execute(_TABLES).fetchone()
        if tables and not ledgers:
            raise SourceUnavailable(
                self._label, "it is the database of another program: none of its tables is Livery's"
            )
        self.parts = versions_of(self.execute(VERSIONS).fetchall()) if ledgers else {}
        demand_known(self._label, "sqlite", self.parts)
        self._cookie = cookie

    def prepare_to_write(self) -> None:
        """Set what makes a commit last; the log has to be switched on while nobody else does the same."""
        deadline = time.monotonic() + _WAIT_S
        while True:
            try:
                self.execute("PRAGMA journal_mode = WAL")
                break
            except sqlite3.OperationalError as error:
                if _code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
                time.sleep(0.005)
        self.execute("PRAGMA synchronous = FULL")
        self.execute("PRAGMA foreign_keys = ON")

    def roll_back(self) -> bool:
        """Leave the transaction, if there is one; whether the connection can be used again."""
        try:
            if self.db.in_transaction:
                self.execute("ROLLBACK")
        except sqlite3.Error:
            return False
        return True

    def close(self) -> None:
        with suppress(sqlite3.Error):
            self.db.close()


class SQLiteDatabase:
    """The database in a file; a file that was replaced, as by a restored backup, is noticed at the next use."""

    dialect: Final[Dialect] = "sqlite"

    def __init__(self, path: Path, *, label: str = "") -> None:
        self.path = Path(os.path.expanduser(path))
        self.label = label or f"sqlite:{path}"
        self._idle: list[_Link] = []
        self._writer: _Link | None = None
        self._writing = threading.Lock()
        self._writing_thread: int | None = None
        self._pulse: _Link | None = None
        self._pulse_lock = threading.Lock()
        self._closed = False

    def exists(self) -> bool:
        self._demand_open()
        return self._identity() is not None

    # Reading

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        with self._lent() as link:
            link.execute("BEGIN")
            link.demand_ours()
            yield link

    def fetch(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        with self._lent() as link:
            link.demand_ours()
            rows: list[Row] = link.execute(sql, parameters).fetchall()
            return rows

    @contextmanager
    def _lent(self) -> Iterator[_Link]:
        """A connection that reads, in no transaction before and after."""
        with self._translated():
            link = self._reader()
            try:
                yield link
            finally:
                if link.roll_back() and len(self._idle) < _MOST_IDLE and not self._closed:
                    self._idle.append(link)
                else:
                    link.close()

    def _reader(self) -> _Link:
        self._demand_open()
        identity = self._identity()
        if identity is None:
            raise SourceNotFound(self.label)
        while self._idle:
            try:
                link = self._idle.pop()
            except IndexError:  # another thread was quicker
                break
            if self._is_current(link, identity):
                return link
            link.close()
        return self._opened(identity)

    def _is_current(self, link: _Link, identity: _Identity) -> bool:
        return link.identity == (self._stamped(identity) if link.identity.state else identity)

    def _opened(self, identity: _Identity) -> _Link:
        link = _Link(self.path, self.label, identity)
        try:
            link.execute("PRAGMA query_only = ON")
            link.demand_ours()
            return link
        except sqlite3.OperationalError as error:
            link.close()
            if _code(error) not in _NO_WAY_IN or _size(_beside(self.path, "-wal")):
                raise
        except BaseException:
            link.close()
            raise
        # Nobody may make the log beside it, and there is none: then nobody writes it either.
        return _Link(self.path, self.label, self._stamped(identity), query="mode=ro&immutable=1")

    # Writing

    def write(self, part: str, work: Callable[[Connection], Answer]) -> Answer:
        with self.writing(part) as connection:
            return work(connection)

    @contextmanager
    def writing(self, part: str, *, exclusive: bool = False) -> Iterator[Connection]:
        with self._held(), self._translated():
            link = self._ready_to_write(part)
            try:
                yield link
                link.execute("COMMIT")
            except BaseException:
                if not link.roll_back():
                    self._drop_writer()
                raise

    @contextmanager
    def _held(self) -> Iterator[None]:
        """One thread at a time; within its own transaction a thread has to go on with that."""
        if self._writing_thread == threading.get_ident():
            raise UsageError(f"{self.label} is in a transaction of this thread already; write through that")
        if not self._writing.acquire(timeout=_WAIT_S):
            raise Locked(self.label, "another write of this process")
        self._writing_thread = threading.get_ident()
        try:
            yield
        finally:
            self._writing_thread = None
            self._writing.release()

    def _ready_to_write(self, part: str) -> _Link:
        """The connection that writes, in a transaction, with this part of the schema in place."""
        self._demand_open()
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

    def _begun(self) -> _Link:
        while True:
            link = self._writer_link()
            link.execute("BEGIN IMMEDIATE")
            try:
                link.demand_ours()
            except BaseException:
                link.roll_back()
                raise
            if self._identity() == link.identity:
                return link
            self._drop_writer()  # replaced between opening and locking it

    def _writer_link(self) -> _Link:
        identity = self._identity()
        if self._writer is not None and self._writer.identity == identity:
            return self._writer
        self._drop_writer()
        link = _Link(self.path, self.label, identity or self._made())
        try:
            link.demand_ours()
            link.prepare_to_write()
        except BaseException:
            link.close()
            raise
        self._writer = link
        return link

    def _made(self) -> _Identity:
        """Make the file, private to its owner, and the folders that are missing."""
        missing = [folder for folder in self.path.parents if not os.path.lexists(folder)]
        for folder in reversed(missing):
            folder.mkdir(mode=0o700, exist_ok=True)
        os.close(os.open(self.path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        identity = self._identity()
        if identity is None:
            raise SourceNotFound(self.label)
        return identity

    def _drop_writer(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    # Facts

    def schema_version(self, part: str) -> int:
        with self._lent() as link:
            link.demand_ours()
            return link.parts.get(part, 0)

    def pulse(self) -> object | None:
        """The file and the number that its connection sees change with each commit of another one."""
        with self._translated(), self._pulse_lock:
            self._demand_open()
            identity = self._identity()
            if self._pulse is not None and (identity is None or not self._is_current(self._pulse, identity)):
                self._pulse.close()
                self._pulse = None
            if identity is None:
                return None
            if self._pulse is None:
                self._pulse = self._opened(identity)
            (number,) = self._pulse.execute("PRAGMA data_version").fetchone()
            return self._pulse.identity, id(self._pulse), number

    def size(self) -> int:
        return _size(self.path) + _size(_beside(self.path, "-wal"))

    def watched(self) -> Sequence[Path]:
        return (self.path, _beside(self.path, "-wal"))

    def listen(self, wake: Callable[[], None], stop: Callable[[float], bool]) -> None:
        """The files can be watched."""

    def close(self) -> None:
        self._closed = True
        if self._writing_thread != threading.get_ident() and self._writing.acquire(timeout=_WAIT_S):
            self._drop_writer()
            self._writing.release()
        with self._pulse_lock:
            if self._pulse is not None:
                self._pulse.close()
                self._pulse = None
        while self._idle:
            with suppress(IndexError):
                self._idle.pop().close()

    def _identity(self) -> _Identity | None:
        """The file at the path; None where there is none."""
        try:
            status = os.stat(self.path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError) as error:
            raise SourceUnavailable(self.label, _reason(error)) from error
        if not stat.S_ISREG(status.st_mode):
            kind = "a directory" if stat.S_ISDIR(status.st_mode) else "no regular file"
            raise SourceUnavailable(self.label, f"it is {kind}, not a database")
        return _Identity(status.st_dev, status.st_ino)

    def _stamped(self, identity: _Identity) -> _Identity:
        status = os.stat(self.path)
        return identity._replace(state=(status.st_mtime_ns, status.st_size))

    def _demand_open(self) -> None:
        if self._closed:
            raise SourceUnavailable(self.label, "it is closed")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            if _code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise Locked(self.label, "another program that writes it") from error
            if str(error).startswith("no such table"):
                raise NoSuchTable(str(error)) from error
            raise SourceUnavailable(self.label, _reason(error)) from error
        except OSError as error:
            raise SourceUnavailable(self.label, _reason(error)) from error


def _code(error: sqlite3.Error) -> int:
    """The primary code of an error; -1 of one that comes from the module itself."""
    code = getattr(error, "sqlite_errorcode", None)
    return code & 0xFF if code is not None else -1


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    known = _REASONS.get(_code(error)) if isinstance(error, sqlite3.Error) else None
    return f"{known} ({error})" if known else str(error)


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
