"""What goes wrong with a server, in our words and without any password; which of it may go well the next time."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import unquote

from livery.errors import LiveryError, Locked, SourceUnavailable
from livery.stores.sql.database import NoSuchTable

MOST_WAIT_S: Final = 5
_SHORTEST_PART: Final = 2
_LOST: Final = ("08", "57P01", "57P02", "57P03", "57P05")
_AGAIN: Final = ("40001", "40P01", "23505", "23503")  # serialization, deadlock, a row that another has put, or taken
_REASONS: Final = {
    "25006": "it is only read here: a standby, or read-only by its settings",
    "53100": "its disk is full",
    "53300": "it takes no more connections",
    "57014": f"it did not answer within {MOST_WAIT_S} s",
}


class Uncertain(Exception):
    """The connection was lost while committing; the number of the transaction says what became of it."""

    def __init__(self, transaction: str) -> None:
        self.transaction = transaction
        super().__init__(transaction)


@contextmanager
def translated(label: str, address: str) -> Iterator[None]:
    """Foreign errors from within become ours."""
    try:
        yield
    except Exception as error:
        ours = _told(label, address, error)
        if ours is error:
            raise
        raise ours from None  # its text may hold the password


def _told(label: str, address: str, error: Exception) -> Exception:
    """The error to raise in place of a foreign one; the same where it is ours."""
    if isinstance(error, LiveryError):  # perhaps that there is no driver
        return error
    from psycopg import Error
    from psycopg.errors import (
        DeadlockDetected,
        ForeignKeyViolation,
        LockNotAvailable,
        SerializationFailure,
        UndefinedTable,
        UniqueViolation,
    )

    if isinstance(error, UndefinedTable):
        return NoSuchTable(str(error))
    others = (LockNotAvailable, SerializationFailure, DeadlockDetected, UniqueViolation, ForeignKeyViolation)
    if isinstance(error, others):
        return Locked(label, "another transaction")
    if isinstance(error, Uncertain):
        return SourceUnavailable(label, "the connection was lost again and again; nothing is stored")
    return SourceUnavailable(label, reason_of(error, address)) if isinstance(error, Error) else error


def reason_of(error: Exception, address: str) -> str:
    """The text of an error on one line, without the password."""
    known = _REASONS.get(getattr(error, "sqlstate", None) or "")
    primary = getattr(getattr(error, "diag", None), "message_primary", None)
    text = known or " ".join((primary or str(error) or type(error).__name__).split())
    for password in _passwords(address):
        text = text.replace(password, "***")
    return text


def is_lost(error: BaseException) -> bool:
    """Whether there is no connection any more."""
    from psycopg import InterfaceError, OperationalError

    if not isinstance(error, OperationalError | InterfaceError):
        return False
    return error.sqlstate is None or error.sqlstate.startswith(_LOST)


def is_to_be_repeated(error: Exception) -> bool:
    """Whether nothing was stored, and the same may go well the next time."""
    state = getattr(error, "sqlstate", None) or ""
    return isinstance(error, Uncertain) or state.startswith(_AGAIN) or is_lost(error)


def _passwords(address: str) -> list[str]:
    """Whatever in an address may be a password or a part of one, the longest first."""
    found = [os.environ.get("PGPASSWORD", ""), *re.findall(r"[?&](?:ssl)?password=([^&]*)", address)]
    for user_info in re.findall(r"://[^/?#:@]*:(.*)@", address):
        found += [user_info, *(part for part in re.split(r"[@:/?#]", user_info) if len(part) > _SHORTEST_PART)]
    return sorted({text for part in found for text in (part, unquote(part)) if text}, key=len, reverse=True)
