"""Summaries and explanations made of a catalogue."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from livery.core.catalogue import Catalogue, RegistryView
from livery.core.explain import Explained, HistoryEntry
from livery.core.paths import KEYED_LISTS, Path
from livery.core.profile import Profile, Registry, RuntimeSpec
from livery.core.profiles import HeldProfiles, Profiles
from livery.core.selection import default_registry
from livery.core.stack import ProfileStack, last_given
from livery.errors import LiveryError, Place
from livery.service.protocols import ProfileSummary, RegistrySummary
from livery.stores.chain import Chain
from livery.stores.copies import copied_profile, copied_registry
from livery.stores.protocols import Field


def registry_summary(view: RegistryView, catalogue: Catalogue, writer: str) -> RegistrySummary:
    head = view.head
    sources = tuple(layer.source for layer in view.layers)
    return RegistrySummary(
        slug=view.slug,
        display_name=head.display_name,
        default_profile=_default(view),
        profile_count=_count(view),
        version=head.version,
        sources=sources,
        writable=bool(writer),
        is_default=view.slug == default_registry(catalogue),
    )


def _default(view: RegistryView) -> str:
    """The default profile; the one that is named, where a source cannot be asked for others."""
    try:
        return view.default_profile[0] or ""
    except LiveryError:
        return view.head.default_profile_slug


def _count(view: RegistryView) -> int:
    """How many profiles there are; where a source cannot be asked any more, how many are known."""
    try:
        return len(view.profiles)
    except LiveryError:
        return len(view.profiles.at_hand)


def registry_document(view: RegistryView) -> Registry:
    """A registry as seen over all sources, with the merged documents of its sound profiles by name."""
    if not isinstance(view.profiles, HeldProfiles):
        return replace(copied_registry(replace(view.head, profiles={})), profiles=_Merged(view.profiles))
    profiles = {name: stack.profile for name, stack in sorted(view.profiles.items()) if not stack.fault}
    return copied_registry(replace(view.head, profiles=profiles))


class _Merged(Mapping[str, Profile]):
    """The merged documents of profiles that are not all in memory: each is made when it is looked at."""

    def __init__(self, profiles: Profiles) -> None:
        self._profiles = profiles

    def __getitem__(self, slug: str) -> Profile:
        stack = self._profiles[slug]
        if stack.fault is not None:
            raise KeyError(slug)
        return copied_profile(stack.profile)

    def __iter__(self) -> Iterator[str]:
        return (stack.reference.profile for stack in self._profiles.every() if stack.fault is None)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def profile_summary(stack: ProfileStack, view: RegistryView, default: str | None, fault: str = "") -> ProfileSummary:
    """A profile in a list; ``default`` is the registry's default profile, ``fault`` what a check of the whole found.

    Nothing is read for it.
    """
    slug = stack.reference.profile
    if not stack.layers:
        return broken_summary(view.slug, slug, "", str(stack.fault))
    heading = stack.public.heading
    metadata, source = heading.metadata, stack.layers[0].source
    display_name, description, tags = heading.display_name, heading.description, metadata.tags
    if len(stack.layers) > 1:  # most have one, and a list should be quick
        headings = [layer.heading for layer in stack.layers]
        source = ", ".join(layer.source for layer in stack.layers)
        display_name = last_given(heading.display_name for heading in headings)
        description = last_given(heading.description for heading in headings)
        tags = next((h.metadata.tags for h in reversed(headings) if h.metadata.tags is not UNSET), UNSET)
    return ProfileSummary(
        slug,
        view.slug,
        display_name,
        description,
        stack.read_only_owner is not None,
        metadata.version,
        source,
        tags or (),
        slug == default,
        metadata.updated_at_ms or 0,
        metadata.last_applied_at_ms or 0,
        str(stack.known_fault) if stack.known_fault else fault,
    )


def heading_summary(heading: Profile, registry: str, source: str, *, is_default: bool) -> ProfileSummary:
    """A profile of one source in a list, by its heading."""
    metadata = heading.metadata
    return ProfileSummary(
        heading.slug,
        registry,
        heading.display_name,
        heading.description,
        heading.policy.read_only,
        metadata.version,
        source,
        metadata.tags or (),
        is_default,
        metadata.updated_at_ms or 0,
        metadata.last_applied_at_ms or 0,
    )


def broken_summary(registry: str, slug: str, source: str, error: str) -> ProfileSummary:
    """A profile in a list of which nothing can be read."""
    return ProfileSummary(slug, registry, "", "", False, 0, source, (), False, 0, 0, error)


def with_places(rows: list[Explained], chain: Chain, catalogue: Catalogue) -> list[Explained]:
    """The explanation with the file and line of every step that stands in a file; each file is read once."""
    steps = [entry for row in rows for entry in row.history if entry.origin.source]
    places: dict[tuple[Any, ...], Place | None] = {}
    for source in chain.sources:
        own = [step for step in steps if step.origin.source == source.label]
        fields = [field_of(step, catalogue) for step in own]
        found = chain.places(source, fields)
        places.update({(step.origin, step.path): place for step, place in zip(own, found, strict=True)})
    return [
        row._replace(history=tuple(step._replace(place=places.get((step.origin, step.path))) for step in row.history))
        for row in rows
    ]


def field_of(step: HistoryEntry, catalogue: Catalogue) -> Field:
    """The field of a stored document that a step of an explanation comes from."""
    origin = step.origin
    view = catalogue.registries[origin.registry]
    if not origin.profile:
        heads = (layer.head for layer in view.layers if layer.source == origin.source)
        path = _written_path(step.path, next((getattr(head, origin.layer) for head in heads), RuntimeSpec()))
        return Field(origin.registry, "", ".".join((origin.layer, *path)))
    layers = (layer for layer in view.profiles[origin.profile].layers if layer.source == origin.source)
    path = _written_path(step.path, next((layer.profile.runtime for layer in layers), RuntimeSpec()))
    root = "" if path[0] == "extensions" else "runtime."
    return Field(origin.registry, origin.profile, root + ".".join(path))


def _written_path(path: Path, runtime: RuntimeSpec) -> Path:
    """A path into a keyed list with the element's position in the document instead of its key."""
    if len(path) < 2 or path[0] not in KEYED_LISTS:
        return path
    field = path[:1]
    elements: Any = getattr(runtime, path[0])
    if isinstance(elements, dict) and len(elements) == 1:  # a directive
        ((name, elements),) = elements.items()
        field = (*field, name)
    for position, element in enumerate(elements if isinstance(elements, list) else ()):
        if isinstance(element, dict) and _key(element) == path[1]:
            return (*field, str(position), *path[2:])
    return field


def _key(element: dict[str, Any]) -> str:
    return f"{element.get('name')}#{element['id']}" if element.get("id") else str(element.get("name"))
