"""The store of config profiles, with the pointer to the one that is in use."""

from __future__ import annotations

from contextlib import suppress

from livery.core.names import Reference, nearest
from livery.core.profile import Profile
from livery.errors import (
    LiveryError,
    ProfileNotFound,
    StillReferenced,
    ValidationError,
)
from livery.formats.manifest import BASE, Manifest
from livery.stores.config_profiles.layout import Layout
from livery.stores.config_profiles.overlays import overlay_content, profile_of
from livery.stores.config_profiles.plans import Held
from livery.stores.config_profiles.pointer import NOWHERE, Pointer, pointer_of
from livery.stores.config_profiles.writing import Writing
from livery.stores.files import atomic_write
from livery.stores.protocols import WriteOptions


class ConfigProfilesStore(Writing):
    """``<app>.toml`` as the profile ``default``, and the overlays in ``profiles/`` that are laid over it.

    The profiles of :meth:`load_registries` are headings from ``manifest.json``; no overlay is opened before it is
    needed.
    """

    def active_profile(self) -> Reference | None:
        layout = self._layout()
        pointer = pointer_of(layout)
        return Reference(layout.slug, pointer.active) if pointer is not None else None

    def use_profile(self, reference: Reference, options: WriteOptions) -> None:
        layout = self._held_layout(reference.registry)
        with self._locked(layout) as held:
            _demand_usable(held, reference.profile)
            try:
                pointer = pointer_of(layout) or NOWHERE
            except ValidationError:
                pointer = NOWHERE  # it says nothing, so there is nothing to go back to
            self._point(held, pointer, pointer.moved(reference.profile, options.at_ms), options)

    def follow_rename(self, old: Reference, new: Reference, options: WriteOptions) -> None:
        layout = self._held_layout(old.registry)
        with self._locked(layout) as held:
            pointer = pointer_of(layout)
            renamed = pointer.renamed(old.profile, new.profile) if pointer is not None else None
            if pointer is None or renamed is None or renamed == pointer:
                return
            pointer.demand_writable(str(layout.active))
            atomic_write(layout.active, renamed.data())
            entry = held.manifest.entries.get(old.profile)
            was = entry.fields.get("last_applied_at") if entry is not None else None
            if was is not None:
                self._save_manifest(held, _stamped(held.manifest, new.profile, was), options.at_ms)

    def use_previous_profile(self, options: WriteOptions) -> Reference | None:
        self._demand_writable()
        layout = self._layout()
        if pointer_of(layout) is None:
            return None
        with self._locked(layout) as held:
            pointer = pointer_of(layout)
            moved = pointer.moved_back({BASE, *held.manifest.entries}, options.at_ms) if pointer else None
            if pointer is None or moved is None:
                return None
            _demand_usable(held, moved.active)
            self._point(held, pointer, moved, options)
            return Reference(layout.slug, moved.active)

    def _point(self, held: Held, old: Pointer, new: Pointer, options: WriteOptions) -> None:
        """Move the pointer, then stamp the profile. It is in use by then, so a stamp that fails is no error."""
        old.demand_writable(str(held.layout.active))
        atomic_write(held.layout.active, new.data())
        with suppress(LiveryError):
            held.present.demand_writable(held.layout)
            self._save_manifest(held, _stamped(held.manifest, new.active, options.at_ms), options.at_ms)

    def _demand_not_in_use(self, layout: Layout, reference: Reference) -> None:
        pointer = pointer_of(layout)
        if pointer is not None and pointer.active == reference.profile:
            by = f"{layout.active} as the active profile; use another one first"
            raise StillReferenced(f"profile '{reference}'", [by])


def _stamped(manifest: Manifest, name: str, at_ms: int) -> Manifest:
    fields = {"last_applied_at": at_ms}
    return manifest.with_base(fields) if name == BASE else manifest.with_entry(name, fields)


def _demand_usable(held: Held, name: str) -> None:
    """What keeps a profile, one of its bases or the base file from being read, if something does."""
    held.base.demand_sound()
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        slug = waiting.pop()
        if slug != BASE and slug not in seen:
            seen.add(slug)
            waiting += [base.profile for base in _whole(held, slug).bases]


def _whole(held: Held, slug: str) -> Profile:
    entry = held.manifest.entries.get(slug)
    if entry is None:
        reference = Reference(held.layout.slug, slug)
        raise ProfileNotFound(str(reference), nearest=nearest(slug, [BASE, *held.manifest.entries]))
    return profile_of(held.layout, entry, *overlay_content(held.layout, entry))
