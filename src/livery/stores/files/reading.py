"""Reading files that anybody may have put there: never more than a bound, never waiting for a pipe."""

from __future__ import annotations

import os
import stat
from hashlib import sha256
from pathlib import Path

from livery.errors import Place, SourceNotFound, SourceUnavailable, ValidationError
from livery.stores.files.paths import translated

MAX_BYTES = 64 * 1024 * 1024
"""The largest file that is read."""

_PIECE = 64 * 1024


def digest(data: bytes) -> str:
    """``sha256:`` and the hex digest: equal for equal content."""
    return "sha256:" + sha256(data).hexdigest()


def read_file(path: Path) -> bytes:
    """The content of a regular file; SourceNotFound, SourceUnavailable, or a ValidationError above 64 MiB."""
    with translated(path, "cannot be read"):
        try:
            data = _read(path)
        except (FileNotFoundError, NotADirectoryError):
            raise SourceNotFound(str(path)) from None
    if len(data) > MAX_BYTES:
        raise ValidationError("", "larger than 64 MiB", Place(str(path)))
    return data


def _read(path: Path) -> bytes:
    demand_regular(path, os.stat(path))
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        demand_regular(path, os.fstat(file))  # it may have been replaced since: never wait for a pipe
        return read_all(file, MAX_BYTES + 1)
    finally:
        os.close(file)


def demand_regular(path: Path | str, status: os.stat_result) -> None:
    """SourceUnavailable for anything but a regular file."""
    if stat.S_ISDIR(status.st_mode):
        raise SourceUnavailable(str(path), "it is a directory, not a file")
    if not stat.S_ISREG(status.st_mode):
        raise SourceUnavailable(str(path), "it is not a regular file")


def read_all(file: int, most: int) -> bytes:
    """What an open regular file holds from where it stands, up to a number of bytes."""
    pieces = []
    while most > 0:
        wanted = min(most, _PIECE)
        piece = os.read(file, wanted)
        pieces.append(piece)
        most -= len(piece)
        if len(piece) < wanted:
            break
    return b"".join(pieces)
