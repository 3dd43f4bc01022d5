"""What one transaction does to a database: statements on its connection, and the events that tell of them at the end.

The events are numbered last, when all else is done: from then on every other writer waits, so that their order is that
of the commits and none is missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, Final

from livery.errors import SourceUnavailable
from livery.stores.protocols import Event, Seen, WriteOptions
from livery.stores.sql.database import Connection, Cursor, Row
from livery.stores.sql.events import numbered
from livery.stores.sql.new_registries import NewRegistries
from livery.stores.sql.overtaken import demand_not_overtaken
from livery.stores.sql.reading import can_be_asked_for
from livery.stores.sql.seen_changes import SeenChanges
from livery.stores.sql.written import demand_text

_AT_ONCE: Final = 1_000
_MANY: Final = frozenset(64 * 4**step for step in range(10))  # events, after which there may be many more


@cache
def _at_once(write: str, add: str) -> str:
    """A write of one row, and an insertion that is made where there was one."""
    head, _, values = add.partition(" VALUES ")
    return f"WITH changed AS ({write} RETURNING 1) {head} SELECT {values.strip('()')} FROM changed"


class Changes:
    """The changes of one transaction up to now."""

    def __init__(self, connection: Connection, url: str, seen_changes: SeenChanges) -> None:
        self.url = url
        self.events: list[Event] = []
        self.new_registries = NewRegistries()
        self._connection = connection
        self._seen_changes = seen_changes
        self._seen: set[Seen] = set()
        self._later: dict[str, list[Row]] = {}
        self._is_over = False
        self._is_remote = connection.dialect == "postgresql"

    @property
    def connection(self) -> Connection:
        """SourceUnavailable after the end."""
        if self._is_over:
            raise SourceUnavailable(self.url, "the transaction is over")
        return self._connection

    def finish(self) -> list[Event]:
        """Number and store the events; Overtaken where what was checked before has changed since."""
        self._catch_up()
        self.end()
        if not self.events:
            return []
        self._seen_changes.demand_kept(self._connection, self._seen)
        events = numbered(self._connection, self.events)
        if self._seen:
            demand_not_overtaken(self._connection, self._seen, events[0].seq)
        return events

    def end(self) -> None:
        """Take nothing more."""
        self._is_over = True

    # Statements

    def row(self, sql: str, key: Sequence[Any]) -> Row | None:
        """A row, and nobody else changes it before the end."""
        return self._locking(sql, key).fetchone() if can_be_asked_for(*key) else None

    def rows(self, sql: str, key: Sequence[Any]) -> list[Row]:
        """The same for several."""
        return self._locking(sql, key).fetchall()

    def _locking(self, sql: str, key: Sequence[Any]) -> Cursor:
        return self.connection.execute(f"{sql} FOR UPDATE" if self._is_remote else sql, key)

    def execute(self, sql: str, parameters: Sequence[Any]) -> int:
        """How many rows it changes."""
        if self._later:
            self._catch_up()
        return self.connection.execute(sql, parameters).rowcount

    def later(self, sql: str, rows: Sequence[Row]) -> None:
        """Run a statement for each row before the next one of :meth:`execute`, or at the end: many in one go."""
        self._later.setdefault(sql, []).extend(rows)
        if len(self._later[sql]) >= _AT_ONCE:
            self._catch_up()

    def _catch_up(self) -> None:
        later, self._later = self._later, {}
        for sql, rows in later.items():
            if rows:
                self.connection.executemany(sql, rows)

    def last(self, sql: str, key: Sequence[Any]) -> int:
        """The last version that there ever was."""
        row = self.connection.execute(sql, key).fetchone()
        return (row and row[0]) or 0

    def insert(self, insert: str, values: Row, add: str, revision: Row) -> bool:
        """Put a row where there is none, and keep its revision; whether there was none."""
        return self._both(insert, values, add, revision) != 0

    def update(self, update: str, values: Row, add: str, revision: Row) -> None:
        """Change a row and keep the new revision."""
        self.demand_one(self._both(update, values, add, revision))

    def _both(self, write: str, values: Row, add: str, revision: Row) -> int:
        """How many rows are written, with the revision of one: in one round trip where there are any."""
        if self._is_remote:
            return self.connection.execute(_at_once(write, add), (*values, *revision)).rowcount
        changed = self.connection.execute(write, values).rowcount
        return self.connection.execute(add, revision).rowcount if changed == 1 else changed

    def take_time(self) -> None:
        """Let the statements that follow take longer than others: how much they do grows with what is stored."""
        if self._is_remote:
            self.connection.execute("SET LOCAL statement_timeout = 0")

    def demand_one(self, changed: int) -> None:
        if changed != 1:
            raise SourceUnavailable(self.url, "another program changes it without asking for a lock; try again")

    # Events

    def tell(
        self, registry: str, profile: str, before: int, after: int, options: WriteOptions, action: str,
        scope: str = "runtime",
    ) -> None:  # fmt: skip
        """Note an event, ``action`` where the options name none, and what its checks have looked at."""
        self.events.append(
            Event(
                0, options.at_ms, options.actor, options.action or action, registry, profile, before, after, scope,
                options.source, options.request_id, options.diff,
            )
        )  # fmt: skip
        if options.seen is not None:
            self._seen.add(options.seen)
        if len(self.events) in _MANY:
            self._plan_anew()

    def _plan_anew(self) -> None:
        """Have each statement planned for itself from here on, and for the rows that there are by now.

        Who believes that a registry is all but empty may read the whole of it by another index, for every row of a
        large import. A few writes are quicker with the plans that are kept.
        """
        if self._is_remote:
            self._connection.execute("SET LOCAL plan_cache_mode = force_custom_plan")
            self._connection.execute("ANALYZE (SKIP_LOCKED) profiles")


def demand_texts(options: WriteOptions) -> None:
    """ValidationError for circumstances that one of the databases has no place for."""
    demand_text(options.actor, "actor")
    demand_text(options.source, "source")
    demand_text(options.request_id, "request_id")
    demand_text(options.action, "action")
    demand_text(options.diff, "diff")
