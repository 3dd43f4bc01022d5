"""Registries in one YAML file that people also edit by hand: comments and order are kept, writes are atomic."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from livery.core.documents import ReadRegistry
from livery.core.names import Reference, nearest
from livery.core.profile import Profile, Registry
from livery.core.values import same
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
from livery.formats.registry_yaml import (
    OLD_PROFILE_FIELDS,
    RegistryFile,
    as_bundle,
    path_of_field,
    placed,
    read_registries,
)
from livery.formats.yaml import locate_all
from livery.stores.files import digest, read_file, replace_file
from livery.stores.protocols import BrokenItem, Field, Loaded, WriteOptions
from livery.stores.versions import expect, next_profile, next_registry, without_profile

Answer = TypeVar("Answer")
Change = Callable[[RegistryFile], tuple[list[Any], Any]]
"""From what a file holds to the edits of it and the answer of the write."""

_REST_S, _LONGEST_WAIT_S = 0.05, 0.15
_SETTLED_NS = 2_000_000_000  # the coarsest clock of a file system; within one tick of it a change leaves no mark


class Mark(NamedTuple):
    """What tells one state of a file from another without reading it."""

    device: int
    inode: int
    size: int
    modified_ns: int
    changed_ns: int


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
        self._seen: tuple[Mark, str] | None = None
        self._written = ""
        self._was_there = False

    def load_registries(self) -> Loaded:
        self._demand_open()
        data = self._asked_again(self._read)
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
        """The digest of the content; it is read again only where size, times or identity of the file have changed.

        An editor may write in several steps: a change of what was loaded before is told once the file has rested.
        """
        self._demand_open()
        if since and self._was_there:
            self._let_rest(since)
        return self._asked_again(self._token)

    def _asked_again(self, ask: Callable[[], Answer]) -> Answer:
        """The answer of a file; one that has just vanished is asked once more: it may be about to be replaced."""
        try:
            answer = ask()
        except SourceNotFound:
            if not self._was_there:
                raise
            self._was_there = False
            time.sleep(_REST_S)
            answer = ask()
        self._was_there = True
        return answer

    def _let_rest(self, since: str) -> None:
        """Wait until a file that is not in the state of the token has been left alone for a moment, but not for ever.

        A time in the future says nothing, and what was written here is whole.
        """
        deadline = time.monotonic() + _LONGEST_WAIT_S
        while time.monotonic() < deadline:
            try:
                age_s = (time.time_ns() - self._mark().changed_ns) / 1e9
                if not 0 <= age_s < _REST_S or self._token() in (since, self._written):
                    return
            except SourceNotFound:
                age_s = 0.0  # on its way to be replaced
            time.sleep(_REST_S - age_s)

    def _token(self) -> str:
        mark = self._mark()
        if self._seen is not None and self._seen[0] == mark:
            return self._seen[1]
        token = digest(self._read())
        age_ns = time.time_ns() - mark.changed_ns
        self._seen = (mark, token) if age_ns > _SETTLED_NS else None
        return token

    def _mark(self) -> Mark:
        try:
            stat = self.path.stat()
        except (FileNotFoundError, NotADirectoryError):
            raise SourceNotFound(str(self.path)) from None
        except OSError as error:
            raise SourceUnavailable(self.url, error.strerror or str(error)) from error
        return Mark(stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)

    def places(self, wanted: Sequence[Field], token: str) -> list[Place | None]:
        try:
            data = self._read()
            file = read_registries(data, str(self.path))
        except (ValidationError, SourceNotFound, SourceUnavailable):
            return [None] * len(wanted)
        if digest(data) != token:
            return [None] * len(wanted)
        return locate_all(data.decode(), str(self.path), [_path_of(file, *field) for field in wanted])

    def close(self) -> None:
        self._closed = True

    def save_registry(self, registry: Registry, options: WriteOptions) -> Registry:
        def change(file: RegistryFile) -> tuple[list[Any], Registry]:
            stored = self._registry(file, registry.slug)
            expect("registry", registry.slug, options, stored.version if stored else 0)
            saved = next_registry(stored, registry, options)
            return self._head_changes(file, stored, saved), saved

        saved: Registry = self._write(change, Reference(registry.slug, ""))
        return saved

    def save_profile(self, profile: Profile, options: WriteOptions) -> Profile:
        def change(file: RegistryFile) -> tuple[list[Any], Profile]:
            registry = self._held(file, profile.registry)
            stored = registry.profiles.get(profile.slug)
            expect("profile", profile.slug, options, stored.version if stored else 0)
            last = registry.metadata.deleted_versions.get(profile.slug, 0)
            saved = next_profile(stored, profile, options, last)
            return self._profile_changes(file, stored, saved), saved

        saved: Profile = self._write(change, profile.reference)
        return saved

    def delete_profile(self, reference: Reference, options: WriteOptions) -> None:
        def change(file: RegistryFile) -> tuple[list[Any], None]:
            from livery.formats.yaml_edit import Drop

            registry = self._held(file, reference.registry)
            stored = registry.profiles.get(reference.profile)
            if stored is None:
                raise ProfileNotFound(str(reference), nearest=nearest(reference.profile, registry.profiles))
            expect("profile", reference.profile, options, stored.version)
            path = (*_container(file, reference.registry), "profiles", _written(file, *reference))
            head = self._head_changes(file, registry, without_profile(registry, reference.profile))
            return [Drop(path), *head], None

        self._write(change, reference)

    def delete_registry(self, slug: str, options: WriteOptions) -> None:
        def change(file: RegistryFile) -> tuple[list[Any], None]:
            from livery.formats.yaml_edit import Drop

            expect("registry", slug, options, self._held(file, slug).version)
            path = _container(file, slug)
            return [Drop(path)] if path else [Drop((key,)) for key in file.document], None

        self._write(change, Reference(slug, ""))

    def _profile_changes(self, file: RegistryFile, stored: Profile | None, saved: Profile) -> list[Any]:
        """The edits for a profile: of a document in today's form only the fields that differ."""
        from livery.formats.yaml_edit import Drop, Put

        path = (*_container(file, saved.registry), "profiles", _written(file, saved.registry, saved.slug))
        before, new = _at(file.document, path), saved.document()
        if stored is None or not isinstance(before, dict) or any(field in before for field in OLD_PROFILE_FIELDS):
            return [Put(path, new)]
        old = stored.document()
        drops = [Drop((*path, key)) for key in old if key not in new]
        puts = [Put((*path, key), value) for key, value in new.items() if not same(old.get(key), value)]
        return [*drops, *puts]

    def _head_changes(self, file: RegistryFile, stored: Registry | None, saved: Registry) -> list[Any]:
        """The edits for a registry's own fields."""
        from livery.formats.yaml_edit import Drop, Put

        path = _container(file, saved.slug)
        new = saved.head()
        if stored is None:
            head = {key: value for key, value in new.items() if key != "slug" or not path}
            profiles = {slug: profile.document() for slug, profile in saved.profiles.items()}
            return [Put((*path, key), value) for key, value in {**head, "profiles": profiles}.items()]
        old = stored.head()
        drops = [Drop((*path, key)) for key in old if key not in new]
        puts = [Put((*path, key), value) for key, value in new.items() if not same(old.get(key), value)]
        return [*drops, *puts]

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
        self._seen = None
        self._written = answer[1]
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


def _container(file: RegistryFile, registry: str) -> tuple[str, ...]:
    """The path of a registry's mapping in the file."""
    if file.shape != "bundle":
        return ()
    keys = [key for key in file.document["registries"] if key.strip().lower() == registry]
    return ("registries", keys[0] if keys else registry)


def _path_of(file: RegistryFile, registry: str, profile: str, field: str) -> tuple[str | int, ...]:
    """Where a field of a registry or profile stands in the file, also in the older forms of a profile."""
    path: tuple[str | int, ...] = _container(file, registry)
    if profile:
        name = _written(file, registry, profile)
        path = (*path, name) if file.shape == "legacy" else (*path, "profiles", name)
    document = _at(file.document, path)
    return (*path, *path_of_field(document, _as_written(field, document, file.shape)))


def _as_written(field: str, document: Any, shape: str) -> str:
    """A field under the name that it has in an older form."""
    if field.startswith("extends") and isinstance(document, dict) and "stack" in document:
        return "stack" + field.removeprefix("extends")
    setting = field.removeprefix("runtime.step_settings_patch.")
    if setting == field:
        return field
    if shape == "legacy":
        from livery.settings import legacy_of_settings  # only where somebody asks for lines of such a file

        return ".".join(legacy_of_settings(tuple(setting.split("."))) or (setting,))
    if isinstance(document, dict) and "inference_settings" in document:
        return f"inference_settings.{setting}"
    return field


def _written(file: RegistryFile, registry: str, slug: str) -> str:
    """The key under which a profile stands, as it is written."""
    held = _at(file.document, _container(file, registry)) or {}
    profiles = held if file.shape == "legacy" else held.get("profiles") or {}
    return next((key for key in profiles if key.strip().lower() == slug), slug)


def _at(document: Any, path: Sequence[str | int]) -> Any:
    for part in path:
        if not isinstance(document, dict) or part not in document:
            return None
        document = document[part]
    return document
