"""Lists of profiles over all sources: in order, what matches, from one profile on. Nothing is read whole for them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from heapq import merge
from itertools import groupby
from typing import NamedTuple

from livery.core.catalogue import RegistryView
from livery.core.names import Reference
from livery.core.profile import Profile
from livery.service.protocols import ProfileSummary
from livery.service.reading import broken_summary, heading_summary, profile_summary
from livery.stores.asked import AskedLayers, AskedProfiles
from livery.stores.protocols import BrokenItem

_AT_ONCE = 1_000


class Wanted(NamedTuple):
    """Which profiles are wanted: each of ``words`` is in a name, the description or a tag, and every tag is there."""

    words: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    limit: int | None = None

    def matches(self, profile: ProfileSummary) -> bool:
        if not set(self.tags) <= set(profile.tags):
            return False
        if not self.words:
            return True
        texts = (profile.registry, profile.slug, profile.display_name, profile.description, *profile.tags)
        text = "\n".join(texts).casefold()
        return all(word in text for word in self.words)


def summaries(
    view: RegistryView, wanted: Wanted, faults: Mapping[Reference, str], after: str | None
) -> Iterator[ProfileSummary]:
    """The profiles of one registry that match, in the order of lists, after one of them; broken ones too."""
    default = view.default_profile[0]
    names = (name for name in listed(view, view.profiles.held_names) if after is None or _is_after(view, name, after))
    held = (
        profile_summary(view.profiles[name], view, default, faults.get(Reference(view.slug, name), ""))
        for name in names
    )
    if isinstance(view.profiles, AskedProfiles):
        asked = [_asked(part, view, view.profiles, default, wanted, after or "") for part in view.profiles.asked]
        found = merge(held, *asked, key=lambda summary: summary.slug)
        held = (next(group) for _, group in groupby(found, key=lambda summary: summary.slug))
    return (summary for summary in held if wanted.matches(summary))


def listed(view: RegistryView, names: Iterable[str]) -> list[str]:
    """Names in the order of lists; the base that a config-profiles source lays under all is the first."""
    ordered = sorted(names)
    if "default" in ordered and _begins_with_default(view):
        ordered.remove("default")
        ordered.insert(0, "default")
    return ordered


def _begins_with_default(view: RegistryView) -> bool:
    return not isinstance(view.profiles, AskedProfiles) and any(
        layer.source.startswith("config-profiles:") for layer in view.layers
    )


def _is_after(view: RegistryView, name: str, last: str) -> bool:
    if _begins_with_default(view) and "default" in (name, last):
        return last == "default" and name != "default"
    return name > last


def _asked(
    part: AskedLayers, view: RegistryView, profiles: AskedProfiles, default: str | None, wanted: Wanted, after: str
) -> Iterator[ProfileSummary]:
    """The profiles of a part that are asked for; those that are held as well are not among them."""
    limit = min(wanted.limit or _AT_ONCE, _AT_ONCE)
    words = [word for word in wanted.words if word.isascii() and word.isalnum() and word not in view.slug]
    query, tag = next(iter(words), ""), next(iter(wanted.tags), "")
    if query and profiles.is_asked_twice:
        tag = ""  # the word may stand in one part and the tag in another
    while True:
        page = part.page(after=after, limit=limit, query=query, tag=tag)
        for item in page:
            slug = item.profile if isinstance(item, BrokenItem) else item.slug
            if slug not in profiles.held_names:
                yield _summary(item, part, view, profiles, default)
            after = slug
        if len(page) < limit:
            return


def _summary(
    item: Profile | BrokenItem, part: AskedLayers, view: RegistryView, profiles: AskedProfiles, default: str | None
) -> ProfileSummary:
    slug = item.profile if isinstance(item, BrokenItem) else item.slug
    if profiles.is_asked_twice or profiles.is_at_hand(slug):
        return profile_summary(profiles[slug], view, default)
    if isinstance(item, BrokenItem):
        return broken_summary(view.slug, slug, part.label, str(item.error))
    return heading_summary(item, view.slug, part.label, is_default=item.slug == default)
