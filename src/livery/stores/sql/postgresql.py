"""A PostgreSQL database: a few connections, made when they are needed and replaced when they are lost.

A single statement is one round trip. A commit whose outcome nobody could tell is looked up before anything else is
done: nothing is written twice, and nothing that was written is called lost.
"""

from __future__ import annotations

import os
import random
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast
from urllib.parse import unquote
from zlib import crc32

from livery.errors import LiveryError, Locked, SourceUnavailable
from livery.stores.sql.database import Answer, Connection, Cursor, Dialect, NoSuchTable, Row
from livery.stores.sql.schema import VERSIONS, bring_up_to_date, demand_known, newest, versions_of

if TYPE_CHECKING:
    import psycopg

First = TypeVar("First")

CHANNEL: Final = "livery_profiles"
_MOST_CONNECTIONS: Final = 10
_CONNECT_S: Final = 3
_WAIT_S: Final = 5
_SHORTEST_PART: Final = 2
_SETTLE_S: Final = 10
_TRIES: Final = 8
_SETTINGS: Final = (
    f"SET statement_timeout = '{_WAIT_S}s'; SET lock_timeout = '{_WAIT_S}s'; SET jit = off; SET enable_seqscan = off"
)
"""Every statement has its index. A table that was never analysed is taken for a small one, to be read as a whole."""
_BEGIN_READING: Final = f"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {VERSIONS}"
_BEGIN_WRITING: Final = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
_MAKING_TABLES: Final = 7_213_900_000  # the number of an advisory lock that nobody else uses
_LOST: Final = ("08", "57P01", "57P02", "57P03", "57P05")
_AGAIN: Final = ("40001", "40P01", "23")  # serialization, deadlock, and a row that another transaction put or took
_REASONS: Final = {
    "25006": "it is only read here: a standby, or read-only by its settings",
    "53100": "its disk is full",
    "53300": "it takes no more connections",
    "57014": f"it did not answer within {_WAIT_S} s",
}
_CONNECTING: Final[Mapping[str, Any]] = {
    "application_name": "livery",
    "connect_timeout": _CONNECT_S,
    "keepalives_idle": 10,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 8000,  # a host that has gone silently is not waited for
}
_OUR_TABLES: Final = """SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint FROM pg_class c
WHERE c.relkind = 'r' AND pg_table_is_visible(c.oid) AND c.relname IN (
    'profile_registries', 'profiles', 'profile_bases', 'profile_revisions', 'registry_revisions', 'profile_events')"""


class _Uncertain(Exception):
    """The connection was lost while committing; the number of the transaction says what became of it."""

    def __init__(self, transaction: str) -> None:
        self.transaction = transaction
        super().__init__(transaction)


@cache
def _native(sql: str) -> str:
    """A statement with the placeholders of the driver."""
    return sql.replace("%", "%%").replace("?", "%s")


def _lock_of(part: str) -> int:
    """The number of the advisory lock that those who write a part share."""
    return _MAKING_TABLES + 1 + crc32(part.encode())


class _Link:
    """One connection, in no transaction unless one was begun."""

    dialect: Final[Dialect] = "postgresql"

    def __init__(self, raw: psycopg.Connection[Row]) -> None:
        self.raw = raw

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Cursor:
        if parameters:
            return self.raw.execute(cast("Any", _native(sql)), parameters)
        return self.raw.execute(cast("Any", sql))

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]], /) -> object:
        with self.raw.cursor() as cursor:
            cursor.executemany(cast("Any", _native(sql)), rows)
        return None

    def several(self, sql: str) -> list[Row]:
        """Run several statements without parameters in one round trip; the rows of the last one."""
        cursor = self.raw.execute(cast("Any", sql), prepare=False)
        while cursor.nextset():
            pass
        return cursor.fetchall() if cursor.description else []

    def roll_back(self) -> bool:
        """Leave the transaction, if there is one; whether the connection can be used again."""
        from psycopg import Error
        from psycopg.pq import TransactionStatus

        try:
            if not self.raw.closed and self.raw.info.transaction_status != TransactionStatus.IDLE:
                self.raw.execute("ROLLBACK")
        except Error:
            return False
        return not self.raw.closed

    def close(self) -> None:
        with suppress(Exception):
            self.raw.close()


class PostgreSQLDatabase:
    """The database at an address; names of tables are unqualified, so that its ``search_path`` decides."""

    dialect: Final[Dialect] = "postgresql"

    def __init__(self, address: str, *, label: str) -> None:
        self.label = label
        self._address = address
        self._idle: list[_Link] = []
        self._places = threading.BoundedSemaphore(_MOST_CONNECTIONS)
        self._closed = False

    def exists(self) -> bool:
        with self._translated(), self._lent(lambda link: link.several("SELECT 1")):
            return True

    # Reading

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        with self._translated(), self._lent(lambda link: link.several(_BEGIN_READING)) as (link, versions):
            demand_known(self.label, "postgresql", versions_of(versions))
            yield link
            link.execute("COMMIT")

    def fetch(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        with self._translated(), self._lent(lambda link: link.execute(sql, parameters).fetchall()) as (_, rows):
            return rows

    # Writing

    def write(self, part: str, work: Callable[[Connection], Answer]) -> Answer:
        with self._translated():
            for attempt in range(_TRIES):
                try:
                    return self._written(part, work)
                except Exception as error:
                    if attempt + 1 == _TRIES or not _is_to_be_repeated(error):
                        raise
                    time.sleep(random.uniform(0, 0.01) * 2**attempt)
        raise AssertionError("the last try returns or raises")

    def _written(self, part: str, work: Callable[[Connection], Answer]) -> Answer:
        with self._lent(lambda link: self._begin(link, part)) as (link, transaction):
            answer = work(link)
            try:
                self._commit(link, transaction)
            except _Uncertain:
                if not self._was_committed(transaction):
                    raise
            return answer

    @contextmanager
    def writing(self, part: str, *, exclusive: bool = False) -> Iterator[Connection]:
        with self._translated(), self._lent(lambda link: self._begin(link, part, exclusive)) as (link, transaction):
            yield link
            try:
                self._commit(link, transaction)
            except _Uncertain:
                if not self._was_committed(transaction):
                    reason = "the connection was lost before the change was stored; nothing of it is"
                    raise SourceUnavailable(self.label, reason) from None

    def _begin(self, link: _Link, part: str, exclusive: bool = False) -> str:
        """Begin a transaction, with this part of the schema in place; the number of the transaction."""
        transaction, version = self._begun(link, part, exclusive)
        if not transaction or version < newest("postgresql", part):
            link.execute("ROLLBACK")
            self._bring_up_to_date(link, part)
            transaction, version = self._begun(link, part, exclusive)
        demand_known(self.label, "postgresql", {part: version})
        return transaction

    def _begun(self, link: _Link, part: str, exclusive: bool) -> tuple[str, int]:
        from psycopg.errors import UndefinedTable

        lock = "pg_advisory_xact_lock" if exclusive else "pg_advisory_xact_lock_shared"
        version = f"(SELECT coalesce(max(version), 0) FROM livery_schema WHERE part = '{part}')"
        try:
            ((transaction, found),) = link.several(
                f"{_BEGIN_WRITING}; SELECT {lock}({_lock_of(part)}); SELECT pg_current_xact_id()::text, {version}"
            )
        except UndefinedTable:
            return "", 0
        return transaction, found

    def _bring_up_to_date(self, link: _Link, part: str) -> None:
        link.several(
            f"{_BEGIN_WRITING}; SET LOCAL statement_timeout = 0; "
            f"SELECT pg_advisory_xact_lock({_MAKING_TABLES}), pg_advisory_xact_lock({_lock_of(part)})"
        )
        bring_up_to_date(link, part)
        link.execute("COMMIT")

    def _commit(self, link: _Link, transaction: str) -> None:
        from psycopg import Error

        try:
            status = link.raw.execute("COMMIT").statusmessage
        except Error as error:
            if _is_lost(error):
                raise _Uncertain(transaction) from error
            raise
        if status != "COMMIT":
            raise SourceUnavailable(self.label, "a statement of the change has failed; nothing of it is stored")

    def _was_committed(self, transaction: str) -> bool:
        """What became of a transaction whose commit was not answered; the server may have to start again first."""
        deadline = time.monotonic() + _SETTLE_S
        while time.monotonic() < deadline:
            try:
                link = self._connected()
            except SourceUnavailable:
                time.sleep(0.1)
                continue
            try:
                ((status,),) = link.execute("SELECT pg_xact_status(?::xid8)", (transaction,)).fetchall()
            except Exception:
                status = "in progress"
            finally:
                link.close()
            if status in ("committed", "aborted"):
                return bool(status == "committed")
            time.sleep(0.05)
        raise SourceUnavailable(
            self.label,
            "the connection was lost while the change was stored, and nobody can be asked whether it is; "
            "look before you repeat it",
        )

    # Connections

    @contextmanager
    def _lent(self, first: Callable[[_Link], First]) -> Iterator[tuple[_Link, First]]:
        """A connection, and what the first thing done with it gives: that is repeated where it was lost before."""
        self._demand_open()
        if not self._places.acquire(timeout=_WAIT_S):
            raise Locked(self.label, f"{_MOST_CONNECTIONS} other connections of this process")
        try:
            link, answer = self._first(first)
            try:
                yield link, answer
            finally:
                self._take_back(link)
        finally:
            self._places.release()

    def _first(self, first: Callable[[_Link], First]) -> tuple[_Link, First]:
        while True:
            link, is_new = self._any()
            try:
                return link, first(link)
            except BaseException as error:
                self._take_back(link)
                if is_new or not _is_lost(error):
                    raise

    def _any(self) -> tuple[_Link, bool]:
        """A connection that waits for use, else a new one."""
        try:
            return self._idle.pop(), False
        except IndexError:
            return self._connected(), True

    def _take_back(self, link: _Link) -> None:
        if link.roll_back() and not self._closed:
            self._idle.append(link)
        else:
            link.close()

    def _connected(self) -> _Link:
        import psycopg
        from psycopg.conninfo import conninfo_to_dict

        try:
            given = conninfo_to_dict(self._address)
        except psycopg.Error:  # its text may hold parts of the password
            reason = "its address is none that PostgreSQL knows; escape @ : / ? # % in names and passwords, as %40"
            raise SourceUnavailable(self.label, reason) from None
        try:
            raw = psycopg.connect("", **{**_CONNECTING, **given}, autocommit=True, client_encoding="utf8")
        except (psycopg.Error, OSError) as error:
            raise SourceUnavailable(self.label, self._reason(error)) from None
        link = _Link(raw)
        try:
            link.several(_SETTINGS)
            demand_known(self.label, "postgresql", self._versions(link))
        except BaseException:
            link.close()
            raise
        return link

    def _versions(self, link: _Link) -> dict[str, int]:
        from psycopg.errors import UndefinedTable

        try:
            return versions_of(link.several(VERSIONS))
        except UndefinedTable:
            return {}

    # Facts

    def schema_version(self, part: str) -> int:
        try:
            with self.reading() as connection:
                return versions_of(connection.execute(VERSIONS).fetchall()).get(part, 0)
        except NoSuchTable:
            return 0

    def pulse(self) -> object | None:
        self._demand_open()
        return None

    def size(self) -> int:
        return int(self.fetch(_OUR_TABLES)[0][0])

    def watched(self) -> Sequence[Path]:
        return ()

    def listen(self, wake: Callable[[], None], stop: Callable[[float], bool]) -> None:
        """On a connection of its own: a notification may come at any time."""
        pause = 0.1
        while not self._closed and not stop(0):
            try:
                with closing(self._connected()) as link:
                    link.execute(f"LISTEN {CHANNEL}")
                    wake()
                    pause = 0.1
                    self._pass_on(link, wake, stop)
                    return
            except Exception as error:
                if not isinstance(error, LiveryError) and not _is_lost(error):
                    raise
            if stop(pause):
                return
            pause = min(2, pause * 2)

    def _pass_on(self, link: _Link, wake: Callable[[], None], stop: Callable[[float], bool]) -> None:
        while not self._closed and not stop(0):
            if list(link.raw.notifies(timeout=0.5, stop_after=1)):
                wake()

    def close(self) -> None:
        self._closed = True
        while self._idle:
            with suppress(IndexError):
                self._idle.pop().close()

    def _demand_open(self) -> None:
        if self._closed:
            raise SourceUnavailable(self.label, "it is closed")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        from psycopg import Error
        from psycopg.errors import (
            DeadlockDetected,
            IntegrityError,
            LockNotAvailable,
            SerializationFailure,
            UndefinedTable,
        )

        try:
            yield
        except UndefinedTable as error:
            raise NoSuchTable(str(error)) from error
        except (LockNotAvailable, SerializationFailure, DeadlockDetected, IntegrityError) as error:
            raise Locked(self.label, "another transaction") from error
        except _Uncertain as error:
            raise SourceUnavailable(self.label, "the connection was lost again and again; nothing is stored") from error
        except Error as error:
            raise SourceUnavailable(self.label, self._reason(error)) from None

    def _reason(self, error: Exception) -> str:
        """The text of an error on one line, without the password."""
        known = _REASONS.get(getattr(error, "sqlstate", None) or "")
        primary = getattr(getattr(error, "diag", None), "message_primary", None)
        text = known or " ".join((primary or str(error) or type(error).__name__).split())
        for password in _passwords(self._address):
            text = text.replace(password, "***")
        return text


def _is_lost(error: BaseException) -> bool:
    """Whether there is no connection any more."""
    from psycopg import InterfaceError, OperationalError

    if not isinstance(error, OperationalError | InterfaceError):
        return False
    return error.sqlstate is None or error.sqlstate.startswith(_LOST)


def _is_to_be_repeated(error: Exception) -> bool:
    """Whether nothing was stored, and the same may go well the next time."""
    state = getattr(error, "sqlstate", None) or ""
    return isinstance(error, _Uncertain) or state.startswith(_AGAIN) or _is_lost(error)


def _passwords(address: str) -> list[str]:
    """Whatever in an address may be a password or a part of one, the longest first."""
    found = [os.environ.get("PGPASSWORD", ""), *re.findall(r"[?&](?:ssl)?password=([^&]*)", address)]
    for user_info in re.findall(r"://[^/?#:@]*:(.*)@", address):
        found += [user_info, *(part for part in re.split(r"[@:/?#]", user_info) if len(part) > _SHORTEST_PART)]
    return sorted({text for part in found for text in (part, unquote(part)) if text}, key=len, reverse=True)
