"""A chain on which writes can be tried: every check of the real one, a writer that is forgotten."""

from __future__ import annotations

from copy import copy

from livery.core.names import Reference
from livery.core.profile import Profile, Registry
from livery.errors import SourceNotFound
from livery.stores.chain import Chain, Source
from livery.stores.memory import MemoryStore
from livery.stores.protocols import Loaded, WritableProfileStore, WriteOptions


def rehearsal_of(chain: Chain) -> Chain:
    """The chain with a copy of its writer in memory; the sources that are only read are shared."""
    chain.catalogue()
    sources = [copy(source) for source in chain.sources]
    writer = None
    for old, new in zip(chain.sources, sources, strict=True):
        if old is chain.writer:
            new.store, writer = _RehearsalStore(old), new
    return Chain(
        sources,
        chain.rules.schema_named,
        writer=writer,
        default_registry=chain.rules.default_registry,
        extension_schemas=chain.rules.extension_schemas,
    )


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
