"""The file of a database, before SQLite sees it: whether it is there, which one it is, and how it is made."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import NamedTuple

from livery.errors import SourceUnavailable
from livery.stores.sql.sqlite.errors import reason_of


class Identity(NamedTuple):
    """Which file stands at a path; of one that is read as if it never changed, also in which state."""

    device: int
    inode: int
    state: tuple[int, ...] = ()


def identity_of(path: Path, label: str) -> Identity | None:
    """The file at a path; None where there is none, SourceUnavailable where it can be no database."""
    try:
        status = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise SourceUnavailable(label, reason_of(error)) from error
    if not stat.S_ISREG(status.st_mode):
        kind = "a directory" if stat.S_ISDIR(status.st_mode) else "no regular file"
        raise SourceUnavailable(label, f"it is {kind}, not a database")
    return Identity(status.st_dev, status.st_ino)


def in_its_state(path: Path, identity: Identity) -> Identity:
    """The same with what changes whenever the file does."""
    status = os.stat(path)
    return identity._replace(state=(status.st_mtime_ns, status.st_size))


def make(path: Path) -> None:
    """Make the file, private to its owner, and the folders that are missing."""
    missing = [folder for folder in path.parents if not os.path.lexists(folder)]
    for folder in reversed(missing):
        folder.mkdir(mode=0o700, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))


def obstacle(path: Path) -> str:
    """Why a database cannot be written at a path, or made there; empty where the permissions allow it."""
    if os.path.exists(path):
        if not _permits(path, os.W_OK):
            return "its file cannot be written by this user, or here"
        if all(_permits(file, os.W_OK) for file in (log_of(path), path.with_name(path.name + "-shm"))):
            return ""  # nothing has to be made beside it
    folder = next((folder for folder in path.absolute().parents if os.path.exists(folder)), None)
    if folder is None or _permits(folder, os.W_OK | os.X_OK):
        return ""
    return f"nothing can be made in {folder} by this user, or here"


def may_be_read(path: Path) -> bool:
    """Whether the permissions allow it."""
    return _permits(path, os.R_OK)


def _permits(path: Path, mode: int) -> bool:
    """Whether this process may do something; where a name is none at all, it is found out by doing it."""
    try:
        return os.access(path, mode, effective_ids=os.access in os.supports_effective_ids)
    except ValueError:
        return True


def log_of(path: Path) -> Path:
    """The write-ahead log beside it."""
    return path.with_name(path.name + "-wal")


def has_more_beside(path: Path) -> bool:
    """Whether the file alone may not be the whole state: there is a log, or a journal that has to be rolled back."""
    return size_of(log_of(path)) > 0 or size_of(path.with_name(path.name + "-journal")) > 0


def size_of(path: Path) -> int:
    """In bytes; 0 where there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return 0
