"""Callers that are called by a number: their names are text, also where nobody put quotes around them."""

from __future__ import annotations

from typing import Any, TypeGuard

from livery.errors import ValidationError
from livery.formats.yaml import read_yaml
from livery.formats.yaml_nodes import Mapping, Node, Scalar, Source, parse_nodes
from livery.formats.yaml_values import key_text, plain_value, value_of

LARGEST = 256 * 1024
"""Characters; of a larger text nobody waits for the reader that keeps the nodes."""


def read_with_number_keys(text: str | bytes, file: str, below: str) -> Any:
    """What :func:`read_yaml` reads, with the numbers among the keys of the mapping ``below`` as they are written."""
    try:
        return read_yaml(text, file)
    except ValidationError as error:
        source = _source(text, file)
        root = parse_nodes(source) if source else None
        if source is None or root is None or not _quote_numbers(root, below):
            raise error
    return value_of(root, source)


def _source(text: str | bytes, file: str) -> Source | None:
    """The text, where it is one and not too long."""
    if len(text) > LARGEST:
        return None
    try:
        decoded = text if isinstance(text, str) else text.decode()
    except UnicodeDecodeError:
        return None
    return Source(decoded.removeprefix("\ufeff"), file)


def _quote_numbers(root: Node, below: str) -> bool:
    """Whether numbers were among the keys; they are as if they stood in quotes then."""
    entries = root.entries if isinstance(root, Mapping) else []
    mappings = [value for key, value in entries if key_text(key) == below and isinstance(value, Mapping)]
    numbers = [key for mapping in mappings for key, _ in mapping.entries if _is_number(key)]
    for key in numbers:
        key.style = "'"
    return bool(numbers)


def _is_number(key: Node) -> TypeGuard[Scalar]:
    if not isinstance(key, Scalar) or key.style or key.tag:
        return False
    value = plain_value(key.text)
    return isinstance(value, int | float) and not isinstance(value, bool)
