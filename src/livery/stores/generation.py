"""From the sources as they were read to one state of the whole: a catalogue, and what is wrong in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from livery.core.catalogue import Catalogue, ProfileLayer, ProfileStack, RegistryLayer, RegistryView
from livery.core.check import Finding
from livery.core.extensions import NO_EXTENSION_SCHEMAS, ExtensionSchemas
from livery.core.names import Reference
from livery.core.profile import Profile, Registry, equal
from livery.core.schema import SettingsSchema
from livery.errors import (
    LiveryError,
    SourceNotFound,
    SourceUnavailable,
)
from livery.stores.findings import examined, findings_of
from livery.stores.source import Source, registry_of
from livery.stores.succession import keep_last_good, keep_stamps, read_again

SchemaNamed = Callable[[str], SettingsSchema]
_NOTHING: Mapping[str, Registry] = {}


class Rules(NamedTuple):
    """What the sources do not say themselves: the schemas, and which registry is the default one."""

    schema_named: SchemaNamed
    default_registry: str | None = None
    extension_schemas: ExtensionSchemas = NO_EXTENSION_SCHEMAS


class Generation(NamedTuple):
    """One state of the whole and its findings, the blocking ones with file and line."""

    catalogue: Catalogue
    findings: list[Finding]


def build(sources: Sequence[Source], writer: Source | None, rules: Rules, before: Catalogue | None) -> Generation:
    """The state that the sources make up now.

    A profile that an edit has broken since ``before`` is kept as it was there, and its source says so; so is one that
    vanished while others stand on it.
    """
    for source in sources:
        source.take_as_read()
    generation = _built(sources, writer, rules, before)
    if before is not None and keep_last_good(sources, before, *generation):
        generation = _built(sources, writer, rules, before)
    for source in sources:
        source.settle()
    if before is not None:
        keep_stamps(before, generation.catalogue)
    return generation


def trial(
    present: Catalogue, sources: Sequence[Source], writer: Source | None, rules: Rules, instead: Mapping[str, Registry]
) -> Catalogue:
    """The present state as it would be if the writer held these registries so; nothing is read or written."""
    views = {
        slug: _view(slug, sources, writer, rules, present.generation, instead, present.registries.get(slug))
        for slug in instead
    }
    return Catalogue(
        {**present.registries, **views},
        default_registry=present.configured_default,
        generation=present.generation,
        unavailable=dict(_unavailable(sources, to_be_made=writer)),
    )


def _built(sources: Sequence[Source], writer: Source | None, rules: Rules, before: Catalogue | None) -> Generation:
    number = before.generation + 1 if before else 1
    catalogue = Catalogue(
        {
            slug: _view(slug, sources, writer, rules, number, like=before.registries.get(slug) if before else None)
            for slug in _search_order(sources)
        },
        default_registry=rules.default_registry,
        generation=number,
        unavailable=dict(_unavailable(sources)),
    )
    if before is not None:
        read_again(before, catalogue)
    return Generation(catalogue, findings_of(catalogue, sources))


def _search_order(sources: Sequence[Source]) -> Iterator[str]:
    """Registry slugs from the topmost source down, by name within one."""
    seen: dict[str, None] = {}
    for source in reversed(sources):
        broken = (item.registry for item in source.loaded.broken if item.registry)
        names = sorted({*(registry.slug for registry in source.loaded.registries), *broken})
        seen.update(dict.fromkeys(names))
    yield from seen


def _view(
    slug: str,
    sources: Sequence[Source],
    writer: Source | None,
    rules: Rules,
    generation: int,
    instead: Mapping[str, Registry] = _NOTHING,
    like: RegistryView | None = None,
) -> RegistryView:
    """One registry over all sources; layers of ``like`` that are the same are taken from there."""
    held = [
        (source, instead.get(slug) if source is writer and slug in instead else registry_of(source, slug))
        for source in sources
    ]
    heads = [(source, registry) for source, registry in held if registry is not None]
    named = [registry.settings_schema for _, registry in heads if registry.settings_schema]
    schema = rules.schema_named(named[-1] if named else "ai")
    layers = [RegistryLayer(source.label, registry, schema, writer=source is writer) for source, registry in heads]
    by_profile: dict[str, list[ProfileLayer]] = {}
    unread: set[str] = set()
    for source, registry in heads:
        for layer in _layers(source, registry, schema, is_writer=source is writer, like=like):
            name = layer.listed.slug
            by_profile.setdefault(name, []).append(layer)
            if not layer.is_read:
                unread.add(name)
    faults = dict(_broken(slug, sources))
    stacks: dict[str, ProfileStack] = {}
    view = RegistryView(slug, layers, stacks, schema, extension_schemas=rules.extension_schemas, stamp=generation)
    examine = partial(examined, view, sources)
    for name in dict.fromkeys([*by_profile, *faults]):
        reference, own = Reference(slug, name), by_profile.get(name, ())
        stacks[name] = ProfileStack(reference, own, faults.get(name), examine=examine if name in unread else None)
    return view


def _layers(
    source: Source, registry: Registry, schema: SettingsSchema, *, is_writer: bool, like: RegistryView | None
) -> Iterator[ProfileLayer]:
    """What a source says of the profiles of a registry. There may be very many: little is done for each."""
    label, headings, bases = source.label, source.headings(registry.slug), source.bases_of(registry.slug)
    for name, profile in registry.profiles.items():
        is_heading = headings.get(name) is profile
        known = _known(label, profile, schema, is_writer, is_heading, like) if like is not None else None
        if known is not None:
            yield known
        elif not is_heading:
            yield ProfileLayer(label, profile, schema, writer=is_writer)
        else:
            tell = partial(bases, name) if bases is not None else None
            read = partial(source.read, registry.slug, name)
            yield ProfileLayer(label, profile, schema, writer=is_writer, read=read, bases=tell)


def _known(
    label: str, profile: Profile, schema: SettingsSchema, is_writer: bool, is_heading: bool, like: RegistryView
) -> ProfileLayer | None:
    """The layer of another view that says the same; of a heading only one that was made of that heading."""
    stack = like.profiles.get(profile.slug)
    for layer in stack.layers if stack is not None else ():
        alike = (layer.source, layer.schema, layer.writer) == (label, schema, is_writer)
        whole = not is_heading and not layer.is_deferred
        if alike and (layer.listed is profile or (whole and equal(layer.listed, profile))):
            return layer
    return None


def _broken(slug: str, sources: Sequence[Source]) -> Iterator[tuple[str, LiveryError]]:
    """Profiles of a registry that cannot be used; one whose last good version is kept can."""
    for source in sources:
        registry = registry_of(source, slug)
        for item in source.loaded.broken:
            if item.registry == slug and item.profile and not (registry and item.profile in registry.profiles):
                yield item.profile, item.error


def _unavailable(
    sources: Sequence[Source], to_be_made: Source | None = None
) -> Iterator[tuple[str | None, LiveryError]]:
    """Registries that cannot be answered for; a source that a write is about to make holds none."""
    for source in sources:
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
