"""Which profiles extend another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from livery.core.names import Reference
from livery.errors import ValidationError
from livery.stores.sql.database import Connection
from livery.stores.sql.revisions import dropped
from livery.stores.sql.rows import profile_of_revision

USERS: Final = "FROM (SELECT 1 AS one) o LEFT JOIN profile_bases b ON {}"
"""Where they stand: one row at least, so that what is selected with it comes in any case."""
_FIRST_CHANGES: Final = """SELECT e.registry, e.profile, r.document_json, r.typed_json, e.from_version
FROM (
    SELECT min(seq) AS seq FROM profile_events WHERE seq > ? AND profile <> '' GROUP BY registry || '', profile || ''
) f
JOIN profile_events e ON e.seq = f.seq
LEFT JOIN profile_revisions r ON r.registry_slug = e.registry AND r.slug = e.profile AND r.version = e.from_version"""


class Users(NamedTuple):
    """Whose users are wanted: a condition on ``profile_bases b``, its values, and the same said of documents.

    ``extends`` tells from the bases of a profile and its registry whether it is one of them.
    """

    condition: str
    values: tuple[str, ...]
    extends: Callable[[tuple[Reference, ...], str], bool]


def of_profile(base: Reference) -> Users:
    return Users("b.base_registry = ? AND b.base_slug = ?", tuple(base), lambda bases, _: base in bases)


def of_registry(registry: str) -> Users:
    """Those of other registries."""

    def extends(bases: tuple[Reference, ...], own: str) -> bool:
        return own != registry and any(base.registry == registry for base in bases)

    return Users("b.base_registry = ? AND b.registry_slug <> ?", (registry, registry), extends)


def users_then(connection: Connection, label: str, wanted: Users, seq: int) -> list[Reference]:
    """The users after an earlier change: those of now, but for what has changed since."""
    sql = f"SELECT b.registry_slug, b.slug FROM profile_bases b WHERE {wanted.condition}"
    users = {Reference(*row) for row in connection.execute(sql, wanted.values).fetchall()}
    for registry, slug, document, typed, version in connection.execute(_FIRST_CHANGES, (seq,)).fetchall():
        user = Reference(registry, slug)
        users.discard(user)
        if version and wanted.extends(_bases_then(label, user, version, document, typed), registry):
            users.add(user)
    return sorted(users)


def _bases_then(
    label: str, user: Reference, version: int, document: str | None, typed: str | None
) -> tuple[Reference, ...]:
    if document is None:
        raise dropped(label, str(user), version)
    try:
        return profile_of_revision(*user, version, document, typed).bases
    except ValidationError:
        return ()  # a broken document extends nothing that anybody could say
