"""The registries of a chain of sources: reading, resolving, writing."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from livery.core.catalogue import Catalogue, ProfileLayer
from livery.core.check import Finding
from livery.core.explain import Explained, explain
from livery.core.names import Reference, profile_slug, registry_slug
from livery.core.profile import Profile, Registry, ResolveInput
from livery.core.resolve import resolve_selected
from livery.core.resolved import ResolvedProfile
from livery.core.selection import Selection, default_registry, select
from livery.errors import LineageError, RegistryNotFound
from livery.service.cache import CacheCounts, ResolveCache, key_of
from livery.service.profile_writes import ProfileWrites
from livery.service.protocols import ProfileSummary, RegistrySummary
from livery.service.reading import profile_summary, registry_document, registry_summary, with_places
from livery.service.registry_writes import RegistryWrites
from livery.service.rehearsal import rehearsal_of
from livery.service.source_rows import source_rows
from livery.stores.chain import Chain, SchemaNamed, Source
from livery.stores.copies import copied_profile
from livery.stores.protocols import Field


def now_ms() -> int:
    """The time in UTC epoch milliseconds."""
    return time.time_ns() // 1_000_000


class RegistryService(ProfileWrites, RegistryWrites):
    """Every use of a chain of sources. Safe for threads.

    Reads answer from the generation that was loaded last; :meth:`refresh` looks whether the sources have changed, and
    every write does so before and after.
    """

    def __init__(self, chain: Chain, schema_named: SchemaNamed, *, clock: Callable[[], int] = now_ms) -> None:
        super().__init__(chain, schema_named, clock)
        self._cache = ResolveCache()

    @property
    def catalogue(self) -> Catalogue:
        """The generation that stands now."""
        return self._chain.catalogue()

    @property
    def findings(self) -> list[Finding]:
        """What is wrong in the present generation, with files and lines; warnings too, without."""
        self._chain.catalogue()
        return self._chain.findings

    def located_findings(self) -> list[Finding]:
        """The same, with files and lines for the warnings too; that reads the files again."""
        return self._chain.located(self.findings, warnings=True)

    @property
    def sources(self) -> list[Source]:
        return self._chain.sources

    def source_rows(self) -> list[dict[str, Any]]:
        """Every source as a list shows it: what it holds, its health and faults, what shadows what. JSON values."""
        self._chain.catalogue()
        return source_rows(self._chain)

    @property
    def writer(self) -> Source | None:
        """The source that writes go to."""
        self._chain.catalogue()  # whether a file can be written is known once it was read
        return self._chain.writer

    @property
    def cache_counts(self) -> CacheCounts:
        return self._cache.counts

    def refresh(self) -> bool:
        """Look for changes of the sources; whether there is a new generation."""
        before = self._chain.catalogue().generation
        return self._chain.refresh(self._clock()).generation != before

    def rehearsal(self) -> RegistryService:
        """The same registries with a copy of the writer: a write is checked as it is here, and changes nothing here."""
        return RegistryService(rehearsal_of(self._chain), self._schema_named, clock=self._clock)

    def close(self) -> None:
        """Close every source; after that every call that needs one is an error."""
        self._chain.close()

    # Reading

    def list_registries(self) -> list[RegistrySummary]:
        catalogue = self.catalogue
        catalogue.demand_complete()
        writer = self.writer
        views = sorted(catalogue.registries.values(), key=lambda view: view.slug)
        return [registry_summary(view, catalogue, writer.label if writer else "") for view in views]

    def get_registry(self, slug: str | None = None) -> Registry:
        return registry_document(self.catalogue.view(self._registry_slug(slug)))

    def list_profiles(self, registry: str | None = None) -> list[ProfileSummary]:
        catalogue = self.catalogue
        catalogue.demand_complete()
        slugs = sorted(catalogue.registries) if registry == "*" else [self._registry_slug(registry)]
        views = [catalogue.view(slug) for slug in slugs]
        faults = {(f.registry, f.profile): str(f.fault) for f in reversed(self.findings) if f.blocking and f.profile}
        return [
            profile_summary(view.profiles[slug], view, faults.get((view.slug, slug), ""))
            for view in views
            for slug in sorted(view.profiles)
        ]

    def get_profile(self, registry: str | None, slug: str) -> Profile:
        return copied_profile(self.catalogue.stack(self._reference(registry, slug)).profile)

    def profile_layers(self, registry: str | None, slug: str) -> tuple[ProfileLayer, ...]:
        """What each source says of a profile, the lowest first."""
        return self.catalogue.stack(self._reference(registry, slug)).layers

    def select(self, request: ResolveInput) -> Selection:
        """Which profile a request means, without resolving it."""
        return select(request, self.catalogue)

    def _registry_slug(self, slug: str | None) -> str:
        named = registry_slug(slug, "registry") if slug else default_registry(self.catalogue)
        if named is None:
            raise RegistryNotFound("default", where="(no source holds any registry)")
        return named

    def _reference(self, registry: str | None, slug: str) -> Reference:
        """The profile that is read under a name, found as a resolution finds it."""
        found = select(ResolveInput(registry_slug=registry, profile_slug=slug), self.catalogue).reference
        return found or Reference(self._registry_slug(registry), profile_slug(slug))

    # Resolving

    def resolve_effective_profile(self, request: ResolveInput) -> ResolvedProfile:
        return self._resolved(request, self._chain.catalogue())

    def _resolved(self, request: ResolveInput, catalogue: Catalogue) -> ResolvedProfile:
        key = key_of(request)
        if key is not None:
            known = self._cache.get(key, request, catalogue)
            if known is not None:
                return known
        resolved = self._resolve(request, catalogue)
        if key is not None:
            self._cache.put(key, resolved, catalogue)
        return resolved

    def _resolve(self, request: ResolveInput, catalogue: Catalogue) -> ResolvedProfile:
        try:
            return resolve_selected(select(request, catalogue), request, catalogue, self._schema_named("ai"))
        except LineageError as error:
            raise self._with_place(error, catalogue) from None

    def _with_place(self, error: LineageError, catalogue: Catalogue) -> LineageError:
        """The error with the file and line of the reference that cannot be followed."""
        registry, _, slug = error.chain[-2].partition("/")
        stack = catalogue.registries[registry].profiles[slug]
        layer = next(layer for layer in reversed(stack.layers) if layer.profile.bases)
        source = self._chain.source_named(layer.source)
        field = Field(registry, slug, error.field.rpartition("].")[2])
        place = self._chain.places(source, [field])[0] if source else None
        return LineageError(error.kind, error.reason, field=error.field, chain=error.chain, origin=place)

    def explain(self, request: ResolveInput) -> list[Explained]:
        catalogue = self._chain.catalogue()
        return with_places(explain(self._resolved(request, catalogue)), self._chain, catalogue)
