"""The writes of one transaction: each changes a row, keeps the revision, and is told of at the end.

The events are numbered last, when all else is done: from then on every other writer waits, so that their order is that
of the commits and none is missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Final

from msgspec.structs import replace

from livery.core.names import Reference, nearest
from livery.core.profile import Profile, Registry
from livery.core.values import same
from livery.errors import Place, ProfileNotFound, RegistryNotFound, SourceUnavailable, ValidationError
from livery.stores.protocols import Event, Field, Loaded, Seen, WriteOptions
from livery.stores.sql.database import Connection, Row
from livery.stores.sql.events import numbered
from livery.stores.sql.overtaken import demand_not_overtaken
from livery.stores.sql.reading import can_be_asked_for, load, profile_now, state_of
from livery.stores.sql.revisions import (
    ADD_PROFILE,
    ADD_REGISTRY,
    KEEP_PROFILE,
    KEEP_REGISTRY,
    LAST_OF_PROFILE,
    LAST_OF_REGISTRY,
    profile_revision_row,
    registry_revision_row,
)
from livery.stores.sql.rows import (
    PROFILE_COLUMNS,
    REGISTRY_COLUMNS,
    demand_storable,
    demand_text,
    profile_of,
    registry_of,
    written_profile,
    written_registry,
)
from livery.stores.versions import expect, next_profile, next_registry


def _stored(columns: Sequence[str], table: str, alias: str, revisions: str, key: Sequence[tuple[str, str]]) -> str:
    """A row, and whether its version is among the revisions: another program may have written it.

    Where the row had to be waited for, the revision that came with it is not seen yet.
    """
    names = ", ".join(f"{alias}.{column}" for column in columns)
    of_revision = " AND ".join(f"r.{name} = {alias}.{own}" for name, own in (*key, ("version", "version")))
    where = " AND ".join(f"{alias}.{own} = ?" for _, own in key)
    kept = f"EXISTS (SELECT 1 FROM {revisions} r WHERE {of_revision})"
    return f"SELECT {names}, {kept} FROM {table} {alias} WHERE {where}"


_PROFILE_KEY: Final = (("registry_slug", "registry_slug"), ("slug", "slug"))
_STORED_PROFILE: Final = _stored(PROFILE_COLUMNS, "profiles", "p", "profile_revisions", _PROFILE_KEY)
_STORED_PROFILES: Final = _stored(PROFILE_COLUMNS, "profiles", "p", "profile_revisions", _PROFILE_KEY).replace(
    " AND p.slug = ?", " ORDER BY p.slug"
)
_STORED_REGISTRY: Final = _stored(
    REGISTRY_COLUMNS, "profile_registries", "g", "registry_revisions", (("slug", "slug"),)
)
_PROFILE_VALUES: Final = f"({', '.join(PROFILE_COLUMNS)}) VALUES ({', '.join('?' * len(PROFILE_COLUMNS))})"
_INSERT_PROFILE: Final = f"INSERT INTO profiles {_PROFILE_VALUES} ON CONFLICT DO NOTHING"
_UPDATE_PROFILE: Final = (
    f"UPDATE profiles SET {', '.join(f'{column} = ?' for column in PROFILE_COLUMNS[2:])} "
    "WHERE registry_slug = ? AND slug = ? AND version = ?"
)
_REGISTRY_VALUES: Final = f"({', '.join(REGISTRY_COLUMNS)}) VALUES ({', '.join('?' * len(REGISTRY_COLUMNS))})"
_INSERT_REGISTRY: Final = f"INSERT INTO profile_registries {_REGISTRY_VALUES} ON CONFLICT DO NOTHING"
_UPDATE_REGISTRY: Final = (
    f"UPDATE profile_registries SET {', '.join(f'{column} = ?' for column in REGISTRY_COLUMNS[1:])} "
    "WHERE slug = ? AND version = ?"
)
_DELETE_PROFILE: Final = "DELETE FROM profiles WHERE registry_slug = ? AND slug = ? AND version = ?"
_DELETE_REGISTRY: Final = "DELETE FROM profile_registries WHERE slug = ? AND version = ?"
_ADD_BASE: Final = "INSERT INTO profile_bases (base_registry, base_slug, registry_slug, slug) VALUES (?, ?, ?, ?)"
_DROP_BASES: Final = "DELETE FROM profile_bases WHERE registry_slug = ? AND slug = ?"
_NEAR: Final = "SELECT slug FROM profiles WHERE registry_slug = ? AND slug {} ? ORDER BY slug {} LIMIT 50"
_VERSION: Final = PROFILE_COLUMNS.index("version")
_REGISTRY_VERSION: Final = REGISTRY_COLUMNS.index("version")
_REGISTRY_RUNTIME: Final = (
    "default_profile_slug", "defaults", "enforced", "policy", "callers", "fallback", "settings_schema",
    "foreign_sections",
)  # fmt: skip


@cache
def _at_once(update: str, add: str) -> str:
    """An update of one row, and an insertion that is made where there was one."""
    head, _, values = add.partition(" VALUES ")
    return f"WITH changed AS ({update} RETURNING 1) {head} SELECT {values.strip('()')} FROM changed"


class Transaction:
    """A store within one transaction: its reads see its own writes, and nobody else sees them before the end."""

    writable = True
    advice = ""

    def __init__(self, connection: Connection, *, url: str, kind: str) -> None:
        self.url, self.kind = url, kind
        self._connection = connection
        self._events: list[Event] = []
        self._seen: set[Seen] = set()
        self._is_over = False
        self._lock_row = " FOR UPDATE" if connection.dialect == "postgresql" else ""

    def finish(self) -> list[Event]:
        """Number and store the events; Overtaken where what was checked before has changed since."""
        self.end()
        if not self._events:
            return []
        events = numbered(self._connection, self._events)
        if self._seen:
            demand_not_overtaken(self._connection, self._seen, events[0].seq)
        return events

    def end(self) -> None:
        """Take nothing more."""
        self._is_over = True

    # Reading

    def load_registries(self) -> Loaded:
        return load(self._open())

    def get_profile(self, registry: str, slug: str) -> Profile | None:
        return profile_now(lambda sql, key: self._open().execute(sql, key).fetchall(), registry, slug)

    def changes(self, since: str) -> str:
        return f"{state_of(self._open()).token}+{len(self._events)}"

    def places(self, wanted: Sequence[Field], token: str) -> list[Place | None]:
        return [None] * len(wanted)

    def watched(self) -> Sequence[Path]:
        return ()

    def close(self) -> None:
        """The transaction ends with its block."""

    # Writing

    def demand_room(self, item: Profile | Registry) -> None:
        demand_storable(item)

    def save_registry(self, registry: Registry, options: WriteOptions) -> Registry:
        self._demand_writable(registry, options)
        row = self._row(_STORED_REGISTRY, (registry.slug,))
        stored = registry_of(row[:-1]) if row else None
        expect("registry", registry.slug, options, stored.version if stored else 0)
        if row is None or stored is None:
            return self._new_registry(registry, options)
        if not row[-1]:
            self._execute(KEEP_REGISTRY, registry_revision_row(stored, written_registry(stored)))
        saved = next_registry(stored, replace(registry, profiles={}), options)
        written = written_registry(saved)
        self._update(
            _UPDATE_REGISTRY,
            (*written.row[1:], saved.slug, stored.version),
            ADD_REGISTRY,
            registry_revision_row(saved, written),
        )
        self._tell(saved.slug, "", stored.version, saved.version, options, "update", _scope_of_registry(stored, saved))
        return saved

    def _new_registry(self, registry: Registry, options: WriteOptions) -> Registry:
        """A registry that is not there, with the profiles it brings along."""
        for profile in registry.profiles.values():
            demand_storable(profile)
        above = max(options.floor, self._last(LAST_OF_REGISTRY, (registry.slug,)))
        head = next_registry(None, replace(registry, profiles={}), options._replace(floor=above))
        written = written_registry(head)
        if self._execute(_INSERT_REGISTRY, written.row) == 0:
            return self.save_registry(registry, options)  # another writer was quicker: now it can be seen
        self._execute(ADD_REGISTRY, registry_revision_row(head, written))
        self._tell(head.slug, "", 0, head.version, options, "create")
        alone = options._replace(floor=0, diff="", expected_version=None)
        profiles = {
            slug: self._new_profile(replace(profile, registry=head.slug, slug=slug), alone)
            for slug, profile in registry.profiles.items()
        }
        return replace(head, profiles=profiles)

    def save_profile(self, profile: Profile, options: WriteOptions) -> Profile:
        self._demand_writable(profile, options)
        row = self._row(_STORED_PROFILE, (profile.registry, profile.slug))
        stored = profile_of(row[:-1]) if row else None
        if row is None or stored is None:
            self._demand_registry(profile.registry)
            expect("profile", profile.slug, options, 0)
            return self._new_profile(profile, options)
        expect("profile", profile.slug, options, stored.version)
        if not row[-1]:
            self._execute(KEEP_PROFILE, profile_revision_row(stored, written_profile(stored)))
        saved = next_profile(stored, profile, options)
        written = written_profile(saved)
        self._update(
            _UPDATE_PROFILE,
            (*written.row[2:], *saved.reference, stored.version),
            ADD_PROFILE,
            profile_revision_row(saved, written),
        )
        if stored.extends != saved.extends:
            self._execute(_DROP_BASES, saved.reference)
            self._add_bases(saved)
        scope = _scope_of_profile(stored, saved)
        self._tell(*saved.reference, stored.version, saved.version, options, "update", scope)
        return saved

    def _new_profile(self, profile: Profile, options: WriteOptions) -> Profile:
        last = self._last(LAST_OF_PROFILE, profile.reference)
        saved = next_profile(None, profile, options, last)
        written = written_profile(saved)
        if self._execute(_INSERT_PROFILE, written.row) == 0:
            return self.save_profile(profile, options)  # another writer was quicker: now it can be seen
        self._add_bases(saved)
        self._execute(ADD_PROFILE, profile_revision_row(saved, written))
        self._tell(*saved.reference, 0, saved.version, options, "create")
        return saved

    def delete_profile(self, reference: Reference, options: WriteOptions) -> None:
        self._demand_texts(options)
        row = self._row(_STORED_PROFILE, reference)
        if row is None:
            self._demand_registry(reference.registry)
            raise ProfileNotFound(str(reference), nearest=nearest(reference.profile, self._near(reference)))
        expect("profile", reference.profile, options, row[_VERSION])
        self._keep(row)
        self._demand_one(self._execute(_DELETE_PROFILE, (*reference, row[_VERSION])))
        self._tell(*reference, row[_VERSION], 0, options, "delete")

    def delete_registry(self, slug: str, options: WriteOptions) -> None:
        self._demand_texts(options)
        row = self._row(_STORED_REGISTRY, (slug,))
        if row is None:
            raise self._no_registry(slug)
        version = row[_REGISTRY_VERSION]
        expect("registry", slug, options, version)
        if not row[-1]:
            with suppress(ValidationError):
                stored = registry_of(row[:-1])
                self._execute(KEEP_REGISTRY, registry_revision_row(stored, written_registry(stored)))
        for profile in self._open().execute(_STORED_PROFILES + self._lock_row, (slug,)).fetchall():
            self._keep(profile)
            self._tell(slug, profile[1], profile[_VERSION], 0, options._replace(diff=""), "delete")
        self._demand_one(self._execute(_DELETE_REGISTRY, (slug, version)))
        self._tell(slug, "", version, 0, options, "delete")

    # Parts of these

    def _demand_writable(self, item: Profile | Registry, options: WriteOptions) -> None:
        demand_storable(item)
        self._demand_texts(options)

    def _demand_texts(self, options: WriteOptions) -> None:
        for field in ("actor", "source", "request_id", "action", "diff"):
            demand_text(getattr(options, field), field)

    def _row(self, sql: str, key: Sequence[Any]) -> Row | None:
        """A row, and nobody else changes it before the end."""
        return self._open().execute(sql + self._lock_row, key).fetchone() if can_be_asked_for(*key) else None

    def _execute(self, sql: str, parameters: Sequence[Any]) -> int:
        return self._open().execute(sql, parameters).rowcount

    def _update(self, update: str, values: Row, add: str, revision: Row) -> None:
        """Change a row and keep the new revision: in one round trip where there are any."""
        if self._connection.dialect == "postgresql":
            self._demand_one(self._execute(_at_once(update, add), (*values, *revision)))
        else:
            self._demand_one(self._execute(update, values))
            self._execute(add, revision)

    def _open(self) -> Connection:
        if self._is_over:
            raise SourceUnavailable(self.url, "the transaction is over")
        return self._connection

    def _last(self, sql: str, key: Sequence[Any]) -> int:
        """The last version that there ever was."""
        row = self._open().execute(sql, key).fetchone()
        return (row and row[0]) or 0

    def _keep(self, row: Row) -> None:
        """Keep the revision of a row that another program has written, as far as it can be read."""
        if not row[-1]:
            with suppress(ValidationError):
                stored = profile_of(row[:-1])
                self._execute(KEEP_PROFILE, profile_revision_row(stored, written_profile(stored)))

    def _add_bases(self, profile: Profile) -> None:
        for base in profile.bases:
            self._execute(_ADD_BASE, (*base, *profile.reference))

    def _demand_one(self, changed: int) -> None:
        if changed != 1:
            raise SourceUnavailable(self.url, "another program changes it without asking for a lock; try again")

    def _demand_registry(self, slug: str) -> None:
        sql = "SELECT 1 FROM profile_registries WHERE slug = ?"
        if not can_be_asked_for(slug) or self._open().execute(sql, (slug,)).fetchone() is None:
            raise self._no_registry(slug)

    def _no_registry(self, slug: str) -> RegistryNotFound:
        rows = self._open().execute("SELECT slug FROM profile_registries ORDER BY slug LIMIT 1000").fetchall()
        return RegistryNotFound(slug, nearest=nearest(slug, [name for (name,) in rows]))

    def _near(self, reference: Reference) -> list[str]:
        """The names around one, as they stand in order."""
        if not can_be_asked_for(reference.profile):
            return []
        found = [self._open().execute(_NEAR.format(*way), reference) for way in (("<", "DESC"), (">", "ASC"))]
        return [name for rows in found for (name,) in rows]

    def _tell(
        self, registry: str, profile: str, before: int, after: int, options: WriteOptions, action: str,
        scope: str = "runtime",
    ) -> None:  # fmt: skip
        self._events.append(
            Event(
                0, options.at_ms, options.actor, options.action or action, registry, profile, before, after, scope,
                options.source, options.request_id, options.diff,
            )
        )  # fmt: skip
        if options.seen is not None:
            self._seen.add(options.seen)


def _scope_of_profile(stored: Profile, saved: Profile) -> str:
    """``presentation`` where extends, runtime and policy are as they were."""
    is_same = saved.runtime_version == stored.runtime_version and saved.policy == stored.policy
    return "presentation" if is_same else "runtime"


def _scope_of_registry(stored: Registry, saved: Registry) -> str:
    """``presentation`` where only names and descriptions are different."""
    return "presentation" if all(_same_field(stored, saved, field) for field in _REGISTRY_RUNTIME) else "runtime"


def _same_field(stored: Registry, saved: Registry, field: str) -> bool:
    one, other = getattr(stored, field), getattr(saved, field)
    if field in ("defaults", "enforced"):
        return same(one.given(), other.given())
    return bool(one == other)
