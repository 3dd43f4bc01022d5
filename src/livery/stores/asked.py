"""The profiles of a registry of which some are in memory and others are asked for, each when it is needed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from heapq import merge
from itertools import islice
from typing import Any

from livery.core.names import Reference
from livery.core.profile import Profile
from livery.core.profiles import Profiles
from livery.core.schema import SettingsSchema
from livery.core.stack import ProfileLayer, ProfileStack
from livery.errors import LiveryError, SourceNotFound, SourceUnavailable, ValidationError
from livery.stores.protocols import BrokenItem, Snapshot

_MOST_KEPT = 8_192  # profiles of one source: a few tens of megabytes
_FEWEST_KEPT = 64
_MANY, _TIMES = 50, 4  # names that are held, and how many times as many are listed rather than to ask for each
_AT_ONCE = 1_000

_NOTHING: Mapping[str, Profile] = {}
Examine = Callable[[ProfileStack], LiveryError | None]


class HeldLayers:
    """What a source whose profiles are in memory says of those of a registry."""

    def __init__(self, layers: Mapping[str, ProfileLayer]) -> None:
        self.layers = layers

    def layer(self, slug: str) -> ProfileLayer | None:
        return self.layers.get(slug)


class AskedLayers:
    """What a snapshot says of the profiles of a registry. Those that were asked for are kept, up to a bound.

    ``instead`` are earlier versions of profiles that are taken in place of what the snapshot says.
    """

    def __init__(
        self,
        registry: str,
        label: str,
        snapshot: Snapshot,
        schema: SettingsSchema,
        *,
        writer: bool,
        instead: Mapping[str, Profile] | None = None,
    ) -> None:
        self.registry, self.label, self.snapshot = registry, label, snapshot
        self.schema, self.writer = schema, writer
        self.most = max(_FEWEST_KEPT, _MOST_KEPT // max(1, len(snapshot.heads)))
        """How many profiles are kept: what a source may keep is divided among its registries."""
        self.instead = {slug: self._layer(profile) for slug, profile in (instead or {}).items()}
        self._kept: dict[str, ProfileLayer] = {}
        self._absent: set[str] = set()

    def layer(self, slug: str) -> ProfileLayer | None:
        """The layer of a profile, if there is one; ValidationError where it is broken."""
        kept = self.instead.get(slug) or self._kept.get(slug)
        if kept is None and slug not in self._absent:
            kept = self.looked_at(slug)
            if kept is not None:
                self._keep(slug, kept)
        return kept

    def know_absent(self, slug: str) -> None:
        """Remember that there is nothing of a profile, which other sources hold: it is looked up each time."""
        self._absent.add(slug)

    def look_for(self, slugs: Collection[str]) -> None:
        """Know which of very many names there are none of, without asking for each."""
        unknown = [slug for slug in slugs if slug not in self._absent and slug not in self._kept]
        with suppress(SourceUnavailable):  # then each is asked for, and says so
            if len(unknown) > _MANY and self.count() <= _TIMES * len(unknown):
                self._absent |= set(unknown).difference(self.names())

    def looked_at(self, slug: str) -> ProfileLayer | None:
        """The layer of a profile, as :meth:`layer` gives it; it is not kept."""
        kept = self.instead.get(slug) or self._kept.get(slug)
        if kept is not None:
            return kept
        with self._there():
            profile = self.snapshot.profile(self.registry, slug)
        return self._layer(profile) if profile is not None else None

    def names(self, *, prefix: str = "", after: str = "", limit: int | None = None) -> list[str]:
        """The slugs in order, as the snapshot has them."""
        with self._there():
            return self.snapshot.names(self.registry, prefix=prefix, after=after, limit=limit)

    def count(self) -> int:
        """How many there are, as the snapshot has them."""
        with self._there():
            return self.snapshot.count(self.registry)

    def page(self, *, after: str, limit: int, query: str, tag: str) -> list[Profile | BrokenItem]:
        """Some headings, as the snapshot has them."""
        with self._there():
            return self.snapshot.page(self.registry, after=after, limit=limit, query=query, tag=tag)

    @contextmanager
    def _there(self) -> Iterator[None]:
        """SourceUnavailable where the source is gone: it was there when the snapshot was made."""
        try:
            yield
        except SourceNotFound:
            raise SourceUnavailable(self.label, "it is no longer there") from None

    def _layer(self, profile: Profile) -> ProfileLayer:
        return ProfileLayer(self.label, profile, self.schema, writer=self.writer)

    def _keep(self, slug: str, layer: ProfileLayer) -> None:
        if len(self._kept) >= self.most:  # whoever is in use comes back; that is cheaper than to note every use
            self._kept = {}
        self._kept[slug] = layer

    def is_like(self, label: str, schema: SettingsSchema, *, writer: bool) -> bool:
        return (self.label, self.writer) == (label, writer) and self.schema is schema

    def after(self, snapshot: Snapshot, changed: Iterable[str], known: Mapping[str, Profile] = _NOTHING) -> AskedLayers:
        """The same at a later snapshot, before which some profiles have changed; nothing is taken instead.

        ``known`` are those of which the snapshot's version is at hand already.
        """
        later = self._copied(snapshot, changed, {})
        for slug, profile in known.items():
            later._keep(slug, later._layer(profile))
        return later

    def with_instead(self, instead: Mapping[str, Profile]) -> AskedLayers:
        """The same with other profiles that are taken in place of what the snapshot says."""
        return self._copied(self.snapshot, (), instead) if instead or self.instead else self

    def _copied(self, snapshot: Snapshot, changed: Iterable[str], instead: Mapping[str, Profile]) -> AskedLayers:
        later = AskedLayers(self.registry, self.label, snapshot, self.schema, writer=self.writer, instead=instead)
        later._kept = self._kept.copy()
        later._absent = self._absent.difference(changed)
        for slug in changed:
            later._kept.pop(slug, None)
        return later


class AskedProfiles(Profiles):
    """The profiles of a registry over several sources, the lowest first; some of the sources are asked."""

    def __init__(
        self, registry: str, parts: Sequence[HeldLayers | AskedLayers], faults: Mapping[str, LiveryError]
    ) -> None:
        self.registry = registry
        self.parts = tuple(parts)
        self.faults = faults
        self.examine: Examine = lambda stack: None
        self._stacks: dict[str, ProfileStack] = {}
        self._count: int | None = None
        own = dict.fromkeys(
            slug for part in parts for slug in (part.layers if isinstance(part, HeldLayers) else part.instead)
        )
        self._held_names = dict.fromkeys([*own, *faults])

    def look_for_held(self) -> None:
        """Learn at once what the sources that are asked have of very many profiles that others hold."""
        if len(self._held_names) > _MANY:
            for part in self.asked:
                part.look_for(self._held_names)

    def after(self, parts: Sequence[HeldLayers | AskedLayers], changed: Iterable[str], more: int) -> AskedProfiles:
        """The same with other parts, in which some profiles that are not held have changed; there are ``more``."""
        later = AskedProfiles(self.registry, parts, self.faults)
        if self._count is not None and self.is_told_once:  # one that is in two databases is one
            later._count = self._count + more
        later._stacks = self._stacks.copy()
        for slug in changed:
            later._stacks.pop(slug, None)
        return later

    @property
    def asked(self) -> list[AskedLayers]:
        return [part for part in self.parts if isinstance(part, AskedLayers)]

    @property
    def is_told_once(self) -> bool:
        return len(self.asked) < 2

    def __getitem__(self, slug: str) -> ProfileStack:
        stack = self._stacks.get(slug)
        if stack is None:
            stack = self._stack(slug, keep=True)
            if stack is None:
                raise KeyError(slug)
            if isinstance(stack.known_fault, SourceUnavailable):
                return stack  # perhaps it is there again when it is asked for next
            if len(self._stacks) >= sum(part.most for part in self.asked) + len(self._held_names):
                self._stacks = {}
            self._stacks[slug] = stack
        return stack

    def __contains__(self, slug: object) -> bool:
        return isinstance(slug, str) and self.get(slug) is not None

    def get(self, slug: str, default: Any = None) -> Any:
        try:  # as the one that is inherited, which asks twice
            return self._stacks.get(slug) or self[slug]
        except KeyError:
            return default

    def _stack(self, slug: str, *, keep: bool) -> ProfileStack | None:
        layers: list[ProfileLayer] = []
        fault = self.faults.get(slug)
        for part in self.parts:
            try:
                layer = part.looked_at(slug) if isinstance(part, AskedLayers) and not keep else part.layer(slug)
            except ValidationError as error:
                fault = fault or error
                continue
            except SourceUnavailable as error:
                if slug not in self._held_names:
                    raise
                fault = fault or error  # the others that are held are looked through all the same
                continue
            if layer is not None:
                layers.append(layer)
            elif slug in self._held_names and isinstance(part, AskedLayers):
                part.know_absent(slug)
        if not layers and fault is None:
            return None
        stack = ProfileStack(Reference(self.registry, slug), layers, fault, examine=self.examine)
        if not stack.is_deferred:
            _ = stack.fault  # now: a stack that is kept must not keep the state that it was made in
        return stack

    def __iter__(self) -> Iterator[str]:
        last = None
        for name in merge(sorted(self._held_names), *(_all_names(part) for part in self.asked)):
            if name != last:
                yield name
            last = name

    def __len__(self) -> int:
        if self._count is None:
            self._count = self._counted()
        return self._count

    def _counted(self) -> int:
        if len(self.asked) != 1:
            return sum(1 for _ in self)
        (part,) = self.asked
        alone = sum(part.names(prefix=name, limit=1) != [name] for name in self._held_names)
        return part.count() + alone

    def __bool__(self) -> bool:
        return bool(self._held_names) or bool(self.names(limit=1))

    @property
    def held_names(self) -> Collection[str]:
        return self._held_names

    @cached_property
    def is_asked_twice(self) -> bool:
        """Whether more than one source is asked."""
        return len(self.asked) > 1

    def is_at_hand(self, slug: str) -> bool:
        """Whether a profile is in memory now."""
        return slug in self._stacks or slug in self._held_names

    @property
    def at_hand(self) -> Collection[str]:
        return dict.fromkeys([*self._held_names, *self._stacks.copy()])

    @property
    def held(self) -> Collection[ProfileStack]:
        return [self[slug] for slug in self._held_names]

    def every(self) -> Iterator[ProfileStack]:
        for slug in self:
            stack = self._stacks.get(slug) or self._stack(slug, keep=False)
            if stack is not None:
                yield stack

    def names(self, *, prefix: str = "", after: str = "", limit: int | None = None) -> list[str]:
        own = sorted(name for name in self._held_names if name > after and name.startswith(prefix))
        asked = (part.names(prefix=prefix, after=after, limit=limit) for part in self.asked)
        return list(islice(dict.fromkeys(merge(own, *asked)), limit))

    def users_of(self, base: Reference) -> Iterable[ProfileStack]:
        return [stack for stack in self.held if stack.is_deferred or base in stack.bases]


def _all_names(part: AskedLayers) -> Iterator[str]:
    """The names in a part, asked for some at a time."""
    after = ""
    while names := part.names(after=after, limit=_AT_ONCE):
        yield from names
        after = names[-1]


class ChangedProfiles(Profiles):
    """The profiles of a registry as they would be if some were others, or gone (None)."""

    def __init__(self, present: Profiles, changed: Mapping[str, ProfileStack | None]) -> None:
        self.present = present
        self.changed = changed

    def __getitem__(self, slug: str) -> ProfileStack:
        if slug not in self.changed:
            return self.present[slug]
        stack = self.changed[slug]
        if stack is None:
            raise KeyError(slug)
        return stack

    def __contains__(self, slug: object) -> bool:
        return self.changed[slug] is not None if slug in self.changed else slug in self.present  # type: ignore[index]

    def __iter__(self) -> Iterator[str]:
        yield from (slug for slug in self.present if self.changed.get(slug, self) is not None)
        yield from (slug for slug, stack in self.changed.items() if stack is not None and slug not in self.present)

    def __len__(self) -> int:
        new = sum(stack is not None and slug not in self.present for slug, stack in self.changed.items())
        gone = sum(stack is None and slug in self.present for slug, stack in self.changed.items())
        return len(self.present) + new - gone

    @property
    def is_told_once(self) -> bool:
        return self.present.is_told_once

    @property
    def held_names(self) -> Collection[str]:
        kept = (slug for slug in self.present.held_names if slug not in self.changed)
        return [*kept, *(slug for slug, stack in self.changed.items() if stack is not None)]

    @property
    def at_hand(self) -> Collection[str]:
        return self.held_names

    @property
    def held(self) -> Collection[ProfileStack]:
        kept = [stack for stack in self.present.held if stack.reference.profile not in self.changed]
        return [*kept, *self._own]

    @property
    def _own(self) -> list[ProfileStack]:
        return [stack for stack in self.changed.values() if stack is not None]

    def every(self) -> Iterator[ProfileStack]:
        yield from (stack for stack in self.present.every() if stack.reference.profile not in self.changed)
        yield from self._own

    def names(self, *, prefix: str = "", after: str = "", limit: int | None = None) -> list[str]:
        wanted = None if limit is None else limit + len(self.changed)
        names = self.present.names(prefix=prefix, after=after, limit=wanted)
        new = [slug for slug in self.changed if slug > after and slug.startswith(prefix)]
        return [slug for slug in sorted({*names, *new}) if self.changed.get(slug, self) is not None][:limit]

    def users_of(self, base: Reference) -> Iterable[ProfileStack]:
        kept = [stack for stack in self.present.users_of(base) if stack.reference.profile not in self.changed]
        return [*kept, *(stack for stack in self._own if base in stack.bases)]
