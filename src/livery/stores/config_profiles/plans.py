"""Writes that were found to be possible: which file changes to what, and which manifest goes with it.

Planning reads what it needs and changes nothing; every refusal is raised here.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from msgspec import UNSET
from msgspec.structs import replace

from livery.core.profile import Metadata, Profile, Registry, RuntimeSpec
from livery.core.values import same
from livery.errors import AlreadyExists, LiveryError, Unsupported, ValidationError
from livery.formats.manifest import BASE, Entry, Manifest
from livery.formats.manifest_records import fields_of, foreign_fields, version_of
from livery.stores.config_profiles.edits import base_text, overlay_text, settings_of
from livery.stores.config_profiles.index import Index, content
from livery.stores.config_profiles.layout import Layout
from livery.stores.config_profiles.overlays import (
    Base,
    base_metadata,
    base_of,
    default_profile,
    description_of,
    metadata_at,
    overlay_content,
    profile_of,
    registry_head,
    sound_overlay,
)
from livery.stores.config_profiles.room import LAYOUT, demand_new_name, demand_room_for_head, demand_room_for_profile
from livery.stores.files import digest
from livery.stores.protocols import WriteOptions
from livery.stores.versions import expect, next_profile, next_registry


class Held(NamedTuple):
    """What there is while the lock is held; ``is_new`` where the directory was made to that end."""

    layout: Layout
    present: Index
    base: Base
    is_new: bool = False

    @property
    def manifest(self) -> Manifest:
        return self.present.manifest


class FileChange(NamedTuple):
    """A file's content before and after; None where there is no file."""

    path: Path
    old: bytes | None
    new: bytes | None


class Plan(NamedTuple):
    """A write that was found to be possible: one file, the manifest that goes with it, and the answer."""

    answer: Any
    manifest: Manifest
    file: FileChange | None = None


def profile_saved(held: Held, profile: Profile, options: WriteOptions) -> Plan:
    """A profile as it is to be stored; its answer is what will be there."""
    demand_room_for_profile(profile)
    if profile.slug == BASE:
        return _base_profile(held, profile, options)
    entry = held.manifest.entries.get(profile.slug)
    return _creation(held, profile, options) if entry is None else _edit(held, entry, profile, options)


def _creation(held: Held, profile: Profile, options: WriteOptions) -> Plan:
    """A new overlay; a file that lies there unlisted is taken up only if it is what would be written."""
    expect("profile", profile.slug, options, 0)
    demand_new_name(profile.slug)
    saved = next_profile(None, profile, options, held.manifest.deleted_versions.get(profile.slug, 0))
    path = held.layout.profiles / f"{profile.slug}.toml"
    like = held.manifest.entries.get(options.like)
    data = overlay_text(path, _text_of(held, like), profile, held.base)
    old = content(path) if os.path.lexists(path) else None
    if old is not None and (old != data or path.name in _paths(held.manifest)):
        raise AlreadyExists("file" if path.name in _paths(held.manifest) else "unlisted file", str(path))
    unknown = foreign_fields(like.fields) if like is not None else {}
    fields = {"path": path.name, **_recorded(profile, saved.metadata, {}, data), **unknown}
    return _overlay(held, profile.slug, fields, FileChange(path, data if old is not None else None, data))


def _text_of(held: Held, entry: Entry | None) -> bytes:
    """The text that a copy begins with; nothing, where there is nothing sound."""
    try:
        path, data = overlay_content(held.layout, entry) if entry is not None else (held.layout.base, b"")
        sound_overlay(data, path)
    except LiveryError:
        return b""
    return data


def _edit(held: Held, entry: Entry, profile: Profile, options: WriteOptions) -> Plan:
    path, old = overlay_content(held.layout, entry)
    stored = profile_of(held.layout, entry, path, old)
    expect("profile", profile.slug, options, stored.version)
    saved = next_profile(stored, profile, options)
    data = overlay_text(path, old, profile, held.base)
    fields = _recorded(profile, saved.metadata, entry.fields, data)
    return _overlay(held, profile.slug, fields, FileChange(path, old, data))


def _overlay(held: Held, slug: str, fields: Mapping[str, Any], change: FileChange) -> Plan:
    assert change.new is not None
    manifest = held.manifest.with_entry(slug, fields)
    return Plan(profile_of(held.layout, manifest.entries[slug], change.path, change.new), manifest, change)


def _recorded(profile: Profile, metadata: Metadata, stored: Mapping[str, Any], data: bytes) -> dict[str, Any]:
    """What the entry of a profile says after a write; a description that is none stays as it stands there."""
    is_new = profile.description != description_of(stored)
    description = {"description": profile.description or None} if is_new else {}
    return {**description, **fields_of(metadata, stored), "digest": digest(data)}


def profile_deleted(held: Held, entry: Entry, options: WriteOptions) -> Plan:
    """The manifest without a profile, which remembers its version, and without its file."""
    version = _version(held, entry)
    expect("profile", entry.name, options, version)
    manifest = held.manifest.without_entry(entry.name).with_deleted(entry.name, version)
    return Plan(None, manifest, _removal(held, entry, manifest))


def _version(held: Held, entry: Entry) -> int:
    """The version of a profile; as recorded, where nobody can have read it: its file is missing or broken."""
    try:
        path, data = overlay_content(held.layout, entry)
        sound_overlay(data, path)
    except LiveryError:
        return version_of(entry.fields)
    return metadata_at(entry.fields, digest(data)).version


def _removal(held: Held, entry: Entry, after: Manifest) -> FileChange | None:
    """The file that goes with a profile, if it is there and no other's."""
    try:
        path = held.layout.overlay(entry)
    except ValidationError:
        return None
    is_file = os.path.isfile(path) or os.path.islink(path)
    return FileChange(path, None, None) if is_file and entry.path not in _paths(after) else None


def _paths(manifest: Manifest) -> set[str]:
    return {entry.path for entry in manifest.entries.values()}


def _base_profile(held: Held, profile: Profile, options: WriteOptions) -> Plan:
    stored = default_profile(held.layout, held.manifest, held.base)
    expect("profile", BASE, options, stored.version)
    return _base(held, profile.runtime, next_profile(stored, profile, options).metadata, default_profile)


def registry_saved(held: Held, registry: Registry, options: WriteOptions) -> Plan:
    """The base file with the defaults of a registry; the answer is the registry without its profiles."""
    demand_room_for_head(registry)
    held.base.demand_sound()
    stored = registry_head(held.layout, held.manifest, held.base) if _is_there(held) else None
    expect("registry", registry.slug, options, stored.version if stored else 0)
    return _base(held, registry.defaults, next_registry(stored, registry, options).metadata, registry_head)


def _is_there(held: Held) -> bool:
    """Whether there is more than a directory that has just been made."""
    return not held.is_new or held.base.data is not None or bool(held.manifest.entries)


def _base(
    held: Held, runtime: RuntimeSpec, metadata: Metadata, answer: Callable[[Layout, Manifest, Base], Any]
) -> Plan:
    """The base file with other settings, and the record of it at the top of the manifest."""
    path = held.layout.base
    data = base_text(path, held.base, settings_of(runtime.step_settings_patch))
    after = base_of(held.layout, data)
    before = base_metadata(held.manifest, held.base)
    is_same = same(held.base.overlay.settings, after.overlay.settings)
    metadata = replace(metadata, runtime_version=_runtime_version(before) if is_same else metadata.version)
    manifest = held.manifest.with_base({**fields_of(metadata, held.manifest.base), "digest": digest(data)})
    return Plan(answer(held.layout, manifest, after), manifest, FileChange(path, held.base.data, data))


def _runtime_version(metadata: Metadata) -> int:
    version = metadata.runtime_version
    return metadata.version if version is UNSET else version


def brought_along(registry: Registry) -> list[Profile]:
    """The profiles of a new registry, if all can be written; ``default`` can only repeat its defaults."""
    profiles = [profile for slug, profile in registry.profiles.items() if slug != BASE]
    for profile in registry.profiles.values():
        demand_room_for_profile(profile)
    for profile in profiles:
        demand_new_name(profile.slug)
    own = registry.profiles.get(BASE, Profile(slug=BASE)).runtime.given()
    if own and not same(own, registry.defaults.given()):
        raise Unsupported(f"profiles.{BASE}", LAYOUT, "it and the registry's defaults are one file; give one of them")
    return profiles


def demand_own(layout: Layout, registry: Registry) -> None:
    """Unsupported where a registry is not the one that the directory holds."""
    if registry.slug != layout.slug:
        advice = f"{layout.directory} is that of '{layout.slug}'; another registry needs a directory of its own"
        raise Unsupported(f"registry {registry.slug}", LAYOUT, advice)
