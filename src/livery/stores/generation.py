"""From the sources as they were read to one state of the whole: a catalogue, and what is wrong in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

from msgspec.structs import replace

from livery.core.catalogue import Catalogue, RegistryLayer, RegistryView, Users
from livery.core.changes import Change, Kind, Scope
from livery.core.check import Finding
from livery.core.extensions import NO_EXTENSION_SCHEMAS, ExtensionSchemas
from livery.core.names import Reference
from livery.core.profile import Profile, Registry, equal
from livery.core.profiles import HeldProfiles
from livery.core.schema import SettingsSchema
from livery.core.stack import ProfileLayer, ProfileStack
from livery.errors import (
    LiveryError,
    SourceNotFound,
    SourceUnavailable,
)
from livery.stores.asked import AskedLayers, AskedProfiles, HeldLayers
from livery.stores.findings import examined, findings_of
from livery.stores.protocols import Event
from livery.stores.source import Source, registry_of
from livery.stores.succession import keep_last_good, keep_stamps, read_again

SchemaNamed = Callable[[str], SettingsSchema]


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


def _built(sources: Sequence[Source], writer: Source | None, rules: Rules, before: Catalogue | None) -> Generation:
    number = before.generation + 1 if before else 1
    catalogue = Catalogue(
        {
            slug: view_of(slug, sources, writer, rules, number, like=before.registries.get(slug) if before else None)
            for slug in _search_order(sources)
        },
        default_registry=rules.default_registry,
        generation=number,
        unavailable=dict(unavailable(sources)),
        users=users_in(sources),
        logged=logged_in(sources),
        seqs=seqs_in(sources),
    )
    if before is not None:
        read_again(before, catalogue)
    return Generation(catalogue, findings_of(catalogue, sources))


def users_in(sources: Sequence[Source]) -> list[Users]:
    return [source.loaded.snapshot for source in sources if source.loaded.snapshot is not None]


def seqs_in(sources: Sequence[Source]) -> dict[str, int]:
    return {source.label: source.loaded.snapshot.seq for source in sources if source.loaded.snapshot is not None}


def logged_in(sources: Sequence[Source]) -> list[Change] | None:
    if any(source.loaded.snapshot is not None and not source.is_followed for source in sources):
        return None
    return [change_of(event, source.label) for source in sources for event in source.events]


def change_of(event: Event, source: str) -> Change:
    """An event of the log of a source as a change of the whole."""
    kind: Kind = "created" if not event.from_version else "deleted" if not event.to_version else "updated"
    scope: Scope = "presentation" if event.scope == "presentation" else "runtime"
    versions = (event.from_version, event.to_version)
    return Change(event.registry, event.profile, kind, *versions, scope, seq=event.seq, source=source)


def _search_order(sources: Sequence[Source]) -> Iterator[str]:
    """Registry slugs from the topmost source down, by name within one."""
    seen: dict[str, None] = {}
    for source in reversed(sources):
        broken = (item.registry for item in source.loaded.broken if item.registry)
        names = sorted({*(registry.slug for registry in source.loaded.registries), *broken})
        seen.update(dict.fromkeys(names))
    yield from seen


def view_of(
    slug: str,
    sources: Sequence[Source],
    writer: Source | None,
    rules: Rules,
    generation: int,
    instead: Registry | None = None,
    like: RegistryView | None = None,
) -> RegistryView:
    """One registry over all sources; layers of ``like`` that are the same are taken from there.

    ``instead`` is a head in place of that of the writer, whose profiles stay.
    """
    held = [(source, _held(source, slug, instead if source is writer else None)) for source in sources]
    heads = [(source, registry) for source, registry in held if registry is not None]
    named = [registry.settings_schema for _, registry in heads if registry.settings_schema]
    schema = rules.schema_named(named[-1] if named else "ai")
    layers = [RegistryLayer(source.label, registry, schema, writer=source is writer) for source, registry in heads]
    faults = dict(_broken(slug, sources))
    if any(source.loaded.snapshot is not None for source, _ in heads):
        parts = [_part(source, registry, schema, is_writer=source is writer, like=like) for source, registry in heads]
        asked = AskedProfiles(slug, parts, faults)
        asked.look_for_held()
        view = RegistryView(slug, layers, asked, schema, extension_schemas=rules.extension_schemas, stamp=generation)
        return examining(view, asked, sources)
    stacks = HeldProfiles()
    view = RegistryView(slug, layers, stacks, schema, extension_schemas=rules.extension_schemas, stamp=generation)
    by_profile: dict[str, list[ProfileLayer]] = {}
    unread: set[str] = set()
    for source, registry in heads:
        for layer in _layers(source, registry, schema, is_writer=source is writer, like=like):
            name = layer.listed.slug
            by_profile.setdefault(name, []).append(layer)
            if not layer.is_read:
                unread.add(name)
    examine = partial(examined, view, sources)
    for name in dict.fromkeys([*by_profile, *faults]):
        reference, own = Reference(slug, name), by_profile.get(name, ())
        stacks[name] = ProfileStack(reference, own, faults.get(name), examine=examine if name in unread else None)
    return view


def _held(source: Source, slug: str, head: Registry | None) -> Registry | None:
    """A registry as a source holds it, with another head if one is given."""
    held = registry_of(source, slug)
    if head is None:
        return held
    return replace(head, profiles=held.profiles if held is not None else {})


def examining(view: RegistryView, profiles: AskedProfiles, sources: Sequence[Source]) -> RegistryView:
    profiles.examine = partial(examined, view, sources)
    return view


def _part(
    source: Source, registry: Registry, schema: SettingsSchema, *, is_writer: bool, like: RegistryView | None
) -> HeldLayers | AskedLayers:
    """What a source says of the profiles of a registry; what was asked of the same snapshot is known."""
    snapshot = source.loaded.snapshot
    if snapshot is None:
        layers = _layers(source, registry, schema, is_writer=is_writer, like=like)
        return HeldLayers({layer.listed.slug: layer for layer in layers})
    old = like.profiles.asked if like is not None and isinstance(like.profiles, AskedProfiles) else []
    for part in old:
        if part.is_like(source.label, schema, writer=is_writer):
            if part.snapshot is snapshot:
                return part.with_instead(registry.profiles)
            if source.is_followed:
                names = {event.profile for event in source.events if event.registry == registry.slug}
                return part.after(snapshot, names).with_instead(registry.profiles)
    return AskedLayers(registry.slug, source.label, snapshot, schema, writer=is_writer, instead=registry.profiles)


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
    is_held = profile.slug in like.profiles.held_names  # else it would be asked for
    for layer in like.profiles[profile.slug].layers if is_held else ():
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


def unavailable(
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
