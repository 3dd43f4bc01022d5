"""Whether what a write was checked against has changed before it could be stored."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from livery.core.names import Reference, parse_reference
from livery.errors import ValidationError
from livery.stores.protocols import Overtaken, Seen
from livery.stores.sql.database import Connection
from livery.stores.sql.revisions import PROFILE

_BETWEEN: Final = """SELECT registry, profile, from_version, to_version FROM profile_events
WHERE seq > ? AND seq < ?"""


class _Extends(msgspec.Struct):
    extends: list[Any] | None = None


def demand_not_overtaken(connection: Connection, seen: Iterable[Seen], first: int) -> None:
    """Overtaken where a change between what was seen and our own first one concerns what was looked at.

    An item has changed by an event of its own or of its registry. The users of a base may have changed by any event of
    a profile that extended it before or extends it after: both revisions are looked at, and one that is not kept counts
    as such.
    """
    for looked in seen:
        if looked.seq >= first:
            raise Overtaken(f"the log has begun anew: {looked.seq} was seen, {first} is next")
        if looked.seq < first - 1:
            _demand_untouched(connection, looked, first)


def _demand_untouched(connection: Connection, seen: Seen, first: int) -> None:
    registries = {registry for registry, _ in seen.items}
    for registry, profile, *versions in connection.execute(_BETWEEN, (seen.seq, first)).fetchall():
        if (registry, profile) in seen.items or (not profile and registry in registries):
            raise Overtaken(f"{registry}/{profile}" if profile else registry)
        if profile and seen.bases:
            for version in filter(None, versions):
                if not seen.bases.isdisjoint(_bases(connection, registry, profile, version, seen)):
                    raise Overtaken(f"{registry}/{profile} extends what was looked at")


def _bases(connection: Connection, registry: str, profile: str, version: int, seen: Seen) -> Iterable[Reference]:
    """What a profile extends in a version; every base that was looked for where nobody can say."""
    row = connection.execute(PROFILE, (registry, profile, version)).fetchone()
    try:
        written = msgspec.json.decode(row[0], type=_Extends).extends if row else None
        return [parse_reference(base, registry) for base in written or ()] if row else seen.bases
    except (ValueError, TypeError, RecursionError, ValidationError):
        return seen.bases
