"""A store within one transaction: its reads see its own writes, and nobody else sees them before the end."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from livery.core.names import Reference
from livery.core.profile import Profile, Registry
from livery.errors import Place
from livery.stores.protocols import Event, Field, Loaded, WriteOptions
from livery.stores.sql.changes import Changes
from livery.stores.sql.database import Connection
from livery.stores.sql.profile_writes import delete_profile, save_profile
from livery.stores.sql.reading import load, profile_now, state_of
from livery.stores.sql.registry_writes import delete_registry, save_registry
from livery.stores.sql.seen_changes import SeenChanges
from livery.stores.sql.written import demand_storable


class Transaction:
    """Several writes as one; what it gives and takes is that of any store."""

    writable = True
    advice = ""

    def __init__(self, connection: Connection, seen_changes: SeenChanges, *, url: str, kind: str) -> None:
        self.url, self.kind = url, kind
        self._changes = Changes(connection, url, seen_changes)

    def finish(self) -> list[Event]:
        """Number and store the events; Overtaken where what was checked before has changed since."""
        return self._changes.finish()

    def end(self) -> None:
        """Take nothing more."""
        self._changes.end()

    # Reading

    def load_registries(self) -> Loaded:
        return load(self._changes.connection)

    def get_profile(self, registry: str, slug: str) -> Profile | None:
        return profile_now(lambda sql, key: self._changes.connection.execute(sql, key).fetchall(), registry, slug)

    def changes(self, since: str) -> str:
        return f"{state_of(self._changes.connection).token}+{len(self._changes.events)}"

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
        return save_registry(self._changes, registry, options)

    def save_profile(self, profile: Profile, options: WriteOptions) -> Profile:
        return save_profile(self._changes, profile, options)

    def delete_profile(self, reference: Reference, options: WriteOptions) -> None:
        delete_profile(self._changes, reference, options)

    def delete_registry(self, slug: str, options: WriteOptions) -> None:
        delete_registry(self._changes, slug, options)
