"""What deserves a warning in files that can be used all the same: most of it is a slip of the pen."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from itertools import chain, islice
from pathlib import Path
from typing import Any

from livery.core.names import nearest
from livery.core.reasons import MOST_FAULTS
from livery.errors import Fault, Place, SourceUnavailable, ValidationError
from livery.formats.manifest import BASE, Manifest
from livery.formats.overlay import PROFILE, Overlay, directives_of
from livery.formats.toml_places import locate_toml
from livery.formats.toml_text import dotted
from livery.stores.config_profiles.layout import Layout, base_files
from livery.stores.config_profiles.pointer import pointer_of
from livery.stores.config_profiles.scanning import overlay_files

_Names = tuple[str, ...]
_Path = tuple[str | int, ...]


def remarks_on(overlay: Overlay, base: Mapping[str, Any], data: bytes, path: Path) -> list[Fault]:
    """A warning, with its line, for each key that the base does not have, and what the overlay's own reader noted.

    Of very many the first.
    """
    own = {key: value for key, value in overlay.document.items() if key != PROFILE}
    all_unknown = chain(
        _pointless(overlay, base), ((names, names, reason) for names, reason in _unknown(own, base, ()))
    )
    unknown = list(islice(all_unknown, MOST_FAULTS))
    places = locate_toml(data.decode(), str(path), [at for _, at, _ in unknown])
    found = [Fault(dotted(names), reason, place) for (names, _, reason), place in zip(unknown, places, strict=True)]
    return [*overlay.warnings, *found]


def _unknown(values: Mapping[str, Any], base: Mapping[str, Any], at: _Names) -> Iterator[tuple[_Names, str]]:
    for key, value in values.items():
        names = (*at, key)
        if key not in base:
            yield names, _absent(names, base)
        elif isinstance(value, Mapping) and isinstance(base[key], Mapping):
            yield from _unknown(value, base[key], names)


def _absent(names: _Names, table: Mapping[str, Any]) -> str:
    """That a table of the base has no such key, and which it has that is like it."""
    close = nearest(names[-1], table, 1)
    hint = f"; did you mean {dotted((*names[:-1], close[0]))!r}?" if close else ""
    return f"the base has no {dotted(names)!r}{hint}"


def _pointless(overlay: Overlay, base: Mapping[str, Any]) -> Iterator[tuple[_Names, _Path, str]]:
    """What ``[_profile]`` unsets or edits though it is not there; what else a profile extends may have it."""
    if overlay.extends:
        return
    told = directives_of(overlay.document.get(PROFILE, {}), [], [])
    edits = [(names, at) for by_names in told.edits.values() for names, (at, _) in by_names.items()]
    for names, at in (*told.unset.items(), *edits):
        table = _table_of(names, base)
        if table is not None and names[-1] not in table:
            yield names, at, _absent(names, table)


def _table_of(names: _Names, base: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The table of the base that would hold a key; an empty one where it is not there, None for anything else."""
    table: Any = base
    for name in names[:-1]:
        table = table.get(name, {}) if isinstance(table, Mapping) else None
    return table if isinstance(table, Mapping) else None


def remarks_beside(layout: Layout, manifest: Manifest) -> list[Fault]:
    """A warning for what lies beside the listed overlays and does not do what somebody may think it does."""
    return [*_of_base(layout), *_of_pointer(layout, manifest), *_unlisted(layout, manifest)]


def _of_base(layout: Layout) -> Iterator[Fault]:
    others = [] if os.path.lexists(layout.base) else base_files(layout.directory)
    if others:
        reason = f"it is missing, so that profiles lie over nothing; there is {others[0]}.toml: say ?app={others[0]}"
        yield Fault("", reason, Place(str(layout.base)))


def _of_pointer(layout: Layout, manifest: Manifest) -> Iterator[Fault]:
    try:
        pointer = pointer_of(layout)
    except (SourceUnavailable, ValidationError) as error:
        yield Fault("", error.reason, Place(str(layout.active)))
        return
    if pointer is not None and pointer.active not in (BASE, *manifest.entries):
        close = nearest(pointer.active, [BASE, *manifest.entries], 1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        reason = f"there is no profile {pointer.active!r} (choose another: livery use NAME){hint}"
        yield Fault("active", reason, Place(str(layout.active)))


def _unlisted(layout: Layout, manifest: Manifest) -> Iterator[Fault]:
    """Overlays that no entry names, as somebody leaves them who copies a file, or is killed while it is written."""
    listed = {os.path.normpath(entry.path) for entry in manifest.entries.values()}
    files = [file for file in overlay_files(layout.profiles) if file.name not in listed and file.is_file()]
    for file in files[:MOST_FAULTS]:
        reason = f"it is no profile, for {layout.manifest.name} does not list it; list it there, or move it away"
        yield Fault("", reason, Place(file.path))
