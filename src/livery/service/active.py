"""The profile in use, where a source keeps a pointer to it beside its profiles."""

from __future__ import annotations

from livery.core.names import Reference, registry_slug
from livery.core.profile import ResolveInput
from livery.core.resolve import resolve_selected
from livery.core.selection import Selection, default_registry
from livery.errors import ProfileNotFound, RegistryNotFound
from livery.service.located import located_errors
from livery.service.protocols import NO_OPTIONS
from livery.service.writes import Writes
from livery.stores.protocols import ActiveProfileStore, WriteOptions
from livery.stores.source import Source, registry_of


class ActiveProfiles(Writes):
    """The pointers of those sources that keep one; where a registry has none, the machine's own state counts."""

    def keeps_active_profile(self, registry: str | None = None) -> bool:
        """Whether a registry (default: the default one) has a pointer of its own."""
        return self._pointing(registry) is not None

    def active_profile(self, registry: str | None = None) -> Reference | None:
        """The profile that the registry's own pointer names; None where nobody has moved it yet.

        A profile that is no longer there is ProfileNotFound, never a silent default.
        """
        source = self._pointing(registry)
        active = self.pointed_profile(registry)
        if active is not None and source is not None:
            self._demand_there(active, source.label)
        return active

    def pointed_profile(self, registry: str | None = None) -> Reference | None:
        """The same, whether it is there or not."""
        source = self._pointing(registry)
        return source.store.active_profile() if source and isinstance(source.store, ActiveProfileStore) else None

    def _demand_there(self, active: Reference, label: str) -> None:
        try:
            self._chain.catalogue().stack(active)
        except (ProfileNotFound, RegistryNotFound) as error:
            where = f"(the active profile of {label}; choose another: livery use NAME)"
            raise ProfileNotFound(str(active), nearest=error.nearest, where=where) from None

    def use_profile(self, reference: Reference, options: WriteOptions = NO_OPTIONS) -> bool:
        """Make a profile that resolves the active one; whether its registry keeps a pointer of its own to it.

        SourceReadOnly where the source of the pointer may not be written.
        """
        with self._lock:
            self.demand_usable(reference)
            source = self._pointing(reference.registry)
            if source is None:
                return False
            self._store_of(source).use_profile(reference, self._timed(options))
            self._chain.refresh(self._clock())
            return True

    def use_previous_profile(self, registry: str | None = None, options: WriteOptions = NO_OPTIONS) -> Reference | None:
        """Go back to what was active before; None where there was nothing, or where the registry has no pointer."""
        with self._lock:
            source = self._pointing(registry)
            if source is None:
                return None
            active = self._store_of(source).use_previous_profile(self._timed(options))
            self._chain.refresh(self._clock())
            return active

    def demand_usable(self, reference: Reference) -> None:
        """Whatever a resolution of exactly this profile raises."""
        catalogue = self._chain.catalogue()
        schema = catalogue.view(reference.registry).schema
        with located_errors(self._chain, catalogue):
            resolve_selected(Selection(reference, "exact"), ResolveInput(), catalogue, schema)

    def _store_of(self, source: Source) -> ActiveProfileStore:
        if source.url.readonly or not isinstance(source.store, ActiveProfileStore):
            raise source.why_not_written()
        return source.store

    def _timed(self, options: WriteOptions) -> WriteOptions:
        return options._replace(at_ms=options.at_ms or self._clock())

    def _pointing(self, registry: str | None) -> Source | None:
        """The topmost source of a registry that keeps a pointer."""
        slug = registry_slug(registry, "registry") if registry else default_registry(self._chain.catalogue())
        for source in reversed(self._chain.sources):
            keeps_one = isinstance(source.store, ActiveProfileStore)
            if keeps_one and slug is not None and registry_of(source, slug) is not None:
                return source
        return None
