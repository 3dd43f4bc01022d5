"""The writes of one registry: each changes a row, keeps the revision, and is told of; some write profiles as well."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from msgspec.structs import replace

from livery.core.profile import Registry
from livery.core.values import same
from livery.errors import ValidationError
from livery.stores.protocols import WriteOptions
from livery.stores.sql.absent import no_registry
from livery.stores.sql.changes import Changes, demand_texts
from livery.stores.sql.columns import REGISTRY_COLUMNS
from livery.stores.sql.database import Row
from livery.stores.sql.profile_writes import PROFILE_VERSION, keep_profile, new_profile
from livery.stores.sql.revisions import (
    ADD_REGISTRY,
    KEEP_REGISTRY,
    LAST_OF_PROFILES,
    LAST_OF_REGISTRY,
    registry_revision_row,
)
from livery.stores.sql.rows import registry_of
from livery.stores.sql.statements import (
    DELETE_REGISTRY,
    INSERT_REGISTRY,
    STORED_PROFILES,
    STORED_REGISTRY,
    UPDATE_REGISTRY,
)
from livery.stores.sql.written import demand_storable, written_registry
from livery.stores.versions import expect, next_registry

_MANY: Final = 10_000
_VERSION: Final = REGISTRY_COLUMNS.index("version")
_OF_RUNTIME: Final = (
    "default_profile_slug", "defaults", "enforced", "policy", "callers", "fallback", "settings_schema",
    "foreign_sections",
)  # fmt: skip


def save_registry(changes: Changes, registry: Registry, options: WriteOptions) -> Registry:
    demand_storable(registry)
    demand_texts(options)
    row = changes.row(STORED_REGISTRY, (registry.slug,))
    stored = registry_of(row[:-1]) if row else None
    expect("registry", registry.slug, options, stored.version if stored else 0)
    if row is None or stored is None:
        return _new_registry(changes, registry, options)
    if not row[-1]:
        changes.execute(KEEP_REGISTRY, registry_revision_row(stored, written_registry(stored)))
    saved = next_registry(stored, replace(registry, profiles={}), options)
    written = written_registry(saved)
    values = (*written.row[1:], saved.slug, stored.version)
    changes.update(UPDATE_REGISTRY, values, ADD_REGISTRY, registry_revision_row(saved, written))
    changes.tell(saved.slug, "", stored.version, saved.version, options, "update", _scope(stored, saved))
    return saved


def _new_registry(changes: Changes, registry: Registry, options: WriteOptions) -> Registry:
    """A registry that is not there, with the profiles it brings along."""
    for profile in registry.profiles.values():
        demand_storable(profile)
    above = max(options.floor, changes.last(LAST_OF_REGISTRY, (registry.slug,)))
    head = next_registry(None, replace(registry, profiles={}), options._replace(floor=above))
    written = written_registry(head)
    if not changes.insert(INSERT_REGISTRY, written.row, ADD_REGISTRY, registry_revision_row(head, written)):
        return save_registry(changes, registry, options)  # another writer was quicker: now it can be seen
    changes.tell(head.slug, "", 0, head.version, options, "create")
    alone = options._replace(floor=0, diff="", expected_version=None)
    last: dict[str, int] = dict(changes.connection.execute(LAST_OF_PROFILES, (head.slug,)).fetchall())
    changes.new_registries.add(head.slug, last)
    profiles = {
        slug: new_profile(changes, replace(profile, registry=head.slug, slug=slug), alone, last.get(slug, 0))
        for slug, profile in registry.profiles.items()
    }
    return replace(head, profiles=profiles)


def delete_registry(changes: Changes, slug: str, options: WriteOptions) -> None:
    demand_texts(options)
    row = changes.row(STORED_REGISTRY, (slug,))
    if row is None:
        raise no_registry(changes.connection, slug)
    version = row[_VERSION]
    expect("registry", slug, options, version)
    _keep(changes, row)
    for profile in changes.rows(STORED_PROFILES, (slug,)):
        keep_profile(changes, profile)
        changes.tell(slug, profile[1], profile[PROFILE_VERSION], 0, options._replace(diff=""), "delete")
    changes.new_registries.discard(slug)
    if len(changes.events) >= _MANY:
        changes.take_time()
    changes.demand_one(changes.execute(DELETE_REGISTRY, (slug, version)))
    changes.tell(slug, "", version, 0, options, "delete")


def _keep(changes: Changes, row: Row) -> None:
    """Keep the revision of a stored row that another program has written, as far as it can be read."""
    if not row[-1]:
        with suppress(ValidationError):
            stored = registry_of(row[:-1])
            changes.execute(KEEP_REGISTRY, registry_revision_row(stored, written_registry(stored)))


def _scope(stored: Registry, saved: Registry) -> str:
    """``presentation`` where only names and descriptions are different."""
    return "presentation" if all(_is_same(stored, saved, field) for field in _OF_RUNTIME) else "runtime"


def _is_same(stored: Registry, saved: Registry, field: str) -> bool:
    one, other = getattr(stored, field), getattr(saved, field)
    if field in ("defaults", "enforced"):
        return same(one.given(), other.given())
    return bool(one == other)
