"""Layers laid over one another, base first: the values, and for every leaf who gave what, in one pass.

The rules are those of the merge chapter of the documentation: mappings merge key by key, scalars and lists replace,
``null`` unsets, directives edit lists or replace wholes, and a mapping never silently becomes something else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import reduce
from typing import Any

from livery.core.layers import Layer, Origin
from livery.core.paths import Path, snake_case, text_of
from livery.core.values import DIRECTIVES, UNSET, KeyedEdit, ListEdit, Replace, same
from livery.errors import MergeConflict

# The trace mirrors the values: a mapping's node is a dict of its children's nodes, a leaf's node is a list of steps.
# Under the key None a mapping's node keeps the steps of the mapping itself: given empty, unset, or once a leaf.
Step = tuple[int, Any]  # index of the layer, what the layer says: a value or a directive
Trace = dict[str | None, Any]

_ABSENT = object()


class Merged:
    """The state of a merge: layers are laid on top with :meth:`lay`; nothing of a layer is ever changed."""

    __slots__ = ("origins", "trace", "values")

    def __init__(self) -> None:
        self.origins: list[Origin] = []
        self.values: dict[str, Any] = {}
        self.trace: Trace = {}

    def lay(self, layer: Layer) -> None:
        """Lay one more layer over what is there; MergeConflict names the path and both origins."""
        self.origins.append(layer.origin)
        self._mapping(self.values, self.trace, layer.values, len(self.origins) - 1, ())

    def _mapping(self, values: dict[str, Any], trace: Trace, over: Mapping[str, Any], index: int, path: Path) -> None:
        for key, value in over.items():
            kind = type(value)
            if kind is dict:
                below = values.get(key, _ABSENT)
                if below is _ABSENT:
                    values[key] = below = {}
                elif type(below) is not dict:
                    raise self._clash(
                        (*path, key),
                        trace[key],
                        index,
                        "a mapping meets a value that is none; {$replace: {…}} replaces it",
                    )
                node = trace.get(key)
                if type(node) is not dict:
                    node = _opened(trace, key)
                if value:
                    self._mapping(below, node, value, index, (*path, key))
                else:
                    node.setdefault(None, []).append((index, value))
            elif kind in DIRECTIVES:
                self._direct(values, trace, key, value, index, path)
            else:
                node = trace.get(key)
                if node is None:
                    trace[key] = [(index, value)]
                elif type(node) is list:
                    node.append((index, value))
                else:  # only beneath such a node a mapping can stand
                    if type(values.get(key)) is dict:
                        raise self._clash(
                            (*path, key), node, index, "a value meets a mapping; null in a layer between unsets it"
                        )
                    node.setdefault(None, []).append((index, value))
                values[key] = _copied(value) if kind is list else value

    def _direct(self, values: dict[str, Any], trace: Trace, key: str, value: Any, index: int, path: Path) -> None:
        if type(value) is ListEdit:
            below = values.get(key, [])
            if type(below) is not list:
                raise self._clash((*path, key), trace[key], index, f"${value.kind} meets a value that is no list")
            values[key] = edited(below, value)
            _add_step(trace, key, (index, value))
        elif type(value) is KeyedEdit:
            self._edit_keyed(values, trace, key, value, index, path)
        else:
            self._unset(values, trace, key, index)
            if type(value) is Replace:
                self._mapping(values, trace, {key: value.value}, index, path)

    def _unset(self, values: dict[str, Any], trace: Trace, key: str, index: int) -> None:
        values.pop(key, None)
        node = trace.get(key)
        if type(node) is dict:
            for child in node:
                if child is not None:
                    self._unset({}, node, child, index)
        _add_step(trace, key, (index, UNSET))

    def _edit_keyed(
        self, values: dict[str, Any], trace: Trace, key: str, edit: KeyedEdit, index: int, path: Path
    ) -> None:
        known = list(values.get(key, ()))
        if edit.kind == "remove":
            node = _opened(trace, key)
            node.setdefault(None, []).append((index, edit))
            for name in [name for name in known if removes(edit, name)]:
                self._unset(values[key], node, name, index)
            return
        self._mapping(values, trace, {key: edit.elements}, index, path)
        merged = values[key]
        values[key] = {name: merged[name] for name in edit.elements if name not in known} | merged

    def _clash(self, path: Path, node: Any, index: int, reason: str) -> MergeConflict:
        below, above = self.origins[max(step for step, _ in _steps_at_or_below(node))], self.origins[index]
        return MergeConflict(text_of(path), str(below), str(above), reason, origins=(below, above))

    def steps(self, path: Path) -> list[Step]:
        """The steps of one leaf, lowest layer first; of one that no layer names, those that unset what is above it."""
        node: Any = self.trace
        above: list[Step] = []
        for part in path:
            here = node.get(None, ()) if type(node) is dict else node
            above += [step for step in here if step[1] is UNSET]
            node = node.get(part) if type(node) is dict else None
            if node is None:
                return sorted(dict.fromkeys(above), key=_layer_of_step)
        return list(node.get(None, ())) if type(node) is dict else list(node)

    def enforcing(self, path: Path) -> Origin | None:
        """The ``enforced`` layer that sets or unsets anything at, above or below a path, if one does."""
        node: Any = self.trace
        for part in path:
            if type(node) is dict:
                here = (step for step in node.get(None, ()) if type(step[1]) is not KeyedEdit or removes(step[1], part))
                origin = self._enforced_step(here)
                if origin is not None:
                    return origin
                node = node.get(part) or self._other_spelling(node, part)
        return self._enforced_step(_steps_at_or_below(node)) if node is not None else None

    def _other_spelling(self, node: Trace, part: str) -> Any:
        """What stands under the same key in camelCase or with hyphens: it may not be set beside it either."""
        name = snake_case(part)
        return next((child for key, child in node.items() if key is not None and snake_case(key) == name), None)

    def _enforced_step(self, steps: Iterable[Step]) -> Origin | None:
        enforced = [index for index, _ in steps if self.origins[index].layer == "enforced"]
        return self.origins[max(enforced)] if enforced else None

    def leaves(self) -> Iterator[tuple[Path, list[Step]]]:
        """Every path that a layer speaks of, with its steps; a mapping only where a layer gave or took it as such."""
        yield from _leaves(self.trace, ())

    def winner(self, path: Path) -> Origin | None:
        """The origin of what stands at a path, or at the nearest place above it that a layer speaks of."""
        node: Any = self.trace
        last: list[Step] = []
        for part in path:
            node = node.get(part) if type(node) is dict else None
            if node is None:
                break
            last = list(_steps_at_or_below(node))
        return self.origins[max(index for index, _ in last)] if last else None


def merge(layers: Iterable[Layer]) -> Merged:
    """Layers merged, base first. The result shares no mutable structure with the layers."""
    merged = Merged()
    for layer in layers:
        merged.lay(layer)
    return merged


def removes(edit: KeyedEdit, key: str) -> bool:
    """Whether ``$remove`` takes an element away: it names its key, or its name without an id."""
    return edit.kind == "remove" and (key in edit.elements or key.partition("#")[0] in edit.elements)


def _opened(trace: Trace, key: str) -> Trace:
    """The node of a mapping: a new one, or one that keeps the steps of the leaf that was unset here."""
    node = trace.get(key)
    if type(node) is not dict:
        trace[key] = node = {None: node} if node else {}
    return node


def _layer_of_step(step: Step) -> int:
    return step[0]


def _add_step(trace: Trace, key: str, step: Step) -> None:
    node = trace.get(key)
    if node is None:
        trace[key] = [step]
    elif type(node) is list:
        node.append(step)
    else:
        node.setdefault(None, []).append(step)


def edited(below: list[Any], edit: ListEdit) -> list[Any]:
    """A list after ``$append``, ``$prepend`` or ``$remove``; values that are already there are not added again."""
    if edit.kind == "edits":
        return reduce(edited, edit.items, below)
    if edit.kind == "remove":
        removed = _Items(edit.items)
        return [item for item in below if item not in removed]
    known = _Items(below)
    new = [_copied(item) for item in edit.items if known.add(item)]
    return [*below, *new] if edit.kind == "append" else [*new, *below]


class _Items:
    """The items of a list, for the question whether one is there; equality is that of JSON."""

    def __init__(self, items: Iterable[Any]) -> None:
        self._scalars: set[tuple[type, Any]] = set()
        self._others: list[Any] = []
        for item in items:
            self.add(item)

    def __contains__(self, item: Any) -> bool:
        if isinstance(item, str | int | float | None):
            return (bool if isinstance(item, bool) else object, item) in self._scalars
        return any(same(other, item) for other in self._others)

    def add(self, item: Any) -> bool:
        """Add an item; whether it was not there."""
        if item in self:
            return False
        if isinstance(item, str | int | float | None):
            self._scalars.add((bool if isinstance(item, bool) else object, item))
        else:
            self._others.append(item)
        return True


def _copied(value: Any) -> Any:
    if type(value) is list:
        return [_copied(item) if type(item) in (list, dict) else item for item in value]
    if type(value) is dict:
        return {key: _copied(child) if type(child) in (list, dict) else child for key, child in value.items()}
    return value


def _steps_at_or_below(node: Any) -> Iterator[Step]:
    if type(node) is list:
        yield from node
    else:
        for child in node.values():
            yield from _steps_at_or_below(child)


def _leaves(node: Trace, path: Path) -> Iterator[tuple[Path, list[Step]]]:
    for key, child in node.items():
        if key is None:
            yield path, child
        elif type(child) is list:
            yield (*path, key), child
        else:
            yield from _leaves(child, (*path, key))
