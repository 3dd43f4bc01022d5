"""The registries of a chain of sources: reading, resolving, writing."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any

from livery.core.catalogue import Catalogue
from livery.core.check import Finding
from livery.core.explain import Explained, explain
from livery.core.names import Reference, profile_slug, registry_slug
from livery.core.profile import Profile, Registry, ResolveInput
from livery.core.resolve import resolve_selected
from livery.core.resolved import ResolvedProfile
from livery.core.selection import Selection, default_registry, select
from livery.core.stack import ProfileLayer
from livery.errors import Place, RegistryNotFound
from livery.formats.bulk import collector_paused
from livery.service.active import ActiveProfiles
from livery.service.cache import CacheCounts, ResolveCache, key_of
from livery.service.history import History
from livery.service.listing import Wanted, summaries
from livery.service.located import clashes, located_errors
from livery.service.protocols import ProfileSummary, RegistrySummary
from livery.service.reading import registry_document, registry_summary, with_places
from livery.service.rehearsal import rehearsal_of
from livery.service.source_rows import source_rows
from livery.service.subscribers import Callback, Subscribers
from livery.service.transfer import Transfer
from livery.service.variables import as_written, unset_variables
from livery.stores.chain import Chain, SchemaNamed, Source
from livery.stores.copies import copied_profile
from livery.stores.journaled import Journal
from livery.stores.protocols import Field


def _within(registry: str, after: Reference | None) -> str | None:
    return after.profile if after is not None and after.registry == registry else None


def now_ms() -> int:
    """The time in UTC epoch milliseconds."""
    return time.time_ns() // 1_000_000


class RegistryService(History, Transfer, ActiveProfiles):
    """Every use of a chain of sources. Safe for threads.

    ``journal`` is where the writes of a writer are noted that keeps no history itself.

    Reads answer from the generation that was loaded last; :meth:`refresh` looks whether the sources have changed, and
    every write does so before and after.
    """

    def __init__(
        self,
        chain: Chain,
        schema_named: SchemaNamed,
        *,
        clock: Callable[[], int] = now_ms,
        journal: Journal | None = None,
    ) -> None:
        super().__init__(chain, schema_named, clock, journal)
        self._cache = ResolveCache()
        self._subscribers = Subscribers(chain)

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
        """The same, with files and lines for the warnings too; every profile is read, and the files once more."""
        return [*self._chain.inspect(), *clashes(self._chain, self.catalogue)]

    def place_of_caller(self, registry: str, caller: str) -> Place | None:
        """The file and line that map a caller, where it is a file."""
        field = Field(registry, "", f"callers[{caller}]")
        found = (self._chain.places(source, [field])[0] for source in reversed(self.sources))
        return next((place for place in found if place is not None), None)

    def unset_variables(self, environ: Mapping[str, str]) -> list[Finding]:
        """A warning, with file and line, for each environment variable that a profile names and that is not set."""
        return [as_written(finding) for finding in self._chain.located(unset_variables(self.catalogue, environ))]

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

    def subscribe(self, callback: Callback) -> Callable[[], None]:
        """Have every new generation told, with its changes, whoever caused it; what is given back ends that.

        Each is told once, in order, by a thread of its own: a callback may take its time, and one that raises is
        logged and told of the next. It may still be told of what happened before it was taken back.
        """
        return self._subscribers.add(callback)

    def rehearsal(self) -> RegistryService:
        """The same registries with a copy of the writer: a write is checked as it is here, and changes nothing here."""
        return RegistryService(rehearsal_of(self._chain), self._schema_named, clock=self._clock)

    def close(self) -> None:
        """Close every source; after that every call that needs one is an error."""
        self._subscribers.close()
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

    def list_profiles(
        self,
        registry: str | None = None,
        *,
        words: str = "",
        tags: Sequence[str] = (),
        after: Reference | None = None,
        limit: int | None = None,
    ) -> list[ProfileSummary]:
        catalogue = self.catalogue
        catalogue.demand_complete()
        slugs = sorted(catalogue.registries) if registry == "*" else [self._registry_slug(registry)]
        views = [catalogue.view(slug) for slug in slugs if after is None or slug >= after.registry]
        blocking = (f for f in reversed(self.findings) if f.blocking and f.profile)
        faults = {Reference(f.registry, f.profile): str(f.fault) for f in blocking}
        wanted = Wanted(tuple(words.casefold().split()), tuple(tags), limit)
        with collector_paused():
            found = (
                summary for view in views for summary in summaries(view, wanted, faults, _within(view.slug, after))
            )
            return list(islice(found, limit))

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
        with located_errors(self._chain, catalogue):
            return resolve_selected(select(request, catalogue), request, catalogue, self._schema_named("ai"))

    def explain(self, request: ResolveInput) -> list[Explained]:
        catalogue = self._chain.catalogue()
        return with_places(explain(self._resolved(request, catalogue)), self._chain, catalogue)
