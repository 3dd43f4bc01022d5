"""A state of a store with changes laid over it: only what is changed is held, all else is asked of the state below."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from msgspec import UNSET
from msgspec.structs import replace

from livery.core.names import Reference
from livery.core.profile import Profile, Registry, RuntimeSpec
from livery.errors import ValidationError
from livery.stores.copies import copied_profile, copied_registry
from livery.stores.protocols import BrokenItem, Event, Loaded, Snapshot


class Laid(NamedTuple):
    """What is laid over a profile: another one, or None where it goes; and whether there is one below."""

    profile: Profile | None
    is_below: bool


Overlay = Mapping[str, Mapping[str, Laid]]
"""Changed profiles by registry and slug."""


class RehearsedSnapshot:
    """The state right after some rehearsed changes; what it costs is what they are, however much lies below."""

    def __init__(
        self,
        below: Snapshot,
        seq: int,
        heads: tuple[Registry, ...],
        overlay: Overlay,
        events: tuple[Event, ...] = (),
        follows: int | None = None,
    ) -> None:
        self.below = below
        self.seq = seq
        self.heads = heads
        self.broken: tuple[BrokenItem, ...] = below.broken
        self.events = events
        self.follows = follows
        self.overlay = overlay

    def following(self, seq: int, events: tuple[Event, ...]) -> RehearsedSnapshot:
        """The same state, told by the changes since an earlier one."""
        return RehearsedSnapshot(self.below, self.seq, self.heads, self.overlay, events, seq)

    def profile(self, registry: str, slug: str) -> Profile | None:
        laid = self._of(registry).get(slug)
        if laid is None:
            return self.below.profile(registry, slug)
        return copied_profile(laid.profile) if laid.profile is not None else None

    def count(self, registry: str) -> int:
        laid = self._of(registry).values()
        return self.below.count(registry) + sum((one.profile is not None) - one.is_below for one in laid)

    def names(self, registry: str, *, prefix: str = "", after: str = "", limit: int | None = None) -> list[str]:
        laid = self._of(registry)
        most = limit + len(laid) if limit is not None else None
        kept = self.below.names(registry, prefix=prefix, after=after, limit=most)
        own = [slug for slug in self._present(registry) if slug > after and slug.startswith(prefix)]
        return sorted({*own, *(slug for slug in kept if slug not in laid)})[:limit]

    def page(
        self, registry: str, *, after: str = "", limit: int, query: str = "", tag: str = ""
    ) -> list[Profile | BrokenItem]:
        laid = self._of(registry)
        kept = self.below.page(registry, after=after, limit=limit + len(laid), query=query, tag=tag)
        own = [heading_of(profile) for slug, profile in self._present(registry).items() if slug > after]
        found = [profile for profile in own if _matches(profile, query.casefold(), tag)]
        return sorted([*found, *(item for item in kept if _slug(item) not in laid)], key=_slug)[:limit]

    def users(self, base: Reference) -> list[Reference]:
        own = (reference for reference, bases in self._bases() if base in bases)
        return sorted({*own, *self._untouched(self.below.users(base))})

    def users_of_registry(self, registry: str) -> list[Reference]:
        own = (
            reference
            for reference, bases in self._bases()
            if reference.registry != registry and any(base.registry == registry for base in bases)
        )
        return sorted({*own, *self._untouched(self.below.users_of_registry(registry))})

    def _of(self, registry: str) -> Mapping[str, Laid]:
        return self.overlay.get(registry, {})

    def _present(self, registry: str) -> dict[str, Profile]:
        """The profiles that are laid over something or nothing, without those that go."""
        laid = self._of(registry).items()
        return {slug: one.profile for slug, one in laid if one.profile is not None}

    def _bases(self) -> list[tuple[Reference, tuple[Reference, ...]]]:
        present = (profile for registry in self.overlay for profile in self._present(registry).values())
        return [(profile.reference, profile.bases) for profile in present]

    def _untouched(self, references: list[Reference]) -> list[Reference]:
        return [reference for reference in references if reference.profile not in self._of(reference.registry)]


def whole(snapshot: Snapshot) -> Loaded:
    """Everything in a state, each profile read."""
    broken = list(snapshot.broken)
    registries = []
    for head in snapshot.heads:
        profiles: dict[str, Profile] = {}
        for slug in snapshot.names(head.slug):
            try:
                profile = snapshot.profile(head.slug, slug)
            except ValidationError as error:
                broken.append(BrokenItem(head.slug, slug, error))
                continue
            if profile is not None:
                profiles[slug] = profile
        registries.append(replace(copied_registry(head), profiles=profiles))
    return Loaded(tuple(registries), tuple(broken), str(snapshot.seq))


def heading_of(profile: Profile) -> Profile:
    """A profile without its runtime, bases and extensions."""
    return replace(profile, runtime=RuntimeSpec(), extends=UNSET, extensions={})


def _slug(item: Profile | BrokenItem) -> str:
    return item.profile if isinstance(item, BrokenItem) else item.slug


def _matches(profile: Profile, folded: str, tag: str) -> bool:
    tags = profile.metadata.tags or ()
    if tag and tag not in tags:
        return False
    return folded in "\n".join((profile.slug, profile.display_name, profile.description, *tags)).casefold()
