"""Writing one file: the old content or the new, whatever happens on the way.

Mode and, where permitted, owner stay; access lists and extended attributes do not, and other hard links keep the old
content.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from livery.errors import Locked, SourceNotFound
from livery.stores.files.directories import opened_directory
from livery.stores.files.locks import locked_target
from livery.stores.files.paths import target_of, translated
from livery.stores.files.reading import demand_regular, read_all, read_file
from livery.stores.files.temporary import temporary

Update = Callable[[bytes | None], bytes | None]
"""From the present content (None: there is no file) to the new one; None where there is nothing to change."""

Check = Callable[[bytes], None]
"""Raises where bytes must not become the content of a file; it gets what was really written."""

_PRIVATE = 0o600
_TRIES = 20
_MOST_ASIDE = 3


class _Changed(Exception):
    """Somebody who asks for no lock has written the file meanwhile."""


def replace_file(
    path: Path, update: Update, check: Check | None = None, *, temp_name: str = "", timeout_s: float = 10
) -> bool:
    """Give a file the content that ``update`` makes of its present one, under the lock of the file.

    False, and nothing is written, where that is None or the same bytes. Locked, SourceUnavailable and whatever
    ``update`` or ``check`` raises leave the old file as it was.
    """
    target = target_of(path)
    with locked_target(path, target, timeout_s):
        return _updated(path, target, update, check, temp_name)


def atomic_write(path: Path, data: bytes, *, check: Check | None = None, temp_name: str = "") -> bool:
    """Make ``data`` the whole content of a file; False and no write at all where it is that already.

    The caller holds the lock, where there may be other writers.
    """
    return update_file(path, lambda _: data, check, temp_name=temp_name)


def update_file(path: Path, update: Update, check: Check | None = None, *, temp_name: str = "") -> bool:
    """:func:`replace_file` for a caller that holds the lock already, e.g. one lock for several files.

    ``update`` is asked again where an editor, which knows of no lock, has changed the file meanwhile. A new file has
    mode 0600. A link stays a link.
    """
    return _updated(path, target_of(path), update, check, temp_name)


def write_unchanged(
    path: Path, planned: object, new: bytes | None, check: Check | None = None, *, temp_name: str = ""
) -> None:
    """Write a file, or remove it (None), that still holds what the change was planned from; the caller holds the lock.

    ``planned`` is None where there was no file. Locked where a program that asks for no lock has written it meanwhile:
    its change is not to be lost.
    """
    changed = Locked(str(path), "a program that writes it at this moment")

    def update(present: bytes | None) -> bytes | None:
        if present != planned:
            raise changed
        return new

    if new is not None:
        update_file(path, update, check, temp_name=temp_name)
    elif _content(path) != planned:
        raise changed
    else:
        remove_file(path)


def set_aside(path: Path, data: bytes, at_ms: int) -> Path:
    """Keep the bytes of a file that cannot be used under a name that says when; of such the newest three stay."""
    while os.path.lexists(kept := path.with_name(f"{path.name}.corrupt-{at_ms}")):
        at_ms += 1
    atomic_write(kept, data)
    pattern = re.compile(rf"{re.escape(path.name)}\.corrupt-(\d{{1,18}})", re.ASCII)
    found = [(int(match[1]), name) for name in os.listdir(path.parent) if (match := pattern.fullmatch(name))]
    for _, name in sorted(found)[:-_MOST_ASIDE]:
        remove_file(path.parent / name)
    return kept


def _updated(path: Path, target: str, update: Update, check: Check | None, temp_name: str) -> bool:
    for _ in range(_TRIES):
        old = _content(path)
        new = update(old)
        if new is None or new == old:
            return False
        try:
            _replace(path, target, old, new, check, temp_name)
            return True
        except _Changed:
            continue
    raise Locked(str(path), "a program that goes on writing it")


def _content(path: Path) -> bytes | None:
    try:
        return read_file(path)
    except SourceNotFound:
        return None


def _replace(path: Path, target: str, old: bytes | None, new: bytes, check: Check | None, temp_name: str) -> None:
    with translated(path, "cannot be written"), opened_directory(os.path.dirname(target)) as sync:
        with temporary(target, temp_name) as (temp, file):
            _take_after(target, file)
            _write_all(file, new)
            os.fsync(file)
            _demand_written(file, new, check)
            if _content(path) != old:
                raise _Changed
            os.rename(temp, target)
        with translated(path, "is written, but would not survive a loss of power"):
            sync()


def _take_after(target: str, file: int) -> None:
    """Owner, group and mode of the old file; where the group cannot be kept, it gets no more than everybody."""
    try:
        old = os.lstat(target)
    except FileNotFoundError:
        os.fchmod(file, _PRIVATE)
        return
    demand_regular(target, old)
    mode = stat.S_IMODE(old.st_mode)
    if not _is_given(file, old):
        mode &= 0o707 | (mode & 0o007) << 3
    os.fchmod(file, mode)


def _is_given(file: int, old: os.stat_result) -> bool:
    for owner in (old.st_uid, -1):
        with suppress(PermissionError):
            os.fchown(file, owner, old.st_gid)
            return True
    return False


def _write_all(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]


def _demand_written(file: int, data: bytes, check: Check | None) -> None:
    os.lseek(file, 0, os.SEEK_SET)
    written = read_all(file, len(data) + 1)
    if written != data:
        raise OSError(errno.EIO, "what was written reads differently")
    if check is not None:
        check(written)


def remove_file(path: Path) -> bool:
    """Remove a file for good; False where there is none. Of a link the link goes, not what it leads to."""
    with translated(path, "cannot be removed"):
        try:
            with opened_directory(os.path.dirname(path) or ".") as sync:
                os.unlink(path)
                sync()
        except FileNotFoundError:
            return False
    return True
