"""The database of the state: one that is not there is empty, and every error says that it is this one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from livery.errors import Locked, SchemaTooNew, SourceNotFound, SourceUnavailable
from livery.stores.sql import Connection, Database
from livery.stores.sql.database import NoSuchTable, Row

Answer = TypeVar("Answer")
_PART = "state"


class StateDatabase:
    """Reads and writes of the part ``state`` of a database. Safe for threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def label(self) -> str:
        """How people see it, the password masked."""
        return self._database.label

    def fetch(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """The rows of one statement; none where nothing was ever written."""
        with self._named():
            try:
                return self._database.fetch(sql, parameters)
            except (SourceNotFound, NoSuchTable):
                return []

    def write(self, work: Callable[[Connection], Answer]) -> Answer:
        """What a function gives within one transaction; nobody else writes the state meanwhile."""
        with self._named(), self._database.writing(_PART, exclusive=True) as connection:
            return work(connection)

    def close(self) -> None:
        self._database.close()

    @contextmanager
    def _named(self) -> Iterator[None]:
        name = f"state database {self.label}"
        try:
            yield
        except SourceUnavailable as error:
            raise SourceUnavailable(name, error.reason) from error
        except Locked as error:
            raise Locked(name, error.holder) from error
        except SchemaTooNew as error:
            raise SchemaTooNew(f"{error}; or name another place for the state with LIVERY_STATE") from error


def storable(text: str) -> str:
    """A text that every database takes: what it could not hold is written out."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")
