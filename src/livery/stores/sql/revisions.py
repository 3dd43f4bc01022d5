"""Every version of profiles and registries, whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from livery.core.profile import Profile, Registry
from livery.errors import SourceUnavailable
from livery.stores.protocols import Retention
from livery.stores.sql.database import Database, Row
from livery.stores.sql.rows import profile_of_revision, registry_of_revision
from livery.stores.sql.written import Written

ADD_PROFILE: Final = """INSERT INTO profile_revisions
(registry_slug, slug, version, at_ms, actor, document_json, typed_json) VALUES (?, ?, ?, ?, ?, ?, ?)"""
ADD_REGISTRY: Final = """INSERT INTO registry_revisions
(slug, version, at_ms, actor, document_json, typed_json) VALUES (?, ?, ?, ?, ?, ?)"""
KEEP_PROFILE: Final = f"{ADD_PROFILE} ON CONFLICT DO NOTHING"
KEEP_REGISTRY: Final = f"{ADD_REGISTRY} ON CONFLICT DO NOTHING"
PROFILE: Final = """SELECT document_json, typed_json FROM profile_revisions
WHERE registry_slug = ? AND slug = ? AND version = ?"""
REGISTRY: Final = "SELECT document_json, typed_json FROM registry_revisions WHERE slug = ? AND version = ?"
LAST_OF_PROFILE: Final = "SELECT max(version) FROM profile_revisions WHERE registry_slug = ? AND slug = ?"
LAST_OF_PROFILES: Final = "SELECT slug, max(version) FROM profile_revisions WHERE registry_slug = ? GROUP BY slug"
LAST_OF_REGISTRY: Final = "SELECT max(version) FROM registry_revisions WHERE slug = ?"
_DROPPABLE: Final = """SELECT {key}, version FROM (
    SELECT {key}, version,
        row_number() OVER (PARTITION BY {key} ORDER BY version DESC) AS place,
        lag(at_ms) OVER (PARTITION BY {key} ORDER BY version DESC) AS superseded_at_ms
    FROM {table}
) r WHERE place > ? AND superseded_at_ms <= ?
AND NOT EXISTS (SELECT 1 FROM {current} c WHERE {same} AND c.version = r.version)"""
_AT_ONCE: Final = 500
_YOUNGEST_MS: Final = Retention().min_age_ms

Ask = Callable[[str, Sequence[Any]], list[Row]]
"""From a statement and its parameters to the rows, in a transaction or without one."""


def profile_revision_row(profile: Profile, written: Written) -> Row:
    at_ms, actor = _when_and_who(profile)
    return (profile.registry, profile.slug, profile.version, at_ms, actor, written.document, written.typed)


def registry_revision_row(registry: Registry, written: Written) -> Row:
    at_ms, actor = _when_and_who(registry)
    return (registry.slug, registry.version, at_ms, actor, written.document, written.typed)


def _when_and_who(item: Profile | Registry) -> tuple[int, str]:
    at_ms = item.metadata.updated_at_ms
    return (at_ms if isinstance(at_ms, int) else 0), item.metadata.updated_by


def profile_revision(ask: Ask, registry: str, slug: str, version: int) -> Profile | None:
    """A profile in a version; None where that is not kept."""
    rows = ask(PROFILE, (registry, slug, version))
    return profile_of_revision(registry, slug, version, *rows[0]) if rows else None


def registry_revision(ask: Ask, slug: str, version: int) -> Registry | None:
    """A registry in a version, without profiles; None where that is not kept."""
    rows = ask(REGISTRY, (slug, version))
    return registry_of_revision(slug, version, *rows[0]) if rows else None


def dropped(label: str, name: str, version: int) -> SourceUnavailable:
    """The error of a state that retention has taken away."""
    return SourceUnavailable(label, f"version {version} of {name} is not kept any more")


def prune(database: Database, retention: Retention, now_ms: int) -> int:
    """Drop the revisions that nobody has to keep, a few at a time; how many.

    What counts is how long one has been superseded: a reader may still be at a state from before that, so whatever is
    asked for, nothing goes in the first hour.
    """
    if retention.keep <= 0:
        return 0
    return _pruned(
        database, retention, now_ms, key="registry_slug, slug", table="profile_revisions", current="profiles"
    ) + _pruned(database, retention, now_ms, key="slug", table="registry_revisions", current="profile_registries")


def _pruned(database: Database, retention: Retention, now_ms: int, *, key: str, table: str, current: str) -> int:
    names = key.split(", ")
    same = " AND ".join(f"c.{name} = r.{name}" for name in names)
    found = database.fetch(
        _DROPPABLE.format(key=key, table=table, current=current, same=same),
        (max(2, retention.keep), now_ms - max(_YOUNGEST_MS, retention.min_age_ms)),
    )
    sql = f"DELETE FROM {table} WHERE {' AND '.join(f'{name} = ?' for name in names)} AND version = ?"
    for start in range(0, len(found), _AT_ONCE):
        some = found[start : start + _AT_ONCE]
        database.write("profiles", lambda connection: connection.executemany(sql, some))  # noqa: B023
    return len(found)
