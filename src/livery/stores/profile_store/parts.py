"""The files of a profile store as read: each is sound, or it is the error that says why it is not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from livery.errors import LiveryError, Place, SourceNotFound, SourceUnavailable, ValidationError
from livery.formats.profile_store import (
    CallersFile,
    ProfileFile,
    RuntimeFile,
    read_callers_file,
    read_profile_file,
    read_runtime_file,
)
from livery.formats.yaml import read_yaml
from livery.stores.directory_state import Contents
from livery.stores.files import digest
from livery.stores.profile_store.layout import Layout, layout_of, shown
from livery.stores.profile_store.sidecar import ReadSidecar, read_sidecar

File = TypeVar("File", RuntimeFile, ProfileFile, CallersFile)


class Parts(NamedTuple):
    """The files of a store; ``runtime`` and ``callers`` are None where there is no such file."""

    layout: Layout
    contents: Contents
    sidecar: ReadSidecar
    runtime: RuntimeFile | LiveryError | None
    callers: CallersFile | LiveryError | None
    profiles: dict[str, ProfileFile | LiveryError]

    @property
    def settings(self) -> Mapping[str, object] | None:
        """The settings for all profiles; None where nobody can tell what they are."""
        if isinstance(self.runtime, LiveryError):
            return None
        return self.runtime.settings if self.runtime else {}

    @property
    def caller_map(self) -> Mapping[str, str]:
        return self.callers.callers if isinstance(self.callers, CallersFile) else {}

    @property
    def fallback(self) -> str:
        return self.callers.fallback if isinstance(self.callers, CallersFile) else ""

    def sound_profiles(self) -> dict[str, ProfileFile]:
        return {slug: file for slug, file in self.profiles.items() if not isinstance(file, LiveryError)}

    def text(self, path: Path) -> str:
        """The text of a file; empty where there is none."""
        content = self.contents.get(path)
        return content.decode(errors="replace") if isinstance(content, bytes) else ""

    def digest_of_profile(self, slug: str) -> str:
        return _digest(self.layout.profiles[slug], self.contents)

    def digest_of_registry(self) -> str:
        return digest_of_registry(self.layout, self.contents)


def digest_of_registry(layout: Layout, contents: Contents) -> str:
    """The digest of what stands above the profiles; empty where there is nothing."""
    return _digest((*layout.runtime, *layout.callers), contents)


def _digest(files: Sequence[Path], contents: Contents) -> str:
    found = (contents[path] for path in files)
    return digest(b"\0".join(c if isinstance(c, bytes) else str(c).encode() for c in found)) if files else ""


class PartsReader:
    """Reads the files of a store time and again; a profile is parsed again only where its content has changed."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._parsed: dict[Path, tuple[bytes, ProfileFile | LiveryError]] = {}

    def read(self, contents: Contents) -> Parts:
        """The parts that these contents are. ValidationError where they are no profile store at all."""
        layout = demand_store(self.directory, contents)
        return Parts(
            layout,
            contents,
            read_sidecar(contents.get(layout.sidecar), shown(layout.sidecar)),
            _one(layout.runtime, contents, read_runtime_file) if layout.runtime else None,
            _one(layout.callers, contents, read_callers_file) if layout.callers else None,
            self._profiles(layout, contents),
        )

    def _profiles(self, layout: Layout, contents: Contents) -> dict[str, ProfileFile | LiveryError]:
        before, self._parsed = self._parsed, {}
        return {slug: self._profile(files, contents, before) for slug, files in layout.profiles.items()}

    def _profile(
        self,
        files: tuple[Path, ...],
        contents: Contents,
        before: Mapping[Path, tuple[bytes, ProfileFile | LiveryError]],
    ) -> ProfileFile | LiveryError:
        content = contents[files[0]]
        if len(files) > 1 or not isinstance(content, bytes):
            return _one(files, contents, read_profile_file)
        known = before.get(files[0])
        file = known[1] if known and known[0] == content else _one(files, contents, read_profile_file)
        self._parsed[files[0]] = (content, file)
        return file


def _one(files: tuple[Path, ...], contents: Contents, parse: Callable[[bytes, str], File]) -> File | LiveryError:
    """What the one file that there must be holds."""
    path, *others = files
    content = contents[path]
    if others:
        reason = f"stands beside {' and '.join(map(shown, others))}; keep one of them"
        return ValidationError("", reason, Place(shown(path)))
    if isinstance(content, SourceNotFound):
        return SourceUnavailable(shown(path), "it is a link that leads nowhere")
    if isinstance(content, LiveryError):
        return content
    try:
        file = parse(content, shown(path))
    except ValidationError as error:
        return error
    return ValidationError.of(file.faults) if file.faults else file


def demand_store(directory: Path, contents: Contents) -> Layout:
    """Which file is what. ValidationError where the path is no directory, or an old single file stands there alone."""
    whole = contents.get(directory)
    if whole is not None:
        place = Place(shown(directory))
        raise old_form(place) if _has_servers(whole) else ValidationError("", "must be a directory", place)
    layout = layout_of(directory, contents)
    if layout.runtime and not layout.profiles and _has_servers(contents[layout.runtime[0]]):
        raise old_form(Place(shown(layout.runtime[0])))
    return layout


def has_old_form(parts: Parts) -> bool:
    """Whether the file for all profiles is an old single file, which holds servers too."""
    return isinstance(parts.runtime, LiveryError) and _has_servers(parts.contents[parts.layout.runtime[0]])


def old_form(place: Place) -> ValidationError:
    """The error of a file that holds everything, with the command that makes a store of it."""
    advice = f"make a profile store of it: livery migrate profile-store {place.file} DIR"
    return ValidationError("servers", f"this is an old single file, which holds servers too; {advice}", place)


def _has_servers(content: bytes | LiveryError) -> bool:
    if not isinstance(content, bytes) or b"servers" not in content:
        return False  # known without parsing it, which takes long where somebody means harm
    try:
        document = read_yaml(content, "")
    except LiveryError:
        return False
    return isinstance(document, Mapping) and "servers" in document
