"""Where the system has to be asked about changes of some paths: directories, and the names in them that matter."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress

_MOST_LINKS = 40  # what the kernel follows

Identity = tuple[int, int]


class Directories:
    """The directories on which the content of some paths depends, as they stand now.

    For a path that is the directory that holds it, and each one that holds a link on the way; a directory that was
    named counts with all that lies in it, and with what links in it lead to. Of each the directory above is watched
    too, for the day it is replaced. Of a path that does not exist it is the nearest directory that does.
    """

    def __init__(self, paths: Iterable[str | os.PathLike[str]]) -> None:
        self._names: dict[str, set[str]] = {}
        self._whole: set[str] = set()
        for path in paths:
            self._add(os.fspath(path))
        for directory in [*self._names, *self._whole]:
            self._note(*os.path.split(directory))
        found = ((directory, _identity(directory)) for directory in sorted({*self._names, *self._whole}))
        self.identities = {directory: identity for directory, identity in found if identity}
        """Each directory that is there, with what tells it from another one of its name."""

    def concerned(self, paths: Iterable[str]) -> set[str]:
        """Those of some changed paths that matter here."""
        return {path for path in paths if self._concerns(path)}

    def are_replaced(self, paths: Iterable[str]) -> bool:
        """Whether one of the directories is itself among some changed paths: it may be another one by now."""
        return any(path in self.identities for path in paths)

    def _concerns(self, path: str) -> bool:
        directory, name = os.path.split(path)
        return path in self.identities or directory in self._whole or name in self._names.get(directory, ())

    def _add(self, path: str) -> None:
        real = self._followed(path)
        if real and os.path.isdir(real):
            self._whole.add(real)
            for link in _links_in(real):
                self._followed(link)

    def _followed(self, path: str) -> str:
        """Where a path leads in the end, empty if nowhere; every step that could lead elsewhere is noted."""
        at, names, links = os.sep, _names(path if os.path.isabs(path) else f"{os.getcwd()}/{path}"), 0
        while names:
            name = names.pop()
            if name == os.pardir:
                at = os.path.dirname(at)
                continue
            here = os.path.join(at, name)
            target = _target(here)
            if target:
                self._note(at, name)
                links += 1
                names += _names(target)
                at = os.sep if os.path.isabs(target) else at
            elif not names or not os.path.isdir(here):
                self._note(at, name)
                return "" if names or not os.path.lexists(here) else here
            else:
                at = here
            if links > _MOST_LINKS:
                return ""
        return at

    def _note(self, directory: str, name: str) -> None:
        if name:
            self._names.setdefault(directory, set()).add(name)


def _names(path: str) -> list[str]:
    """The steps of a path, the first one last."""
    return [name for name in reversed(path.split(os.sep)) if name not in ("", os.curdir)]


def _target(path: str) -> str:
    """What a link says; empty where there is no link."""
    with suppress(OSError, ValueError):
        return os.readlink(path)
    return ""


def _links_in(directory: str) -> list[str]:
    with suppress(OSError), os.scandir(directory) as entries:
        return [entry.path for entry in entries if entry.is_symlink()]
    return []


def _identity(directory: str) -> Identity | None:
    with suppress(OSError, ValueError):
        status = os.stat(directory)
        return (status.st_dev, status.st_ino)
    return None
