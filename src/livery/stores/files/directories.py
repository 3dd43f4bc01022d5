"""Making, syncing and exchanging whole directories."""

from __future__ import annotations

import errno
import itertools
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from livery.errors import SourceUnavailable
from livery.stores.files.paths import target_of, translated

_PRIVATE = 0o700
_OPENED = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_NO_SYNC = {errno.EINVAL, errno.ENOTSUP}  # of file systems that know no such thing for directories
_BASES = ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")
_USUAL_BASES = ("~", "~/.config", "~/.local", "~/.local/share", "~/.local/state", "/")
_HERE, _EXCHANGE = -100, 2  # AT_FDCWD and RENAME_EXCHANGE of renameat2(2)


@contextmanager
def opened_directory(directory: str) -> Iterator[Callable[[], None]]:
    """What makes the names in a directory durable. It is opened before anything in it is changed: that may fail."""
    file = os.open(directory, _OPENED)

    def sync() -> None:
        try:
            os.fsync(file)
        except OSError as error:
            if error.errno not in _NO_SYNC:
                raise

    try:
        yield sync
    finally:
        os.close(file)


def sync_directory(directory: Path) -> None:
    """Make the names in a directory durable."""
    with opened_directory(str(directory)) as sync:
        sync()


def make_directory(directory: Path) -> list[Path]:
    """Make a directory and what is missing above it, and give back what was made, the outermost first.

    Within a directory of one's own configuration a new one has the mode of that. 0700 where there is no such: what it
    is made in is new too, another user's, open for writing to others, or one that all programs share, as the home
    directory.
    """
    with translated(directory, "cannot be made"):
        missing = list(itertools.takewhile(lambda part: not part.exists(), (directory, *directory.parents)))
        if not missing and not directory.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        mode = _mode_like(missing[0].parent) if len(missing) == 1 else _PRIVATE
        return [new for new in reversed(missing) if _is_made(new, mode)]


def _is_made(new: Path, mode: int) -> bool:
    try:
        new.mkdir(_PRIVATE)
    except FileExistsError:
        if not new.is_dir():
            raise
        return False
    new.chmod(mode)
    sync_directory(new.parent)
    return True


def _mode_like(existing: Path) -> int:
    status = existing.stat()
    is_own = status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IWOTH | stat.S_ISVTX)
    return status.st_mode & 0o2777 if is_own and not _is_base(existing) else _PRIVATE


def _is_base(directory: Path) -> bool:
    usual = map(os.path.expanduser, _USUAL_BASES)
    named = (value for name in _BASES if (value := os.environ.get(name)))
    return any(os.path.realpath(base) == os.path.realpath(directory) for base in (*usual, *named))


def remove_empty(directories: list[Path]) -> None:
    """Remove directories again where nothing has come into them; the outermost stands first."""
    with suppress(OSError):
        for directory in reversed(directories):
            directory.rmdir()


def _sync_tree(directory: Path) -> None:
    """Make all files and names below a directory durable."""
    with translated(directory, "cannot be synced"):
        for folder, _, names in os.walk(directory, topdown=False, onerror=_raise):
            for name in names:
                _sync_file(os.path.join(folder, name))
            sync_directory(Path(folder))


def _raise(error: OSError) -> None:
    raise error


def _sync_file(path: str) -> None:
    if not os.path.islink(path):
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            os.fsync(file)
        finally:
            os.close(file)


def replace_directory(scaffold: Path, target: Path) -> Path | None:
    """Put a finished directory in the place of another in one step; what was there is kept, and its new path given.

    Both lie on one file system, at best side by side; the scaffold is synced first and gets the mode of the target.
    Where there is no target, or an empty one, the answer is None; else the old one becomes ``<target>.bak-1``, or the
    next number that is free.
    """
    real = Path(target_of(target))
    _sync_tree(scaffold)
    with translated(target, "cannot be replaced"):
        kept = _free_name(real) if _holds_something(real) else None
        if real.exists():
            os.chmod(scaffold, stat.S_IMODE(real.stat().st_mode))
        if kept is None:
            os.rename(scaffold, real)
        else:
            _swap(scaffold, real, kept)
        sync_directory(real.parent)
    return kept


def _holds_something(directory: Path) -> bool:
    if directory.exists() and not directory.is_dir():
        raise SourceUnavailable(str(directory), "it is a file, not a directory")
    return directory.exists() and bool(os.listdir(directory))


def _free_name(target: Path) -> Path:
    names = (target.with_name(f"{target.name}.bak-{number}") for number in itertools.count(1))
    return next(name for name in names if not os.path.lexists(name))


def _swap(scaffold: Path, target: Path, kept: Path) -> None:
    """At no moment without a target, where the system can exchange two names; else with the shortest gap.

    What was there is never where the scaffold was, for that is what callers remove after a failure.
    """
    os.rename(scaffold, kept)
    if _exchanged(kept, target):
        return
    os.rename(kept, scaffold)
    os.rename(target, kept)
    try:
        os.rename(scaffold, target)
    except BaseException:
        os.rename(kept, target)
        raise


def _exchanged(one: Path, other: Path) -> bool:
    """Whether two names were exchanged; Linux can, since 3.15 and on most file systems."""
    import ctypes

    exchange = getattr(ctypes.CDLL(None), "renameat2", None)
    return exchange is not None and exchange(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0
