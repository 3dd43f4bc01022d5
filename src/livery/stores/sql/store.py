"""Registries in SQLite or PostgreSQL, with every version, a log of every change, and states to be asked for later."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from livery.core.names import Reference
from livery.core.profile import Profile, Registry
from livery.core.values import has_surrogate
from livery.errors import Place, SourceNotFound, SourceReadOnly, SourceUnavailable, UsageError
from livery.stores.protocols import (
    Event,
    EventQuery,
    Field,
    Loaded,
    Retention,
    Snapshot,
    StoreFacts,
    WriteOptions,
)
from livery.stores.sql.database import Connection, Database, NoSuchTable, Row
from livery.stores.sql.events import LAST_UP_TO, STATE, event_of, selected
from livery.stores.sql.following import at, following, present
from livery.stores.sql.reading import NOTHING, can_be_asked_for, load, profile_now, state_in
from livery.stores.sql.revisions import profile_revision, prune, registry_revision
from livery.stores.sql.seen_changes import SeenChanges
from livery.stores.sql.snapshot import SQLSnapshot
from livery.stores.sql.transaction import Transaction
from livery.stores.sql.written import demand_storable

Answer = TypeVar("Answer")


class SQLStore:
    """The registries of one database. Safe for threads and for any number of processes.

    Its tables are made by the first write; until then it is empty and has no history. To load or follow a missing file
    is SourceNotFound.
    """

    def __init__(self, database: Database, *, url: str = "", writable: bool = True) -> None:
        self.kind: str = database.dialect
        self.url = url or database.label
        self.advice = database.obstacle() if writable else ""
        self.writable = writable and not self.advice
        self._database = database
        self._in_transaction = threading.local()
        self._is_closed = False
        self._seen_changes = SeenChanges()
        self._unchanged: tuple[object, SQLSnapshot] | None = None

    # Reading

    def load_registries(self) -> Loaded:
        self._demand_open()
        try:
            with self._database.reading() as connection:
                return load(connection)
        except NoSuchTable:
            return Loaded((), (), NOTHING.token)

    def get_profile(self, registry: str, slug: str) -> Profile | None:
        self._demand_open()
        try:
            return profile_now(self._database.fetch, registry, slug)
        except NoSuchTable:
            return None

    def changes(self, since: str) -> str:
        self._demand_open()
        try:
            return state_in(self._database.fetch(STATE)).token
        except NoSuchTable:
            return NOTHING.token

    def places(self, wanted: Sequence[Field], token: str) -> list[Place | None]:
        return [None] * len(wanted)

    def watched(self) -> Sequence[Path]:
        return self._database.watched()

    def close(self) -> None:
        self._is_closed = True
        self._database.close()

    # Writing

    def demand_room(self, item: Profile | Registry) -> None:
        demand_storable(item)

    def save_registry(self, registry: Registry, options: WriteOptions) -> Registry:
        return self._written(lambda transaction: transaction.save_registry(registry, options))

    def save_profile(self, profile: Profile, options: WriteOptions) -> Profile:
        return self._written(lambda transaction: transaction.save_profile(profile, options))

    def delete_profile(self, reference: Reference, options: WriteOptions) -> None:
        self._written(lambda transaction: transaction.delete_profile(reference, options))

    def delete_registry(self, slug: str, options: WriteOptions) -> None:
        self._written(lambda transaction: transaction.delete_registry(slug, options))

    def _written(self, work: Callable[[Transaction], Answer]) -> Answer:
        self._demand_writable()

        def written(connection: Connection) -> Answer:
            transaction = Transaction(connection, self._seen_changes, url=self.url, kind=self.kind)
            answer = work(transaction)
            transaction.finish()
            return answer

        return self._database.write("profiles", written)

    @contextmanager
    def transaction(self, *, exclusive: bool = False) -> Iterator[Transaction]:
        """Several writes as one; the store itself is not written by the same thread meanwhile (UsageError)."""
        self._demand_writable()
        with self._database.writing("profiles", exclusive=exclusive) as connection:
            transaction = Transaction(connection, self._seen_changes, url=self.url, kind=self.kind)
            self._in_transaction.now = True
            try:
                yield transaction
                transaction.finish()
            finally:
                self._in_transaction.now = False
                transaction.end()

    # History

    def follow(self, snapshot: Snapshot | None) -> Snapshot:
        self._demand_open()
        pulse = self._database.pulse()
        known = self._unchanged
        if pulse is not None and known is not None and known[1] is snapshot and known[0] == pulse:
            return snapshot
        ours = snapshot if isinstance(snapshot, SQLSnapshot) else None
        new = following(self._database, ours) if ours else present(self._database)
        self._unchanged = (pulse, new)
        self._seen_changes.note(new.last)
        return new

    def snapshot_at(self, seq: int) -> Snapshot:
        self._demand_open()
        return at(self._database, seq)

    def seq_at(self, at_ms: int) -> int:
        rows = self._asked(LAST_UP_TO, (max(-(2**63), min(at_ms, 2**63 - 1)),))
        return int(rows[0][0]) if rows else 0

    def events(self, query: EventQuery) -> list[Event]:
        texts = (query.registry, query.profile or "", query.action)
        if not can_be_asked_for(*texts) or "\0" in query.actor or has_surrogate(query.actor):
            return []
        return [event_of(row) for row in self._asked(*selected(query))]

    def revision(self, registry: str, profile: str, version: int) -> Profile | Registry | None:
        if not can_be_asked_for(registry, profile) or not 0 < version < 2**63:
            return None
        if profile:
            return profile_revision(self._asked, registry, profile, version)
        return registry_revision(self._asked, registry, version)

    def prune(self, retention: Retention, now_ms: int) -> int:
        self._demand_writable()
        try:
            return prune(self._database, retention, now_ms)
        except (NoSuchTable, SourceNotFound):
            return 0

    def facts(self) -> StoreFacts:
        self._demand_open()
        seq = state_in(self._asked(STATE)).seq
        try:
            return StoreFacts(self._database.size(), self._database.schema_version("profiles"), seq)
        except SourceNotFound:
            return StoreFacts(0, 0, 0)

    def listen(self, wake: Callable[[], None], stop: Callable[[float], bool]) -> None:
        self._database.listen(wake, stop)

    # Parts of these

    def _asked(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        """The rows of one statement; none where nothing was ever written."""
        self._demand_open()
        try:
            return self._database.fetch(sql, parameters)
        except (NoSuchTable, SourceNotFound):
            return []

    def _demand_open(self) -> None:
        if self._is_closed:
            raise SourceUnavailable(self.url, "it is closed")

    def _demand_writable(self) -> None:
        self._demand_open()
        if not self.writable:
            raise SourceReadOnly("what is here", self.url, advice=self.advice or "it was opened read-only")
        if getattr(self._in_transaction, "now", False):
            raise UsageError(f"{self.url} is in a transaction of this thread; write through that")
