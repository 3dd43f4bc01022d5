"""Where in a profile store's files a field of its registry or of a profile stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from livery.errors import LiveryError, Place
from livery.formats.edits import Path as DocumentPath
from livery.formats.registry_yaml import path_of_field
from livery.formats.yaml import locate_all
from livery.settings.runtime_keys import REPLACED_KEYS
from livery.stores.profile_store.layout import shown
from livery.stores.profile_store.parts import Parts
from livery.stores.protocols import Field

_OLDER_KEYS = {new: old for old, new in REPLACED_KEYS.items()}


class Spot(NamedTuple):
    """A value in one of the files."""

    file: Path
    path: DocumentPath


def places_of(parts: Parts, spots: Sequence[Spot | None]) -> list[Place | None]:
    """The line of each spot, else its file alone; every file is gone through once."""
    found: dict[int, Place | None] = {}
    for file in dict.fromkeys(spot.file for spot in spots if spot):
        numbers = [number for number, spot in enumerate(spots) if spot and spot.file == file]
        paths = [spots[number].path for number in numbers]  # type: ignore[union-attr]
        places = locate_all(parts.text(file), shown(file), paths)
        found.update({number: place or Place(shown(file)) for number, place in zip(numbers, places, strict=True)})
    return [found.get(number) for number in range(len(spots))]


def spot_of(parts: Parts, field: Field) -> Spot | None:
    """Where a field of a document is written, as far down as it is; None where that is in no file."""
    if field.profile:
        profile = parts.profiles.get(field.profile)
        if profile is None:
            return None
        document = None if isinstance(profile, LiveryError) else profile.document
        return Spot(parts.layout.profiles[field.profile][0], _path(document, field.field.removeprefix("runtime.")))
    if field.field.startswith("enforced"):
        return _head_spot(parts.layout.runtime, parts.runtime, field.field.removeprefix("enforced").lstrip("."))
    if field.field.startswith(("callers", "fallback")):
        return _head_spot(parts.layout.callers, parts.callers, field.field)
    return None


def setting_spot(parts: Parts, profile: str, path: Sequence[str]) -> Spot:
    """Where a setting of a profile is written."""
    file = parts.profiles[profile]
    document = None if isinstance(file, LiveryError) else file.document
    return Spot(parts.layout.profiles[profile][0], (written_key(document, path[0]), *path[1:]))


def caller_spot(parts: Parts, caller: str) -> Spot | None:
    """Where a caller is given its profile."""
    return _head_spot(parts.layout.callers, parts.callers, f"callers[{caller}]")


def written_key(document: Any, key: str) -> str:
    """The name under which a runtime key stands in a document: it may be an older one."""
    older = older_key(document, key)
    return older if older and key not in document else key


def older_key(document: Any, key: str) -> str:
    """The older name of a runtime key, where that stands in a document; else empty."""
    older = _OLDER_KEYS.get(key, "")
    return older if isinstance(document, Mapping) and older in document else ""


def _head_spot(files: Sequence[Path], part: Any, field: str) -> Spot | None:
    document = None if isinstance(part, LiveryError) else getattr(part, "document", None)
    return Spot(files[0], _path(document, field)) if files else None


def _path(document: Any, field: str) -> DocumentPath:
    name = field.removeprefix("step_settings_patch").lstrip(".")
    key, dot, rest = name.partition(".")
    return path_of_field(document, written_key(document, key) + dot + rest)
