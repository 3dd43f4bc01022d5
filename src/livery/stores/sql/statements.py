"""The statements of writes: a stored row with its lock, a new row, a changed one, none any more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from livery.stores.sql.columns import PROFILE_COLUMNS, REGISTRY_COLUMNS, selected


def _stored(columns: tuple[str, ...], table: str, revisions: str, key: Sequence[tuple[str, str]]) -> str:
    """Rows, and whether the version of each is among the revisions: another program may have written it.

    Where a row had to be waited for, the revision that came with it is not seen yet.
    """
    of_revision = " AND ".join(f"r.{name} = s.{own}" for name, own in (*key, ("version", "version")))
    kept = f"EXISTS (SELECT 1 FROM {revisions} r WHERE {of_revision})"
    return f"SELECT {selected(columns, 's')}, {kept} FROM {table} s WHERE s."


def _inserted(table: str, columns: tuple[str, ...]) -> str:
    places = ", ".join("?" * len(columns))
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places}) ON CONFLICT DO NOTHING"


def _updated(table: str, columns: tuple[str, ...], key: tuple[str, ...]) -> str:
    changes = ", ".join(f"{column} = ?" for column in columns if column not in key)
    return f"UPDATE {table} SET {changes} WHERE {' AND '.join(f'{column} = ?' for column in key)} AND version = ?"


_OF_PROFILE: Final = (("registry_slug", "registry_slug"), ("slug", "slug"))
_PROFILES: Final = _stored(PROFILE_COLUMNS, "profiles", "profile_revisions", _OF_PROFILE)
STORED_PROFILE: Final = f"{_PROFILES}registry_slug = ? AND s.slug = ?"
STORED_PROFILES: Final = f"{_PROFILES}registry_slug = ? ORDER BY s.slug"
INSERT_PROFILE: Final = _inserted("profiles", PROFILE_COLUMNS)
UPDATE_PROFILE: Final = _updated("profiles", PROFILE_COLUMNS, ("registry_slug", "slug"))
DELETE_PROFILE: Final = "DELETE FROM profiles WHERE registry_slug = ? AND slug = ? AND version = ?"
ADD_BASE: Final = "INSERT INTO profile_bases (base_registry, base_slug, registry_slug, slug) VALUES (?, ?, ?, ?)"
DROP_BASES: Final = "DELETE FROM profile_bases WHERE registry_slug = ? AND slug = ?"

_REGISTRIES: Final = _stored(REGISTRY_COLUMNS, "profile_registries", "registry_revisions", (("slug", "slug"),))
STORED_REGISTRY: Final = f"{_REGISTRIES}slug = ?"
INSERT_REGISTRY: Final = _inserted("profile_registries", REGISTRY_COLUMNS)
UPDATE_REGISTRY: Final = _updated("profile_registries", REGISTRY_COLUMNS, ("slug",))
DELETE_REGISTRY: Final = "DELETE FROM profile_registries WHERE slug = ? AND version = ?"
