"""A chain on which writes can be tried: every check of the real one, a writer that is forgotten."""

from __future__ import annotations

from copy import copy

from livery.core.names import Reference
from livery.core.profile import Profile, Registry
from livery.errors import SourceNotFound
from livery.stores.chain import Chain, Source
from livery.stores.memory import MemoryStore
from livery.stores.protocols import Loaded, WritableProfileStore, WriteOptions, history_of
from livery.stores.rehearsed import RehearsedStore


def rehearsal_of(chain: Chain) -> Chain:
    """The chain with a writer that only seems to be written; the sources that are only read are shared."""
    chain.catalogue()
    sources = [_rehearsed(source) if source is chain.writer else copy(source) for source in chain.sources]
    pairs = zip(chain.sources, sources, strict=True)
    return Chain(
        sources,
        chain.rules.schema_named,
        writer=next((new for old, new in pairs if old is chain.writer), None),
        default_registry=chain.rules.default_registry,
        extension_schemas=chain.rules.extension_schemas,
    )


def _rehearsed(source: Source) -> Source:
    """A source like the writer: what is changed lies over a database, or in a copy of anything else."""
    keeper = history_of(source.store)
    if keeper is None:
        new = copy(source)
        new.store = _RehearsalStore(source)
        return new
    below = source.loaded.snapshot
    if below is None:
        return Source(source.url, _RehearsalStore(source))
    return Source(source.url, RehearsedStore(keeper, below, source.error))


class _RehearsalStore(MemoryStore):
    """What a source holds, in memory. It refuses what the source would: a write to what cannot be read."""

    def __init__(self, source: Source) -> None:
        super().__init__(source.whole_registries(), url=source.label)
        self._broken = source.broken
        self._real = source.store if isinstance(source.store, WritableProfileStore) else self
        to_be_made = isinstance(source.error, SourceNotFound) and not source.ever_loaded
        self._error = None if to_be_made else source.error

    def load_registries(self) -> Loaded:
        if self._error is not None:
            raise self._error
        return super().load_registries()._replace(broken=self._broken)

    def save_registry(self, registry: Registry, options: WriteOptions) -> Registry:
        self._demand_sound(registry.slug)
        self._real.demand_room(registry)
        return super().save_registry(registry, options)

    def save_profile(self, profile: Profile, options: WriteOptions) -> Profile:
        self._demand_sound(*profile.reference)
        self._real.demand_room(profile)
        return super().save_profile(profile, options)

    def delete_profile(self, reference: Reference, options: WriteOptions) -> None:
        self._demand_sound(*reference)
        super().delete_profile(reference, options)

    def delete_registry(self, slug: str, options: WriteOptions) -> None:
        self._demand_sound(slug)
        super().delete_registry(slug, options)

    def _demand_sound(self, registry: str, profile: str = "") -> None:
        if self._error is not None:
            raise self._error
        for item in self._broken:
            if item.registry == registry and item.profile in ("", profile):
                raise item.error
