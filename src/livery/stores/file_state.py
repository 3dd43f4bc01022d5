"""One file as it stands now: its content, and a token that is equal for equal content."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, TypeVar

from livery.errors import SourceNotFound, SourceUnavailable
from livery.stores.files import digest, read_file

Answer = TypeVar("Answer")

REST_S, LONGEST_WAIT_S = 0.05, 0.15
"""How long a file has to be left alone before a change of it is told, and the longest wait for that."""
SETTLED_NS = 2_000_000_000
"""The coarsest clock of a file system; within one tick of it a change leaves no mark."""


class Mark(NamedTuple):
    """What tells one state of a file from another without reading it."""

    device: int
    inode: int
    size: int
    modified_ns: int
    changed_ns: int

    def age_ns(self) -> int:
        """How long ago the file was changed; a time in the future is below zero."""
        return time.time_ns() - self.changed_ns


def mark_of(path: Path, url: str) -> Mark:
    """The mark of what is at a path, links followed; ``url`` is its name in errors."""
    try:
        stat = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise SourceNotFound(str(path)) from None
    except OSError as error:
        raise SourceUnavailable(url, error.strerror or str(error)) from error
    return Mark(stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)


class FileState:
    """Looks at a file; ``url`` is its name in errors. SourceNotFound and SourceUnavailable where it cannot be read."""

    def __init__(self, path: Path, url: str) -> None:
        self._path = path
        self._url = url
        self._seen: tuple[Mark, str] | None = None
        self._written = ""
        self._was_there = False

    def content(self) -> bytes:
        return self._asked_again(lambda: read_file(self._path))

    def token(self, since: str = "") -> str:
        """The digest of the content; it is read again only where size, times or identity of the file have changed.

        An editor may write in several steps: a change since another state is told once the file has rested.
        """
        rested = self._rested(since) if since and self._was_there else None
        return rested if rested is not None else self._asked_again(self._token)

    def wrote(self, token: str) -> None:
        """Take note of content that was written from here, as a whole: it needs no rest."""
        self._written = token
        self._seen = None

    def _asked_again(self, ask: Callable[[], Answer]) -> Answer:
        """The answer of a file; one that has just vanished is asked once more: it may be about to be replaced."""
        try:
            answer = ask()
        except SourceNotFound:
            if not self._was_there:
                raise
            self._was_there = False
            time.sleep(REST_S)
            answer = ask()
        self._was_there = True
        return answer

    def _rested(self, since: str) -> str | None:
        """The digest of a file that is as it was, or has been left alone for a moment; None where it never is.

        A time in the future says nothing.
        """
        deadline = time.monotonic() + LONGEST_WAIT_S
        while time.monotonic() < deadline:
            age_s = 0.0
            with suppress(SourceNotFound):  # on its way to be replaced
                mark = self._mark()
                token, is_whole = self._digest_at(mark)
                if is_whole:
                    age_s = mark.age_ns() / 1e9
                    if token in (since, self._written) or not 0 <= age_s < REST_S:
                        return token
            time.sleep(REST_S - age_s)
        return None

    def _token(self) -> str:
        return self._digest_at(self._mark())[0]

    def _digest_at(self, mark: Mark) -> tuple[str, bool]:
        """The digest of what is there, and whether that is what the mark is of: not while somebody writes."""
        if self._seen is not None and self._seen[0] == mark:
            return self._seen[1], True
        data = read_file(self._path)
        is_whole = len(data) == mark.size and self._mark() == mark
        self._seen = (mark, digest(data)) if is_whole and mark.age_ns() > SETTLED_NS else None
        return digest(data), is_whole

    def _mark(self) -> Mark:
        return mark_of(self._path, self._url)
