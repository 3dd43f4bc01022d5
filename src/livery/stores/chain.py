"""Sources in order, seen as one: later ones are laid over earlier ones. Each state of the whole is one catalogue."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from livery.core.catalogue import Catalogue, ProfileLayer, ProfileStack, RegistryLayer, RegistryView
from livery.core.check import Finding, check
from livery.core.extensions import NO_EXTENSION_SCHEMAS, ExtensionSchemas
from livery.core.names import Reference
from livery.core.profile import Registry
from livery.core.schema import SettingsSchema
from livery.errors import (
    Fault,
    Invalid,
    LiveryError,
    MergeConflict,
    Place,
    SourceNotFound,
    SourceReadOnly,
    SourceUnavailable,
    ValidationError,
)
from livery.formats.bulk import collector_paused
from livery.stores.protocols import Field, WritableProfileStore
from livery.stores.source import Source

__all__ = ["Chain", "SchemaNamed", "Source"]

SchemaNamed = Callable[[str], SettingsSchema]
_NOTHING: Mapping[str, Registry] = {}
_MOST_PLACES = 50  # finding a line parses the file again; nobody reads more faults than this at once


class Chain:
    """An ordered list of sources as one. Reading gives immutable catalogues; writing goes to one designated source."""

    def __init__(
        self,
        sources: Sequence[Source],
        schema_named: SchemaNamed,
        *,
        writer: Source | None = None,
        default_registry: str | None = None,
        extension_schemas: ExtensionSchemas = NO_EXTENSION_SCHEMAS,
    ) -> None:
        self.sources = list(sources)
        self.schema_named = schema_named
        self.default_registry = default_registry
        self.extension_schemas = extension_schemas
        self._writer = writer
        self._lock = threading.RLock()
        self._catalogue: Catalogue | None = None
        self.findings: list[Finding] = []

    @property
    def writer(self) -> Source | None:
        """The source that writes go to: the named one, else the last that can be written."""
        if self._writer is not None:
            return self._writer if self._writer.writable else None
        return next((source for source in reversed(self.sources) if source.writable), None)

    def writer_store(self) -> WritableProfileStore:
        """The store that writes go to; SourceReadOnly says why there is none."""
        self.catalogue()  # whether a file can be written is known once it was read
        writer = self.writer
        if writer is not None and isinstance(writer.store, WritableProfileStore):
            return writer.store
        asked = [self._writer] if self._writer is not None else self.sources[::-1]
        if not asked:
            raise SourceReadOnly("what is here", "no source", advice="add a source that can be written")
        advised = (source for source in asked if source.store is not None and source.store.advice)
        raise next(advised, asked[0]).why_not_written()

    def catalogue(self) -> Catalogue:
        """The present generation; the first call reads every source."""
        return self._catalogue if self._catalogue is not None else self.refresh(0)

    def refresh(self, now_ms: int) -> Catalogue:
        """Read what has changed and give the generation that stands now: a new one only if something has."""
        with self._lock, collector_paused():
            tokens = [source.loaded.token for source in self.sources]
            changed = any([source.load(now_ms) for source in self.sources])
            if not changed and tokens != [source.loaded.token for source in self.sources]:
                changed = any(finding.blocking for finding in self.findings)  # their lines may have moved
            if self._catalogue is None or changed:
                self._catalogue = self._build(self._catalogue)
            return self._catalogue

    def close(self) -> None:
        for source in self.sources:
            if source.store is not None:
                source.store.close()

    def source_named(self, label: str) -> Source | None:
        return next((source for source in self.sources if source.label == label), None)

    def trial(self, *registries: Registry) -> Catalogue:
        """The present generation as it would be if the writer held these registries so; nothing is read or written."""
        present = self.catalogue()
        instead = {registry.slug: registry for registry in registries}
        views = {slug: self._view(slug, present.generation, instead) for slug in instead}
        return Catalogue(
            {**present.registries, **views},
            default_registry=present.configured_default,
            generation=present.generation,
            unavailable=dict(self._unavailable(to_be_made=self.writer)),
        )

    # Building a generation

    def _build(self, before: Catalogue | None) -> Catalogue:
        generation = before.generation + 1 if before else 1
        views: dict[str, RegistryView] = {}
        for slug in self._search_order():
            views[slug] = self._view(slug, generation)
        catalogue = Catalogue(
            views,
            default_registry=self.default_registry,
            generation=generation,
            unavailable=dict(self._unavailable()),
        )
        self.findings = self.located([*check(catalogue), *_clashes(catalogue)])
        self._set_faults(catalogue)
        for slug, old in before.registries.items() if before else ():
            if slug in views and _same(old, views[slug]):
                views[slug].stamp = old.stamp
        return catalogue

    def _search_order(self) -> Iterator[str]:
        """Registry slugs from the topmost source down, by name within one."""
        seen: dict[str, None] = {}
        for source in reversed(self.sources):
            broken = (item.registry for item in source.loaded.broken if item.registry)
            names = sorted({*(registry.slug for registry in source.loaded.registries), *broken})
            seen.update(dict.fromkeys(names))
        yield from seen

    def _view(self, slug: str, generation: int, instead: Mapping[str, Registry] = _NOTHING) -> RegistryView:
        held = [
            (source, instead.get(slug) if source is self.writer and slug in instead else registry_of(source, slug))
            for source in self.sources
        ]
        heads = [(source, registry) for source, registry in held if registry is not None]
        named = [registry.settings_schema for _, registry in heads if registry.settings_schema]
        schema = self.schema_named(named[-1] if named else "ai")
        layers = [
            RegistryLayer(source.label, registry, schema, writer=source is self.writer) for source, registry in heads
        ]
        stacks: dict[str, list[ProfileLayer]] = {}
        for source, registry in heads:
            for profile in registry.profiles.values():
                layer = ProfileLayer(source.label, profile, schema, writer=source is self.writer)
                stacks.setdefault(profile.slug, []).append(layer)
        faults = dict(self._broken(slug))
        profiles = {
            name: ProfileStack(Reference(slug, name), stacks.get(name, ()), faults.get(name))
            for name in dict.fromkeys([*stacks, *faults])
        }
        return RegistryView(slug, layers, profiles, schema, extension_schemas=self.extension_schemas, stamp=generation)

    def _broken(self, slug: str) -> Iterator[tuple[str, LiveryError]]:
        """Profiles of a registry that cannot be used; one whose last good version is kept can."""
        for source in self.sources:
            registry = registry_of(source, slug)
            for item in source.loaded.broken:
                if item.registry == slug and item.profile and not (registry and item.profile in registry.profiles):
                    yield item.profile, item.error

    def _unavailable(self, to_be_made: Source | None = None) -> Iterator[tuple[str | None, LiveryError]]:
        """Registries that cannot be answered for; a source that a write is about to make holds none."""
        for source in self.sources:
            is_made = source is to_be_made and isinstance(source.error, SourceNotFound)
            if source.error is not None and not source.ever_loaded and not is_made:
                error = source.error
                if not isinstance(error, SourceUnavailable | SourceNotFound):
                    error = SourceUnavailable(source.label, str(error))
                for slug in source.url.registries or (None,):
                    yield slug, error
            for item in source.loaded.broken:
                if not item.profile and (item.registry, "") not in source.stale_items:
                    yield item.registry or None, item.error

    def _set_faults(self, catalogue: Catalogue) -> None:
        """Give every profile with a blocking finding its error, with the lines of the first few."""
        by_profile: dict[Reference, list[Fault]] = {}
        for finding in self.findings:
            if finding.blocking and finding.profile and ".extends" not in finding.fault.field:
                by_profile.setdefault(Reference(finding.registry, finding.profile), []).append(finding.fault)
        for reference, faults in by_profile.items():
            stack = catalogue.registries[reference.registry].profiles[reference.profile]
            stack.fault = stack.fault or ValidationError.of(faults)

    def located(self, findings: list[Finding], *, warnings: bool = False) -> list[Finding]:
        """The findings with the file and line of the first blocking ones, and of warnings where that is wanted."""
        blocking = [finding for finding in findings if finding.blocking or warnings][:_MOST_PLACES]
        places: dict[Finding, Place | None] = {}
        for source in self.sources:
            own = [finding for finding in blocking if finding.source == source.label]
            places.update(zip(own, self.places(source, [_field_of(finding) for finding in own]), strict=True))
        return [
            finding._replace(fault=finding.fault._replace(place=finding.fault.place or places.get(finding)))
            for finding in findings
        ]

    def places(self, source: Source, wanted: Sequence[Field]) -> list[Place | None]:
        """The lines of fields of one source's documents."""
        if source.store is None or not wanted:
            return [None] * len(wanted)
        return source.store.places(wanted, source.loaded.token)


def _field_of(finding: Finding) -> Field:
    field = finding.fault.field.removeprefix("registry.").removeprefix(f"profiles[{finding.profile}].")
    return Field(finding.registry, finding.profile, field)


def _clashes(catalogue: Catalogue) -> Iterator[Finding]:
    """The profiles whose layers, each sound by itself, do not fit together; their error is given to them too."""
    for view in catalogue.registries.values():
        for stack in view.profiles.values():
            if len(stack.layers) > 1 and stack.fault is None:
                try:
                    _ = stack.profile
                except MergeConflict as error:
                    stack.fault = error
                    field = f"registry.profiles[{stack.reference.profile}].runtime"
                    yield Finding(*stack.reference, stack.layers[-1].source, Fault(field, str(error)))
                except Invalid:
                    pass  # a fault of one layer alone, which is found there


def registry_of(source: Source, slug: str) -> Registry | None:
    return next((registry for registry in source.loaded.registries if registry.slug == slug), None)


def _same(old: RegistryView, new: RegistryView) -> bool:
    """Whether two views come from equal documents of the same sources."""
    if len(old.layers) != len(new.layers) or old.profiles.keys() != new.profiles.keys():
        return False
    return all(
        one.source == other.source and (one.head is other.head or _equal(one.head, other.head))
        for one, other in zip(old.layers, new.layers, strict=True)
    ) and all((old.profiles[slug].fault is None) == (new.profiles[slug].fault is None) for slug in new.profiles)


def _equal(one: Registry, other: Registry) -> bool:
    return one == other and msgspec.msgpack.encode(one) == msgspec.msgpack.encode(other)  # 1 is not true
