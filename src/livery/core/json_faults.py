"""What in a document is no JSON: keys that are not text, values of other types, half surrogate pairs, too deep."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from livery.core.names import type_name
from livery.core.schema import dotted
from livery.core.values import MAX_PROFILE_BYTES, has_surrogate, number_fault
from livery.errors import Fault

_DEEPEST = 128  # far beyond what a runtime may have; the text of a document is read before its meaning
_Path = tuple[str, ...]


def json_faults(document: Any, field: str) -> list[Fault]:
    """Why a document cannot be written as JSON of the size that a profile may have, each with the place; else empty."""
    try:
        size = len(orjson.dumps(document))
    except TypeError as error:
        found = [Fault(dotted(field, path), reason) for path, reason in _faults(document, ())]
        return found or [Fault(field, f"cannot be written as JSON: {error}")]
    if size > MAX_PROFILE_BYTES:
        return [Fault(field, f"has {size} bytes, {MAX_PROFILE_BYTES} is the most")]
    return []


def _faults(value: Any, path: _Path) -> Iterator[tuple[_Path, str]]:
    if len(path) > _DEEPEST:
        yield path[:4], "nested too deep"
    elif isinstance(value, Mapping):
        for key, child in value.items():
            yield from _of_member(key, child, path)
    elif isinstance(value, list | tuple):
        for position, item in enumerate(value):
            yield from _faults(item, (*path, str(position)))
    elif isinstance(value, str):
        if not value.isascii() and has_surrogate(value):
            yield path, "holds half of a surrogate pair, which UTF-8 cannot"
    elif isinstance(value, int | float):
        if number_fault(value):
            yield path, "the number is outside ±(2^53-1) or not finite"
    elif value is not None:
        yield path, f"{type_name(value)} is not a JSON value"


def _of_member(key: Any, child: Any, path: _Path) -> Iterator[tuple[_Path, str]]:
    if not isinstance(key, str):
        yield path, f"the key {key!r} is not text; quote it"
    elif not key.isascii() and has_surrogate(key):
        yield path, f"the key {key!r} holds half of a surrogate pair, which UTF-8 cannot"
    else:
        yield from _faults(child, (*path, key))
