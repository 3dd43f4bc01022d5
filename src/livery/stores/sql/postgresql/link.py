"""One connection to a PostgreSQL server."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any, Final, cast

from livery.errors import SourceUnavailable
from livery.stores.sql.database import Cursor, Dialect, Row
from livery.stores.sql.postgresql.errors import MOST_WAIT_S, reason_of
from livery.stores.sql.schema import VERSIONS, demand_known, versions_of

if TYPE_CHECKING:
    import psycopg

_CONNECT_S: Final = 3
_SETTINGS: Final = f"""SET statement_timeout = '{MOST_WAIT_S}s'; SET lock_timeout = '{MOST_WAIT_S}s'; SET jit = off;
SET enable_seqscan = off;
SELECT extract(epoch FROM pg_stat_get_bgwriter_stat_reset_time())::text"""
"""Every statement has its index. While a table is small the planner would rather read it as a whole, and a prepared
statement keeps that plan however much the table grows, until somebody analyses it: after a large import that is late,
and with autovacuum off never. The setting is of these connections alone; what has no index is read as before.

The answer is a time that is another one after every crash of the server, which loses its statistics by it.
"""
_CONNECTING: Final[Mapping[str, Any]] = {
    "application_name": "livery",
    "connect_timeout": _CONNECT_S,
    "keepalives_idle": 10,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 8000,  # a host that has gone silently is not waited for
}


@cache
def _native(sql: str) -> str:
    """A statement with the placeholders of the driver."""
    return sql.replace("%", "%%").replace("?", "%s")


class Link:
    """A connection, in no transaction unless one was begun."""

    dialect: Final[Dialect] = "postgresql"

    def __init__(self, raw: psycopg.Connection[Row]) -> None:
        self.raw = raw
        ((self.since_crash,),) = self.several(_SETTINGS)
        """Tells the server from itself after a crash."""

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


def connected(label: str, address: str) -> Link:
    """A new connection to a server whose tables are none of a later version."""
    raw = _raw(label, address)
    try:
        link = Link(raw)
        demand_known(label, "postgresql", _versions(link))
    except BaseException:
        raw.close()
        raise
    return link


def _raw(label: str, address: str) -> psycopg.Connection[Row]:
    try:
        import psycopg
        from psycopg.conninfo import conninfo_to_dict
    except ImportError:
        reason = "the driver of PostgreSQL is not installed: pip install 'livery[postgres]'"
        raise SourceUnavailable(label, reason) from None
    try:
        given = conninfo_to_dict(address)
    except psycopg.Error:  # its text may hold parts of the password
        reason = "its address is none that PostgreSQL knows; escape @ : / ? # % in names and passwords, as %40"
        raise SourceUnavailable(label, reason) from None
    try:
        return psycopg.connect("", **{**_CONNECTING, **given}, autocommit=True, client_encoding="utf8")
    except (psycopg.Error, OSError) as error:
        raise SourceUnavailable(label, reason_of(error, address)) from None


def _versions(link: Link) -> dict[str, int]:
    from psycopg.errors import UndefinedTable

    try:
        return versions_of(link.several(VERSIONS))
    except UndefinedTable:
        return {}
