"""Values that JSON has no type for, as a date of a TOML file: stored as text, and the paths to them beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from livery.core.profile import RuntimeSpec
from livery.core.values import TypedText

Place = list[str | int]
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(list[Place]).decode


def typed_places(**values: Any) -> str | None:
    """Where in a document typed texts stand, as JSON; None where there are none."""
    document = {name: value.given() if isinstance(value, RuntimeSpec) else value for name, value in values.items()}
    places = list(_places(document, [])) if _holds_typed(document) else None
    return _encode(places).decode() if places else None


def type_texts(document: Any, typed: str | None) -> None:
    """Make typed texts of those that were such; what does not fit the document is passed over."""
    if typed is None:
        return
    try:
        places = _decode(typed)
    except (ValueError, TypeError, RecursionError):
        return
    for place in places:
        _type_text(document, place)


def _holds_typed(document: Any) -> bool:
    """Whether a document that can be written has to be written in another way than plain JSON."""
    try:
        _encode(document)
    except TypeError:
        return True
    return False


def _places(value: Any, path: Place) -> Iterator[Place]:
    if type(value) is TypedText:
        yield path
    elif isinstance(value, dict):
        for key, child in value.items():
            if isinstance(child, (TypedText, dict, list)):
                yield from _places(child, [*path, key])
    elif isinstance(value, list):
        for position, child in enumerate(value):
            if isinstance(child, (TypedText, dict, list)):
                yield from _places(child, [*path, position])


def _type_text(holder: Any, place: Sequence[str | int]) -> None:
    try:
        for step in place[:-1]:
            holder = holder[step]
        text = holder[place[-1]]
        if isinstance(text, str):
            holder[place[-1]] = TypedText(text)
    except (LookupError, TypeError):
        return
