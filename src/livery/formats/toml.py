"""The port to TOML: reading with a place for every fault, and plain output.

Edits of TOML files that keep comments are made elsewhere; what is written here is meant to be read, not to be kept.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import rtoml

from livery.errors import Place, ValidationError

_AT = re.compile(r" at line (\d+) column (\d+)$")


def read_toml(text: str, file: str) -> dict[str, Any]:
    """The value of a document, dates and times as those of :mod:`datetime`; a ValidationError with line and column."""
    try:
        return rtoml.loads(text)
    except (rtoml.TomlParsingError, UnicodeEncodeError) as error:
        message = str(error)
        at = _AT.search(message)
        place = Place(file, int(at[1]), int(at[2])) if at else Place(file)
        raise ValidationError("", _AT.sub("", message), place) from None


def write_toml(value: Mapping[str, Any]) -> str:
    """A document that :func:`read_toml` reads back, without what is None: TOML has no word for it."""
    try:
        return rtoml.dumps(_without_none(value))
    except (rtoml.TomlSerializationError, UnicodeEncodeError) as error:
        raise ValidationError("", f"has no form in TOML: {error}") from None


def _without_none(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    if isinstance(value, (list, tuple)):
        return [_without_none(item) for item in value if item is not None]
    return value
