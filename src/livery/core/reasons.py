"""What a JSON Schema validator finds, in plain words: where, what was expected, which known name was nearly written.

Values are not repeated, for they may be secrets; the one exception is a word that is none of the known ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import jsonschema_rs

from livery.core.names import nearest, type_name, unknown_field
from livery.core.paths import Path

MOST_FAULTS = 100
"""How many faults of one document are told; finding the nearest known name for each takes its time."""

_Reasons = Iterator[tuple[Path, str]]

_TYPE_WORDS = {
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "null",
}
_LIMIT_WORDS = {
    "minimum": "must be at least {}",
    "maximum": "must be at most {}",
    "exclusiveMinimum": "must be more than {}",
    "exclusiveMaximum": "must be less than {}",
    "minLength": "needs at least {} characters",
    "maxLength": "has more than {} characters",
    "minItems": "needs at least {} items",
    "maxItems": "has more than {} items",
    "minProperties": "needs at least {} entries",
    "maxProperties": "has more than {} entries",
}


def reasons_of(validator: jsonschema_rs.Validator, schema: Mapping[str, Any], value: Any) -> list[tuple[Path, str]]:
    """Every fault that the validator of a schema finds in a value, as (path, reason); of very many the first."""
    found = (row for error in validator.iter_errors(value) for row in _reasons(error, schema))
    return list(dict.fromkeys(islice(found, MOST_FAULTS)))


def _reasons(error: jsonschema_rs.ValidationError, schema: Mapping[str, Any]) -> _Reasons:
    path = tuple(str(part) for part in error.instance_path)
    kind: Any = error.kind  # the library's stubs leave out the fields of the single kinds
    if getattr(kind, "context", None):
        yield from _of_nearest_branch(error, kind.context, path, schema)
    elif kind.name == "additionalProperties":
        known = _node_of(error, schema).get("properties", ())
        yield from (((*path, name), unknown_field(name, known)) for name in kind.unexpected)
    else:
        yield path, _reason(kind, error, schema)


def _of_nearest_branch(
    error: jsonschema_rs.ValidationError,
    branches: Sequence[Sequence[jsonschema_rs.ValidationError]],
    path: Path,
    schema: Mapping[str, Any],
) -> _Reasons:
    """Of several forms that a value may have, the faults of the one that it resembles most."""
    here = error.instance_path
    if all(any(_is_type_fault(found, here) for found in branch) for branch in branches):
        faults = (found for branch in branches for found in branch if _is_type_fault(found, here))
        yield path, _expected(dict.fromkeys(t for found in faults for t in _types(found)), error.instance)
        return
    best = min(branches, key=lambda branch: _distance(branch, here))
    unknown = any(found.kind.name == "additionalProperties" and found.instance_path == here for found in best)
    for found in best:
        if not (unknown and found.kind.name == "required" and found.instance_path == here):
            yield from _reasons(found, schema)


def _distance(branch: Sequence[jsonschema_rs.ValidationError], here: Sequence[Any]) -> tuple[bool, bool, int]:
    return (
        any(_is_type_fault(found, here) for found in branch),
        any(found.instance_path == here for found in branch),
        sum(len(getattr(found.kind, "unexpected", (1,))) for found in branch),
    )


def _is_type_fault(error: jsonschema_rs.ValidationError, here: Sequence[Any]) -> bool:
    return error.kind.name == "type" and error.instance_path == here


def _types(error: jsonschema_rs.ValidationError) -> list[str]:
    kind: Any = error.kind
    return list(kind.types)


def _expected(types: Mapping[str, None], value: Any) -> str:
    words = [_TYPE_WORDS.get(name, name) for name in sorted(types, key="null".__eq__)]  # null comes last
    wanted = " or ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
    return f"expected {wanted}, got {type_name(value)}"


def _reason(kind: Any, error: jsonschema_rs.ValidationError, schema: Mapping[str, Any]) -> str:
    name = kind.name
    if name == "type":
        return _expected(dict.fromkeys(kind.types), error.instance)
    if name == "enum":
        return _not_listed(kind.options, error.instance, _is_secret(error, schema))
    if name == "required":
        return f"{kind.property!r} is missing"
    if name == "minLength" and kind.limit == 1:
        return "cannot be empty"
    if name in _LIMIT_WORDS:
        return _LIMIT_WORDS[name].format(kind.limit)
    if name == "pattern":
        return f"does not match {kind.pattern}"
    if name == "propertyNames":
        return f"the key {kind.error.instance!r} {_reason(kind.error.kind, kind.error, schema)}"
    if name == "const":
        return f"must be {kind.expected_value!r}"
    return "holds the same item twice" if name == "uniqueItems" else f"breaks the rule {name!r} of its schema"


def _not_listed(options: Sequence[Any], value: Any, secret: bool) -> str:
    listed = f"one of {', '.join(map(str, options))}"
    if secret or not isinstance(value, str):
        return f"is not {listed}"
    close = nearest(value, [option for option in options if isinstance(option, str)], 1)
    return f"{value!r} is not {listed}" + (f"; did you mean {close[0]!r}?" if close else "")


def _node_of(error: jsonschema_rs.ValidationError, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema that holds the keyword at fault."""
    *_, node = _nodes_to(error, schema)
    return node if isinstance(node, Mapping) else {}


def _is_secret(error: jsonschema_rs.ValidationError, schema: Mapping[str, Any]) -> bool:
    return any(isinstance(node, Mapping) and node.get("x-secret") is True for node in _nodes_to(error, schema))


def _nodes_to(error: jsonschema_rs.ValidationError, schema: Mapping[str, Any]) -> Iterator[Any]:
    """The schemas on the way to the keyword at fault; behind a ``$ref`` nothing is known."""
    node: Any = schema
    yield node
    for part in error.schema_path[:-1]:
        node = node[part] if isinstance(node, dict | list) else {}  # type: ignore[index]
        yield node
