"""The journal of writes to files, in the state database: a row for each, from its intent to what came of it.

A row is written anew once, when it is settled; after that it stays as it is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from livery.state.database import StateDatabase, storable
from livery.stores.intents import Intent, Look, Outcome, Stored, outcome
from livery.stores.protocols import Event, EventQuery
from livery.stores.sql import Connection
from livery.stores.sql.database import Row

SETTLED_AFTER_MS: Final = 60_000
"""How old an open intent has to be before others settle it. A writer waits ten seconds for the lock of a file and then
needs moments: one that is older than this has ended, or stands still. Nothing is asked of the process itself, which may
run on another machine. Where one stood still and goes on all the same, what it did is recorded beside the verdict."""

_EVENT = "at_ms, actor, action, registry, profile, from_version, to_version, scope, write_source, request_id, diff"
_COLUMNS = f"{_EVENT}, source, digest_before, digest_after, begun_at_ms"
_MARKS = ", ".join("?" * len(_COLUMNS.split(",")))
_BEGIN = f"INSERT INTO write_intents ({_COLUMNS}) VALUES ({_MARKS}) RETURNING id"
_OPEN = f"""SELECT id, {_EVENT}, source, digest_before, digest_after FROM write_intents
    WHERE source = ? AND state = 'open' AND begun_at_ms <= ? ORDER BY id"""
_SINCE = "SELECT digest_before FROM write_intents WHERE source = ? AND registry = ? AND profile = ? AND id > ?"
_SETTLE = "UPDATE write_intents SET state = ?, to_version = ? WHERE id = ? AND state = 'open'"
_FAIL = "UPDATE write_intents SET state = 'failed' WHERE id = ? AND state = 'open'"
_AGAIN = f"""INSERT INTO write_intents ({_COLUMNS}, state)
    SELECT at_ms, actor, action, registry, profile, from_version, CAST(? AS BIGINT), scope, write_source, request_id,
        diff, source, digest_before, digest_after, begun_at_ms, 'done'
    FROM write_intents WHERE id = ? AND state <> 'done'"""


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class StateJournal:
    """A :class:`livery.stores.journaled.Journal` in the state database. Safe for threads and processes."""

    def __init__(self, database: StateDatabase, *, clock: Callable[[], int] = now_ms) -> None:
        self._database = database
        self._clock = clock

    def begin(self, intents: Sequence[Intent]) -> list[int]:
        rows = [_row(intent, self._clock()) for intent in intents]

        def work(db: Connection) -> list[int]:
            return [number for row in rows for (number,) in db.execute(_BEGIN, row).fetchall()]

        return self._database.write(work)

    def done(self, numbers: Sequence[int], versions: Sequence[int]) -> None:
        """Where others have settled it otherwise meanwhile, their row stays and another one says what was done."""

        def work(db: Connection) -> None:
            for number, version in zip(numbers, versions, strict=True):
                if not db.execute(_SETTLE, ("done", version, number)).rowcount:
                    db.execute(_AGAIN, (version, number))

        self._database.write(work)

    def failed(self, numbers: Sequence[int]) -> None:
        def work(db: Connection) -> None:
            for number in numbers:
                db.execute(_FAIL, (number,))

        self._database.write(work)

    def settle(self, source: str, look: Look) -> None:
        rows = self._database.fetch(_OPEN, (source, self._clock() - SETTLED_AFTER_MS))
        verdicts = [verdict for row in rows if (verdict := self._verdict(row, look)) is not None]
        if verdicts:
            self._database.write(lambda db: [db.execute(_SETTLE, verdict) for verdict in verdicts])

    def _verdict(self, row: Row, look: Look) -> tuple[Outcome, int, int] | None:
        """The outcome, the version that it led to, and the number; None where the item cannot be looked at."""
        number, intent = row[0], _intent(row)
        event = intent.event
        now = look(event.registry, event.profile)
        if now is None:
            return None
        since = self._database.fetch(_SINCE, (intent.source, event.registry, event.profile, number))
        found = outcome(intent, [digest for (digest,) in since], now)
        return found, _version(found, intent, now), number

    def events(self, source: str, query: EventQuery) -> list[Event]:
        """Writes that failed are no changes. What is not known for certain says so behind its action."""
        conditions, values = _conditions(source, query)
        order = "DESC" if query.newest_first else "ASC"
        sql = f"SELECT id, {_EVENT}, state FROM write_intents WHERE {conditions} ORDER BY id {order} LIMIT ?"
        return [_event(row) for row in self._database.fetch(sql, (*values, query.limit))]


def _row(intent: Intent, begun_at_ms: int) -> tuple[Any, ...]:
    event = intent.event
    values = (
        event.at_ms, event.actor, event.action, event.registry, event.profile, event.from_version, event.to_version,
        event.scope, event.source, event.request_id, event.diff, intent.source, intent.digest_before,
        intent.digest_after, begun_at_ms,
    )  # fmt: skip
    return tuple(storable(value) if isinstance(value, str) else value for value in values)


def _intent(row: Row) -> Intent:
    *event, source, before, after = row
    return Intent(source, Event(*event), before, after)


def _event(row: Row) -> Event:
    *fields, state = row
    event = Event(*fields)
    return event if state == "done" else event._replace(action=f"{event.action} ({state})")


def _version(found: Outcome, intent: Intent, now: Stored) -> int:
    """What the write made it: what stands there if that is it, else what was meant."""
    is_there = found == "done" and now.digest == intent.digest_after
    return now.version if is_there else intent.event.to_version


def _conditions(source: str, query: EventQuery) -> tuple[str, list[Any]]:
    """The part after WHERE, and its values."""
    wanted: list[tuple[str, Any, bool]] = [
        ("source = ?", source, True),
        ("registry = ?", query.registry, bool(query.registry)),
        ("profile = ?", query.profile, query.profile is not None),
        ("actor = ?", query.actor, bool(query.actor)),
        ("action = ?", query.action, bool(query.action)),
        ("at_ms >= ?", query.since_ms, bool(query.since_ms)),
        ("at_ms < ?", query.until_ms, bool(query.until_ms)),
        ("id > ?", query.after, bool(query.after)),
        ("id < ?", query.before, bool(query.before)),
    ]
    asked = [(sql, value) for sql, value, is_asked in wanted if is_asked]
    texts = ["state <> 'failed'", *(sql for sql, _ in asked)]
    return " AND ".join(texts), [storable(value) if isinstance(value, str) else value for _, value in asked]
