"""Which file of a profile store's directory is what, by its name alone."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from livery.core.names import profile_slug
from livery.errors import SourceNotFound, SourceUnavailable, ValidationError
from livery.stores.files import read_file, real_path

SIDECAR, PROFILES = ".livery.json", "profiles"
SUFFIXES = (".yaml", ".yml")
_NOT_THERE = (FileNotFoundError, NotADirectoryError)
_RUNTIME, _CALLERS = ("runtime.yaml", "runtime.yml"), ("callers.yaml", "callers.yml")


class Layout(NamedTuple):
    """The files of a store by what they are for; ``runtime``, ``callers`` and a profile have one file or are at fault.

    ``misnamed`` are files that would be profiles if their names were slugs.
    """

    directory: Path
    runtime: tuple[Path, ...]
    callers: tuple[Path, ...]
    profiles: dict[str, tuple[Path, ...]]
    misnamed: tuple[Path, ...]

    @property
    def sidecar(self) -> Path:
        return self.directory / SIDECAR

    @property
    def profiles_directory(self) -> Path:
        return self.directory / PROFILES

    @property
    def is_empty(self) -> bool:
        return not (self.runtime or self.callers or self.profiles)

    @property
    def runtime_file(self) -> Path:
        """The file of the settings for all profiles: the one that is there, or would be."""
        return self.runtime[0] if self.runtime else self.directory / _RUNTIME[0]

    @property
    def callers_file(self) -> Path:
        return self.callers[0] if self.callers else self.directory / _CALLERS[0]

    def profile_file(self, slug: str) -> Path:
        files = self.profiles.get(slug)
        return files[0] if files else self.profiles_directory / f"{slug}.yaml"


def layout_of(directory: Path, files: Iterable[Path]) -> Layout:
    """What each of the files is for."""
    runtime, callers, misnamed = [], [], []
    profiles: dict[str, tuple[Path, ...]] = {}
    profiles_directory = directory / PROFILES
    for path in sorted(files, key=os.fspath):
        if path.parent != profiles_directory:
            runtime += [path] if path.name.lower() in _RUNTIME else []
            callers += [path] if path.name.lower() in _CALLERS else []
            continue
        try:
            slug = profile_slug(path.stem)
        except ValidationError:
            misnamed.append(path)
        else:
            profiles[slug] = (*profiles.get(slug, ()), path)
    return Layout(directory, tuple(runtime), tuple(callers), profiles, tuple(misnamed))


def files_of(directory: Path, url: str) -> list[Path]:
    """The files of a store that there are; SourceNotFound or SourceUnavailable where the directory cannot be listed.

    The path itself, where it is no directory: what it holds says what to do about it. Hidden files, copies that editors
    keep (``chat.yaml~``), other suffixes and directories below ``profiles`` are no files of the store.
    """
    try:
        if not stat.S_ISDIR(os.stat(directory).st_mode):
            return [directory]
        names = os.listdir(directory)
        own = [directory / name for name in names if name.lower() in (*_RUNTIME, *_CALLERS, SIDECAR)]
        return [*own, *(_profile_files(directory, url) if PROFILES in names else ())]
    except OSError as error:
        if isinstance(error, _NOT_THERE) and error.filename in (directory, str(directory)):
            raise SourceNotFound(str(directory)) from None
        raise SourceUnavailable(url, f"{error.filename}: {error.strerror}") from error


def _profile_files(directory: Path, url: str) -> Iterator[Path]:
    profiles = directory / PROFILES
    if not leads_inside(profiles, directory):
        raise SourceUnavailable(url, f"{shown(profiles)} is a link that leads out of the store")
    for name in os.listdir(profiles):
        if name.lower().endswith(SUFFIXES) and not name.startswith("."):
            yield profiles / name


def leads_inside(path: Path, directory: Path) -> bool:
    """Whether a path is no link, or one to something in the directory: nothing outside of it is read."""
    return not os.path.islink(path) or real_path(path).is_relative_to(real_path(directory))


def read_inside(path: Path, directory: Path) -> bytes:
    """The content of a file of the store; SourceUnavailable also for a link that leads out of its directory."""
    if not leads_inside(path, directory):
        raise SourceUnavailable(shown(path), f"it is a link that leads out of {shown(directory)}")
    return read_file(path)


def shown(path: Path) -> str:
    """A path as text, with escapes for what no terminal or document should hold."""
    text = os.fsencode(path).decode(errors="backslashreplace")
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]", lambda mark: f"\\u{ord(mark[0]):04x}", text)
