"""The sources as they were at a time, as far as they remember: a chain of which nothing can be written."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from pathlib import Path

from livery.core.profile import Profile
from livery.errors import Place, Unsupported
from livery.stores.chain import Chain, Source
from livery.stores.protocols import Field, HistoryStore, Loaded, Snapshot


def past_of(chain: Chain, at_ms: int) -> Chain:
    """The chain with every source that keeps a history as it was then; the others are as they are now.

    Unsupported where no source keeps one.
    """
    chain.catalogue()
    if not any(isinstance(source.store, HistoryStore) for source in chain.sources):
        labels = ", ".join(source.label for source in chain.sources) or "no source"
        raise Unsupported("earlier states", labels, "a sqlite: or postgresql: source keeps them")
    sources = [_as_of(source, at_ms) for source in chain.sources]
    written = chain.sources.index(chain.writer) if chain.writer is not None else None
    return Chain(
        sources,
        chain.rules.schema_named,
        writer=sources[written] if written is not None else None,
        default_registry=chain.rules.default_registry,
        extension_schemas=chain.rules.extension_schemas,
    )


def without_past(chain: Chain) -> list[str]:
    """The sources with content that is only known as it is now."""
    return [
        source.label
        for source in chain.sources
        if not isinstance(source.store, _PastStore | HistoryStore) and (source.loaded.registries or source.error)
    ]


def _as_of(source: Source, at_ms: int) -> Source:
    if isinstance(source.store, HistoryStore):
        return Source(source.url, _PastStore(source.store, at_ms))
    other = copy(source)
    other.url = source.url._replace(readonly=True)
    return other


class _PastStore:
    """A store as it was right after its last change up to a time. It does not own the store, and closes nothing."""

    writable = False
    advice = "what has been cannot be changed"

    def __init__(self, store: HistoryStore, at_ms: int) -> None:
        self.kind = store.kind
        self.url = store.url
        self._store = store
        self._at_ms = at_ms
        self._found: Snapshot | None = None

    def load_registries(self) -> Loaded:
        snapshot = self._snapshot()
        return Loaded(snapshot.heads, snapshot.broken, str(snapshot.seq), snapshot=snapshot)

    def _snapshot(self) -> Snapshot:
        if self._found is None:
            self._found = self._store.snapshot_at(self._store.seq_at(self._at_ms))
        return self._found

    def get_profile(self, registry: str, slug: str) -> Profile | None:
        return self._snapshot().profile(registry, slug)

    def changes(self, since: str) -> str:
        return str(self._snapshot().seq)

    def places(self, wanted: Sequence[Field], token: str) -> list[Place | None]:
        return [None] * len(wanted)

    def watched(self) -> Sequence[Path]:
        return ()

    def close(self) -> None:
        """The store goes on."""
