"""What the store needs of a database, whichever it is. Only the two implementations know drivers and their errors."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

from livery.errors import UsageError
from livery.stores.urls import SourceURL, parse_source, source_of_path

Dialect = Literal["sqlite", "postgresql"]
Row = tuple[Any, ...]
Answer = TypeVar("Answer")


class Cursor(Protocol):
    """What a statement has given."""

    @property
    def rowcount(self) -> int: ...
    def fetchone(self) -> Row | None: ...
    def fetchall(self) -> list[Row]: ...
    def __iter__(self) -> Iterator[Row]: ...


class Connection(Protocol):
    """One transaction; parameters stand as ``?`` in the SQL of both dialects, which holds no other ``?``."""

    @property
    def dialect(self) -> Dialect: ...

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Cursor:
        """Run one statement."""

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]], /) -> object:
        """Run one statement for each of some rows."""


class Database(Protocol):
    """A database that is opened when it is first used. Safe for threads.

    Foreign errors become SourceUnavailable, Locked where another writer stands in the way for too long, SchemaTooNew
    where a later version of Livery has written it. No message holds a password.
    """

    @property
    def dialect(self) -> Dialect: ...

    @property
    def label(self) -> str:
        """How people see it, the password masked."""

    def obstacle(self) -> str:
        """Why nothing can be written here, as far as that is known without trying; else empty."""

    def reading(self) -> AbstractContextManager[Connection]:
        """A consistent transaction that only reads; SourceNotFound where there is no database.

        NoSuchTable, from it or from its end, where the part of the schema that is asked for is not there yet.
        """

    def fetch(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """The rows of one statement, in one round trip; NoSuchTable where its part of the schema is not there yet."""

    def writing(self, part: str, *, exclusive: bool = False) -> AbstractContextManager[Connection]:
        """One transaction that writes, committed at the end; the database and this part of its schema are made first.

        With ``exclusive`` nobody else writes this part meanwhile.
        """

    def write(self, part: str, work: Callable[[Connection], Answer]) -> Answer:
        """What a function gives within a transaction that writes; it is called again where the database asks for it."""

    def schema_version(self, part: str) -> int:
        """The version of a part of the schema; 0 where it is not there yet."""

    def pulse(self) -> object | None:
        """Something that is another one after every commit; None where that cannot be told without a question."""

    def size(self) -> int:
        """How many bytes it takes."""

    def watched(self) -> Sequence[Path]:
        """The files that change with it; empty where it has none here."""

    def listen(self, wake: Callable[[], None], stop: Callable[[float], bool]) -> None:
        """Call ``wake`` at each notification and each new connection until ``stop``; at once over where there are none.

        ``stop`` waits so many seconds at most, and says whether to end.
        """

    def close(self) -> None:
        """Let go of every connection; closing twice is fine, any other call after it is SourceUnavailable."""


class NoSuchTable(Exception):
    """A statement asks for a table that nobody has made yet."""


def open_database(url: SourceURL | str | os.PathLike[str]) -> Database:
    """The database at ``sqlite:PATH``, ``postgresql://…`` or a bare path; nothing is opened, made or read yet."""
    parsed = _parsed(url)
    if parsed.kind == "sqlite":
        from livery.stores.sql.sqlite import SQLiteDatabase

        return SQLiteDatabase(Path(parsed.location), label=str(parsed))
    if parsed.kind == "postgresql":
        from livery.stores.sql.postgresql import PostgreSQLDatabase

        return PostgreSQLDatabase(f"postgresql:{parsed.location}", label=str(parsed))
    raise UsageError(f"{parsed} is no database; give sqlite:PATH or postgresql://…")


def _parsed(url: SourceURL | str | os.PathLike[str]) -> SourceURL:
    if isinstance(url, SourceURL):
        return url
    if isinstance(url, str):
        return parse_source(url)
    return source_of_path(url)._replace(kind="sqlite")
