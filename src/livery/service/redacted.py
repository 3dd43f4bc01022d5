"""Redacted values that come back in a write and stand for what a lower source says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from livery.core.values import REDACTED


def left_to_lower(new: Any, layer: Any, seen: Any) -> Any:
    """The new document without redacted members that the writer's layer does not have and the whole has.

    Such a member means "keep what is there", and it is kept by saying nothing. Elements of lists are found by name.
    """
    if not isinstance(new, Mapping):
        return new
    held, whole = _mapping(layer), _mapping(seen)
    result: dict[str, Any] = {}
    for key, value in new.items():
        if value == REDACTED and key not in held and key in whole:
            continue
        if isinstance(value, list):
            result[key] = [_element(item, held.get(key), whole.get(key)) for item in value]
        else:
            result[key] = left_to_lower(value, held.get(key), whole.get(key))
    return result


def _element(new: Any, layer: Any, seen: Any) -> Any:
    if not isinstance(new, Mapping) or "name" not in new:
        return new
    return left_to_lower(new, _like(new, layer), _like(new, seen))


def _like(wanted: Mapping[str, Any], elements: Any) -> Any:
    """The element of a keyed list with the same name and id."""
    found = (item for item in elements or () if isinstance(item, Mapping))
    return next((item for item in found if _key(item) == _key(wanted)), {})


def _key(element: Mapping[str, Any]) -> tuple[Any, Any]:
    return element.get("name"), element.get("id") or ""


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
