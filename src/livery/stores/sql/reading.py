"""The present state of a database: its registries, and each profile by its row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from msgspec.structs import replace

from livery.core.profile import Profile, Registry
from livery.errors import ValidationError
from livery.stores.protocols import BrokenItem, Loaded
from livery.stores.sql.columns import PROFILE_COLUMNS, REGISTRY_COLUMNS
from livery.stores.sql.database import Connection, Row
from livery.stores.sql.events import STATE
from livery.stores.sql.revisions import Ask
from livery.stores.sql.rows import profile_of, registry_of

HEADS: Final = f"SELECT {', '.join(REGISTRY_COLUMNS)} FROM profile_registries ORDER BY slug"
_PROFILES: Final = f"SELECT {', '.join(PROFILE_COLUMNS)} FROM profiles ORDER BY registry_slug, slug"
_PROFILE: Final = f"SELECT {', '.join(PROFILE_COLUMNS)} FROM profiles WHERE registry_slug = ? AND slug = ?"


class State(NamedTuple):
    """Which state of which database: its identity, empty before the first write, and the number of the last change."""

    identity: str
    seq: int

    @property
    def token(self) -> str:
        return f"{self.identity}-{self.seq}"


NOTHING: Final = State("", 0)


class Heads(NamedTuple):
    """The registries without profiles, and those that cannot be read."""

    sound: tuple[Registry, ...] = ()
    broken: tuple[BrokenItem, ...] = ()


def state_of(connection: Connection) -> State:
    """The present state; that of nothing where another hand has emptied the tables that say it."""
    return state_in(connection.execute(STATE).fetchall())


def state_in(rows: Sequence[Row]) -> State:
    """The state that the row of ``STATE`` tells; no row where nothing was ever written."""
    identity, seq = rows[0] if rows else (None, None)
    return State(identity or "", seq or 0)


def heads_of(connection: Connection) -> Heads:
    """The registries as they are now."""
    sound, broken = [], []
    for row in connection.execute(HEADS).fetchall():
        try:
            sound.append(registry_of(row))
        except ValidationError as error:
            broken.append(BrokenItem(str(row[0]), "", error))
    return Heads(tuple(sound), tuple(broken))


def profile_now(ask: Ask, registry: str, slug: str) -> Profile | None:
    """A profile as it is stored now."""
    if not can_be_asked_for(registry, slug):
        return None
    rows = ask(_PROFILE, (registry, slug))
    return profile_of(rows[0]) if rows else None


def can_be_asked_for(*names: str) -> bool:
    """Whether a database takes some texts at all; what it does not take is no name of anything in it."""
    return all(name.isascii() and "\0" not in name for name in names)


def load(connection: Connection) -> Loaded:
    """Everything, in one consistent state."""
    state, heads = state_of(connection), heads_of(connection)
    profiles: dict[str, dict[str, Profile]] = {}
    broken = list(heads.broken)
    for row in connection.execute(_PROFILES):
        _sort(row, profiles, broken)
    registries = tuple(replace(head, profiles=profiles.get(head.slug, {})) for head in heads.sound)
    return Loaded(registries, tuple(broken), state.token)


def _sort(row: Row, profiles: dict[str, dict[str, Profile]], broken: list[BrokenItem]) -> None:
    try:
        profile = profile_of(row)
    except ValidationError as error:
        broken.append(BrokenItem(str(row[0]), str(row[1]), error))
    else:
        profiles.setdefault(profile.registry, {})[profile.slug] = profile
