"""A state of the database, by its number in the change log: what is asked of it later is answered as it was then.

The rows are those of now. What has changed since stands in the log, with the version that it had before: that revision
is what the state holds.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple, TypeVar

import msgspec

from livery.core.names import Reference
from livery.core.profile import Profile, Registry
from livery.errors import SourceUnavailable, ValidationError
from livery.stores.protocols import BrokenItem, Event
from livery.stores.sql.database import Connection, Database, NoSuchTable, Row
from livery.stores.sql.reading import can_be_asked_for, state_of
from livery.stores.sql.revisions import dropped, profile_revision
from livery.stores.sql.rows import HEADING, PROFILE_COLUMNS, heading_of, profile_of, profile_of_revision

_THEN: Final = """SELECT e.from_version FROM profile_events e
WHERE e.registry = ? AND e.profile = ? AND e.seq > ? ORDER BY e.seq LIMIT 1"""
_PROFILE: Final = f"""SELECT (SELECT id FROM livery_database LIMIT 1), ({_THEN}),
    {", ".join(f"p.{column}" for column in PROFILE_COLUMNS)}
FROM (SELECT 1 AS one) o LEFT JOIN profiles p ON p.registry_slug = ? AND p.slug = ?"""
_CHANGED: Final = """SELECT profile, from_version, to_version FROM profile_events
WHERE seq > ? AND registry || '' = ? AND profile <> '' ORDER BY seq"""  # by seq, not by an index of the registry
_COUNT: Final = "SELECT count(*) FROM profiles WHERE registry_slug = ?"
_PAGE: Final = f"""SELECT {HEADING} FROM profiles
WHERE (registry_slug, slug) > (?, ?) ORDER BY registry_slug, slug LIMIT ?"""
"""The rows of a registry and what stands behind it: a planner that knows nothing yet of a table reads it so by its key
alone, from there on."""
_NAMES: Final = """SELECT slug FROM profiles
WHERE registry_slug = ? AND slug > ? AND slug >= ? AND slug < ? ORDER BY slug LIMIT ?"""
_BASES: Final = "SELECT registry_slug, slug FROM profile_bases WHERE base_registry = ?"
_FIRST_CHANGES: Final = """SELECT e.registry, e.profile, r.document_json, r.typed_json, e.from_version
FROM (
    SELECT min(seq) AS seq FROM profile_events WHERE seq > ? AND profile <> '' GROUP BY registry, profile
) f
JOIN profile_events e ON e.seq = f.seq
LEFT JOIN profile_revisions r ON r.registry_slug = e.registry AND r.slug = e.profile AND r.version = e.from_version"""
_BATCH: Final = 500
_ALL: Final = 2**62
_AFTER_ALL: Final = "\x7f"  # no slug has a character beyond

Answer = TypeVar("Answer")
Listed = Profile | BrokenItem


class _Change(NamedTuple):
    """What became of a profile since: its version then and now, 0 where it was not or is not there."""

    then: int
    now: int


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
    ) -> None:
        self.seq = seq
        self.heads = heads
        self.broken = broken
        self.events = events
        self.follows = follows
        self.identity = identity
        """Which database it is of: empty where nothing was ever written."""
        self._database = database

    def profile(self, registry: str, slug: str) -> Profile | None:
        if not self.identity or not can_be_asked_for(registry, slug):
            return None
        try:
            rows = self._database.fetch(_PROFILE, (registry, slug, self.seq, registry, slug))
        except NoSuchTable:
            raise self._gone() from None
        identity, then, *row = rows[0]
        self._demand_same(identity)
        if then is None:
            return profile_of(row) if row[0] is not None else None
        return self._revision(self._database.fetch, registry, slug, then) if then else None

    def count(self, registry: str) -> int:
        def counted(connection: Connection) -> int:
            changes = self._changes(connection, registry).values()
            row = connection.execute(_COUNT, (registry,)).fetchone()
            return (row[0] if row else 0) + sum(bool(then) - bool(now) for then, now in changes)

        return self._asked(counted, 0, registry)

    def names(self, registry: str, *, prefix: str = "", after: str = "", limit: int | None = None) -> list[str]:
        most = _ALL if limit is None else limit

        def named(connection: Connection) -> list[str]:
            changes = self._changes(connection, registry)
            bounds = (registry, _bound(after), prefix, prefix + _AFTER_ALL, min(_ALL, most + len(changes)))
            found = {slug for (slug,) in connection.execute(_NAMES, bounds).fetchall() if slug not in changes}
            found |= {
                slug for slug, change in changes.items() if change.then and slug > after and slug.startswith(prefix)
            }
            return sorted(found)[:most]

        return self._asked(named, [], registry, prefix) if most > 0 else []

    def page(
        self, registry: str, *, after: str = "", limit: int, query: str = "", tag: str = ""
    ) -> list[Profile | BrokenItem]:
        folded = query.casefold()

        def listed(connection: Connection) -> list[Listed]:
            changes = self._changes(connection, registry)
            batch = _BATCH if folded or tag else limit
            current = _rows(connection, registry, _bound(after), batch)
            kept = ((row[1], row) for row in current if row[1] not in changes)
            changed = ((slug, None) for slug in sorted(changes) if slug > after and changes[slug].then)
            found: list[Listed] = []
            for slug, row in heapq.merge(kept, changed, key=lambda pair: pair[0]):
                if row is None:
                    item = self._listed_revision(connection, registry, slug, changes[slug].then)
                    found += [item] if _matches(item, folded, tag) else []
                elif _row_matches(row, folded, tag):
                    found.append(_listed(row))
                if len(found) == limit:
                    break
            return found

        return self._asked(listed, [], registry) if limit > 0 else []

    def users(self, base: Reference) -> list[Reference]:
        sql = f"{_BASES} AND base_slug = ?"
        return self._users(sql, tuple(base), lambda bases, _: base in bases)

    def users_of_registry(self, registry: str) -> list[Reference]:
        sql = f"{_BASES} AND registry_slug <> ? GROUP BY registry_slug, slug"

        def extends(bases: tuple[Reference, ...], own: str) -> bool:
            return own != registry and any(base.registry == registry for base in bases)

        return self._users(sql, (registry, registry), extends)

    def _users(
        self, sql: str, key: tuple[str, ...], extends: Callable[[tuple[Reference, ...], str], bool]
    ) -> list[Reference]:
        def found(connection: Connection) -> list[Reference]:
            users = {Reference(*row) for row in connection.execute(sql, key).fetchall()}
            for registry, slug, document, typed, version in connection.execute(_FIRST_CHANGES, (self.seq,)).fetchall():
                users.discard(Reference(registry, slug))
                if version and extends(self._bases_then(registry, slug, version, document, typed), registry):
                    users.add(Reference(registry, slug))
            return sorted(users)

        return self._asked(found, [], *key)

    def _bases_then(
        self, registry: str, slug: str, version: int, document: str | None, typed: str | None
    ) -> tuple[Reference, ...]:
        if document is None:
            raise dropped(self._database.label, f"{registry}/{slug}", version)
        try:
            return profile_of_revision(registry, slug, version, document, typed).bases
        except ValidationError:
            return ()  # a broken document extends nothing that anybody could say

    def _changes(self, connection: Connection, registry: str) -> dict[str, _Change]:
        """What has changed in a registry since; empty for the present state."""
        changes: dict[str, _Change] = {}
        for slug, before, after in connection.execute(_CHANGED, (self.seq, registry)).fetchall():
            known = changes.get(slug)
            changes[slug] = _Change(known.then if known else before, after)
        return changes

    def _revision(self, ask: Callable[..., list[Row]], registry: str, slug: str, version: int) -> Profile:
        profile = profile_revision(ask, registry, slug, version)
        if profile is None:
            raise dropped(self._database.label, f"{registry}/{slug}", version)
        return profile

    def _listed_revision(self, connection: Connection, registry: str, slug: str, version: int) -> Listed:
        try:
            ask = lambda sql, key: connection.execute(sql, key).fetchall()  # noqa: E731
            return heading_of(self._revision(ask, registry, slug, version))
        except (ValidationError, SourceUnavailable) as error:
            return BrokenItem(registry, slug, error)

    def _asked(self, ask: Callable[[Connection], Answer], nothing: Answer, *names: str) -> Answer:
        """The answer to several statements at one moment."""
        if not self.identity or not can_be_asked_for(*names):
            return nothing
        try:
            with self._database.reading() as connection:
                self._demand_same(state_of(connection).identity)
                return ask(connection)
        except NoSuchTable:
            raise self._gone() from None

    def _demand_same(self, identity: str) -> None:
        if identity != self.identity:
            raise SourceUnavailable(self._database.label, "another database was put in its place")

    def _gone(self) -> SourceUnavailable:
        return SourceUnavailable(self._database.label, "its tables are gone")


def _bound(after: str) -> str:
    """The same bound as a text that every database takes: slugs are plain ASCII."""
    for position, character in enumerate(after):
        if character == "\0":
            return after[:position]
        if character > _AFTER_ALL:
            return after[:position] + _AFTER_ALL
    return after


def _rows(connection: Connection, registry: str, after: str, batch: int) -> Iterator[Row]:
    """The rows of a registry by slug, a few at a time."""
    while True:
        rows = connection.execute(_PAGE, (registry, after, batch)).fetchall()
        yield from (row for row in rows if row[0] == registry)
        if len(rows) < batch or rows[-1][0] != registry:
            return
        after = rows[-1][1]
        batch = max(batch, _BATCH)


def _listed(row: Row) -> Listed:
    try:
        return profile_of(row)
    except ValidationError as error:
        return BrokenItem(str(row[0]), str(row[1]), error)


def _row_matches(row: Row, folded: str, tag: str) -> bool:
    """Whether a row is looked for; only those that may be are decoded."""
    if folded and folded not in "\n".join(map(str, (*row[1:4], *_tags(row[_METADATA])))).casefold():
        return False
    return not tag or tag in _tags(row[_METADATA])


def _tags(metadata: str) -> list[Any]:
    if "tags" not in metadata:
        return []
    try:
        tags = msgspec.json.decode(metadata)["tags"]
    except (ValueError, TypeError, LookupError, RecursionError):
        return []
    return tags if isinstance(tags, list) else []


def _matches(item: Listed, folded: str, tag: str) -> bool:
    if isinstance(item, BrokenItem):
        return not tag and folded in item.profile
    tags = item.metadata.tags or ()
    if folded and folded not in "\n".join((item.slug, item.display_name, item.description, *tags)).casefold():
        return False
    return not tag or tag in tags


_METADATA: Final = PROFILE_COLUMNS.index("metadata_json")
