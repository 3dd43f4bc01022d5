"""From one state of a source to the next: what is kept of the one before, and whether anything has changed."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from livery.core.profile import Registry, equal, mark
from livery.stores.protocols import BrokenItem, Loaded, Notice

Item = tuple[str, str]
"""A registry and a profile of it; an empty profile is the registry itself."""


def with_known(
    new: Loaded, old: Loaded, marks: Mapping[Item, bytes], stale: frozenset[Item]
) -> tuple[Loaded, dict[Item, bytes]]:
    """The new state with the same objects for profiles that are as they were, and the marks of all profiles.

    What was made of an object holds as long as it is the same. Of headings nobody can say so: what they stand for may
    have changed.
    """
    if new.read is not None or new.snapshot is not None:
        return new, {}
    before = {registry.slug: registry.profiles for registry in old.registries}
    found: dict[Item, bytes] = {}
    registries = []
    for registry in new.registries:
        known, profiles = before.get(registry.slug, {}), {}
        for slug, profile in registry.profiles.items():
            item = (registry.slug, slug)
            found[item] = mark(profile)
            is_known = slug in known and marks.get(item) == found[item] and item not in stale
            profiles[slug] = known[slug] if is_known else profile
        registries.append(replace(registry, profiles=profiles))
    return new._replace(registries=tuple(registries)), found


def with_last_good(new: Loaded, old: Loaded, stale: frozenset[Item]) -> tuple[Loaded, frozenset[Item]]:
    """The new state with the earlier version of every item that is now broken and was sound, and which those are."""
    broken_before = {(item.registry, item.profile) for item in old.broken} - stale
    before = {registry.slug: registry for registry in old.registries}
    kept = frozenset(
        (item.registry, item.profile)
        for item in new.broken
        if (item.registry, item.profile) not in broken_before
        and item.registry in before
        and (not item.profile or item.profile in before[item.registry].profiles)
    )
    if not kept:
        return new, kept
    here = {registry.slug for registry in new.registries}
    gone = (before[slug] for slug, profile in sorted(kept) if not profile and slug not in here)
    registries = tuple(_kept(registry, before.get(registry.slug), kept) for registry in (*new.registries, *gone))
    return new._replace(registries=registries), kept


def _kept(new: Registry, old: Registry | None, kept: frozenset[Item]) -> Registry:
    """A registry with the earlier head and profiles of those items that are kept."""
    if old is None:
        return new
    head = old if (new.slug, "") in kept else new
    profiles = {slug: profile for slug, profile in old.profiles.items() if (new.slug, slug) in kept}
    return replace(head, profiles={**new.profiles, **profiles}) if profiles or head is old else new


def same_content(one: Loaded, other: Loaded) -> bool:
    """Whether two states hold the same; where in a file things stand does not count, but for what is broken.

    Of profiles that are read when they are needed nobody can say so as long as the states differ.
    """
    if one.snapshot is not other.snapshot:
        return False
    if one.registries != other.registries or (one.read is not None and one.token != other.token):
        return False
    if [_noted(notice) for notice in one.notices] != [_noted(notice) for notice in other.notices]:
        return False
    if [_broken_text(item) for item in one.broken] != [_broken_text(item) for item in other.broken]:
        return False
    return all(map(equal, one.registries, other.registries))


def _noted(notice: Notice) -> tuple[str, str, str, str]:
    return (notice.registry, notice.profile, notice.fault.field, notice.fault.reason)


def _broken_text(item: BrokenItem) -> tuple[str, str, str]:
    return (item.registry, item.profile, str(item.error))
