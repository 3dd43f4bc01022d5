"""What lies between an older state and the rows of now: the log says which profiles have changed, and from what.

The revision that a profile had before its first change since is what the older state holds.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from livery.core.profile import Profile
from livery.errors import SourceUnavailable, ValidationError
from livery.stores.protocols import BrokenItem
from livery.stores.sql.database import Connection
from livery.stores.sql.revisions import Ask, dropped, profile_revision
from livery.stores.sql.rows import heading_of

_CHANGED: Final = """SELECT profile, from_version, to_version FROM profile_events
WHERE seq > ? AND registry || '' = ? AND profile <> '' ORDER BY seq"""  # by seq, not by an index of the registry


class Difference(NamedTuple):
    """What became of a profile since: its version then and now, 0 where it was not or is not there."""

    then: int
    now: int


def differences(connection: Connection, registry: str, seq: int) -> dict[str, Difference]:
    """What has changed in a registry since; empty for the present state."""
    found: dict[str, Difference] = {}
    for slug, before, after in connection.execute(_CHANGED, (seq, registry)).fetchall():
        known = found.get(slug)
        found[slug] = Difference(known.then if known else before, after)
    return found


def profile_then(ask: Ask, label: str, registry: str, slug: str, version: int) -> Profile:
    """A profile in the version that it had; SourceUnavailable where retention has taken that."""
    profile = profile_revision(ask, registry, slug, version)
    if profile is None:
        raise dropped(label, f"{registry}/{slug}", version)
    return profile


def heading_then(connection: Connection, label: str, registry: str, slug: str, version: int) -> Profile | BrokenItem:
    """The same for a list."""
    try:
        return heading_of(profile_then(asking(connection), label, registry, slug, version))
    except (ValidationError, SourceUnavailable) as error:
        return BrokenItem(registry, slug, error)


def asking(connection: Connection) -> Ask:
    """What gives rows within a transaction."""
    return lambda sql, key: connection.execute(sql, key).fetchall()
