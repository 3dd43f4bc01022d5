"""Where a path leads to, and what is wrong where the file system says no."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from livery.errors import SourceUnavailable


def real_path(path: Path) -> Path:
    """The file that a path leads to, through links, whether it exists or not."""
    with translated(path, "cannot be found"):
        return Path(os.path.realpath(path))


def target_of(path: Path) -> str:
    """The real path of a file that is to be written; SourceUnavailable where a link on the way leads to nothing.

    Nobody knows whether such a link is meant to make a file elsewhere, or what it led to will be back.
    """
    with translated(path, "cannot be written"):
        real = os.path.realpath(path)
        if not os.path.exists(real):
            _demand_no_broken_link(path)
    return real


def _demand_no_broken_link(path: Path) -> None:
    found = next(part for part in (path, *path.parents) if os.path.lexists(part))
    try:
        os.stat(found)
    except FileNotFoundError:
        advice = f"the link {found} leads to {os.readlink(found)}, which is not there; remove one or make the other"
        raise SourceUnavailable(str(path), advice) from None


@contextmanager
def translated(path: Path, what: str) -> Iterator[None]:
    """Raises SourceUnavailable, with what the operating system says, in place of its errors."""
    try:
        yield
    except OSError as error:
        raise unavailable(path, what, error) from error
    except ValueError as error:  # a NUL, or what no file name can be encoded from
        raise SourceUnavailable(repr(str(path))[1:-1], f"no file can have this name: {error}") from None


def unavailable(path: Path, what: str, error: OSError) -> SourceUnavailable:
    return SourceUnavailable(str(path), f"{what}: {error.strerror or error}")
