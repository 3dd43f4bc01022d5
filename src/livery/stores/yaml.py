"""Registries in one YAML file that people also edit by hand: comments and order are kept, writes are atomic."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from livery.core.documents import ReadRegistry
from livery.core.names import Reference, nearest
from livery.core.profile import Profile, Registry
from livery.errors import (
    Fault,
    Place,
    ProfileNotFound,
    RegistryNotFound,
    SourceNotFound,
    SourceReadOnly,
    SourceUnavailable,
    ValidationError,
)
from livery.formats.edits import Drop
from livery.formats.registry_yaml import (
    RegistryFile,
    as_bundle,
    placed,
    read_registries,
)
from livery.formats.yaml import locate_all
from livery.stores.file_state import FileState
from livery.stores.files import digest, read_file, replace_file
from livery.stores.protocols import BrokenItem, Field, Loaded, WriteOptions
from livery.stores.versions import expect, next_profile, next_registry, without_profile
from livery.stores.yaml_document import container_of, head_changes, path_in_file, profile_changes, written_name

Change = Callable[[RegistryFile], tuple[list[Any], Any]]
"""From what a file holds to the edits of it and the answer of the write."""


class YAMLStore:
    """One file: a registry, a bundle of registries, or a legacy map (which is read, not written).

    A missing file is SourceNotFound until the first write makes it (mode 0600).
    """

    kind = "yaml"

    def __init__(self, path: Path, *, writable: bool = True, label: str = "") -> None:
        self.path = Path(os.path.expanduser(path))
        self.url = label or f"yaml:{path}"
        self.writable = writable
        self.advice = ""
        self._may_write = writable
        self._closed = False
        self._state = FileState(self.path, self.url)

    def load_registries(self) -> Loaded:
        self._demand_open()
        data = self._state.content()
        file = read_registries(data, str(self.path))
        self.writable = self._may_write and file.shape != "legacy"
        self.advice = self._advice() if self._may_write and file.shape == "legacy" else ""
        if file.faults:
            raise self._invalid(data, file, file.faults)
        registries = tuple(read.registry for read in file.registries)
        broken = [item for read in file.registries for item in self._broken(data, file, read)]
        return Loaded(registries, tuple(broken), digest(data))

    def _broken(self, data: bytes, file: RegistryFile, read: ReadRegistry) -> list[BrokenItem]:
        slug = read.registry.slug
        items = [
            BrokenItem(slug, profile, self._invalid(data, file, faults)) for profile, faults in read.broken.items()
        ]
        if read.faults:
            items.append(BrokenItem(slug, "", self._invalid(data, file, read.faults)))
        return items

    def get_profile(self, registry: str, slug: str) -> Profile | None:
        self._demand_open()
        held = self._registry(read_registries(self._read(), str(self.path)), registry)
        return held.profiles.get(slug) if held else None

    def changes(self, since: str) -> str:
        self._demand_open()
        return self._state.token(since)

    def places(self, wanted: Sequence[Field], token: str) -> list[Place | None]:
        try:
            data = self._read()
            file = read_registries(data, str(self.path))
        except (ValidationError, SourceNotFound, SourceUnavailable):
            return [None] * len(wanted)
        if digest(data) != token:
            return [None] * len(wanted)
        return locate_all(data.decode(), str(self.path), [path_in_file(file, *field) for field in wanted])

    def watched(self) -> Sequence[Path]:
        return (self.path,)

    def close(self) -> None:
        self._closed = True

    def demand_room(self, item: Profile | Registry) -> None:
        """Everything has its place here."""

    def save_registry(self, registry: Registry, options: WriteOptions) -> Registry:
        def change(file: RegistryFile) -> tuple[list[Any], Registry]:
            stored = self._registry(file, registry.slug)
            expect("registry", registry.slug, options, stored.version if stored else 0)
            saved = next_registry(stored, registry, options)
            return head_changes(file, stored, saved), saved

        saved: Registry = self._write(change, Reference(registry.slug, ""))
        return saved

    def save_profile(self, profile: Profile, options: WriteOptions) -> Profile:
        def change(file: RegistryFile) -> tuple[list[Any], Profile]:
            registry = self._held(file, profile.registry)
            stored = registry.profiles.get(profile.slug)
            expect("profile", profile.slug, options, stored.version if stored else 0)
            last = registry.metadata.deleted_versions.get(profile.slug, 0)
            saved = next_profile(stored, profile, options, last)
            return profile_changes(file, stored, saved), saved

        saved: Profile = self._write(change, profile.reference)
        return saved

    def delete_profile(self, reference: Reference, options: WriteOptions) -> None:
        def change(file: RegistryFile) -> tuple[list[Any], None]:
            registry = self._held(file, reference.registry)
            stored = registry.profiles.get(reference.profile)
            if stored is None:
                raise ProfileNotFound(str(reference), nearest=nearest(reference.profile, registry.profiles))
            expect("profile", reference.profile, options, stored.version)
            path = (*container_of(file, reference.registry), "profiles", written_name(file, *reference))
            head = head_changes(file, registry, without_profile(registry, reference.profile))
            return [Drop(path), *head], None

        self._write(change, reference)

    def delete_registry(self, slug: str, options: WriteOptions) -> None:
        def change(file: RegistryFile) -> tuple[list[Any], None]:
            expect("registry", slug, options, self._held(file, slug).version)
            path = container_of(file, slug)
            return [Drop(path)] if path else [Drop((key,)) for key in file.document], None

        self._write(change, Reference(slug, ""))

    def _write(self, change: Change, target: Reference) -> Any:
        """Apply a change under the file's lock to what is in it by then; the result is read again first."""
        from livery.formats.yaml_edit import edit_yaml

        self._demand_open()
        name = str(self.path)
        answer: list[Any] = []
        known: set[Fault] = set()

        def update(data: bytes | None) -> bytes | None:
            if data is None and target.profile:
                raise SourceNotFound(name)  # it has vanished, and its registry with it
            file = read_registries(data or b"", name)
            self._demand_writable(data or b"", file)
            self._demand_sound(data or b"", file, target)
            text = (data or b"").decode()
            if file.shape == "registry" and not target.profile and self._registry(file, target.registry) is None:
                text = as_bundle(text, file.registries[0].registry.slug, name)  # there will be two registries
                file = read_registries(text, name)
            known.update(file.all_faults)
            changes, result = change(file)
            new = edit_yaml(text, changes, name).encode()
            answer[:] = [result, digest(new)]
            return new

        def check(data: bytes) -> None:
            """What was broken before may stay so; a write must not break more."""
            faults = [fault for fault in read_registries(data, name).all_faults if fault not in known]
            if faults:
                raise ValidationError.of(faults)

        replace_file(self.path, update, check=check)
        self._state.wrote(answer[1])
        return answer[0]

    def _demand_writable(self, data: bytes, file: RegistryFile) -> None:
        if file.shape == "legacy":
            raise SourceReadOnly("a legacy profile map", self.url, Place(str(self.path)), self._advice())
        if not self._may_write:
            raise SourceReadOnly("the file", self.url, Place(str(self.path)))
        if file.faults:
            raise self._invalid(data, file, file.faults)

    def _demand_sound(self, data: bytes, file: RegistryFile, target: Reference) -> None:
        """Nobody can say what a write would do to an item that cannot be read."""
        for read in file.registries:
            if read.registry.slug == target.registry:
                faults = [*read.faults, *read.broken.get(target.profile, ())]
                if faults:
                    raise self._invalid(data, file, faults)

    def _advice(self) -> str:
        return f"convert it first: livery migrate registry {self.path} --in-place"

    def _registry(self, file: RegistryFile, slug: str) -> Registry | None:
        return next((read.registry for read in file.registries if read.registry.slug == slug), None)

    def _held(self, file: RegistryFile, slug: str) -> Registry:
        registry = self._registry(file, slug)
        if registry is None:
            raise RegistryNotFound(slug, nearest=nearest(slug, [read.registry.slug for read in file.registries]))
        return registry

    def _invalid(self, data: bytes, file: RegistryFile, faults: Sequence[Fault]) -> ValidationError:
        return ValidationError.of(placed(faults, file.document, data, str(self.path)))

    def _read(self) -> bytes:
        return read_file(self.path)

    def _demand_open(self) -> None:
        if self._closed:
            raise SourceUnavailable(self.url, "it is closed")
