"""A profile under another name, and everything that names it."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import UNSET
from msgspec.structs import replace

from livery.core.catalogue import Catalogue, RegistryView
from livery.core.names import Reference
from livery.core.profile import Profile, Registry
from livery.core.stack import ProfileStack
from livery.errors import ProfileReadOnly, SourceReadOnly, StillReferenced
from livery.service.writes import layer_of
from livery.stores.chain import Instead
from livery.stores.protocols import ActiveProfileStore, WritableProfileStore, WriteOptions

Noted = Callable[[Profile | Registry | None, Profile | Registry | None], WriteOptions]
"""The options of one of the writes, from what is there before and after it."""


class Renaming:
    """What a rename changes, made before anything is written; refused where a part of it could not be."""

    def __init__(self, catalogue: Catalogue, view: RegistryView, stack: ProfileStack, new: Reference) -> None:
        self.old = stack.reference
        self.new = new
        self._own = _only_in_writer(stack)
        self._followers = _followers(catalogue, self.old)
        self._head = self._new_head(view)

    @property
    def changed(self) -> list[Reference]:
        """The profiles that are written."""
        return [self.new, *(follower.reference for follower in self._followers)]

    def instead(self) -> list[Instead]:
        """The writer's registries as they will be."""
        changed: dict[str, dict[str, Profile | None]] = {self.old.registry: {self.old.profile: None}}
        for profile in [*(new for _, new in self._written()), replace(self._own, slug=self.new.profile)]:
            changed.setdefault(profile.registry, {})[profile.slug] = profile
        heads = {self.old.registry: self._head[1] if self._head else None}
        return [Instead(slug, heads.get(slug), profiles) for slug, profiles in changed.items()]

    def save(self, store: WritableProfileStore, noted: Noted) -> Profile:
        """The profile under its new name, once all is written; at every moment each name that is used is there."""
        metadata = replace(self._own.metadata, runtime_version=UNSET)
        new = replace(self._own, slug=self.new.profile, metadata=metadata)
        made = noted(None, new)._replace(like=self.old.profile)
        saved = store.save_profile(new, made)
        for before, after in self._written():
            store.save_profile(after, noted(before, after)._replace(expected_version=before.version))
        if self._head is not None:
            store.save_registry(self._head[1], noted(*self._head)._replace(expected_version=self._head[0].version))
        pointing = getattr(store, "inner", store)
        if isinstance(pointing, ActiveProfileStore):
            pointing.follow_rename(self.old, self.new, made)
        store.delete_profile(self.old, noted(self._own, None)._replace(expected_version=self._own.version))
        return saved

    def _written(self) -> list[tuple[Profile, Profile]]:
        """The followers, and as they will be: with the new name among their bases."""
        return [
            (profile, replace(profile, extends=tuple(self.new if base == self.old else base for base in profile.bases)))
            for profile in self._followers
        ]

    def _new_head(self, view: RegistryView) -> tuple[Registry, Registry] | None:
        """The writer's head, and with the new name as default and in callers; None where nothing names the old one."""
        callers = {caller: self.new.profile for caller, slug in view.head.callers.items() if slug == self.old.profile}
        is_default = view.head.default_profile_slug == self.old.profile
        if not callers and not is_default:
            return None
        own = next(layer for layer in view.layers if layer.writer)
        above = view.layers[view.layers.index(own) + 1 :]
        fixed = [
            f"registry '{view.slug}' ({layer.source})"
            for layer in above
            if layer.head.default_profile_slug == self.old.profile or self.old.profile in layer.head.callers.values()
        ]
        if fixed:
            raise StillReferenced(f"profile '{self.old}'", fixed)
        default = self.new.profile if is_default else own.head.default_profile_slug
        return own.head, replace(own.head, default_profile_slug=default, callers={**own.head.callers, **callers})


def _only_in_writer(stack: ProfileStack) -> Profile:
    layer = layer_of(stack)
    others = [other.source for other in stack.layers if other is not layer]
    if layer is None or others:
        raise SourceReadOnly(f"profile '{stack.reference}'", others[0], advice="copy it instead")
    return layer.profile


def _followers(catalogue: Catalogue, reference: Reference) -> list[Profile]:
    """The writer's layers of the profiles that extend another; refused naming those that cannot be written."""
    found: list[Profile] = []
    fixed: list[str] = []
    for stack in catalogue.users_of(reference):
        for layer in stack.layers:
            if reference in (layer.extends or ()):
                if not layer.writer:
                    fixed.append(f"'{stack.reference}' ({layer.source})")
                elif stack.read_only_owner is not None:
                    raise ProfileReadOnly(str(stack.reference), stack.read_only_owner)
                found.append(layer.profile)
    if fixed:
        raise StillReferenced(f"profile '{reference}'", fixed)
    return found
