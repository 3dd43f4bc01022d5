"""Registries in this process, gone with it."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

from msgspec.structs import replace

from livery.core.names import Reference, nearest
from livery.core.profile import Profile, Registry
from livery.errors import Place, ProfileNotFound, RegistryNotFound, SourceUnavailable
from livery.stores.copies import copied_profile, copied_registry
from livery.stores.protocols import Field, Loaded, WriteOptions
from livery.stores.versions import expect, next_profile, next_registry, without_profile


class MemoryStore:
    """A writable store in memory; what goes in and out are copies. Safe for threads."""

    kind = "memory"
    advice = ""

    def __init__(self, registries: Iterable[Registry] = (), *, url: str = "memory:", writable: bool = True) -> None:
        self.url = url
        self.writable = writable
        self._registries = {registry.slug: copied_registry(registry) for registry in registries}
        self._lock = threading.Lock()
        self._changes = 0
        self._closed = False

    def load_registries(self) -> Loaded:
        self._demand_open()
        with self._lock:
            registries = tuple(copied_registry(self._registries[slug]) for slug in sorted(self._registries))
            return Loaded(registries, (), str(self._changes))

    def get_profile(self, registry: str, slug: str) -> Profile | None:
        self._demand_open()
        held = self._registries.get(registry)
        profile = held.profiles.get(slug) if held else None
        return copied_profile(profile) if profile else None

    def changes(self, since: str) -> str:
        self._demand_open()
        return str(self._changes)

    def places(self, wanted: Sequence[Field], token: str) -> list[Place | None]:
        return [None] * len(wanted)

    def watched(self) -> Sequence[Path]:
        return ()

    def close(self) -> None:
        self._closed = True

    def demand_room(self, item: Profile | Registry) -> None:
        """Everything has its place here."""

    def save_registry(self, registry: Registry, options: WriteOptions) -> Registry:
        with self._lock:
            stored = self._registries.get(registry.slug)
            expect("registry", registry.slug, options, stored.version if stored else 0)
            saved = next_registry(stored, registry, options)
            self._put(copied_registry(saved))
            return saved

    def save_profile(self, profile: Profile, options: WriteOptions) -> Profile:
        with self._lock:
            registry = self._held(profile.registry)
            stored = registry.profiles.get(profile.slug)
            expect("profile", profile.slug, options, stored.version if stored else 0)
            last = registry.metadata.deleted_versions.get(profile.slug, 0)
            saved = next_profile(stored, profile, options, last)
            self._put(replace(registry, profiles={**registry.profiles, profile.slug: copied_profile(saved)}))
            return saved

    def delete_profile(self, reference: Reference, options: WriteOptions) -> None:
        with self._lock:
            registry = self._held(reference.registry)
            stored = registry.profiles.get(reference.profile)
            if stored is None:
                raise ProfileNotFound(str(reference), nearest=nearest(reference.profile, registry.profiles))
            expect("profile", reference.profile, options, stored.version)
            self._put(without_profile(registry, reference.profile))

    def delete_registry(self, slug: str, options: WriteOptions) -> None:
        with self._lock:
            expect("registry", slug, options, self._held(slug).version)
            del self._registries[slug]
            self._changes += 1

    def _held(self, slug: str) -> Registry:
        self._demand_open()
        if slug not in self._registries:
            raise RegistryNotFound(slug, nearest=nearest(slug, self._registries))
        return self._registries[slug]

    def _put(self, registry: Registry) -> None:
        self._demand_open()
        self._registries[registry.slug] = registry
        self._changes += 1

    def _demand_open(self) -> None:
        if self._closed:
            raise SourceUnavailable(self.url, "it is closed")
