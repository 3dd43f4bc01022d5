"""A state of the database, by its number in the change log: what is asked of it later is answered as it was then.

The rows are those of now. As long as nothing has changed since, one statement says so and answers; after that the
differences are taken into account, in one transaction.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any, Final, TypeVar

from livery.core.names import Reference
from livery.core.profile import Profile, Registry
from livery.errors import SourceUnavailable
from livery.stores.protocols import BrokenItem, Event
from livery.stores.sql.columns import PROFILE_COLUMNS, selected
from livery.stores.sql.database import Connection, Database, NoSuchTable, Row
from livery.stores.sql.differences import differences, heading_then, profile_then
from livery.stores.sql.pages import HEADINGS, Listed, Query, listed, rows_of
from livery.stores.sql.reading import can_be_asked_for, state_of
from livery.stores.sql.rows import profile_of
from livery.stores.sql.users import USERS, Users, of_profile, of_registry, users_then

_STATE: Final = "(SELECT id FROM livery_database LIMIT 1), (SELECT seq FROM profile_counter LIMIT 1)"
_THEN: Final = """SELECT e.from_version FROM profile_events e
WHERE e.registry = ? AND e.profile = ? AND e.seq > ? ORDER BY e.seq LIMIT 1"""
_PROFILE: Final = f"""SELECT (SELECT id FROM livery_database LIMIT 1), ({_THEN}), {selected(PROFILE_COLUMNS, "p")}
FROM (SELECT 1 AS one) o LEFT JOIN profiles p ON p.registry_slug = ? AND p.slug = ?"""
_COUNT: Final = "count(*) FROM profiles WHERE registry_slug = ?"
_NAMES: Final = """slug FROM profiles
WHERE registry_slug = ? AND slug > ? AND slug >= ? AND slug < ? ORDER BY slug LIMIT ?"""
_ALL: Final = 2**62
_AFTER_ALL: Final = "\x7f"  # no slug has a character beyond

Answer = TypeVar("Answer")


class SQLSnapshot:
    """The state right after one change, in one database; asking costs a statement or two."""

    def __init__(
        self,
        database: Database,
        identity: str,
        seq: int,
        heads: tuple[Registry, ...] = (),
        broken: tuple[BrokenItem, ...] = (),
        events: tuple[Event, ...] = (),
        follows: int | None = None,
        last: Event | None = None,
    ) -> None:
        self.seq = seq
        self.heads = heads
        self.broken = broken
        self.events = events
        self.follows = follows
        self.identity = identity
        """Which database it is of: empty where nothing was ever written."""
        self.last = last
        """The change that it is right after: a restored backup may have another one of the same number by now."""
        self._database = database

    # Profiles

    def profile(self, registry: str, slug: str) -> Profile | None:
        if not self.identity or not can_be_asked_for(registry, slug):
            return None
        ((identity, then, *row),) = self._fetched(_PROFILE, (registry, slug, self.seq, registry, slug))
        self._demand_same(identity)
        if then is None:
            return profile_of(tuple(row)) if row[0] is not None else None
        return profile_then(self._database.fetch, self._database.label, registry, slug, then) if then else None

    def count(self, registry: str) -> int:
        def counted(connection: Connection) -> int:
            changed = differences(connection, registry, self.seq).values()
            row = connection.execute(f"SELECT {_COUNT}", (registry,)).fetchone()
            return (row[0] if row else 0) + sum(bool(then) - bool(now) for then, now in changed)

        if not self._can_be_asked(registry):
            return 0
        rows = self._now(_COUNT, (registry,))
        return int(rows[0][0]) if rows else self._then(counted)

    def names(self, registry: str, *, prefix: str = "", after: str = "", limit: int | None = None) -> list[str]:
        most = _ALL if limit is None else limit
        bounds = (registry, _bound(after), prefix, prefix + _AFTER_ALL)

        def named(connection: Connection) -> list[str]:
            changed = differences(connection, registry, self.seq)
            rows = connection.execute(f"SELECT {_NAMES}", (*bounds, min(_ALL, most + len(changed)))).fetchall()
            found = {slug for (slug,) in rows if slug not in changed}
            found |= {slug for slug, was in changed.items() if was.then and slug > after and slug.startswith(prefix)}
            return sorted(found)[:most]

        if most <= 0 or not self._can_be_asked(registry, prefix):
            return []
        rows = self._now(_NAMES, (*bounds, most))
        return [slug for (slug,) in rows] if rows else self._then(named)

    def page(
        self, registry: str, *, after: str = "", limit: int, query: str = "", tag: str = ""
    ) -> list[Profile | BrokenItem]:
        wanted = Query(query.casefold(), tag)
        if limit <= 0 or not self._can_be_asked(registry):
            return []
        try:
            rows = rows_of(self._headings_now, registry, _bound(after), wanted.first_batch(limit))
            return [listed(row) for row in islice(filter(wanted.matches_row, rows), limit)]
        except _Past:
            return self._then(lambda connection: self._page_then(connection, registry, after, limit, wanted))

    def _headings_now(self, values: tuple[str, str, int]) -> list[Row]:
        rows = self._now(HEADINGS, values)
        if not rows:
            raise _Past
        return rows

    def _page_then(self, connection: Connection, registry: str, after: str, limit: int, wanted: Query) -> list[Listed]:
        changed = differences(connection, registry, self.seq)
        rows = rows_of(
            lambda values: connection.execute(f"SELECT {HEADINGS}", values).fetchall(),
            registry, _bound(after), wanted.first_batch(limit),
        )  # fmt: skip
        kept = ((row[1], row) for row in rows if row[1] not in changed)
        others: Iterable[tuple[str, Row | None]] = (
            (slug, None) for slug in sorted(changed) if slug > after and changed[slug].then
        )
        found: list[Listed] = []
        for slug, row in heapq.merge(kept, others, key=lambda pair: pair[0]):
            if row is None:
                item = heading_then(connection, self._database.label, registry, slug, changed[slug].then)
                found += [item] if wanted.matches(item) else []
            elif wanted.matches_row(row):
                found.append(listed(row))
            if len(found) == limit:
                break
        return found

    # Users

    def users(self, base: Reference) -> list[Reference]:
        return self._users(of_profile(base))

    def users_of_registry(self, registry: str) -> list[Reference]:
        return self._users(of_registry(registry))

    def _users(self, wanted: Users) -> list[Reference]:
        if not self._can_be_asked(*wanted.values):
            return []
        rows = self._now(f"b.registry_slug, b.slug {USERS.format(wanted.condition)}", wanted.values)
        if rows is None:
            return self._then(lambda connection: users_then(connection, self._database.label, wanted, self.seq))
        return sorted({Reference(*row) for row in rows if row[0] is not None})

    # Asking

    def _can_be_asked(self, *names: str) -> bool:
        return bool(self.identity) and can_be_asked_for(*names)

    def _now(self, sql: str, values: Sequence[Any]) -> list[Row] | None:
        """The rows of one statement; None where this is not the present state any more, or nobody can say."""
        rows = self._fetched(f"SELECT {_STATE}, {sql}", values)
        if not rows:
            return None
        identity, seq = rows[0][:2]
        self._demand_same(identity)
        return [row[2:] for row in rows] if (seq or 0) == self.seq else None

    def _then(self, ask: Callable[[Connection], Answer]) -> Answer:
        """The answer to several statements at one moment."""
        try:
            with self._database.reading() as connection:
                self._demand_same(state_of(connection).identity)
                return ask(connection)
        except NoSuchTable:
            raise self._gone() from None

    def _fetched(self, sql: str, values: Sequence[Any]) -> list[Row]:
        try:
            return self._database.fetch(sql, values)
        except NoSuchTable:
            raise self._gone() from None

    def _demand_same(self, identity: str | None) -> None:
        if identity != self.identity:
            raise SourceUnavailable(self._database.label, "another database was put in its place")

    def _gone(self) -> SourceUnavailable:
        return SourceUnavailable(self._database.label, "its tables are gone")


class _Past(Exception):
    """The state is not the present one any more, or nobody can say."""


def _bound(after: str) -> str:
    """The same bound as a text that every database takes: slugs are plain ASCII."""
    for position, character in enumerate(after):
        if character == "\0":
            return after[:position]
        if character > _AFTER_ALL:
            return after[:position] + _AFTER_ALL
    return after
