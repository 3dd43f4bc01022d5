"""One writer at a time, between processes and between threads, with a lock file that outlives nobody."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from livery.errors import Locked
from livery.stores.files.directories import make_directory, remove_empty
from livery.stores.files.paths import target_of, translated
from livery.stores.files.temporary import is_at, remove_stale

_HELD = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
_LONGEST_PAUSE_S = 0.05


@contextmanager
def locked(path: Path, timeout_s: float = 10, *, also_in: Sequence[Path] = ()) -> Iterator[None]:
    """Hold the lock of a file; Locked, with the holder's process and host, where it is not free in time.

    The lock is between processes and between threads, and not re-entrant. What is missing of the directory is made,
    and taken away again where nothing was written. Where the last holder was killed, what it left behind in the file's
    directory is removed first, and in the further ones that are written under this lock (``also_in``).
    """
    with locked_target(path, target_of(path), timeout_s, also_in):
        yield


@contextmanager
def locked_target(path: Path, target: str, timeout_s: float, also_in: Sequence[Path] = ()) -> Iterator[None]:
    """:func:`locked` for a caller who knows where the path leads; the path is for messages."""
    directory, name = os.path.split(target)
    lock = os.path.join(directory, f".{name}.lock")
    made: list[Path] = []
    try:
        file = _acquired(path, lock, timeout_s, made)
        try:
            if _is_left_behind(file):
                remove_stale(directory, *also_in)
            yield
        finally:
            _release(lock, file)
    finally:
        remove_empty(made)


def _is_left_behind(file: int) -> bool:
    """Write down who holds the lock, for those who wait; True where its last holder was killed."""
    note = f"{os.getpid()} {os.uname().nodename}\n".encode()
    with suppress(OSError):
        if os.fstat(file).st_nlink > 1:
            return False  # a name that somebody gave to another file: that one is not written
        was = os.pread(file, 1, 0)
        if was:
            os.truncate(file, 0)
        os.pwrite(file, note, 0)
        return bool(was)
    return False


def _release(lock: str, file: int) -> None:
    """Remove the lock file while it is held: whoever gets the lock of a removed file sees that and asks again."""
    with suppress(OSError):
        if is_at(lock, file):  # else its directory was moved meanwhile
            os.unlink(lock)
    with suppress(OSError):
        os.close(file)


def _acquired(path: Path, lock: str, timeout_s: float, made: list[Path]) -> int:
    """The lock file, locked. Its directory is made where it is missing, which another writer may just have undone."""
    deadline = time.monotonic() + timeout_s
    pause_s = 0.001
    holder = ""
    while True:
        with translated(path, f"cannot be locked with {lock}"):
            try:
                file, is_mine = _tried(lock)
                if is_mine:
                    return file
                holder = _holder(file)
                os.close(file)
            except (FileNotFoundError, NotADirectoryError):
                made += make_directory(Path(lock).parent)
                if time.monotonic() < deadline:
                    continue
        if time.monotonic() >= deadline:
            raise Locked(str(path), holder)
        time.sleep(pause_s)
        pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)


def _tried(lock: str) -> tuple[int, bool]:
    """The open lock file, and whether the lock was free and the file is still the one that others would ask for."""
    file = os.open(lock, _HELD, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return file, is_at(lock, file)
    except BlockingIOError:
        return file, False
    except BaseException:
        os.close(file)
        raise


def _holder(file: int) -> str:
    """Who wrote itself down; nothing where that is not a process and a host: the file may be anybody's."""
    with suppress(OSError):
        pid, _, host = os.pread(file, 300, 0).decode(errors="replace").strip().partition(" ")
        if pid.isascii() and pid.isdigit() and host.isprintable():
            return f"process {pid} on {host}"
    return ""
