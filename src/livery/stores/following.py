"""The next state of the whole, made from the present one where only profiles that are asked for have changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from livery.core.catalogue import Catalogue, RegistryView
from livery.core.names import Reference
from livery.stores.asked import AskedLayers, AskedProfiles, HeldLayers
from livery.stores.generation import Generation, Rules, examining, logged_in, seqs_in, users_in
from livery.stores.protocols import Event
from livery.stores.source import Source


def followed(
    before: Generation, sources: Sequence[Source], changed: Sequence[Source], rules: Rules
) -> Generation | None:
    """The state after changes of profiles that are asked for, made from the one before; None where it is not so easy.

    Nothing else is looked at: what is held in memory is as it was, and so is what was found in it.
    """
    catalogue = before.catalogue
    if any(source.is_disturbed or not source.is_followed for source in changed):
        return None
    events = [event for source in changed for event in source.events]
    if any(_concerns_held(catalogue, event) for event in events):
        return None
    views = catalogue.registries.values()
    if any(part.instead for view in views if isinstance(view.profiles, AskedProfiles) for part in view.profiles.asked):
        return None  # whether earlier versions are still needed is decided anew
    by_registry = {slug: [event for event in events if event.registry == slug] for slug in {e.registry for e in events}}
    registries = {
        slug: _gone_on(view, by_registry.get(slug, ()), changed, sources) for slug, view in catalogue.registries.items()
    }
    news = Catalogue(
        registries,
        default_registry=rules.default_registry,
        generation=catalogue.generation + 1,
        unavailable=catalogue.unavailable,
        users=users_in(sources),
        logged=logged_in(sources),
        seqs=seqs_in(sources),
    )
    return Generation(news, before.findings)


def _concerns_held(catalogue: Catalogue, event: Event) -> bool:
    """Whether a change may let anything that is held in memory be seen otherwise."""
    view = catalogue.registries.get(event.registry)
    if not event.profile or view is None or not isinstance(view.profiles, AskedProfiles):
        return True
    if event.profile in view.profiles.held_names:
        return True
    is_there_as_before = event.from_version and event.to_version
    named = (view.head.default_profile_slug, *view.head.callers.values())
    if not is_there_as_before and (event.profile in named or not view.head.default_profile_slug):
        return True
    base = Reference(event.registry, event.profile)
    return any(
        base in stack.bases for other in catalogue.registries.values() for stack in other.profiles.users_of(base)
    )


def _gone_on(
    view: RegistryView, events: Sequence[Event], changed: Sequence[Source], sources: Sequence[Source]
) -> RegistryView:
    """A registry after changes of some of its profiles."""
    profiles = view.profiles
    if not isinstance(profiles, AskedProfiles):
        return view
    later = {source.label: source for source in changed}
    if not events:
        for part in profiles.asked:
            if part.label in later:  # of what it has told nothing is different there, so that it need not be told anew
                part.snapshot = later[part.label].loaded.snapshot or part.snapshot
        return view
    names = {event.profile for event in events}
    parts = [_later(part, names, later) for part in profiles.parts]
    more = sum(bool(event.to_version) - bool(event.from_version) for event in events)
    new = profiles.after(parts, names, more)
    return examining(view.with_profiles(new), new, sources)


def _later(
    part: HeldLayers | AskedLayers, names: Iterable[str], sources: Mapping[str, Source]
) -> HeldLayers | AskedLayers:
    source = sources.get(part.label) if isinstance(part, AskedLayers) else None
    snapshot = source.loaded.snapshot if source is not None else None
    if source is None or snapshot is None or not isinstance(part, AskedLayers):
        return part
    return part.after(snapshot, names, source.written(part.registry))
