"""Writing a directory of config profiles, under one lock: that of the manifest.

An overlay is written before the manifest that records it, and removed after: who is killed in between leaves a file
that is not listed, or a version that counts as a hand edit (so a write that expects the version before is refused, and
whoever repeats it reads first), never an entry that says what is not so.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from livery.core.names import Reference, nearest
from livery.core.profile import Profile, Registry
from livery.errors import (
    LiveryError,
    ProfileNotFound,
    RegistryNotFound,
    SourceNotFound,
    SourceReadOnly,
    StillReferenced,
    Unsupported,
)
from livery.formats.manifest import BASE, Manifest
from livery.stores.config_profiles.index import content, demand_replaceable, look, save_manifest
from livery.stores.config_profiles.layout import Layout, layout_of
from livery.stores.config_profiles.overlays import base_of
from livery.stores.config_profiles.plans import (
    FileChange,
    Held,
    Plan,
    brought_along,
    demand_own,
    profile_deleted,
    profile_saved,
    registry_saved,
)
from livery.stores.config_profiles.reading import Reading
from livery.stores.config_profiles.room import LAYOUT, demand_room
from livery.stores.files import locked, remove_file, write_unchanged
from livery.stores.protocols import WriteOptions


class Writing(Reading):
    """The writes of :class:`livery.stores.config_profiles.ConfigProfilesStore`."""

    def demand_room(self, item: Profile | Registry) -> None:
        self._demand_open()
        if isinstance(item, Registry):
            demand_own(self._layout_now_or_then()[0], item)
        demand_room(item)

    def save_profile(self, profile: Profile, options: WriteOptions) -> Profile:
        layout = self._held_layout(profile.registry)
        saved: Profile = self._write(layout, lambda held: profile_saved(held, profile, options), options)
        return saved

    def delete_profile(self, reference: Reference, options: WriteOptions) -> None:
        def plan(held: Held) -> Plan:
            if reference.profile == BASE:
                raise StillReferenced(f"profile '{reference}'", [f"registry '{reference.registry}' as its default"])
            entry = held.manifest.entries.get(reference.profile)
            if entry is None:
                raise ProfileNotFound(str(reference), nearest=nearest(reference.profile, held.manifest.entries))
            self._demand_not_in_use(held.layout, reference)
            return profile_deleted(held, entry, options)

        self._write(self._held_layout(reference.registry), plan, options)

    def _demand_not_in_use(self, layout: Layout, reference: Reference) -> None:
        """StillReferenced where the pointer of the active profile is at this one."""

    def save_registry(self, registry: Registry, options: WriteOptions) -> Registry:
        self._demand_writable()
        layout, is_new = self._layout_now_or_then()
        demand_own(layout, registry)
        profiles = brought_along(registry) if is_new else []
        head: Registry = self._write(
            layout, lambda held: registry_saved(held, registry, options), options, is_new=is_new
        )
        alone = options._replace(expected_version=0, floor=0)
        saved = {profile.slug: self.save_profile(profile, alone) for profile in profiles}
        listed = self._registry(layout, look(layout).manifest, base_of(layout, content(layout.base)))
        return replace(head, profiles={**listed.profiles, **saved})

    def delete_registry(self, slug: str, options: WriteOptions) -> None:
        self._held_layout(slug)
        advice = f"delete its profiles one by one; {self.directory} belongs to the application, remove it by hand"
        raise Unsupported("the end of a registry", LAYOUT, advice)

    # What these share

    def _write(
        self, layout: Layout, plan: Callable[[Held], Plan], options: WriteOptions, *, is_new: bool = False
    ) -> Any:
        """Carry out what is planned on what there is by the time the lock is held, and give its answer."""
        with self._locked(layout, is_new=is_new) as held:
            held.present.demand_writable(layout)
            planned = plan(held)
            with _undone_on_failure(planned, layout):
                if planned.file is not None and planned.file.new is not None:
                    write_unchanged(planned.file.path, planned.file.old, planned.file.new)
                    self._wrote(planned.file.path, planned.file.new)
                self._save_manifest(held, planned.manifest, options.at_ms)
            if planned.file is not None and planned.file.new is None:
                remove_file(planned.file.path)
                self._wrote(planned.file.path, None)
            return planned.answer

    @contextmanager
    def _locked(self, layout: Layout, *, is_new: bool = False) -> Iterator[Held]:
        demand_replaceable(layout)  # else nobody knows where its lock would be
        with locked(layout.manifest, also_in=(layout.directory,)):
            yield Held(layout, look(layout), base_of(layout, content(layout.base)), is_new)

    def _save_manifest(self, held: Held, manifest: Manifest, at_ms: int) -> None:
        save_manifest(held.layout, held.present, manifest, at_ms or self._now_ms())
        self._wrote(held.layout.manifest, manifest.data())

    def _wrote(self, path: Path, data: bytes | None) -> None:
        self._heads.wrote(path, data)
        self._overlays.wrote(path, data)

    def _demand_writable(self) -> None:
        self._demand_open()
        if not self.writable:
            raise SourceReadOnly("the directory", self.url)

    def _held_layout(self, registry: str) -> Layout:
        """Which file is what for a write to a registry; RegistryNotFound where that is not the one here."""
        self._demand_writable()
        try:
            layout = self._layout()
        except SourceNotFound:
            raise RegistryNotFound(registry) from None
        if registry != layout.slug:
            raise RegistryNotFound(registry, nearest=nearest(registry, [layout.slug]))
        return layout

    def _layout_now_or_then(self) -> tuple[Layout, bool]:
        """Which file is what, or will be in a directory that is to be made; True for that."""
        if os.path.lexists(self.directory):
            return self._layout(), False
        return layout_of(self.directory, self._app or Path(os.path.abspath(self.directory)).name), True


@contextmanager
def _undone_on_failure(planned: Plan, layout: Layout) -> Iterator[None]:
    """Where what is in the block fails before the manifest is replaced, the other file is as it was."""
    try:
        yield
    except BaseException:
        with suppress(LiveryError):
            if planned.file is not None and content(layout.manifest) != planned.manifest.data():
                _undo(planned.file)
        raise


def _undo(change: FileChange) -> None:
    if change.new is None or content(change.path) != change.new:
        return
    if change.old is None:
        remove_file(change.path)
    else:
        write_unchanged(change.path, change.new, change.old)
