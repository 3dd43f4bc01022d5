"""Several layers of one runtime as one document, which can be shown, copied and laid over the same bases.

What the layers unset or edit below themselves stays in the document as ``null`` and directives. Two things cannot be
told in one document and are told as their result: edits of one list of different kinds, and edits of a keyed list
that several layers give.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from livery.core.layers import DIRECTIVE_NAMES, Layer
from livery.core.merge import Merged, Step, merge
from livery.core.paths import KEYED_LISTS, RUNTIME_FIELDS, SETTINGS, Path
from livery.core.profile import RuntimeSpec
from livery.core.values import UNSET, ListEdit, revealed, same, written

_ONE_KIND = ({"append"}, {"prepend"}, {"remove"})


def composed(layers: Iterable[Layer], documents: Sequence[RuntimeSpec]) -> tuple[RuntimeSpec, dict[str, Any]]:
    """The runtime and the extensions of layers, the lowest first; ``documents`` are what they were made of."""
    state = merge(layers)
    plain = _plain(state)
    for root in (SETTINGS, "extensions"):
        _open_ends(plain, root, state)
    fields: dict[str, Any] = {}
    for name in RUNTIME_FIELDS:
        given = [spec.given()[name] for spec in documents if name in spec.given()]
        if len(given) == 1:
            fields[name] = given[0]
        elif given:
            fields[name] = plain.get(name)
    return msgspec.convert(fields, RuntimeSpec), plain.get("extensions") or {}


def _plain(state: Merged) -> dict[str, Any]:
    plain: dict[str, Any] = {
        name: _guarded(value) if isinstance(value, dict) else value for name, value in revealed(state.values).items()
    }
    for name in KEYED_LISTS:
        if name in plain:
            plain[name] = list(plain[name].values())
    return plain


def _guarded(value: Any) -> Any:
    """Data that would be read as a directive or as null when it is read again, as a literal."""
    if value is None:
        return {"$literal": None}
    if not isinstance(value, dict):
        return value
    if not DIRECTIVE_NAMES.isdisjoint(value):
        return {"$literal": value}
    return {key: _guarded(child) for key, child in value.items()}


def _open_ends(document: dict[str, Any], root: str, state: Merged) -> None:
    """Put back what acts on bases: what is unset, edits of lists, mappings given anew after they were unset."""
    rows = [(path, steps) for path, steps in state.leaves() if path[0] == root]
    for path, steps in sorted(rows, key=lambda row: len(row[0])):
        place = _place(document, path[:-1])
        if place is not None:
            _reopen(place, path[-1], steps)


def _reopen(place: dict[str, Any], key: str, steps: Sequence[Step]) -> None:
    value = place.get(key)
    if isinstance(value, dict) and "$secret" not in value and any(said is UNSET for _, said in steps):
        place[key] = {"$replace": value}
    elif steps[-1][1] is UNSET:
        place[key] = None
    elif len(steps) == 1 and type(steps[0][1]) is ListEdit:
        place[key] = revealed(written(steps[0][1]))
    elif all(type(said) is ListEdit for _, said in steps) and {said.kind for _, said in steps} in _ONE_KIND:
        place[key] = {f"${steps[0][1].kind}": _all_items([said for _, said in steps])}


def _all_items(edits: Sequence[ListEdit]) -> list[Any]:
    """The items of edits of one kind as those of a single one; what is prepended later stands further in front."""
    found: list[Any] = []
    for edit in edits:
        new = [item for item in edit.items if not any(same(item, known) for known in found)]
        found = [*new, *found] if edit.kind == "prepend" else [*found, *new]
    return list(revealed(found))


def _place(document: dict[str, Any], path: Path) -> dict[str, Any] | None:
    """The mapping at a path, made where it is missing; None inside what is unset, replaced or literal."""
    place = document
    for part in path:
        place = place.setdefault(part, {})
        if not isinstance(place, dict) or not DIRECTIVE_NAMES.isdisjoint(place):
            return None
    return place
