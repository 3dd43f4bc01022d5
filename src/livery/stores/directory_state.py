"""A set of files as they stand now: their contents, and a token that is equal for equal contents."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from livery.errors import LiveryError, SourceNotFound, SourceUnavailable
from livery.stores.file_state import LONGEST_WAIT_S, REST_S, SETTLED_NS, Mark, mark_of
from livery.stores.files import digest, read_file

Contents = Mapping[Path, bytes | LiveryError]
"""What is in each file of a set, or why it cannot be read."""

_MOST_LOOKS = 5


def token_of(contents: Contents) -> str:
    """The token of these contents: of no others, and of these whenever they come back."""
    return _joined({path: _told(content) for path, content in contents.items()})


class DirectoryState:
    """Looks at a set of files, which may grow and shrink; ``url`` is its name in errors.

    ``list_files`` gives the files that there are; what it raises is passed on. A file that ``read`` gives an error for
    is part of the set, with the error in the place of its content.
    """

    def __init__(
        self, url: str, list_files: Callable[[], Sequence[Path]], read: Callable[[Path], bytes] = read_file
    ) -> None:
        self._url = url
        self._list_files = list_files
        self._read_file = read
        self._seen: dict[Path, tuple[Mark, str]] = {}
        self._told: dict[Path, str] | None = None
        self._written: dict[Path, str] = {}

    def contents(self) -> dict[Path, bytes | LiveryError]:
        """One look at all files; what changes while others are read is read again."""
        held: dict[Path, bytes | LiveryError] = {}
        marks: dict[Path, Mark | None] | None = None
        for _ in range(_MOST_LOOKS):
            now = {path: self._mark(path) for path in self._list_files()}
            if now == marks:
                break
            before = marks or {}
            held = {
                path: held[path] if before.get(path, _NEVER) == mark else self._read(path) for path, mark in now.items()
            }
            marks = now
        self._told = {path: _told(content) for path, content in held.items()}
        return held

    def token(self, since: str = "") -> str:
        """The token of the present contents; a file is read again only where its size, times or identity changed.

        Files may be written in several steps, and several files one after another: a change since another state is told
        once what has changed was left alone for a moment.
        """
        rests = since and self._told is not None
        self._told = self._rested(since, self._told or {}) if rests else self._digests()
        return _joined(self._told)

    def wrote(self, path: Path, data: bytes | None) -> None:
        """Take note of a file that was written from here as a whole, or removed (None): it needs no rest."""
        self._written[path] = _told(data) if data is not None else ""
        self._seen.pop(path, None)

    def _rested(self, since: str, told: Mapping[Path, str]) -> dict[Path, str]:
        """The digests once what is not as it was told last has been left alone for a moment, but not for ever."""
        deadline = time.monotonic() + LONGEST_WAIT_S
        while time.monotonic() < deadline:
            try:
                present = self._digests()
                if _joined(present) == since:
                    return present
                age_s = min(map(self._age_s, self._changed(told, present)), default=REST_S)
                if not 0 <= age_s < REST_S:
                    return present  # a time in the future says nothing
            except SourceNotFound:
                age_s = 0.0  # the directory is on its way to be replaced
            time.sleep(REST_S - age_s)
        return self._digests()

    def _changed(self, told: Mapping[Path, str], present: Mapping[Path, str]) -> list[Path]:
        """The files that are not as they were told last, but for those that were written from here."""
        paths = [path for path in {*told, *present} if told.get(path) != present.get(path)]
        return [path for path in paths if self._written.get(path) != present.get(path, "")]

    def _age_s(self, path: Path) -> float:
        """How long ago a file was changed; of one that is gone, its directory."""
        mark = self._mark(path) or self._mark(path.parent)
        return mark.age_ns() / 1e9 if mark else REST_S

    def _digests(self) -> dict[Path, str]:
        digests = {path: self._digest(path) for path in self._list_files()}
        if len(self._seen) > len(digests):
            self._seen = {path: seen for path, seen in dict(self._seen).items() if path in digests}
        return digests

    def _digest(self, path: Path) -> str:
        mark = self._mark(path)
        seen = self._seen.get(path)
        if seen is not None and seen[0] == mark:
            return seen[1]
        content = self._read(path)
        if mark is not None and mark.age_ns() > SETTLED_NS and isinstance(content, bytes):
            self._seen[path] = (mark, _told(content))
        return _told(content)

    def _read(self, path: Path) -> bytes | LiveryError:
        try:
            return self._read_file(path)
        except LiveryError as error:
            return error

    def _mark(self, path: Path) -> Mark | None:
        try:
            return mark_of(path, self._url)
        except (SourceNotFound, SourceUnavailable):
            return None


_NEVER = Mark(-1, -1, -1, -1, -1)  # equal to the mark of no file, not even of one that is not there


def _told(content: bytes | LiveryError) -> str:
    return digest(content) if isinstance(content, bytes) else str(content)


def _joined(digests: Mapping[Path, str]) -> str:
    whole = sha256()
    for path in sorted(digests, key=os.fspath):
        whole.update(os.fsencode(path) + b"\0" + digests[path].encode(errors="replace") + b"\0")
    return "sha256:" + whole.hexdigest()
