"""The database in an SQLite file; a file that was replaced, as by a restored backup, is noticed at the next use."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from livery.stores.sql.database import Answer, Connection, Dialect, Row
from livery.stores.sql.sqlite.file import log_of, obstacle, size_of
from livery.stores.sql.sqlite.readers import Readers
from livery.stores.sql.sqlite.writer import Writer


class SQLiteDatabase:
    """What the store needs of a database, in a file."""

    dialect: Final[Dialect] = "sqlite"

    def __init__(self, path: Path, *, label: str = "") -> None:
        self.path = Path(os.path.expanduser(path))
        self.label = label or f"sqlite:{path}"
        self._readers = Readers(self.path, self.label)
        self._writer = Writer(self.path, self.label)

    def obstacle(self) -> str:
        return obstacle(self.path)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        with self._readers.lent() as link:
            link.execute("BEGIN")
            link.demand_ours()
            yield link

    def fetch(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        return self._readers.fetch(sql, parameters)

    def write(self, part: str, work: Callable[[Connection], Answer]) -> Answer:
        with self.writing(part) as connection:
            return work(connection)

    @contextmanager
    def writing(self, part: str, *, exclusive: bool = False) -> Iterator[Connection]:
        """Every transaction of this kind excludes all others."""
        self._readers.demand_open()
        with self._writer.writing(part) as link:
            yield link

    def schema_version(self, part: str) -> int:
        with self._readers.lent() as link:
            link.demand_ours()
            return link.parts.get(part, 0)

    def pulse(self) -> object | None:
        return self._readers.pulse()

    def size(self) -> int:
        return size_of(self.path) + size_of(log_of(self.path))

    def watched(self) -> Sequence[Path]:
        return (self.path, log_of(self.path))

    def listen(self, wake: Callable[[], None], stop: Callable[[float], bool]) -> None:
        """The files can be watched."""

    def close(self) -> None:
        self._readers.close()
        self._writer.close()
