"""What is different in one generation of the catalogue from the one before, item by item."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import zip_longest
from typing import Any, Literal, NamedTuple

import msgspec
from msgspec import UNSET

from livery.core.catalogue import Catalogue, RegistryView
from livery.core.profile import Profile, Registry
from livery.core.profiles import HeldProfiles
from livery.core.stack import ProfileLayer, ProfileStack
from livery.core.values import TypedText, same
from livery.errors import LiveryError, SourceUnavailable

Kind = Literal["created", "updated", "deleted", "broken", "repaired"]
Scope = Literal["runtime", "presentation"]
Item = tuple[str, str]
"""A registry and a profile of it; an empty profile is the registry itself."""

Stale = Mapping[Item, str]
"""Items (registry, profile; empty: the registry itself) that are served as they were before, and why."""

EVERY_REGISTRY = "*"
"""The registry of a change that may be one of any: a source that could never be read may hold every one."""

NOTHING_STALE: Stale = {}
_encoded = msgspec.msgpack.Encoder(enc_hook=str).encode
_RUNTIME = ("extends", "runtime", "policy")
_PRESENTATION = ("display_name", "description", "extensions")
_REGISTRY_RUNTIME = (
    "default_profile_slug", "defaults", "enforced", "policy", "callers", "fallback", "settings_schema",
    "foreign_sections",
)  # fmt: skip
_REGISTRY_PRESENTATION = ("display_name", "description")


class Change(NamedTuple):
    """What happened to a registry (``profile`` empty) or to a profile.

    A version of 0 is that of nothing. ``broken``: it cannot be used any more, or its last good version is served, and
    ``error`` says why; ``repaired``: it can be used again, as it was before. ``scope`` is ``presentation`` where only
    names, descriptions, tags or extensions are different. ``seq`` is the number in the change log of ``source``; 0 and
    empty where no log tells of it.
    """

    registry: str
    profile: str
    kind: Kind
    from_version: int
    to_version: int
    scope: Scope
    error: str = ""
    seq: int = 0
    source: str = ""


class _State(NamedTuple):
    """How an item stands in one generation: whether there is one, whether it can be used, and why it is not sound."""

    is_there: bool = False
    is_usable: bool = False
    version: int = 0
    error: str = ""


_ABSENT = _State()


def changes_between(
    before: Catalogue | None,
    after: Catalogue,
    stale_before: Stale = NOTHING_STALE,
    stale_after: Stale = NOTHING_STALE,
) -> list[Change]:
    """What the change logs say, each of it, in their order; then the rest by registry and profile.

    Of the rest nothing is read that was not read before; a registry's own change comes before those of its profiles.
    """
    old, new = _Side(before or Catalogue({}), stale_before), _Side(after, stale_after)
    told = [change for change in after.logged or () if _is_logged_alone(change.registry, change.profile, old, new)]
    logged: dict[Item, list[Change]] = {}
    for change in after.logged or ():
        logged.setdefault((change.registry, change.profile), []).append(change)
    rest = [change for slug in sorted(old.slugs | new.slugs) for change in _of_registry(slug, old, new, logged)]
    own = {(change.registry, change.profile) for change in told}
    return told + [change for change in rest if change[:2] not in own or change.kind in ("broken", "repaired")]


def _is_logged_alone(registry: str, profile: str, old: _Side, new: _Side) -> bool:
    """Whether an item is in no source but those whose change logs tell of it."""
    views = [side.views[registry] for side in (old, new) if registry in side.views]
    if not profile:
        return all(len(view.layers) == 1 and not isinstance(view.profiles, HeldProfiles) for view in views)
    if any(profile in view.profiles.held_names for view in views):
        return False
    return all(view.profiles.is_told_once for view in views) or len(_sources(registry, profile, old, new)) < 2


def _sources(registry: str, profile: str, old: _Side, new: _Side) -> set[str]:
    """The sources that hold a profile in one of two generations, as far as anybody can say."""
    found: set[str] = set()
    for side in (old, new):
        with suppress(SourceUnavailable):
            stack = side.stacks(registry).get(profile)
            found.update(layer.source for layer in stack.layers) if stack is not None else None
    return found


class _Side:
    """One generation with what is stale in it."""

    def __init__(self, catalogue: Catalogue, stale: Stale) -> None:
        self.stale = stale
        self.views = catalogue.registries
        self.unavailable = {slug or EVERY_REGISTRY: error for slug, error in catalogue.unavailable.items()}
        self.slugs = {*self.views, *self.unavailable}

    def registry(self, slug: str) -> _State:
        view, error = self.views.get(slug), self.unavailable.get(slug)
        why = _text(error) or self.stale.get((slug, ""), "")
        if view is None:
            return _State(error=why)
        return _State(True, error is None, _version(view), why)

    def profile(self, slug: str, name: str) -> _State:
        stack = self.stacks(slug).get(name)
        if stack is None:
            return _ABSENT
        fault = stack.known_fault
        version = stack.public.heading.version if stack.layers else 0
        return _State(True, fault is None, version, _text(fault) or self.stale.get((slug, name), ""))

    def stacks(self, slug: str) -> Mapping[str, ProfileStack]:
        return self.views[slug].profiles if slug in self.views else {}

    def at_hand(self, slug: str) -> Collection[str]:
        """The profiles of a registry that are in memory now."""
        return self.views[slug].profiles.at_hand if slug in self.views else ()


def _text(error: LiveryError | None) -> str:
    return str(error) if error is not None else ""


def _version(view: RegistryView) -> int:
    """The version of the writer's layer, else of the highest."""
    heads = [layer.head for layer in view.layers if layer.writer] or [layer.head for layer in view.layers[-1:]]
    return heads[0].version if heads else 0


def _of_registry(slug: str, old: _Side, new: _Side, logged: Mapping[Item, Sequence[Change]]) -> Iterator[Change]:
    one, other = old.views.get(slug), new.views.get(slug)
    is_same = one is not None and other is not None and one.stamp == other.stamp
    scope = _registry_scope(one, other) if one and other and not is_same else None
    yield from _changes(slug, "", old.registry(slug), new.registry(slug), scope)
    if one is other:
        names: Iterable[str] = (name for registry, name in {**old.stale, **new.stale} if registry == slug and name)
    else:
        names = _unsettled(slug, old, new) if is_same else {*old.at_hand(slug), *new.at_hand(slug)}
        names = {*names, *(name for registry, name in logged if registry == slug and name)}
    for name in sorted(set(names)):
        try:
            yield from _of_profile(slug, name, old, new)
        except SourceUnavailable:  # nobody can say any more what it was: it was not in use
            yield from logged.get((slug, name), ())


def _of_profile(slug: str, name: str, old: _Side, new: _Side) -> list[Change]:
    before, after = old.stacks(slug).get(name), new.stacks(slug).get(name)
    scope = _profile_scope(before, after) if before and after else None
    return list(_changes(slug, name, old.profile(slug, name), new.profile(slug, name), scope))


def _unsettled(slug: str, old: _Side, new: _Side) -> Iterator[str]:
    """The profiles of a registry with equal documents that may be told apart all the same: broken or not read."""
    for side in (old, new):
        for name in side.at_hand(slug):
            stack = side.stacks(slug)[name]
            if stack.known_fault or not stack.is_read or (slug, name) in side.stale:
                yield name


def _changes(registry: str, profile: str, old: _State, new: _State, scope: Scope | None) -> Iterator[Change]:
    """What became of one item; ``scope`` is that of the difference of its content, if there is one."""

    def change(kind: Kind, scope: Scope = "runtime", error: str = "") -> Change:
        return Change(registry, profile, kind, old.version, new.version, scope, error)

    if new.error and new.error != old.error:
        yield change("broken", error=new.error)
    if not new.is_there:
        if old.is_there:
            yield change("deleted")
        elif old.error and not new.error:
            yield change("repaired")
    elif not new.is_usable:
        return
    elif old == _ABSENT:
        yield change("created")
    elif not old.is_usable:
        yield change("repaired")
    elif scope is not None:
        yield change("updated", scope)
    elif old.error and not new.error:
        yield change("repaired")


# What is different


def _profile_scope(old: ProfileStack, new: ProfileStack) -> Scope | None:
    if all(map(_is_untouched, zip_longest(old.layers, new.layers))):
        return None
    before = {layer.source: layer for layer in old.layers}
    after = {layer.source: layer for layer in new.layers}
    sources = dict.fromkeys([*before, *after])
    return _widest(_layer_scope(before.get(source), after.get(source)) for source in sources)


def _is_untouched(pair: tuple[ProfileLayer | None, ProfileLayer | None]) -> bool:
    """Whether two layers are surely the same, as most are: this has to be quick."""
    old, new = pair
    if old is new:
        return True
    if old is None or new is None or old.source != new.source or old.is_read is not new.is_read:
        return False
    return old.listed is new.listed or _encoded(old.heading) == _encoded(new.heading)


def _layer_scope(old: ProfileLayer | None, new: ProfileLayer | None) -> Scope | None:
    """A layer that is not there says nothing; one that is not read may say anything else."""
    if (old and not old.is_read) or (new and not new.is_read):
        if old is None or new is None:
            return "runtime"
        return _scope(old.listed, new.listed, ("policy",), _PRESENTATION)
    nothing = Profile(slug="")
    return _scope(old.profile if old else nothing, new.profile if new else nothing, _RUNTIME, _PRESENTATION)


def _registry_scope(old: RegistryView, new: RegistryView) -> Scope | None:
    before = {layer.source: layer.head for layer in old.layers}
    after = {layer.source: layer.head for layer in new.layers}
    nothing = Registry(slug="")
    pairs = [(before.get(source, nothing), after.get(source, nothing)) for source in dict.fromkeys([*before, *after])]
    return _widest(_scope(*pair, _REGISTRY_RUNTIME, _REGISTRY_PRESENTATION) for pair in pairs)


def _widest(scopes: Iterable[Scope | None]) -> Scope | None:
    found = set(scopes)
    return "runtime" if "runtime" in found else "presentation" if "presentation" in found else None


def _scope(
    old: Profile | Registry, new: Profile | Registry, runtime: tuple[str, ...], presentation: tuple[str, ...]
) -> Scope | None:
    if old is new:
        return None
    if not _equal(old, new, runtime):
        return "runtime"
    is_told_alike = (old.version, old.metadata.tags) == (new.version, new.metadata.tags)
    return None if is_told_alike and _equal(old, new, presentation) else "presentation"


def _equal(old: Profile | Registry, new: Profile | Registry, fields: tuple[str, ...]) -> bool:
    return all(_same(getattr(old, field), getattr(new, field)) for field in fields)


def _same(one: Any, other: Any) -> bool:
    """Equality as JSON has it; equal bytes are found quickly, and another order of keys is no difference."""
    if one is other:
        return True
    if one is UNSET or other is UNSET:
        return False
    return _encoded(one) == _encoded(other) or same(
        *(msgspec.to_builtins(value, builtin_types=(TypedText,)) for value in (one, other))
    )
