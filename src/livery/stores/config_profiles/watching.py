"""Whether an overlay that was read has changed since."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

from livery.errors import LiveryError
from livery.stores.file_state import FileState
from livery.stores.files import digest


class ReadOverlays:
    """The overlays that were read since a store was opened, and no others: listing opens none.

    ``turns`` counts the changes of them that were noticed. So reading one more overlay is no change, and every change
    is one, in whatever order they are noticed.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._states: dict[Path, FileState] = {}
        self._told: dict[Path, str] = {}
        self._turns = 0
        self._lock = threading.Lock()

    @property
    def paths(self) -> Sequence[Path]:
        return tuple(self._told)

    def content(self, path: Path) -> bytes:
        """What is in an overlay; SourceNotFound or SourceUnavailable where it cannot be read."""
        with self._lock:
            state = self._states.setdefault(path, FileState(path, self._url))
        try:
            data = state.content()
        except LiveryError as error:
            self._take(path, str(error))
            raise
        self._take(path, digest(data))
        return data

    def told(self) -> dict[Path, str]:
        """The digests of the overlays as they were read last."""
        return {path: told for path, told in dict(self._told).items() if told.startswith("sha256:")}

    def wrote(self, path: Path, data: bytes | None) -> None:
        """Take note of a file that was written from here, or removed (None)."""
        with self._lock:
            if data is None:
                self._states.pop(path, None)
                self._told.pop(path, None)
            elif path in self._told:
                self._states[path].wrote(digest(data))

    def turns(self) -> int:
        """How many changes there have been by now."""
        for path, state in list(self._states.items()):
            try:
                told = state.token(self._told.get(path, ""))
            except LiveryError as error:
                told = str(error)
            if path in self._told:
                self._take(path, told)
        return self._turns

    def _take(self, path: Path, told: str) -> None:
        with self._lock:
            if self._told.setdefault(path, told) != told:
                self._turns += 1
                self._told[path] = told
