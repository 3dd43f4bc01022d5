"""What deserves a warning in an overlay that can be used all the same: most of it is a slip of the pen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from livery.core.names import nearest
from livery.errors import Fault
from livery.formats.overlay import Overlay
from livery.formats.toml_places import locate_toml
from livery.formats.toml_text import dotted

_Names = tuple[str, ...]


def remarks_on(overlay: Overlay, base: Mapping[str, Any], data: bytes, path: Path) -> list[Fault]:
    """A warning, with its line, for each key that the base does not have, and what the overlay's own reader noted."""
    own = {key: value for key, value in overlay.document.items() if key != "_profile"}
    unknown = list(_unknown(own, base, ()))
    places = locate_toml(data.decode(), str(path), [names for names, _ in unknown])
    found = [Fault(dotted(names), reason, place) for (names, reason), place in zip(unknown, places, strict=True)]
    return [*overlay.warnings, *found]


def _unknown(values: Mapping[str, Any], base: Mapping[str, Any], at: _Names) -> Iterator[tuple[_Names, str]]:
    for key, value in values.items():
        names = (*at, key)
        if key not in base:
            close = nearest(key, base, 1)
            hint = f"; did you mean {dotted((*at, close[0]))!r}?" if close else ""
            yield names, f"the base has no {dotted(names)!r}{hint}"
        elif isinstance(value, Mapping) and isinstance(base[key], Mapping):
            yield from _unknown(value, base[key], names)
