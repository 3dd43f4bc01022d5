"""What differs between two documents, leaf by leaf; elements of keyed lists are compared by their key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

from livery.core.paths import KEYED_LISTS, Path, text_of
from livery.core.values import same

_ABSENT = object()


class Difference(NamedTuple):
    """One leaf that was added, removed or changed; a side that has no such leaf is None."""

    path: str
    kind: Literal["added", "removed", "changed"]
    before: Any
    after: Any


def diff(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """The differences from one document to another, in the order of the first, then what is new in the second."""
    return list(_mappings(before, after, ()))


def _mappings(before: Mapping[str, Any], after: Mapping[str, Any], path: Path) -> Iterator[Difference]:
    for key in dict.fromkeys([*before, *after]):
        yield from _values(before.get(key, _ABSENT), after.get(key, _ABSENT), (*path, key))


def _values(before: Any, after: Any, path: Path) -> Iterator[Difference]:
    if path[-1] in KEYED_LISTS:
        before, after = _keyed(before), _keyed(after)
        yield from _order(before, after, path)
    if isinstance(before, Mapping) and isinstance(after, Mapping) and not _is_atom(before) and not _is_atom(after):
        yield from _mappings(before, after, path)
    elif after is _ABSENT:
        yield from _one_side(before, path, "removed")
    elif before is _ABSENT:
        yield from _one_side(after, path, "added")
    elif not same(before, after):
        yield Difference(text_of(_shown(path)), "changed", before, after)


def _order(before: Any, after: Any, path: Path) -> Iterator[Difference]:
    """Elements that stay may change places, and a pipeline runs in their order."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        stayed, now = [key for key in before if key in after], [key for key in after if key in before]
        if stayed != now:
            yield Difference(text_of(_shown(path)), "changed", stayed, now)


def _one_side(value: Any, path: Path, kind: Literal["added", "removed"]) -> Iterator[Difference]:
    if isinstance(value, Mapping) and value and not _is_atom(value):
        for key, child in value.items():
            yield from _one_side(child, (*path, key), kind)
    else:
        sides = (None, value) if kind == "added" else (value, None)
        yield Difference(text_of(_shown(path)), kind, *sides)


def _shown(path: Path) -> Path:
    """Inside a profile document the runtime's fields are named as everywhere: ``chat.engine``."""
    return path[1:] if len(path) > 1 and path[0] == "runtime" else path


def _is_atom(value: Mapping[str, Any]) -> bool:
    return len(value) == 1 and next(iter(value)).startswith("$")


def _keyed(value: Any) -> Any:
    if not isinstance(value, list) or not all(isinstance(item, Mapping) and "name" in item for item in value):
        return value
    return {f"{item['name']}#{item['id']}" if item.get("id") else str(item["name"]): item for item in value}
