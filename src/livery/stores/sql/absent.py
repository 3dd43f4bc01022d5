"""What a write needs and does not find: errors with the names that are nearest."""

from __future__ import annotations

from typing import Final

from livery.core.names import Reference, nearest
from livery.errors import ProfileNotFound, RegistryNotFound
from livery.stores.sql.database import Connection
from livery.stores.sql.reading import can_be_asked_for

_REGISTRY: Final = "SELECT 1 FROM profile_registries WHERE slug = ?"
_REGISTRIES: Final = "SELECT slug FROM profile_registries ORDER BY slug LIMIT 1000"
_BEFORE: Final = "SELECT slug FROM profiles WHERE registry_slug = ? AND slug < ? ORDER BY slug DESC LIMIT 50"
_BEHIND: Final = "SELECT slug FROM profiles WHERE registry_slug = ? AND slug > ? ORDER BY slug LIMIT 50"


def demand_registry(connection: Connection, slug: str) -> None:
    """RegistryNotFound where it is not there."""
    if not can_be_asked_for(slug) or connection.execute(_REGISTRY, (slug,)).fetchone() is None:
        raise no_registry(connection, slug)


def no_registry(connection: Connection, slug: str) -> RegistryNotFound:
    rows = connection.execute(_REGISTRIES).fetchall()
    return RegistryNotFound(slug, nearest=nearest(slug, [name for (name,) in rows]))


def no_profile(connection: Connection, reference: Reference) -> ProfileNotFound:
    return ProfileNotFound(str(reference), nearest=nearest(reference.profile, _names_around(connection, reference)))


def _names_around(connection: Connection, reference: Reference) -> list[str]:
    """The names around one, as they stand in order."""
    if not can_be_asked_for(reference.profile):
        return []
    found = [connection.execute(sql, reference).fetchall() for sql in (_BEFORE, _BEHIND)]
    return [name for rows in found for (name,) in rows]
