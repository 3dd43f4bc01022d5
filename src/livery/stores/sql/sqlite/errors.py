"""What goes wrong with a file or in SQLite, in our words."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from livery.errors import Locked, SourceUnavailable
from livery.stores.sql.database import NoSuchTable

FOREIGN: Final = (sqlite3.Error, OSError, UnicodeDecodeError)
"""The last one where SQLite names something of a damaged schema that is no text."""
_BUSY: Final = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_REASONS: Final = {
    sqlite3.SQLITE_CORRUPT: "it is damaged",
    sqlite3.SQLITE_NOTADB: "it is no SQLite database",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_READONLY: "it cannot be written here",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened",
    sqlite3.SQLITE_IOERR: "the disk does not do what it should",
    sqlite3.SQLITE_PERM: "access is not permitted",
}


def told(label: str, error: Exception) -> Exception:
    """The error to raise in place of a foreign one."""
    if isinstance(error, sqlite3.Error) and code_of(error) in _BUSY:
        return Locked(label, "another program that writes it")
    if isinstance(error, sqlite3.Error) and str(error).startswith("no such table"):
        return NoSuchTable(str(error))
    return SourceUnavailable(label, reason_of(error))


@contextmanager
def translated(label: str) -> Iterator[None]:
    """Foreign errors from within become ours."""
    try:
        yield
    except FOREIGN as error:
        raise told(label, error) from error


def code_of(error: sqlite3.Error) -> int:
    """The primary code of an error; -1 of one that comes from the module itself."""
    code = getattr(error, "sqlite_errorcode", None)
    return code & 0xFF if code is not None else -1


def reason_of(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    if isinstance(error, UnicodeDecodeError):
        return "it is damaged: its schema holds what is no text"
    known = _REASONS.get(code_of(error)) if isinstance(error, sqlite3.Error) else None
    return f"{known} ({error})" if known else str(error)
