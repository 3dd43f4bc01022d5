"""From the sources as they were read to one state of the whole: a catalogue, and what is wrong in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from livery.core.catalogue import Catalogue, ProfileLayer, ProfileStack, RegistryLayer, RegistryView
from livery.core.check import Finding, check, check_profile
from livery.core.extensions import NO_EXTENSION_SCHEMAS, ExtensionSchemas
from livery.core.lineage import check_graph
from livery.core.names import Reference
from livery.core.profile import Profile, Registry, equal
from livery.core.schema import SettingsSchema
from livery.errors import (
    Fault,
    Invalid,
    LiveryError,
    MergeConflict,
    Place,
    SourceNotFound,
    SourceUnavailable,
    ValidationError,
)
from livery.stores.protocols import BrokenItem, Field
from livery.stores.source import Source

SchemaNamed = Callable[[str], SettingsSchema]
_NOTHING: Mapping[str, Registry] = {}
_MOST_PLACES = 50  # finding a line parses the file again; nobody reads more faults than this at once


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
    generation = _built(sources, writer, rules, before)
    if before is not None and _keep_last_good(sources, before, generation):
        generation = _built(sources, writer, rules, before)
    if before is not None:
        _keep_stamps(before, generation.catalogue)
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


def inspect(sources: Sequence[Source], now: Generation) -> list[Finding]:
    """Every finding with file and line, also of profiles that are read only when they are needed: they are read now."""
    for view in now.catalogue.registries.values():
        for stack in view.profiles.values():
            _ = stack.fault
    later = [*check(now.catalogue), *_clashes(now.catalogue), *_remarks(sources)]
    known, new = (located(findings, sources, warnings=True) for findings in (now.findings, later))
    return list(dict.fromkeys([*known, *new]))


def registry_of(source: Source, slug: str) -> Registry | None:
    """A registry as one source holds it."""
    return next((registry for registry in source.loaded.registries if registry.slug == slug), None)


def located(findings: list[Finding], sources: Sequence[Source], *, warnings: bool = False) -> list[Finding]:
    """The findings with the file and line of the first blocking ones, and of warnings where that is wanted."""
    blocking = [finding for finding in findings if finding.blocking or warnings][:_MOST_PLACES]
    found: dict[Finding, Place | None] = {}
    for source in sources:
        own = [finding for finding in blocking if finding.source == source.label]
        found.update(zip(own, places(source, [_field_of(finding) for finding in own]), strict=True))
    return [
        finding._replace(fault=finding.fault._replace(place=finding.fault.place or found.get(finding)))
        for finding in findings
    ]


def places(source: Source, wanted: Sequence[Field]) -> list[Place | None]:
    """The lines of fields of one source's documents."""
    if source.store is None or not wanted:
        return [None] * len(wanted)
    return source.store.places(wanted, source.loaded.token)


def _field_of(finding: Finding) -> Field:
    field = finding.fault.field.removeprefix("registry.").removeprefix(f"profiles[{finding.profile}].")
    return Field(finding.registry, finding.profile, field)


# The catalogue


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
        _read_again(before, catalogue)
    findings = located([*check(catalogue), *_clashes(catalogue), *_notices(sources)], sources)
    _set_faults(catalogue, findings)
    return Generation(catalogue, findings)


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
    for source, registry in heads:
        headings = source.headings(slug)
        for name, profile in registry.profiles.items():
            is_heading = headings.get(name) is profile
            layer = _layer(source, profile, schema, is_writer=source is writer, is_heading=is_heading, like=like)
            by_profile.setdefault(name, []).append(layer)
    faults = dict(_broken(slug, sources))
    stacks: dict[str, ProfileStack] = {}
    view = RegistryView(slug, layers, stacks, schema, extension_schemas=rules.extension_schemas, stamp=generation)
    for name in dict.fromkeys([*by_profile, *faults]):
        own = by_profile.get(name, ())
        examine = None if all(layer.is_read for layer in own) else partial(_examined, view, sources)
        stacks[name] = ProfileStack(Reference(slug, name), own, faults.get(name), examine=examine)
    return view


def _layer(
    source: Source,
    profile: Profile,
    schema: SettingsSchema,
    *,
    is_writer: bool,
    is_heading: bool,
    like: RegistryView | None,
) -> ProfileLayer:
    stack = like.profiles.get(profile.slug) if like is not None else None
    for layer in stack.layers if stack is not None else ():
        alike = (layer.source, layer.schema, layer.writer) == (source.label, schema, is_writer)
        whole = not is_heading and not layer.is_deferred
        if alike and (layer.listed is profile or (whole and equal(layer.listed, profile))):
            return layer
    if not is_heading:
        return ProfileLayer(source.label, profile, schema, writer=is_writer)
    read, bases = partial(source.read, *profile.reference), source.bases_of(profile.reference)
    return ProfileLayer(source.label, profile, schema, writer=is_writer, read=read, bases=bases)


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


# What is wrong


def _examined(view: RegistryView, sources: Sequence[Source], stack: ProfileStack) -> LiveryError | None:
    """Why a profile that was read only now cannot be used."""
    try:
        found = [finding for layer in stack.layers if layer.profile for finding in check_profile(layer, view)]
        if len(stack.layers) > 1:
            _ = stack.profile
    except LiveryError as error:
        return error
    blocking = located([finding for finding in found if finding.blocking], sources)
    return ValidationError.of([finding.fault for finding in blocking]) if blocking else None


def _clashes(catalogue: Catalogue) -> Iterator[Finding]:
    """The profiles whose layers, each sound by itself, do not fit together; their error is given to them too."""
    for view in catalogue.registries.values():
        for stack in view.profiles.values():
            if len(stack.layers) > 1 and stack.is_read and stack.fault is None:
                try:
                    _ = stack.profile
                except MergeConflict as error:
                    stack.known_fault = error
                    field = f"registry.profiles[{stack.reference.profile}].runtime"
                    yield Finding(*stack.reference, stack.layers[-1].source, Fault(field, str(error)))
                except Invalid:
                    pass  # a fault of one layer alone, which is found there


def _notices(sources: Sequence[Source]) -> Iterator[Finding]:
    for source in sources:
        for notice in source.loaded.notices:
            yield Finding(notice.registry, notice.profile, source.label, notice.fault, blocking=False)


def _remarks(sources: Sequence[Source]) -> Iterator[Finding]:
    """What stores have to say of profiles that they listed without reading them."""
    for source in sources:
        for registry in source.loaded.registries if source.loaded.remarks is not None else ():
            for slug in registry.profiles:
                for fault in source.loaded.remarks(registry.slug, slug) if source.loaded.remarks else ():
                    yield Finding(registry.slug, slug, source.label, fault, blocking=False)


def _set_faults(catalogue: Catalogue, findings: Iterable[Finding]) -> None:
    """Give every profile with a blocking finding its error, with the lines of the first few."""
    by_profile: dict[Reference, list[Fault]] = {}
    for finding in findings:
        if finding.blocking and finding.profile and not _is_of_lineage(finding):
            by_profile.setdefault(Reference(finding.registry, finding.profile), []).append(finding.fault)
    for reference, faults in by_profile.items():
        stack = catalogue.registries[reference.registry].profiles[reference.profile]
        stack.known_fault = stack.known_fault or ValidationError.of(faults)


def _is_of_lineage(finding: Finding) -> bool:
    return ".extends" in finding.fault.field


# From one state to the next


def _keep_last_good(sources: Sequence[Source], before: Catalogue, now: Generation) -> bool:
    """Put back, in their sources, profiles that were sound and are no longer; whether there were any."""
    kept = False
    for finding in now.findings:
        if finding.blocking and finding.profile and not _is_of_lineage(finding):
            reference = Reference(finding.registry, finding.profile)
            error = now.catalogue.registries[reference.registry].profiles[reference.profile].known_fault
            if error is not None and _was_sound(before, reference):
                kept |= _put_back(sources, before, reference, error)
    for lineage in check_graph(now.catalogue.index(unread=False)):
        user, base = (Reference(*step.split("/", 1)) for step in lineage.chain[-2:])
        if _was_sound(before, user) and not _leads_nowhere(before, lineage.chain):
            # an edit of the profile is taken back; where it is as it was, the base that vanished is kept
            kept |= _put_back(sources, before, user, lineage) or _put_back(sources, before, base, lineage)
    return kept


def _was_sound(before: Catalogue, reference: Reference) -> bool:
    view = before.registries.get(reference.registry)
    stack = view.profiles.get(reference.profile) if view else None
    return stack is not None and stack.is_read and stack.known_fault is None


def _leads_nowhere(before: Catalogue, chain: Sequence[str]) -> bool:
    """Whether the references of a fault could not be followed before either."""
    index = before.index(unread=False)
    return any(tuple(error.chain[-2:]) == tuple(chain[-2:]) for error in check_graph(index))


def _put_back(sources: Sequence[Source], before: Catalogue, reference: Reference, error: LiveryError) -> bool:
    """Keep the earlier documents of a profile in the sources whose documents of it have changed."""
    stack = before.registries[reference.registry].profiles.get(reference.profile)
    earlier = {layer.source: layer.profile for layer in stack.layers} if stack is not None else {}
    kept = False
    for source in sources:
        registry = registry_of(source, reference.registry)
        old, new = earlier.get(source.label), registry.profiles.get(reference.profile) if registry else None
        if registry is not None and old is not None and not (new is not None and equal(old, new)):
            source.keep(old, BrokenItem(*reference, error))
            kept = True
    return kept


def _read_again(before: Catalogue, catalogue: Catalogue) -> None:
    """Read the profiles that were in use: what is made of them holds only as long as they are the same."""
    for slug, old in before.registries.items():
        view = catalogue.registries.get(slug)
        new = view.profiles if view is not None else {}
        for name, stack in old.profiles.items():
            if stack.is_deferred and stack.is_read and name in new:
                _ = new[name].fault


def _keep_stamps(before: Catalogue, catalogue: Catalogue) -> None:
    for slug, old in before.registries.items():
        view = catalogue.registries.get(slug)
        if view is not None and _same(old, view):
            view.stamp = old.stamp


def _same(old: RegistryView, new: RegistryView) -> bool:
    """Whether two views come from equal documents of the same sources."""
    if len(old.layers) != len(new.layers) or old.profiles.keys() != new.profiles.keys():
        return False
    return all(
        one.source == other.source and (one.head is other.head or equal(one.head, other.head))
        for one, other in zip(old.layers, new.layers, strict=True)
    ) and all(_same_stack(stack, new.profiles[slug]) for slug, stack in old.profiles.items())


def _same_stack(old: ProfileStack, new: ProfileStack) -> bool:
    """Whether two stacks are equally usable; of profiles that are read when needed, whether those in use are equal."""
    if (old.known_fault is None) != (new.known_fault is None):
        return False
    if not old.is_deferred or not old.is_read or old.known_fault is not None:
        return True
    pairs = zip(old.layers, new.layers, strict=True)
    return new.is_read and all(equal(one.profile, other.profile) for one, other in pairs)
