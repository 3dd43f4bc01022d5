"""Values as people write them in the files of a profile store: their one form, and what is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Any

import jsonschema_rs

from livery.core.paths import Path
from livery.core.reasons import reasons_of
from livery.core.schema import JsonSchema, node_at, value_at, without_variables
from livery.core.values import plain_number
from livery.core.variables import has_reference, is_unreadable

Reasons = list[tuple[Path, str]]

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,11})", re.ASCII)
_ZEROS_FIRST = re.compile(r"-?0[0-9]{1,11}", re.ASCII)
_SWITCHES = {"true": "true", "yes": "true", "on": "true", "false": "false", "no": "false", "off": "false"}

NUL = "holds a NUL character, which no process and no header takes"
UNREADABLE = "'${' needs a name and '}', as in ${NAME} or ${NAME:-default}; write $${ for the characters themselves"


def normal(value: Any, schema: JsonSchema) -> Any:
    """A copy with words of a list of words in lower case and without blanks, and whole numbers as such."""
    if isinstance(value, Mapping):
        return {key: normal(child, node_at(schema, (key,))) for key, child in value.items()}
    if isinstance(value, list):
        items = schema.get("items", {})
        return [normal(item, items) for item in value]
    if isinstance(value, str) and "enum" in schema and not has_reference(value):
        return value.strip().lower()
    return plain_number(value) if isinstance(value, float) else value


def value_reasons(validator: jsonschema_rs.Validator, schema: JsonSchema, value: Any) -> Reasons:
    """Every fault of a value, as (path, reason); a text that names a variable may stand for any scalar."""
    scalars = dict(_scalar_reasons(value, ()))
    found = [] if validator.is_valid(value) else reasons_of(validator, schema, value)
    told = [(path, reason) for path, reason in without_variables(found, value, schema) if path not in scalars]
    mistyped = {path for path, reason in told if reason.startswith("expected ")}
    told = [(path, reason) for path, reason in told if path not in mistyped or reason.startswith("expected ")]
    return [*((path, _worded(reason, value_at(value, path), node_at(schema, path))) for path, reason in told),
            *scalars.items()]  # fmt: skip


def _worded(reason: str, value: Any, node: JsonSchema) -> str:
    """A reason in the words of files, and how a value of a wrong type is written."""
    if reason.startswith("unknown field"):
        return reason.replace("field", "key", 1)
    return reason + _advice(value, node.get("type")) if reason.startswith("expected ") else reason


def _advice(value: Any, wanted: Any) -> str:
    """A text is repeated only where it is a number or a truth value."""
    if value is None:
        return "; give it a value or leave the key out"
    if wanted == "string" and isinstance(value, int | float):
        return "; write it in quotes"
    if not isinstance(value, str):
        return ""
    text = value.strip().lower()
    if wanted == "integer" and _INTEGER.fullmatch(text):
        return f"; write {text} without quotes"
    if wanted == "integer" and _ZEROS_FIRST.fullmatch(text):
        return "; write it without a zero in front, which makes it text"
    if wanted == "boolean" and text in _SWITCHES:
        return f"; write {_SWITCHES[text]} without quotes"
    return "; write a list: [first, second]" if wanted == "array" else ""


def _scalar_reasons(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    """What is wrong with a scalar wherever it stands."""
    if isinstance(value, Mapping):
        for key, child in value.items():
            yield from _scalar_reasons(child, (*path, key))
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from _scalar_reasons(item, (*path, str(position)))
    elif isinstance(value, float) and not isfinite(value):
        yield path, "expected a number, got one that is none or has no end"
    elif isinstance(value, str) and "\0" in value:
        yield path, NUL
    elif isinstance(value, str) and is_unreadable(value):
        yield path, UNREADABLE
