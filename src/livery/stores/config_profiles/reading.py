"""Reading a directory of config profiles: the list from the manifest alone, each overlay when it is needed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from livery.core.names import Reference
from livery.core.profile import Profile, Registry
from livery.errors import Fault, LiveryError, Place, SourceNotFound, SourceUnavailable, ValidationError
from livery.formats.manifest import BASE, Manifest
from livery.formats.overlay import Overlay
from livery.stores.config_profiles.index import Index, content, index_of, make_manifest
from livery.stores.config_profiles.layout import Layout, checked_app, demand_directory, layout_of
from livery.stores.config_profiles.overlays import (
    Base,
    base_metadata,
    base_of,
    bases_of,
    default_profile,
    heading,
    overlay_content,
    profile_of,
    registry_head,
    sound_overlay,
)
from livery.stores.config_profiles.watching import ReadOverlays
from livery.stores.directory_state import DirectoryState, token_of
from livery.stores.protocols import BrokenItem, Field, Loaded, Notice


@dataclass(frozen=True)
class _WholeProfiles:
    """Reads whole profiles of one state; equal for equal states of one store."""

    store: Reading
    layout: Layout
    manifest: Manifest

    def __call__(self, registry: str, slug: str) -> Profile:
        return self.store._read(self.layout, self.manifest, registry, slug)


@dataclass(frozen=True)
class _Bases:
    """Finds what the profiles of one state extend; equal for equal states."""

    layout: Layout
    manifest: Manifest

    def __call__(self, registry: str) -> Mapping[str, tuple[Reference, ...]]:
        return bases_of(self.layout, self.manifest) if registry == self.layout.slug else {}


@dataclass(frozen=True)
class _Remarks:
    """Finds what deserves a warning in the overlays of one state, for ``default`` what does beside them."""

    store: Reading
    layout: Layout
    manifest: Manifest
    base: Base

    def __call__(self, registry: str, slug: str) -> Sequence[Fault]:
        from livery.stores.config_profiles.remarks import remarks_beside, remarks_on  # only where somebody validates

        entry = self.manifest.entries.get(slug) if registry == self.layout.slug else None
        try:
            if (registry, slug) == (self.layout.slug, BASE):
                return remarks_beside(self.layout, self.manifest)
            if entry is None or self.base.error is not None:
                return []
            path, data = overlay_content(self.layout, entry, self.store._overlays.content)
            return remarks_on(sound_overlay(data, path), self.base.overlay.document, data, path)
        except LiveryError:
            return []


class Reading:
    """What a directory holds now. Nothing is created or changed but a manifest that is missing or corrupt.

    ``app`` empty: that whose base file there is. ``now_ms`` is the clock that names what is put aside.
    """

    kind = "config-profiles"
    advice = ""

    def __init__(
        self,
        directory: Path,
        app: str = "",
        *,
        writable: bool = True,
        label: str = "",
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self.directory = Path(os.path.expanduser(directory))
        self.url = label or f"config-profiles:{directory}"
        self.writable = writable
        self._app = checked_app(app) if app else ""
        self._now_ms = now_ms
        self._closed = False
        self._heads = DirectoryState(self.url, self._head_files)
        self._overlays = ReadOverlays(self.url)
        self._is_listed = False
        self._known: tuple[bytes, Index] | None = None
        self._made: tuple[bytes | LiveryError | None, tuple[Fault, ...]] = (None, ())
        """The manifest that was made from here, and why: that is told for as long as it is this one."""

    def load_registries(self) -> Loaded:
        layout = self._layout()
        heads = self._heads.contents()
        index = self._index(layout, heads[layout.manifest])
        if index.is_to_be_made and self.writable:
            made = make_manifest(layout, index, self._now_ms()) or index.notices
            heads = self._heads.contents()
            index = self._index(layout, heads[layout.manifest])
            self._made = (heads[layout.manifest], made)
        made = self._made[1] if heads[layout.manifest] == self._made[0] else ()
        notices = tuple(dict.fromkeys((*made, *index.notices)))
        self._is_listed = bool(index.listing)
        base = base_of(layout, heads[layout.base])
        return Loaded(
            registries=(self._registry(layout, index.manifest, base),),
            broken=tuple(_broken(layout, index.manifest, base)),
            token=self._token(token_of(heads), index.listing),
            notices=tuple(_notice(layout, fault) for fault in notices),
            read=_WholeProfiles(self, layout, index.manifest),
            bases=_Bases(layout, index.manifest),
            remarks=_Remarks(self, layout, index.manifest, base),
        )

    def _registry(self, layout: Layout, manifest: Manifest, base: Base) -> Registry:
        head = registry_head(layout, manifest, base)
        profiles = {BASE: Profile(slug=BASE, registry=layout.slug, metadata=base_metadata(manifest, base))}
        told = {str(path): told for path, told in self._overlays.told().items()}
        below = str(layout.profiles)
        for name, entry in manifest.entries.items():
            if entry.fault is None:
                profiles[name] = heading(layout, entry, told.get(f"{below}/{entry.path}", "") if told else "")
        return replace(head, profiles=profiles)

    def _read(self, layout: Layout, manifest: Manifest, registry: str, slug: str) -> Profile:
        """The whole of a profile that is listed; SourceNotFound where it is not, or its file is not there."""
        self._demand_open()
        if registry == layout.slug and slug == BASE:
            return default_profile(layout, manifest, base_of(layout, content(layout.base)))
        if registry != layout.slug or slug not in manifest.entries:
            raise SourceNotFound(f"{registry}/{slug}", where=f"in {self.directory}")
        entry = manifest.entries[slug]
        return profile_of(layout, entry, *overlay_content(layout, entry, self._overlays.content))

    def get_profile(self, registry: str, slug: str) -> Profile | None:
        layout = self._layout()
        manifest = self._index(layout, content(layout.manifest)).manifest
        if registry != layout.slug or (slug != BASE and slug not in manifest.entries):
            return None
        return self._read(layout, manifest, registry, slug)

    def changes(self, since: str) -> str:
        layout = self._layout()
        head = self._heads.token(since.partition("+")[0])
        listing = index_of(layout, content(layout.manifest)).listing if self._is_listed else ""
        return self._token(head, listing)

    def _token(self, head: str, listing: str) -> str:
        return f"{head}+{self._overlays.turns()}" + (f"+{listing}" if listing else "")

    def places(self, wanted: Sequence[Field], token: str) -> list[Place | None]:
        try:
            if self.changes(token) != token:
                return [None] * len(wanted)
            layout = self._layout()
            manifest = self._index(layout, content(layout.manifest)).manifest
        except LiveryError:
            return [None] * len(wanted)
        found: dict[Field, Place | None] = {}
        for registry, profile in {(field.registry, field.profile) for field in wanted}:
            own = [field for field in wanted if field[:2] == (registry, profile)]
            found.update(zip(own, self._places(layout, manifest, profile, own), strict=True))
        return [found[field] for field in wanted]

    def _places(self, layout: Layout, manifest: Manifest, profile: str, own: list[Field]) -> Sequence[Place | None]:
        from livery.stores.config_profiles.places import locate  # only where somebody asks for lines

        if own[0].registry != layout.slug or profile not in (*manifest.entries, BASE, ""):
            return [None] * len(own)
        try:
            path, data, overlay = self._file_of(layout, manifest, profile)
        except LiveryError:
            return [Place(str(layout.manifest))] * len(own)
        listed = {"description": Place(str(layout.manifest))} if profile not in (BASE, "") else {}
        found = locate(data.decode(), str(path), overlay, [field.field for field in own])
        return [listed.get(field.field, place) for field, place in zip(own, found, strict=True)]

    def _file_of(self, layout: Layout, manifest: Manifest, profile: str) -> tuple[Path, bytes, Overlay]:
        if profile in (BASE, ""):
            base = base_of(layout, content(layout.base))
            base.demand_sound()
            return layout.base, base.data or b"", base.overlay
        path, data = overlay_content(layout, manifest.entries[profile], self._overlays.content)
        return path, data, sound_overlay(data, path)

    def watched(self) -> Sequence[Path]:
        try:
            layout = self._layout()
        except LiveryError:
            return (self.directory,)
        own = (layout.directory, layout.profiles, layout.base, layout.manifest, layout.active)
        return (*own, *self._overlays.paths)

    def close(self) -> None:
        self._closed = True

    def _layout(self) -> Layout:
        """Which file is what; SourceNotFound where the directory is not there. The application stays the same."""
        self._demand_open()
        demand_directory(self.directory)
        layout = layout_of(self.directory, self._app)
        self._app = layout.app
        return layout

    def _head_files(self) -> Sequence[Path]:
        layout = self._layout()
        return (layout.base, layout.manifest)

    def _index(self, layout: Layout, found: bytes | LiveryError) -> Index:
        """The index of these bytes, read again only where they are others than the last time."""
        if not isinstance(found, bytes):
            return index_of(layout, found)
        if self._known is None or self._known[0] != found:
            index = index_of(layout, found)
            if index.listing:
                return index  # it depends on more than these bytes
            self._known = (found, index)
        return self._known[1]

    def _demand_open(self) -> None:
        if self._closed:
            raise SourceUnavailable(self.url, "it is closed")


def _notice(layout: Layout, fault: Fault) -> Notice:
    """What is told of the directory; an entry of the manifest that cannot be used is an error."""
    return Notice(layout.slug, "", fault, blocking=fault.field.startswith("profiles["))


def _broken(layout: Layout, manifest: Manifest, base: Base) -> list[BrokenItem]:
    items = [BrokenItem(layout.slug, "", base.error)] if base.error is not None else []
    for name, entry in manifest.entries.items():
        if entry.fault is not None:
            fault = entry.fault._replace(place=Place(str(layout.manifest)))
            items.append(BrokenItem(layout.slug, name, ValidationError.of([fault])))
    return items
