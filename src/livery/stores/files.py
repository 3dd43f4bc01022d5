"""The only module that writes files of users: whole or not at all, one writer at a time, nothing left behind.

A write goes to a temporary file in the same directory, is flushed, read again, and renamed over the old file. A lock
file beside the target, ``.<name>.lock``, keeps writers apart; the kernel frees it when its holder dies.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

from livery.errors import Locked, Place, SourceNotFound, SourceUnavailable, ValidationError

MAX_BYTES = 64 * 1024 * 1024
"""The largest file that is read."""

Check = Callable[[bytes], None]
"""Raises where bytes must not become the content of a file; it gets what was really written."""

_PRIVATE_FILE, _PRIVATE_DIRECTORY = 0o600, 0o700
_NAME_LENGTH = 200  # of the target's name within that of its temporary file


def digest(data: bytes) -> str:
    """``sha256:`` and the hex digest: equal for equal content."""
    return "sha256:" + sha256(data).hexdigest()


def read_file(path: Path) -> bytes:
    """The content of a regular file; SourceNotFound, SourceUnavailable, or a ValidationError above 64 MiB."""
    try:
        _demand_regular(path, os.stat(path))
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            _demand_regular(path, os.fstat(file.fileno()))  # it may have been replaced since: never wait for a pipe
            data = file.read(MAX_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        raise SourceNotFound(str(path)) from None
    except OSError as error:
        raise _unavailable(path, "cannot be read", error) from error
    if len(data) > MAX_BYTES:
        raise ValidationError("", "larger than 64 MiB", Place(str(path)))
    return data


def _demand_regular(path: Path, status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise SourceUnavailable(str(path), "it is a directory, not a file")
    if not stat.S_ISREG(status.st_mode):
        raise SourceUnavailable(str(path), "it is not a regular file")


def _unavailable(path: Path, what: str, error: OSError) -> SourceUnavailable:
    return SourceUnavailable(str(path), f"{what}: {error.strerror or error}")


def replace_file(
    path: Path,
    update: Callable[[bytes | None], bytes | None],
    check: Check | None = None,
    *,
    temp_name: str = "",
    timeout_s: float = 10,
) -> bool:
    """Give a file the content that ``update`` makes of its present one (None: there is no file), under its lock.

    Where ``update`` returns None or the same bytes nothing is written and the answer is False. Locked,
    SourceUnavailable and whatever ``update`` or ``check`` raises leave the old file as it was.
    """
    target = real_path(path)
    make_directory(target.parent)
    with locked(path, timeout_s):
        old = read_file(target) if os.path.lexists(target) else None
        new = update(old)
        if new is None or new == old:
            return False
        _remove_stale(target)
        return atomic_write(target, new, check=check, temp_name=temp_name)


def atomic_write(path: Path, data: bytes, *, check: Check | None = None, temp_name: str = "") -> bool:
    """Make ``data`` the whole content of a file; False and no write at all where it is that already.

    Mode and, where permitted, owner are those of the old file, else 0600 and the process's. A link stays a link. The
    caller holds the lock, where there may be other writers.
    """
    target = real_path(path)
    try:
        old = os.stat(target) if os.path.exists(target) else None
        if old is not None:
            _demand_regular(target, old)
            if old.st_size == len(data) and read_file(target) == data:
                return False
        _write_beside(target, data, old, check, temp_name)
        _sync_directory(target.parent)
    except OSError as error:
        raise _unavailable(path, "cannot be written", error) from error
    return True


def real_path(path: Path) -> Path:
    """The file that a path leads to, through links, whether it exists or not."""
    return Path(os.path.realpath(path))


def _write_beside(target: Path, data: bytes, old: os.stat_result | None, check: Check | None, temp_name: str) -> None:
    temp, file = _new_temp(target, temp_name)
    try:
        if old is not None:
            with suppress(PermissionError):
                os.fchown(file, old.st_uid, old.st_gid)
        os.fchmod(file, stat.S_IMODE(old.st_mode) if old is not None else _PRIVATE_FILE)
        _write_all(file, data)
        os.fsync(file)
        written = _read_all(file, len(data))
        if written != data:
            raise OSError(errno.EIO, "what was written reads differently")
        if check is not None:
            check(written)
        os.rename(temp, target)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temp)
        raise
    finally:
        os.close(file)


def _new_temp(target: Path, name: str) -> tuple[Path, int]:
    """A new file, locked for as long as it is open: one that is not locked has lost its writer."""
    while True:
        temp = target.with_name(name or f".{target.name[:_NAME_LENGTH]}.{os.urandom(4).hex()}.tmp")
        try:
            file = os.open(temp, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _PRIVATE_FILE)
        except FileExistsError:
            if not _removed_if_stale(temp):
                raise
            continue
        fcntl.flock(file, fcntl.LOCK_EX)
        if _is_at(temp, file):
            return temp, file
        os.close(file)  # taken for a stale one before it was locked


def _write_all(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]


def _read_all(file: int, size: int) -> bytes:
    with open(os.dup(file), "rb") as copy:
        copy.seek(0)
        return copy.read(size + 1)


def _sync_directory(directory: Path) -> None:
    file = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _remove_stale(target: Path) -> None:
    """Remove the temporary files of writers that were killed."""
    name = re.compile(rf"\.{re.escape(target.name[:_NAME_LENGTH])}\.[0-9a-f]{{8}}\.tmp")
    with os.scandir(target.parent) as entries:
        for entry in entries:
            if name.fullmatch(entry.name):
                _removed_if_stale(Path(entry.path))


def _removed_if_stale(temp: Path) -> bool:
    try:
        file = os.open(temp, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if _is_at(temp, file):
            os.unlink(temp)
        return True
    except OSError:
        return False
    finally:
        os.close(file)


def _is_at(path: Path, file: int) -> bool:
    """Whether an open file is still the one that the path names."""
    try:
        return os.path.samestat(os.stat(path, follow_symlinks=False), os.fstat(file))
    except FileNotFoundError:
        return False


@contextmanager
def locked(path: Path, timeout_s: float = 10) -> Iterator[None]:
    """Hold the lock of a file; Locked, with the holder's process and host, where it is not free in time.

    The lock is between processes and between threads, and not re-entrant.
    """
    lock = real_path(path).with_name(f".{real_path(path).name}.lock")
    file = _acquired(path, lock, timeout_s)
    try:
        with suppress(OSError):  # only a note for those who wait
            os.truncate(file, 0)
            os.pwrite(file, f"{os.getpid()} {os.uname().nodename}\n".encode(), 0)
        yield
    finally:
        # Safe, as it happens under the lock, and whoever gets the lock of a removed file sees that and asks again.
        with suppress(OSError):
            os.unlink(lock)
        os.close(file)


def _acquired(path: Path, lock: Path, timeout_s: float) -> int:
    deadline = time.monotonic() + timeout_s
    pause_s = 0.001
    while True:
        try:
            file, is_mine = _tried(lock)
        except OSError as error:
            raise _unavailable(path, "cannot be locked", error) from error
        if is_mine:
            return file
        holder = _holder(file)
        os.close(file)
        if time.monotonic() >= deadline:
            raise Locked(str(path), holder)
        time.sleep(pause_s)
        pause_s = min(pause_s * 2, 0.05)


def _tried(lock: Path) -> tuple[int, bool]:
    """The open lock file, and whether the lock was free and the file is still the one that others would ask for."""
    file = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, _PRIVATE_FILE)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return file, _is_at(lock, file)
    except BlockingIOError:
        return file, False
    except BaseException:
        os.close(file)
        raise


def _holder(file: int) -> str:
    pid, _, host = os.pread(file, 300, 0).decode(errors="replace").strip().partition(" ")
    return f"process {pid} on {host}" if host else ""


def make_directory(directory: Path) -> None:
    """Make a directory and what is missing above it, with the mode of the nearest one that exists.

    0700 where that one is no directory of one's own configuration: another user's, the home directory, or one that
    others may write to.
    """
    try:
        missing = [directory, *directory.parents]
        missing = missing[: next(number for number, parent in enumerate(missing) if parent.exists())]
        mode = _mode_like(missing[-1].parent) if missing else 0
        for new in reversed(missing):
            with suppress(FileExistsError):
                new.mkdir(_PRIVATE_DIRECTORY)
                new.chmod(mode)
                _sync_directory(new.parent)
    except OSError as error:
        raise _unavailable(directory, "cannot be made", error) from error


def _mode_like(existing: Path) -> int:
    status = existing.stat()
    is_own = status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IWOTH | stat.S_ISVTX)
    is_home = existing == Path.home() or existing == Path(existing.anchor)
    return stat.S_IMODE(status.st_mode) & 0o777 if is_own and not is_home else _PRIVATE_DIRECTORY
