"""A store with history on which writes are tried: what it holds is laid over one state of a real one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeGuard

from livery.core.names import Reference
from livery.core.profile import Profile, Registry
from livery.errors import LiveryError, Place, SourceUnavailable, UsageError, ValidationError
from livery.stores.protocols import (
    Event,
    EventQuery,
    Field,
    HistoryStore,
    Loaded,
    Retention,
    Snapshot,
    StoreFacts,
    WriteOptions,
)
from livery.stores.rehearsed.snapshot import RehearsedSnapshot, whole
from livery.stores.rehearsed.transaction import Transaction

_MOST_EVENTS = 1_000


class RehearsedStore:
    """What a store would be after the writes to this one. Safe for threads; the real store is read and never written.

    It stands on ``below`` whatever becomes of the real store meanwhile. Where that could not be read the last time,
    ``error`` says why, and every write is refused with it, as the real one would be.
    """

    advice = ""
    writable = True

    def __init__(self, store: HistoryStore, below: Snapshot, error: LiveryError | None = None) -> None:
        self.kind, self.url = store.kind, store.url
        self._store = store
        self._error = error
        self._states = [RehearsedSnapshot(below, below.seq, below.heads, {})]
        self._events: list[Event] = []
        self._revisions: dict[tuple[str, str, int], Profile | Registry] = {}
        self._lock = threading.RLock()
        self._is_in_transaction = False
        self._is_closed = False

    # Reading

    def load_registries(self) -> Loaded:
        return whole(self._present())

    def get_profile(self, registry: str, slug: str) -> Profile | None:
        return self._present().profile(registry, slug)

    def changes(self, since: str) -> str:
        return str(self._present().seq)

    def places(self, wanted: Sequence[Field], token: str) -> list[Place | None]:
        return [None] * len(wanted)

    def watched(self) -> Sequence[Path]:
        return ()

    def close(self) -> None:
        """The real store goes on."""
        self._is_closed = True

    # Writing

    def demand_room(self, item: Profile | Registry) -> None:
        self._store.demand_room(item)

    def save_registry(self, registry: Registry, options: WriteOptions) -> Registry:
        with self.transaction() as transaction:
            return transaction.save_registry(registry, options)

    def save_profile(self, profile: Profile, options: WriteOptions) -> Profile:
        with self.transaction() as transaction:
            return transaction.save_profile(profile, options)

    def delete_profile(self, reference: Reference, options: WriteOptions) -> None:
        with self.transaction() as transaction:
            transaction.delete_profile(reference, options)

    def delete_registry(self, slug: str, options: WriteOptions) -> None:
        with self.transaction() as transaction:
            transaction.delete_registry(slug, options)

    @contextmanager
    def transaction(self, *, exclusive: bool = False) -> Iterator[Transaction]:
        with self._lock:
            transaction = Transaction(self._store, self._begun(), self._last_version)
            self._is_in_transaction = True
            try:
                yield transaction
                self._take(transaction)
            finally:
                self._is_in_transaction = False
                transaction.end()

    def _begun(self) -> RehearsedSnapshot:
        if self._error is not None:
            raise self._error
        if self._is_in_transaction:
            raise UsageError(f"{self.url} is in a transaction of this thread; write through that")
        return self._present()

    def _take(self, transaction: Transaction) -> None:
        state = transaction.finish()
        if state is not self._states[-1]:
            self._events += state.events
            self._revisions |= {_revision_key(item): item for item in transaction.kept}
            self._states.append(state)

    def _last_version(self, item: Reference) -> int:
        """The last version of what is not there, by what is kept of it."""
        for event in self.events(EventQuery(*item, limit=_MOST_EVENTS)):
            version = max(event.from_version, event.to_version)
            if event.seq > self._states[0].seq or self._is_kept(item, version):
                return version
        return 0

    def _is_kept(self, item: Reference, version: int) -> bool:
        try:
            return self.revision(*item, version) is not None
        except ValidationError:
            return True

    # History

    def follow(self, snapshot: Snapshot | None) -> Snapshot:
        state = self._present()
        if not self._is_ours(snapshot):
            return RehearsedSnapshot(state.below, state.seq, state.heads, state.overlay)
        if snapshot.seq == state.seq:
            return snapshot
        events = tuple(event for event in self._events if snapshot.seq < event.seq <= state.seq)
        return state.following(snapshot.seq, events)

    def _is_ours(self, snapshot: Snapshot | None) -> TypeGuard[RehearsedSnapshot]:
        return isinstance(snapshot, RehearsedSnapshot) and snapshot.below is self._states[0].below

    def snapshot_at(self, seq: int) -> Snapshot:
        known = [state for state in self._states if state.seq <= seq]
        if not known:
            return self._store.snapshot_at(seq)
        return RehearsedSnapshot(known[-1].below, known[-1].seq, known[-1].heads, known[-1].overlay)

    def seq_at(self, at_ms: int) -> int:
        own = [event.seq for event in self._events if event.at_ms <= at_ms]
        return own[-1] if own else min(self._store.seq_at(at_ms), self._states[0].seq)

    def events(self, query: EventQuery) -> list[Event]:
        end = self._states[0].seq + 1
        real = self._store.events(query._replace(before=min(query.before or end, end)))
        own = [event for event in self._events if _is_wanted(event, query)]
        return [*own[::-1], *real][: query.limit] if query.newest_first else [*real, *own][: query.limit]

    def revision(self, registry: str, profile: str, version: int) -> Profile | Registry | None:
        own = self._revisions.get((registry, profile, version))
        return own if own is not None else self._store.revision(registry, profile, version)

    def prune(self, retention: Retention, now_ms: int) -> int:
        """A rehearsal drops nothing."""
        return 0

    def facts(self) -> StoreFacts:
        return self._store.facts()._replace(seq=self._present().seq)

    def listen(self, wake: Callable[[], None], stop: Callable[[float], bool]) -> None:
        """Nobody else changes anything here."""

    def _present(self) -> RehearsedSnapshot:
        if self._is_closed:
            raise SourceUnavailable(self.url, "it is closed")
        return self._states[-1]


def _revision_key(item: Profile | Registry) -> tuple[str, str, int]:
    if isinstance(item, Registry):
        return item.slug, "", item.version
    return *item.reference, item.version


def _is_wanted(event: Event, query: EventQuery) -> bool:
    wanted = (
        not query.registry or event.registry == query.registry,
        query.profile is None or event.profile == query.profile,
        not query.actor or event.actor == query.actor,
        not query.action or event.action == query.action,
        not query.since_ms or event.at_ms >= query.since_ms,
        not query.until_ms or event.at_ms < query.until_ms,
        not query.after or event.seq > query.after,
        not query.before or event.seq < query.before,
    )
    return all(wanted)
