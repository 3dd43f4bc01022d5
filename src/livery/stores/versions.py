"""The versioning that every store shares: what a save makes of the stored and the new document."""

from __future__ import annotations

from msgspec import UNSET
from msgspec.structs import replace

from livery.core.profile import Metadata, Profile, Registry
from livery.core.values import same
from livery.errors import VersionConflict
from livery.stores.protocols import WriteOptions


def expect(resource: str, slug: str, options: WriteOptions, actual: int) -> None:
    """VersionConflict where the write expects another version than the stored one (0: nothing is stored)."""
    if options.expected_version is not None and options.expected_version != actual:
        raise VersionConflict(resource, slug, options.expected_version, actual)


def next_profile(stored: Profile | None, new: Profile, options: WriteOptions, last_deleted: int = 0) -> Profile:
    """The profile as it is to be stored: version, times, actors, and ``runtime_version`` if the runtime changed.

    A new layer that says nothing of the runtime may bring the runtime version of what it is laid over.
    """
    metadata = _next_metadata(stored.metadata if stored else None, new.metadata, options, last_deleted)
    runtime_version = metadata.version
    if stored is None and options.floor:
        runtime_version = min(new.runtime_version, metadata.version) if _says_nothing(new) else metadata.version
    elif stored is not None and stored.extends == new.extends and same(stored.runtime.given(), new.runtime.given()):
        runtime_version = stored.runtime_version
    return replace(new, metadata=replace(metadata, runtime_version=runtime_version))


def _says_nothing(profile: Profile) -> bool:
    """Whether a layer leaves the runtime as it is, and knows since when it is so."""
    return profile.extends is UNSET and not profile.runtime.given() and profile.metadata.runtime_version is not UNSET


def next_registry(stored: Registry | None, new: Registry, options: WriteOptions) -> Registry:
    """The registry-level fields as they are to be stored, over the stored profiles; a new one brings its own along."""
    metadata = _next_metadata(stored.metadata if stored else None, new.metadata, options, 0)
    if stored is None:
        alone = options._replace(floor=0)
        profiles = {slug: next_profile(None, profile, alone) for slug, profile in new.profiles.items()}
        return replace(new, metadata=metadata, profiles=profiles)
    metadata = replace(metadata, deleted_versions=stored.metadata.deleted_versions)
    return replace(new, metadata=metadata, profiles=stored.profiles)


def without_profile(registry: Registry, slug: str) -> Registry:
    """The registry after one of its profiles was deleted; it remembers the version."""
    profile = registry.profiles[slug]
    deleted = {**registry.metadata.deleted_versions, slug: profile.version}
    profiles = {name: kept for name, kept in registry.profiles.items() if name != slug}
    return replace(registry, profiles=profiles, metadata=replace(registry.metadata, deleted_versions=deleted))


def _next_metadata(stored: Metadata | None, new: Metadata, options: WriteOptions, last_deleted: int) -> Metadata:
    before = stored.version if stored else last_deleted
    first = stored if stored is not None else Metadata(created_at_ms=options.at_ms, created_by=options.actor)
    return Metadata(
        source=options.source or new.source,
        version=max(before, options.floor) + 1,
        created_at_ms=first.created_at_ms,
        created_by=first.created_by,
        updated_at_ms=options.at_ms,
        updated_by=options.actor,
        last_applied_at_ms=first.last_applied_at_ms,
        tags=new.tags,
    )
