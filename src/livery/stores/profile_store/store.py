"""A profile store as a store of Livery: one directory that people edit by hand and programs write."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from livery.core.names import Reference, registry_slug
from livery.core.profile import Profile, Registry
from livery.errors import (
    LiveryError,
    Locked,
    Place,
    SourceNotFound,
    SourceReadOnly,
    SourceUnavailable,
    ValidationError,
)
from livery.stores.copies import copied_profile, copied_registry
from livery.stores.directory_state import DirectoryState, token_of
from livery.stores.files import locked, make_directory, read_file, set_aside, write_unchanged
from livery.stores.profile_store.layout import PROFILES, SIDECAR, files_of, read_inside, shown
from livery.stores.profile_store.parts import PartsReader
from livery.stores.profile_store.places import places_of, spot_of
from livery.stores.profile_store.reading import Reading, reading_of
from livery.stores.profile_store.room import demand_room_for_profile, demand_room_for_registry
from livery.stores.profile_store.writing import (
    Plan,
    contents_after,
    demand_no_harm,
    plan_deletion,
    plan_profile,
    plan_registry,
    plan_registry_deletion,
)
from livery.stores.protocols import Field, Loaded, WriteOptions

_MOST_TRIES = 10
_ANOTHER = "a program that goes on writing it"


class DirectoryStore:
    """A directory of profiles: one registry, whose slug is ``registry``, else the name of the directory.

    Loading makes nothing. The first :meth:`save_registry` makes the directory where it is missing.
    """

    kind = "profile-store"
    advice = ""

    def __init__(self, directory: Path, *, registry: str = "", writable: bool = True, label: str = "") -> None:
        self.directory = Path(os.path.expanduser(directory))
        self.url = label or f"profile-store:{directory}"
        self.writable = writable
        self._named = registry_slug(registry, "source.registry") if registry else ""
        self._closed = False
        self._had_profiles = False
        self._state = DirectoryState(
            self.url,
            lambda: files_of(self.directory, self.url),
            lambda path: read_inside(path, self.directory),
        )
        self._reader = PartsReader(self.directory)

    def load_registries(self) -> Loaded:
        self._demand_open()
        was_there = self._has_profiles()
        contents = self._state.contents()
        reading = reading_of(self._reader.read(contents), self._slug())
        self._note_profiles(reading, was_there and self._has_profiles())
        registries = (copied_registry(reading.registry),) if reading.registry else ()
        return Loaded(registries, reading.broken, token_of(contents), reading.notices)

    def _note_profiles(self, reading: Reading, are_there: bool) -> None:
        """SourceUnavailable where the directory of the profiles has gone as a whole: that deletes no profile."""
        if reading.registry is not None and self._had_profiles and not are_there:
            raise SourceUnavailable(self.url, f"{shown(self.directory / PROFILES)} is gone")
        self._had_profiles = are_there

    def _has_profiles(self) -> bool:
        return os.path.isdir(self.directory / PROFILES)

    def get_profile(self, registry: str, slug: str) -> Profile | None:
        self._demand_open()
        held = self._reading().registry
        profile = held.profiles.get(slug) if held and held.slug == registry else None
        return copied_profile(profile) if profile else None

    def changes(self, since: str) -> str:
        self._demand_open()
        return self._state.token(since)

    def places(self, wanted: Sequence[Field], token: str) -> list[Place | None]:
        try:
            contents = self._state.contents()
            if token_of(contents) != token:
                return [None] * len(wanted)
            parts = self._reader.read(contents)
        except (ValidationError, SourceNotFound, SourceUnavailable):
            return [None] * len(wanted)
        return places_of(parts, [spot_of(parts, field) for field in wanted])

    def watched(self) -> Sequence[Path]:
        profiles = self.directory / PROFILES
        try:
            links = [path for path in files_of(self.directory, self.url) if path.is_symlink()]
        except (SourceNotFound, SourceUnavailable):
            links = []
        return (self.directory, profiles, *links)

    def close(self) -> None:
        self._closed = True

    def demand_room(self, item: Profile | Registry) -> None:
        if isinstance(item, Profile):
            demand_room_for_profile(item)
        else:
            demand_room_for_registry(item, self._slug())

    def save_registry(self, registry: Registry, options: WriteOptions) -> Registry:
        slug = self._slug()
        demand_room_for_registry(registry, slug)  # before the directory is made
        after = self._write(lambda reading: plan_registry(reading, registry, options, slug), "", options, makes=True)
        assert after.registry is not None
        return copied_registry(after.registry)

    def save_profile(self, profile: Profile, options: WriteOptions) -> Profile:
        after = self._write(lambda reading: plan_profile(reading, profile, options), profile.slug, options)
        assert after.registry is not None
        return copied_profile(after.registry.profiles[profile.slug])

    def delete_profile(self, reference: Reference, options: WriteOptions) -> None:
        self._write(lambda reading: plan_deletion(reading, reference, options), reference.profile, options)

    def delete_registry(self, slug: str, options: WriteOptions) -> None:
        self._write(lambda reading: plan_registry_deletion(reading, slug, options), "", options)

    def _write(
        self, plan: Callable[[Reading], Plan], profile: str, options: WriteOptions, *, makes: bool = False
    ) -> Reading:
        """Carry out what is planned of what the files hold under the store's one lock, and give what they hold then."""
        self._demand_open()
        if not self.writable:
            raise SourceReadOnly("the directory", self.url, Place(shown(self.directory)))
        if os.path.lexists(self.directory) or not makes:
            _demand_recordable(self._reading())  # what is not written is not locked either
        with locked(self.directory / SIDECAR, also_in=[self.directory / PROFILES]):
            for _ in range(_MOST_TRIES):
                with suppress(Locked):  # by a program that knows of no lock: planned again on what it wrote
                    return self._written(plan, profile, options)
        raise Locked(shown(self.directory), _ANOTHER)

    def _written(self, plan: Callable[[Reading], Plan], profile: str, options: WriteOptions) -> Reading:
        before = self._reading()
        _demand_recordable(before)
        parts = before.parts
        files, records = plan(before)
        files = {**files, parts.layout.sidecar: records.encoded()}
        after = reading_of(self._reader.read(contents_after(parts.contents, files)), self._slug())
        demand_no_harm(before, after, profile)
        for path in files:
            _demand_unchanged(path, parts.contents.get(path))  # before the first is written: nothing is half done
        if parts.sidecar.fault is not None:
            unread = parts.contents[parts.layout.sidecar]
            if isinstance(unread, bytes):
                set_aside(parts.layout.sidecar, unread, options.at_ms or time.time_ns() // 1_000_000)
        for path, data in files.items():
            self._put(path, parts.contents.get(path), data)
        if after.registry is None:
            with suppress(OSError):  # something else is in it
                parts.layout.profiles_directory.rmdir()
        return after

    def _put(self, path: Path, planned: bytes | LiveryError | None, new: bytes | None) -> None:
        if new is not None:
            make_directory(path.parent)
        write_unchanged(path, planned, new)
        self._state.wrote(path, new)

    def _reading(self) -> Reading:
        return reading_of(self._reader.read(self._state.contents()), self._slug())

    def _slug(self) -> str:
        """The registry's slug. Of a link it is the name of the link: what it leads to may be swapped."""
        name = os.path.basename(os.path.abspath(self.directory))
        try:
            return self._named or registry_slug(name)
        except ValidationError:
            reason = f"the directory's name {name!r} is no slug; name the registry: {self.url}?registry=NAME"
            raise ValidationError("registry", reason, Place(shown(self.directory))) from None

    def _demand_open(self) -> None:
        if self._closed:
            raise SourceUnavailable(self.url, "it is closed")


def _demand_unchanged(path: Path, planned: bytes | LiveryError | None) -> None:
    """Locked where a file holds something else than its change was planned from."""
    if not isinstance(planned, LiveryError) and (read_file(path) if os.path.lexists(path) else None) != planned:
        raise Locked(shown(path), _ANOTHER)


def _demand_recordable(reading: Reading) -> None:
    """Raise why the versions cannot be written: nothing else is written then."""
    if reading.parts.sidecar.refusal is not None:
        raise reading.parts.sidecar.refusal
