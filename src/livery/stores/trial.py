"""The present state of the whole as it would be after a write: what is checked before anything is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from livery.core.catalogue import Catalogue, RegistryView
from livery.core.names import Reference
from livery.core.profile import Profile, Registry
from livery.core.stack import ProfileLayer, ProfileStack
from livery.stores.asked import ChangedProfiles
from livery.stores.generation import Rules, unavailable, view_of
from livery.stores.source import Source


class Instead(NamedTuple):
    """How the writer would hold a registry: its head (None: as it is), and some of its profiles (None: not at all)."""

    registry: str
    head: Registry | None = None
    profiles: Mapping[str, Profile | None] = {}


def trial(
    present: Catalogue, sources: Sequence[Source], writer: Source | None, rules: Rules, instead: Sequence[Instead]
) -> Catalogue:
    """The present state as it would be if the writer held these registries so; nothing is read or written."""
    views = dict(present.registries)
    for wanted in instead:
        view = views.get(wanted.registry)
        if view is None or wanted.head is not None or not any(layer.writer for layer in view.layers):
            head = wanted.head or Registry(slug=wanted.registry)
            view = view_of(wanted.registry, sources, writer, rules, present.generation, head, view)
        views[wanted.registry] = _changed(view, wanted.profiles, sources, writer)
    return Catalogue(
        views,
        default_registry=present.configured_default,
        generation=present.generation,
        unavailable=dict(unavailable(sources, to_be_made=writer)),
        users=present.users,
        seqs=present.seqs,
    )


def _changed(
    view: RegistryView, profiles: Mapping[str, Profile | None], sources: Sequence[Source], writer: Source | None
) -> RegistryView:
    """A registry in which the writer's layers of some profiles are others."""
    order = {source.label: position for position, source in enumerate(sources)}
    stacks: dict[str, ProfileStack | None] = {}
    for slug, profile in profiles.items():
        present = view.profiles.get(slug)
        layers = [layer for layer in (present.layers if present is not None else ()) if not layer.writer]
        if profile is not None and writer is not None:
            layers.append(ProfileLayer(writer.label, profile, view.own_schema, writer=True))
        layers.sort(key=lambda layer: order[layer.source])
        stacks[slug] = ProfileStack(Reference(view.slug, slug), layers) if layers else None
    return view.with_profiles(ChangedProfiles(view.profiles, stacks)) if stacks else view
