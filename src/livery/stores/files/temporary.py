"""Temporary files beside their targets, and the removal of those whose writer was killed.

A writer holds a lock on its temporary file for as long as it works on it, and the kernel frees the lock of a process
that dies: a temporary file that can be locked is nobody's any more.
"""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from livery.errors import SourceUnavailable

SUFFIX = ".livery.tmp"
"""Ends the names of temporary files that nobody has asked to be called otherwise."""

_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_OLD = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@contextmanager
def temporary(target: str, name: str = "") -> Iterator[tuple[str, int]]:
    """The path and the descriptor of a new file (0600) beside a target; it is removed where the block raises."""
    directory, of = os.path.split(target)
    temp = os.path.join(directory, name or f".{of}{SUFFIX}")
    file = _opened(temp)
    try:
        yield temp, file
    except BaseException:
        with suppress(OSError):
            os.unlink(temp)
        raise
    finally:
        with suppress(OSError):  # by then it is synced
            os.close(file)


def _opened(temp: str) -> int:
    while True:
        try:
            file = os.open(temp, _NEW, 0o600)
        except FileExistsError:
            _clear(temp)
            continue
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            if is_at(temp, file):
                return file
        except BaseException:
            with suppress(OSError):
                os.unlink(temp)
            os.close(file)
            raise
        os.close(file)  # taken for a stale one before it was locked


def _clear(temp: str) -> None:
    """Remove what stands in the way of a temporary file, never following a link."""
    if not _removed(temp):
        what = "a directory" if os.path.isdir(temp) else "the work of another writer"
        raise SourceUnavailable(temp, f"{what} is where the temporary file would be; wait, or move it away")


def remove_stale(*directories: object) -> None:
    """Remove the temporary files of killed writers, where that is possible."""
    for directory in map(str, directories):
        with suppress(OSError), os.scandir(directory) as entries:
            for entry in entries:
                if entry.name.startswith(".") and entry.name.endswith(SUFFIX):
                    _removed(entry.path)


def _removed(temp: str) -> bool:
    """Whether a path is free now; not where it is a directory, or a file that somebody works on."""
    try:
        status = os.lstat(temp)
        if stat.S_ISREG(status.st_mode):
            return _removed_file(temp)
        if not stat.S_ISDIR(status.st_mode):
            os.unlink(temp)
        return not stat.S_ISDIR(status.st_mode)
    except FileNotFoundError:
        return True


def _removed_file(temp: str) -> bool:
    file = os.open(temp, _OLD)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if is_at(temp, file):
            os.unlink(temp)
        return True
    except BlockingIOError:
        return False
    finally:
        os.close(file)


def is_at(path: str, file: int) -> bool:
    """Whether an open file is still the one that the path names."""
    try:
        return os.path.samestat(os.lstat(path), os.fstat(file))
    except FileNotFoundError:
        return False
