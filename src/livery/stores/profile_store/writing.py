"""What each write makes of a store's files: planned as values, from what the files hold, before anything is written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from livery.core.names import Reference, nearest
from livery.core.profile import Profile, Registry
from livery.core.values import same
from livery.errors import LiveryError, ProfileNotFound, RegistryNotFound, StillReferenced, ValidationError
from livery.formats.profile_store import CallersFile, RuntimeFile, read_profile_file
from livery.stores.directory_state import Contents
from livery.stores.files import digest
from livery.stores.profile_store.edits import callers_text, profile_text, runtime_text
from livery.stores.profile_store.layout import layout_of, shown
from livery.stores.profile_store.parts import Parts, digest_of_registry
from livery.stores.profile_store.reading import DEFAULT, Reading, runtime_of
from livery.stores.profile_store.room import demand_room_for_profile, demand_room_for_registry
from livery.stores.profile_store.sidecar import Record, Sidecar
from livery.stores.protocols import WriteOptions
from livery.stores.versions import expect, next_profile, next_registry


class Plan(NamedTuple):
    """The files to write in order (None: to remove), and the records to write after them.

    Where a writer dies in between, a file that is written and not yet recorded counts as edited by hand: it has the
    version that the write would have given it, and the same write made again is a VersionConflict with that version.
    """

    files: dict[Path, bytes | None]
    records: Sidecar


def contents_after(contents: Contents, files: Mapping[Path, bytes | None]) -> Contents:
    """The contents as they will be once these files are written or removed."""
    after = {**contents, **files}
    return {path: content for path, content in after.items() if content is not None}


def plan_profile(reading: Reading, profile: Profile, options: WriteOptions) -> Plan:
    """A profile created or changed."""
    registry = held(reading, profile.registry)
    demand_sound(reading, profile.slug)
    demand_room_for_profile(profile)
    stored = registry.profiles.get(profile.slug)
    expect("profile", profile.slug, options, stored.version if stored else 0)
    return _with_profile(reading.parts, Plan({}, reading.parts.sidecar.sidecar), stored, profile, options)


def _with_profile(parts: Parts, plan: Plan, stored: Profile | None, profile: Profile, options: WriteOptions) -> Plan:
    path = parts.layout.profile_file(profile.slug)
    is_copy = stored is None and options.like in parts.sound_profiles()
    before = parts.sound_profiles().get(options.like if is_copy else profile.slug)
    text = parts.text(parts.layout.profile_file(options.like) if is_copy else path)
    given = profile.runtime.given()
    servers, settings = given.get("servers") or [], given.get("step_settings_patch") or {}
    data = profile_text(text, before, servers, settings, shown(path)).encode()
    file = read_profile_file(data, shown(path))
    if file.faults:
        raise ValidationError.of(file.faults)
    last = plan.records.last_version(profile.slug)
    saved = next_profile(stored, replace(profile, runtime=runtime_of(file)), options, last)
    records = {**plan.records.profiles, profile.slug: Record.of(saved.metadata, digest(data))}
    return Plan({**plan.files, path: data}, replace(plan.records, profiles=records))


def plan_deletion(reading: Reading, reference: Reference, options: WriteOptions) -> Plan:
    """A profile deleted; its version is remembered."""
    registry = held(reading, reference.registry)
    demand_sound(reading, reference.profile)
    stored = registry.profiles.get(reference.profile)
    if stored is None:
        raise ProfileNotFound(str(reference), nearest=nearest(reference.profile, registry.profiles))
    expect("profile", reference.profile, options, stored.version)
    _demand_unneeded(reference, registry)
    records = _without(reading.parts.sidecar.sidecar, {reference.profile: stored.version})
    return Plan({reading.parts.layout.profile_file(reference.profile): None}, records)


def _demand_unneeded(reference: Reference, registry: Registry) -> None:
    used = [f"caller {caller!r}" for caller, slug in registry.callers.items() if slug == reference.profile]
    if reference.profile == DEFAULT:
        used.append("every caller that has no profile of its own")
    if used:
        raise StillReferenced(f"profile '{reference}'", used)


def plan_registry(reading: Reading, registry: Registry, options: WriteOptions, slug: str) -> Plan:
    """What stands above the profiles, changed; a new registry brings its profiles along, and has a default."""
    demand_room_for_registry(registry, slug)
    parts = reading.parts
    stored = None if _is_new(reading) else reading.registry
    expect("registry", slug, options, stored.version if stored else 0)
    demand_sound(reading, "")
    records = parts.sidecar.sidecar
    plan = Plan({}, records)
    if stored is None:
        options = options._replace(floor=max(options.floor, records.deleted_registry_version))
        plan = _with_new_profiles(parts, plan, registry, options._replace(floor=0))
    plan = plan._replace(files={**plan.files, **_head_files(parts, registry)})
    saved = next_registry(stored, replace(registry, profiles={}), options)
    after = contents_after(parts.contents, plan.files)
    record = Record.of(saved.metadata, digest_of_registry(layout_of(parts.layout.directory, after), after))
    return plan._replace(records=replace(plan.records, registry=record, deleted_registry_version=0))


def _head_files(parts: Parts, registry: Registry) -> dict[Path, bytes | None]:
    """The files above the profiles that say something else now."""
    files: dict[Path, bytes | None] = {}
    settings = registry.enforced.given().get("step_settings_patch") or {}
    if not same(settings, parts.settings):
        path = parts.layout.runtime_file
        document = parts.runtime.document if isinstance(parts.runtime, RuntimeFile) else None
        files[path] = runtime_text(parts.text(path), document, parts.settings or {}, settings, shown(path)).encode()
    if registry.callers != parts.caller_map or registry.fallback != parts.fallback:
        path = parts.layout.callers_file
        before = parts.callers if isinstance(parts.callers, CallersFile) else None
        text = callers_text(parts.text(path), before, registry.callers, registry.fallback, shown(path))
        files[path] = text.encode()
    return files


def _is_new(reading: Reading) -> bool:
    """Whether the directory holds no registry yet, or none any more."""
    return reading.registry is None or (reading.parts.layout.is_empty and not reading.parts.sidecar.sidecar.registry)


def _with_new_profiles(parts: Parts, plan: Plan, registry: Registry, options: WriteOptions) -> Plan:
    brought = {DEFAULT: Profile(slug=DEFAULT, registry=registry.slug), **registry.profiles}
    for profile in brought.values():
        demand_room_for_profile(profile)
        plan = _with_profile(parts, plan, None, profile, options)
    return plan


def plan_registry_deletion(reading: Reading, slug: str, options: WriteOptions) -> Plan:
    """The registry and its files deleted; what in the directory is not the store's stays.

    In an order in which what is left is a store until the end.
    """
    registry = held(reading, slug)
    expect("registry", slug, options, registry.version)
    layout, records = reading.parts.layout, reading.parts.sidecar.sidecar
    profiles = sorted(layout.profiles, key=lambda name: name == DEFAULT)
    paths = [*layout.callers, *(path for name in profiles for path in layout.profiles[name]), *layout.runtime]
    for path in paths:
        _demand_readable(reading.parts.contents[path])
    versions = {name: _version(registry, name, records) for name in profiles}
    records = replace(_without(records, versions), registry=None, deleted_registry_version=registry.version)
    return Plan(dict.fromkeys(paths), records)


def _demand_readable(content: bytes | LiveryError) -> None:
    """What cannot be read is nothing that this store has written."""
    if isinstance(content, LiveryError):
        raise content


def _version(registry: Registry, profile: str, records: Sidecar) -> int:
    known = registry.profiles.get(profile)
    return known.version if known else records.last_version(profile) + 1


def _without(records: Sidecar, versions: Mapping[str, int]) -> Sidecar:
    """The records without those of some profiles, whose last versions are remembered."""
    rest = {name: record for name, record in records.profiles.items() if name not in versions}
    return replace(records, profiles=rest, deleted_versions={**records.deleted_versions, **versions})


def held(reading: Reading, slug: str) -> Registry:
    """The registry, if it has this name."""
    registry = reading.registry
    if registry is None or registry.slug != slug:
        raise RegistryNotFound(slug, nearest=nearest(slug, [registry.slug] if registry else []))
    return registry


def demand_sound(reading: Reading, profile: str) -> None:
    """Nobody can say what a write would do to files that cannot be read; one that is missing can be made."""
    head = reading.error_of("")
    if head is not None:
        raise head
    error = reading.error_of(profile)
    if error is not None and profile in reading.parts.profiles:
        raise error


def demand_no_harm(before: Reading, after: Reading, profile: str) -> None:
    """Raise what a write would break: what was sound, or the very thing that is written."""
    known = {item.profile for item in before.broken} - {profile}
    for item in after.broken:
        if item.profile not in known:
            raise item.error
