"""Overlays in TOML: a partial document, and a table ``[_profile]`` that says what a TOML value cannot.

``extends`` names the bases, ``unset`` what is removed, ``append``, ``prepend`` and ``remove`` change lists. It is
read as the directives that layers of every format have; :mod:`livery.formats.overlay_changes` is the way back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from itertools import islice
from typing import Any, NamedTuple

from livery.core.merge import edited
from livery.core.names import type_name, unknown_field
from livery.core.reasons import MOST_FAULTS
from livery.core.values import MAX_DEPTH, ListEdit, TypedText
from livery.errors import Fault, Place
from livery.formats.toml import read_toml_document
from livery.formats.toml_nodes import read_key
from livery.formats.toml_places import locate_toml
from livery.formats.toml_text import dotted
from livery.formats.toml_values import field_of, with_own_tables

PROFILE = "_profile"
LIST_EDITS = ("remove", "prepend", "append")  # in the order in which they are made
FIELDS = ("extends", "unset", *LIST_EDITS)

Names = tuple[str, ...]
Path = tuple[str | int, ...]


class Overlay(NamedTuple):
    """What a file says: its bases, its settings with directives in their places, and what is wrong with it."""

    extends: tuple[str, ...] | None
    """None where the file does not say."""
    settings: dict[str, Any]
    faults: list[Fault]
    warnings: list[Fault]
    document: dict[str, Any]
    """The file as it stands, ``[_profile]`` included."""


class Directives(NamedTuple):
    """A table ``[_profile]``, its dotted keys read; each entry with the path at which it stands in the document."""

    extends: tuple[str, ...] | None
    unset: dict[Names, Path]
    edits: dict[str, dict[Names, tuple[Path, list[Any]]]]


class _Found(NamedTuple):
    """Something wrong, at a path of the document."""

    path: Path
    reason: str


def read_overlay(text: str | bytes, file: str) -> Overlay:
    """What a TOML text says as an overlay; a ValidationError with file, line and column where it is no TOML at all."""
    document = read_toml_document(text, file)
    if PROFILE not in document:
        return Overlay(None, document, [], [], document)
    faults: list[_Found] = []
    warnings: list[_Found] = []
    directives = directives_of(document[PROFILE], faults, warnings)
    settings = _Settings(document, faults, warnings)
    settings.direct(directives)
    placed = [_placed(found, text, file) for found in (faults, warnings)]
    return Overlay(directives.extends, settings.values, placed[0], placed[1], document)


def read_base(text: str | bytes, file: str) -> Overlay:
    """What a TOML text says as the base of overlays, which has no ``[_profile]``."""
    document = read_toml_document(text, file)
    if PROFILE not in document:
        return Overlay(None, document, [], [], document)
    found = _Found((PROFILE,), f"[{PROFILE}] belongs into a profile, not into the base; move it to an overlay")
    settings = {key: value for key, value in document.items() if key != PROFILE}
    return Overlay(None, settings, _placed([found], text, file), [], document)


def _placed(found: Sequence[_Found], text: str | bytes, file: str) -> list[Fault]:
    if not found:
        return []
    first = list(islice(found, MOST_FAULTS))
    places = locate_toml(text if isinstance(text, str) else text.decode(), file, [one.path for one in first])
    return [
        Fault(field_of(one.path), one.reason, place or Place(file)) for one, place in zip(first, places, strict=True)
    ]


# The table.


def directives_of(table: Any, faults: list[_Found], warnings: list[_Found]) -> Directives:
    """What the table says; what is wrong with it is left out, and added to ``faults``."""
    if not isinstance(table, Mapping):
        faults.append(_Found((PROFILE,), f"expected a table, got {_named(table)}"))
        return Directives(None, {}, {})
    for name in table:
        if name not in FIELDS and len(faults) < MOST_FAULTS:
            faults.append(_Found((PROFILE, name), unknown_field(name, FIELDS)))
    extends = _extends(table["extends"], faults) if "extends" in table else None
    unset = _unset(table.get("unset", []), faults, warnings)
    edits = {name: _list_edits(name, table[name], faults) for name in LIST_EDITS if name in table}
    return Directives(extends, unset, edits)


def _extends(value: Any, faults: list[_Found]) -> tuple[str, ...] | None:
    names = [value] if isinstance(value, str) else value
    if isinstance(names, list) and all(type(name) is str for name in names):
        return tuple(names)
    reason = f"expected the name of a profile or a list of names, got {_wrong(value)}"
    faults.append(_Found((PROFILE, "extends"), reason))
    return None


def _unset(value: Any, faults: list[_Found], warnings: list[_Found]) -> dict[Names, Path]:
    if not isinstance(value, list):
        faults.append(_Found((PROFILE, "unset"), f"expected a list of dotted keys, got {_named(value)}"))
        return {}
    unset: dict[Names, Path] = {}
    for index, text in enumerate(value):
        at: Path = (PROFILE, "unset", index)
        names = key_of(text)
        if names is None:
            faults.append(_Found(at, _no_key(text)))
        elif names in unset:
            warnings.append(_Found(at, f"{dotted(names)} is unset already; say it once"))
        else:
            unset[names] = at
    return unset


def _list_edits(kind: str, value: Any, faults: list[_Found]) -> dict[Names, tuple[Path, list[Any]]]:
    found: dict[Names, tuple[Path, list[Any]]] = {}
    if not isinstance(value, Mapping):
        reason = f"expected a table of dotted keys and lists, got {_named(value)}"
        faults.append(_Found((PROFILE, kind), reason))
        return found
    for path, items in _entries((PROFILE, kind), value):
        names = key_of(".".join(map(str, path[2:])))
        if names is None:
            faults.append(_Found(path, _no_key(".".join(map(str, path[2:])))))
        elif not isinstance(items, list):
            faults.append(_Found(path, f"expected a list, got {_named(items)}"))
        elif names in found:
            faults.append(_Found(path, f"{dotted(names)} stands twice in {kind}; make it one list"))
        else:
            found[names] = path, items
    return found


def _entries(path: Path, table: Mapping[str, Any]) -> Iterator[tuple[Path, Any]]:
    """The entries of a table; ``a.b = […]`` without quotes, which TOML reads as tables, is the same as with them."""
    for key, value in table.items():
        if isinstance(value, Mapping) and value:
            yield from _entries((*path, key), value)
        else:
            yield (*path, key), value


def key_of(text: Any) -> Names | None:
    """The parts of a dotted key that can be a path of a document."""
    names = read_key(text) if type(text) is str else None
    return names if names and len(names) <= MAX_DEPTH else None


def _no_key(text: Any) -> str:
    if type(text) is not str:
        return f"expected a dotted key, got {_named(text)}"
    return f"{text[:80]!r} is no dotted key; expected names with dots between them, such as a.b or a.'x.y'"


def _named(value: Any) -> str:
    if isinstance(value, TypedText):
        return "a date, time or number"
    return "a table" if isinstance(value, Mapping) else type_name(value)


def _wrong(value: Any) -> str:
    """What is wrong in a list, else what a value is."""
    items = value if isinstance(value, list) else [value]
    return next(_named(item) for item in items if type(item) is not str)


# The settings.


class _Settings:
    """The settings of a document while directives are put in; nothing of the document is changed."""

    def __init__(self, document: Mapping[str, Any], faults: list[_Found], warnings: list[_Found]) -> None:
        self.values: dict[str, Any] = with_own_tables(document)
        self.values.pop(PROFILE)
        self.faults = faults
        self.warnings = warnings
        self.is_unset: set[Names] = set()

    def direct(self, directives: Directives) -> None:
        for names, at in sorted(directives.unset.items(), key=lambda entry: len(entry[0])):
            self.unset(names, at)
        edits: dict[Names, list[tuple[Path, ListEdit]]] = {}
        for kind, by_names in directives.edits.items():
            for names, (at, items) in by_names.items():
                edits.setdefault(names, []).append((at, ListEdit(kind, items)))  # type: ignore[arg-type]
        for names, found in edits.items():
            self.edit(names, found[0][0], [edit for _, edit in found])

    def unset(self, names: Names, at: Path) -> None:
        """``null`` in its place, or a replacement where the file sets a value too."""
        if self.begins_anew(names[:-1]):
            return  # goes with what encloses it
        table = self.table_of(names, at)
        if table is None:
            return
        value = table.setdefault(names[-1], None)
        self.is_unset.add(names)
        if value is not None:
            table[names[-1]] = {"$replace": value if isinstance(value, (dict, list)) else {"$literal": value}}

    def edit(self, names: Names, at: Path, edits: Sequence[ListEdit]) -> None:
        """The directives for a list of the bases; a list that this file sets or unsets is edited here and now."""
        table = self.table_of(names, at)
        if table is None:
            return
        name, is_unset = names[-1], names in self.is_unset
        if name not in table and not self.begins_anew(names):
            table[name] = _directive(edits)
            return
        below = table.get(name, [])
        if is_unset:
            below = [] if below is None else below["$replace"]
        if not isinstance(below, list):
            self.faults.append(_Found(at, f"{dotted(names)} is no list in this file"))
            return
        result = reduce(edited, edits, below)
        table[name] = {"$replace": result} if is_unset else result

    def begins_anew(self, names: Names) -> bool:
        """Whether nothing of the bases is left at a path."""
        return any(names[:depth] in self.is_unset for depth in range(1, len(names) + 1))

    def table_of(self, names: Names, at: Path) -> dict[str, Any] | None:
        """The table that holds a path, made where it is missing; None, and a fault, where something else is there."""
        table = self.values
        for depth, name in enumerate(names[:-1], 1):
            following = table.setdefault(name, {})
            if names[:depth] in self.is_unset:
                following = table[name] = following or {"$replace": {}}
                following = following["$replace"]
            elif _is_directive(following):
                following = None
            if not isinstance(following, dict):
                self.faults.append(
                    _Found(at, f"{dotted(names)} is beneath {dotted(names[:depth])}, {_no_table(following)}")
                )
                return None
            table = following
        return table


def _is_directive(value: Any) -> bool:
    return isinstance(value, dict) and len(value) == 1 and next(iter(value)).startswith("$")


def _no_table(value: Any) -> str:
    return "which is changed as a whole in this file" if value is None else f"which is {type_name(value)} in this file"


def _directive(edits: Sequence[ListEdit]) -> dict[str, Any]:
    single = [{f"${edit.kind}": edit.items} for edit in edits]
    return single[0] if len(single) == 1 else {"$edits": single}
