"""The port to TOML: reading with a place for every fault, and plain output.

Edits that keep comments are in :mod:`livery.formats.toml_edit`; what is written here is meant to be read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import rtoml

from livery.core.values import MAX_DEPTH, MAX_PROFILE_BYTES
from livery.errors import Place, ValidationError
from livery.formats.toml_text import document_text
from livery.formats.toml_values import NoForm, held, typed_like

__all__ = ["MAX_TOML_BYTES", "read_toml", "read_toml_document", "typed_like", "write_toml"]

MAX_TOML_BYTES = MAX_PROFILE_BYTES
_AT = re.compile(r" at line (\d+) column (\d+)$")
_TOO_DEEP = re.compile(r"recursion limit|cannot recurse further")


def read_toml(text: str, file: str) -> dict[str, Any]:
    """The value of a document, dates and times as those of :mod:`datetime`; a ValidationError with line and column."""
    try:
        return rtoml.loads(text)
    except (rtoml.TomlParsingError, UnicodeEncodeError) as error:
        message = str(error)
        at = _AT.search(message)
        place = Place(file, int(at[1]), int(at[2])) if at else Place(file)
        raise ValidationError("", _AT.sub("", message), place) from None


def read_toml_document(text: str | bytes, file: str) -> dict[str, Any]:
    """The value of a document as JSON values and ``TypedText``, each of those as it was written.

    At most 1 MiB of UTF-8, a byte order mark is skipped; a ValidationError with line and column, where they are known.
    """
    text = decoded(text, file)
    try:
        document = read_toml(text, file)
    except ValidationError as error:
        raise _too_deep(text, error) if _TOO_DEEP.search(error.reason) else error from None
    return _held_document(document, text, file)


def decoded(text: str | bytes, file: str) -> str:
    """The characters of a document without a byte order mark; a ValidationError for too many, or none at all."""
    if len(text) > MAX_TOML_BYTES or (isinstance(text, str) and len(text.encode(errors="replace")) > MAX_TOML_BYTES):
        raise ValidationError("", f"larger than {MAX_TOML_BYTES} bytes", Place(file))
    if isinstance(text, str):
        return text.removeprefix("\ufeff")
    try:
        return text.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        reason = f"not UTF-8: byte 0x{text[error.start]:02x} at offset {error.start}"
        raise ValidationError("", reason, Place(file, line)) from None


def _held_document(document: dict[str, Any], text: str, file: str) -> dict[str, Any]:
    from livery.formats.toml_places import Finder  # parses the text only where a value or a fault asks for it

    finder = Finder(text, file)
    try:
        result: dict[str, Any] = held(document, (), finder.value_text)
    except NoForm as error:
        raise error.fault(finder.place(error.path) or Place(file)) from None
    return result


def _too_deep(text: str, error: ValidationError) -> ValidationError:
    from livery.formats.toml_places import place_of_deep_key

    assert error.origin is not None
    place = error.origin if error.origin.line else place_of_deep_key(text, error.origin.file)
    return ValidationError("", f"nested deeper than {MAX_DEPTH}", place)


def write_toml(value: Mapping[str, Any]) -> str:
    """A document that :func:`read_toml` reads back, without what is None: TOML has no word for it."""
    try:
        return document_text(held(_without_none(value)))
    except NoForm as error:
        raise error.fault() from None


def _without_none(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    if isinstance(value, (list, tuple)):
        return [_without_none(item) for item in value if item is not None]
    return value
