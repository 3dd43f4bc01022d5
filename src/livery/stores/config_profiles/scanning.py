"""The overlays that lie in ``profiles/``, where there is no manifest to say so. None of them is opened."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from livery.errors import Fault, Place, SourceUnavailable
from livery.formats.manifest import BASE, NAME_RULE, Manifest, folded_name, manifest_of, new_manifest
from livery.stores.config_profiles.layout import leads_inside
from livery.stores.files import digest

_MOST_BYTES = 1024 * 1024  # a larger file is no overlay that could be read
_SUFFIX = ".toml"


class Scan(NamedTuple):
    """An index made of files, with the times of these; ``faults`` are of files that are left out."""

    manifest: Manifest
    faults: tuple[Fault, ...]

    @property
    def token(self) -> str:
        """Equal for equal listings."""
        return digest(repr((self.manifest.document, self.faults)).encode(errors="backslashreplace"))


def scan(profiles: Path) -> Scan:
    """What is in a directory, by name; nothing where it is missing, SourceUnavailable where it cannot be listed."""
    entries: dict[str, dict[str, Any]] = {}
    faults: list[Fault] = []
    for file in overlay_files(profiles):
        name = folded_name(file.name.removesuffix(_SUFFIX))
        reason = _reason_against(file, name, entries, profiles)
        if name is not None and not reason:
            entries[name] = _entry(name, file)
        else:
            faults.append(Fault("", f"{file.name!a} is not used: {reason}", Place(str(profiles))))
    document = {**new_manifest().document, "profiles": [entries[name] for name in sorted(entries)]}
    return Scan(manifest_of(document), tuple(faults))


def overlay_files(profiles: Path) -> list[os.DirEntry[str]]:
    """What lies there with the name of an overlay; of names that differ in case alone the lower case stands first."""
    try:
        with os.scandir(profiles) as found:
            files = [file for file in found if file.name.endswith(_SUFFIX) and not file.name.startswith(".")]
    except FileNotFoundError:
        if os.path.lexists(profiles):
            raise SourceUnavailable(str(profiles), "it is a link that leads to nothing") from None
        return []
    except OSError as error:
        raise SourceUnavailable(str(profiles), f"cannot be listed: {error.strerror}") from error
    return sorted(files, key=lambda file: (file.name != file.name.lower(), file.name))


def _reason_against(
    file: os.DirEntry[str], name: str | None, entries: Mapping[str, Mapping[str, Any]], profiles: Path
) -> str:
    """Why a file is no overlay; empty where it may be one."""
    if name is None:
        return f"its name is none of a profile, {NAME_RULE}"
    if name == BASE:
        return "'default' is the base file"
    if name in entries:
        return f"it folds to the same name as {entries[name]['path']!r}, which is used"
    try:
        status = file.stat()
    except OSError as error:
        return f"it cannot be read: {error.strerror}"
    if not stat.S_ISREG(status.st_mode):
        return "it is not a regular file"
    if status.st_size > _MOST_BYTES:
        return "it is larger than 1 MiB"
    if file.is_symlink() and not leads_inside(Path(file.path), profiles):
        return "it is a link that leads out of the directory"
    return ""


def _entry(name: str, file: os.DirEntry[str]) -> dict[str, Any]:
    at_ms = file.stat().st_mtime_ns // 1_000_000
    return {"name": name, "path": file.name, "created_at": at_ms, "updated_at": at_ms}
