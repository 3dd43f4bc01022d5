"""The change log: its rows, and what is asked of them."""

from __future__ import annotations

from typing import Any, Final

from livery.stores.protocols import Event, EventQuery
from livery.stores.sql.database import Connection, Row

_COLUMNS: Final = "seq, at_ms, actor, action, registry, profile, from_version, to_version, scope, source, request_id"
ADDED: Final = f"INSERT INTO profile_events ({_COLUMNS}, diff) VALUES ({', '.join('?' * 12)})"
_ADDED_AT_ONCE: Final = f"""WITH counted AS (UPDATE profile_counter SET seq = seq + 1 RETURNING seq)
INSERT INTO profile_events ({_COLUMNS}, diff) SELECT counted.seq, {", ".join("?" * 11)} FROM counted
RETURNING seq, pg_notify('livery_profiles', '')"""
STATE: Final = "SELECT (SELECT id FROM livery_database LIMIT 1), (SELECT seq FROM profile_counter LIMIT 1)"
"""Which database it is, and the number of the last change."""
SINCE: Final = f"""SELECT s.id, s.seq, s.version, e.* FROM (
    SELECT (SELECT id FROM livery_database LIMIT 1) AS id, (SELECT seq FROM profile_counter LIMIT 1) AS seq,
        (SELECT max(version) FROM livery_schema WHERE part = 'profiles') AS version
) s
LEFT JOIN (SELECT {_COLUMNS}, '' AS diff FROM profile_events WHERE seq >= ?) e ON e.seq <= s.seq ORDER BY e.seq"""
"""The same with the version of the schema, and the changes from one on: a row for each, or one with none."""
_NUMBERED: Final = f"SELECT {_COLUMNS}, '' AS diff FROM profile_events WHERE seq = ?"
LAST_UP_TO: Final = "SELECT seq FROM profile_events WHERE at_ms <= ? ORDER BY at_ms DESC, seq DESC LIMIT 1"
_MANY: Final = 1_000
_COUNTED_ANEW: Final = "ANALYZE (SKIP_LOCKED) profiles, profile_bases, profile_revisions, profile_events"
"""After this every connection makes its plans anew: those of a small table may read the wrong index of a large one."""

_BEGINNING: Final = -(2**63)
_END: Final = 2**63 - 1


def event_of(row: Row) -> Event:
    return Event(*row)


def change_of(connection: Connection, seq: int) -> Event | None:
    """The change of a number without its diff, as states remember their last one; None where there is none."""
    rows = connection.execute(_NUMBERED, (seq,)).fetchall()
    return event_of(rows[0]) if rows else None


def selected(query: EventQuery) -> tuple[str, list[Any]]:
    """The statement that finds what is asked for, and its parameters."""
    wanted: list[tuple[str, Any]] = [
        ("registry = ?", query.registry or None),
        ("profile = ?", query.profile),
        ("actor = ?", query.actor or None),
        ("action = ?", query.action or None),
        ("at_ms >= ?", _within(query.since_ms)),
        ("at_ms < ?", _within(query.until_ms)),
        ("seq > ?", _within(query.after)),
        ("seq < ?", _within(query.before)),
    ]
    conditions = [(sql, value) for sql, value in wanted if value is not None]
    where = f" WHERE {' AND '.join(sql for sql, _ in conditions)}" if conditions else ""
    order = "DESC" if query.newest_first else "ASC"
    sql = f"SELECT {_COLUMNS}, diff FROM profile_events{where} ORDER BY seq {order} LIMIT ?"
    return sql, [*(value for _, value in conditions), max(0, min(query.limit, _END))]


def _within(number: int) -> int | None:
    """A number that a column can be compared with; None where it asks for nothing."""
    return max(_BEGINNING, min(number, _END)) if number else None


def numbered(connection: Connection, events: list[Event]) -> list[Event]:
    """Give events the next numbers and store them; from here on all other writers wait for the end of this one."""
    if connection.dialect == "postgresql" and len(events) == 1:
        return _numbered_at_once(connection, events[0])
    row = connection.execute("UPDATE profile_counter SET seq = seq + ? RETURNING seq", (len(events),)).fetchone()
    last = row[0] if row else 0
    stored = [event._replace(seq=last - len(events) + 1 + position) for position, event in enumerate(events)]
    if len(stored) == 1:
        connection.execute(ADDED, stored[0])
    else:
        connection.executemany(ADDED, stored)
    if connection.dialect == "postgresql":
        connection.execute("SELECT pg_notify('livery_profiles', '')")
        if len(stored) >= _MANY:
            connection.execute("SET LOCAL statement_timeout = 0")
            connection.execute(_COUNTED_ANEW)
    return stored


def _numbered_at_once(connection: Connection, event: Event) -> list[Event]:
    """The same for one event in one round trip."""
    row = connection.execute(_ADDED_AT_ONCE, event[1:]).fetchone()
    return [event._replace(seq=row[0] if row else 0)]
