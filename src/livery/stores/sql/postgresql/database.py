"""The database at an address; names of tables are unqualified, so that its ``search_path`` decides."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from livery.errors import SourceUnavailable
from livery.stores.sql.database import Answer, Connection, Dialect, NoSuchTable, Row
from livery.stores.sql.postgresql.errors import Uncertain, is_to_be_repeated, translated
from livery.stores.sql.postgresql.listening import listen
from livery.stores.sql.postgresql.pool import Pool
from livery.stores.sql.postgresql.writing import begin, commit
from livery.stores.sql.schema import VERSIONS, demand_known, versions_of

_TRIES: Final = 8
_BEGIN_READING: Final = f"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {VERSIONS}"
_OUR_TABLES: Final = """SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint FROM pg_class c
WHERE c.relkind = 'r' AND pg_table_is_visible(c.oid) AND c.relname IN (
    'profile_registries', 'profiles', 'profile_bases', 'profile_revisions', 'registry_revisions', 'profile_events')"""


class PostgreSQLDatabase:
    """What the store needs of a database, on a server."""

    dialect: Final[Dialect] = "postgresql"

    def __init__(self, address: str, *, label: str) -> None:
        self.label = label
        self._address = address
        self._pool = Pool(label, address)

    def obstacle(self) -> str:
        """Only the server knows."""
        return ""

    # Reading

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        with self._pool.lent(lambda link: link.several(_BEGIN_READING)) as (link, versions):
            demand_known(self.label, "postgresql", versions_of(versions))
            yield link
            link.execute("COMMIT")

    def fetch(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        with self._pool.lent(lambda link: link.execute(sql, parameters).fetchall()) as (_, rows):
            return rows

    # Writing

    def write(self, part: str, work: Callable[[Connection], Answer]) -> Answer:
        with translated(self.label, self._address):
            for attempt in range(_TRIES):
                try:
                    return self._written(part, work)
                except Exception as error:
                    if attempt + 1 == _TRIES or not is_to_be_repeated(error):
                        raise
                    time.sleep(random.uniform(0, 0.01) * 2**attempt)
        raise AssertionError("the last try returns or raises")

    def _written(self, part: str, work: Callable[[Connection], Answer]) -> Answer:
        with self._pool.lent_bare(lambda link: begin(link, self.label, part)) as (link, transaction):
            answer = work(link)
            commit(link, self.label, transaction, self._pool)
            return answer

    @contextmanager
    def writing(self, part: str, *, exclusive: bool = False) -> Iterator[Connection]:
        with self._pool.lent(lambda link: begin(link, self.label, part, exclusive=exclusive)) as (link, transaction):
            yield link
            try:
                commit(link, self.label, transaction, self._pool)
            except Uncertain:
                reason = "the connection was lost before the change was stored; nothing of it is"
                raise SourceUnavailable(self.label, reason) from None

    # Facts

    def schema_version(self, part: str) -> int:
        try:
            with self.reading() as connection:
                return versions_of(connection.execute(VERSIONS).fetchall()).get(part, 0)
        except NoSuchTable:
            return 0

    def pulse(self) -> object | None:
        """Only the server knows."""
        self._pool.demand_open()
        return None

    def size(self) -> int:
        return int(self.fetch(_OUR_TABLES)[0][0])

    def watched(self) -> Sequence[Path]:
        return ()

    def listen(self, wake: Callable[[], None], stop: Callable[[float], bool]) -> None:
        listen(self._pool, wake, stop)

    def close(self) -> None:
        self._pool.close()
