"""The new store on disk: made whole beside its place, then put there in one step; a crash leaves the old or the new."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from livery.errors import AlreadyExists, LiveryError, SourceUnavailable
from livery.stores.files import atomic_write, locked, make_directory, read_file, real_path, replace_directory
from livery.stores.files.temporary import is_at
from livery.stores.profile_store.layout import SIDECAR, files_of

_PRIVATE = 0o700
_BUILDING, _READY = ".tmp-", ".new-"


@contextmanager
def scaffold_of(files: Mapping[str, str], beside: Path | None) -> Iterator[Path]:
    """A new private directory with the files; it is gone afterwards, if it was not put into place.

    Without a place beside which to make it: among the temporary files of the system. It is locked while it is in use,
    so that one whose maker was killed is known, and removed by the next.
    """
    directory, lock = _locked_directory(beside)
    try:
        for path, text in files.items():
            target = directory / path
            target.parent.mkdir(_PRIVATE, exist_ok=True)
            atomic_write(target, text.encode())
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        os.close(lock)


def _locked_directory(beside: Path | None) -> tuple[Path, int]:
    """A new directory and the lock of it; another run may take one for stale that is not locked yet."""
    while True:
        directory = _new_directory(beside)
        with suppress(FileNotFoundError):
            lock = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            fcntl.flock(lock, fcntl.LOCK_EX)
            if is_at(str(directory), lock):
                return directory, lock
            os.close(lock)


def _new_directory(beside: Path | None) -> Path:
    try:
        if beside is None:
            return Path(tempfile.mkdtemp(prefix="livery-"))
        target = real_path(beside)
        make_directory(target.parent)
        prefix = f".{target.name}{_BUILDING}"
        for entry in target.parent.iterdir():
            if entry.name.startswith(prefix):
                _remove_if_stale(entry)
        return Path(tempfile.mkdtemp(prefix=prefix, dir=target.parent))
    except OSError as error:
        raise SourceUnavailable(str(beside or "temporary files"), f"cannot be made: {error.strerror}") from error


def _remove_if_stale(scaffold: Path) -> None:
    try:
        lock = os.open(scaffold, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(scaffold, ignore_errors=True)
    except BlockingIOError:
        pass  # it is in use
    finally:
        os.close(lock)


def put_into_place(scaffold: Path, directory: Path) -> Path | None:
    """Make the scaffold the store at ``directory``; where one was, it is kept, and the answer is where; else None.

    Files that are no part of a store are not replaced: they come along, with the versions of its documents.
    """
    if not os.path.isdir(directory):
        return _exchanged(scaffold, directory)
    with locked(directory / SIDECAR):
        kept = _exchanged(scaffold, directory)
        if kept is not None:
            _bring_along(kept, directory)
    return None if kept is not None and _is_removed(kept) else kept


def _is_removed(kept: Path) -> bool:
    """Whether nothing was left in what was replaced; then it is gone."""
    try:
        kept.rmdir()
    except OSError:
        return False
    return True


def _exchanged(scaffold: Path, directory: Path) -> Path | None:
    """The exchange, under another name: while it lasts that name may be the old store's, which nobody must remove."""
    made = os.stat(scaffold)
    ready = scaffold.with_name(scaffold.name.replace(_BUILDING, _READY))
    os.rename(scaffold, ready)
    try:
        return replace_directory(ready, directory)
    except BaseException:
        if os.path.isdir(ready) and os.path.samestat(os.stat(ready), made):
            os.rename(ready, scaffold)
        raise


def _bring_along(kept: Path, directory: Path) -> None:
    """Move back what is no part of a store, in the way of nothing new; both have the versions, so that they go on."""
    own = {path for path in files_of(kept, str(kept)) if path.name != SIDECAR}
    for path in [*kept.iterdir(), *_entries(kept / "profiles")]:
        target = directory / path.relative_to(kept)
        if path not in own and not os.path.lexists(target):
            if path.name == SIDECAR and path.is_file():
                atomic_write(target, read_file(path))
            else:
                os.rename(path, target)


def _entries(directory: Path) -> list[Path]:
    return list(directory.iterdir()) if directory.is_dir() and not directory.is_symlink() else []


def holds_exactly(directory: Path, files: Mapping[str, str]) -> bool:
    """Whether the store in a directory has these files with these texts, and no others."""
    if not os.path.isdir(directory):
        return False
    own = {str(path.relative_to(directory)): path for path in files_of(directory, str(directory))}
    own.pop(SIDECAR, None)
    return own.keys() == files.keys() and all(_has_text(own[path], text) for path, text in files.items())


def _has_text(path: Path, text: str) -> bool:
    try:
        return read_file(path) == text.encode()
    except LiveryError:
        return False


def is_free(directory: Path) -> bool:
    """Whether nothing is there, or an empty directory; AlreadyExists for a file, which is never replaced."""
    if os.path.lexists(directory) and not os.path.isdir(directory):
        raise AlreadyExists("file", str(directory))
    return not os.path.isdir(directory) or not os.listdir(directory)
