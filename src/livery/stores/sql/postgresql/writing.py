"""Transactions that write: begun with their part of the schema in place, committed once, and never in doubt."""

from __future__ import annotations

import time
from contextlib import closing
from typing import Final
from zlib import crc32

from livery.errors import SourceUnavailable
from livery.stores.sql.postgresql.errors import Uncertain, is_lost
from livery.stores.sql.postgresql.link import Link
from livery.stores.sql.postgresql.pool import Pool
from livery.stores.sql.schema import bring_up_to_date, demand_known, newest

_SETTLE_S: Final = 10
_BEGIN: Final = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
_MAKING_TABLES: Final = 7_213_900_000  # the number of an advisory lock that nobody else uses


def begin(link: Link, label: str, part: str, *, exclusive: bool = False) -> str:
    """Begin a transaction, with this part of the schema in place; the number of the transaction."""
    transaction, version = _begun(link, part, exclusive)
    if not transaction or version < newest("postgresql", part):
        link.execute("ROLLBACK")
        _bring_up_to_date(link, part)
        transaction, version = _begun(link, part, exclusive)
    demand_known(label, "postgresql", {part: version})
    return transaction


def _begun(link: Link, part: str, exclusive: bool) -> tuple[str, int]:
    """The number of the transaction and the version of the part; none where there are no tables at all."""
    from psycopg.errors import UndefinedTable

    lock = "pg_advisory_xact_lock" if exclusive else "pg_advisory_xact_lock_shared"
    version = f"(SELECT coalesce(max(version), 0) FROM livery_schema WHERE part = '{part}')"
    try:
        ((transaction, found),) = link.several(
            f"{_BEGIN}; SELECT {lock}({_lock_of(part)}); SELECT pg_current_xact_id()::text, {version}"
        )
    except UndefinedTable:
        return "", 0
    return transaction, found


def _bring_up_to_date(link: Link, part: str) -> None:
    link.several(
        f"{_BEGIN}; SET LOCAL statement_timeout = 0; "
        f"SELECT pg_advisory_xact_lock({_MAKING_TABLES}), pg_advisory_xact_lock({_lock_of(part)})"
    )
    bring_up_to_date(link, part)
    link.execute("COMMIT")


def _lock_of(part: str) -> int:
    """The number of the advisory lock that those who write a part share."""
    return _MAKING_TABLES + 1 + crc32(part.encode())


def commit(link: Link, label: str, transaction: str, pool: Pool) -> None:
    """Commit; Uncertain where nothing of it was stored because the connection was lost."""
    try:
        _commit(link, label, transaction)
    except Uncertain:
        if not _was_committed(link, label, transaction, pool):
            raise


def _commit(link: Link, label: str, transaction: str) -> None:
    from psycopg import Error

    try:
        status = link.raw.execute("COMMIT").statusmessage
    except Error as error:
        if is_lost(error):
            raise Uncertain(transaction) from error
        raise
    if status != "COMMIT":
        raise SourceUnavailable(label, "a statement of the change has failed; nothing of it is stored")


def _was_committed(lost: Link, label: str, transaction: str, pool: Pool) -> bool:
    """What became of a transaction whose commit was not answered; the server may have to start again first."""
    deadline = time.monotonic() + _SETTLE_S
    while time.monotonic() < deadline:
        try:
            link = pool.connected()
        except Exception:  # perhaps the server has only just come back
            time.sleep(0.1)
            continue
        with closing(link):
            if link.since_crash != lost.since_crash:
                break  # what had left no trace is gone with its number, which another transaction may have by now
            status = _status(link, transaction)
        if status in ("committed", "aborted"):
            return status == "committed"
        time.sleep(0.05)
    raise SourceUnavailable(
        label,
        "the connection was lost while the change was stored, and nobody can be asked whether it is; "
        "look before you repeat it",
    )


def _status(link: Link, transaction: str) -> str:
    try:
        ((status,),) = link.execute("SELECT pg_xact_status(?::xid8)", (transaction,)).fetchall()
    except Exception:
        return "in progress"
    return str(status)
