"""What YAML nodes mean: scalars by the rules of YAML 1.2, keys, merge keys, and the few tags that are read.

The rules follow the fast library to the letter, so that a file means the same where only the slow one is installed.
"""

from __future__ import annotations

import math
import re
from typing import Any

import orjson

from livery.core.names import type_name
from livery.formats.yaml_nodes import Alias, Items, Mapping, Node, Scalar, Source, parse_nodes

MERGE_KEY = "<<"
NOT_MERGEABLE = "'<<' takes a mapping or a list of mappings"
CORE_TAGS = ("str", "int", "float", "bool", "null", "seq", "map")

_TAG_PREFIX = "tag:yaml.org,2002:"
_NULLS = frozenset(("null", "Null", "NULL", "~"))
_BOOLS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_SPECIAL_FLOATS = {
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
}
_INTEGER = re.compile(r"([-+]?)(?:0x([0-9a-fA-F]+)|0o([0-7]+)|0b([01]+)|(0|[1-9][0-9]*))")
_FLOAT = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_LONGEST = 1000
_DIGITS = re.compile(r"[-+]?[0-9]+")


def read_nodes(source: Source) -> Any:
    """The value of the whole source; a ValidationError with file, line and column for every fault."""
    root = parse_nodes(source)
    return None if root is None else value_of(root, source)


def value_of(node: Node, source: Source) -> Any:
    """The value of a node as new lists and dicts."""
    match node:
        case Alias(target=None):
            return {}  # in a slice only, the anchor of which stands outside of it
        case Alias(target=Node() as target):
            return value_of(target, source)
        case Scalar():
            return _scalar(node, source)
        case Items():
            _refuse_tag(node, source)
            return [value_of(item, source) for item in node.items]
        case Mapping():
            _refuse_tag(node, source)
            return _mapping(node, source)
    raise TypeError(type(node).__name__)


def _mapping(node: Mapping, source: Source) -> dict[str, Any]:
    seen: dict[str, Node] = {}
    values: dict[str, Any] = {}
    for key, value in node.entries:
        name = _key(key, source)
        if name in seen:
            first = source.place(seen[name].start).line
            raise source.error(f"duplicate key {name!r}, first in line {first}", key.start)
        seen[name] = key
        values[name] = value_of(value, source)
        if name == MERGE_KEY and not mergeable(values[name]):
            raise source.error(NOT_MERGEABLE, value.start)
    return merged(values) if MERGE_KEY in values else values


def mergeable(value: Any) -> bool:
    """Whether ``<<`` can take it."""
    return isinstance(value, dict) or (isinstance(value, list) and all(isinstance(item, dict) for item in value))


def merged(values: dict[str, Any]) -> dict[str, Any]:
    """The mapping with its merge key resolved: own keys win, then those of the earlier mapping."""
    bases = values.pop(MERGE_KEY)
    result: dict[str, Any] = {}
    for base in reversed(bases if isinstance(bases, list) else [bases]):
        result.update(base)
    return {**result, **values}


def merges_resolved(value: Any, path: str = "") -> Any:
    """A value as it was read, with the merge keys in it resolved; a ValueError for one that cannot be."""
    if isinstance(value, list):
        return [merges_resolved(item, path) for item in value]
    if not isinstance(value, dict):
        return value
    values = {key: merges_resolved(item, f"{path}.{key}" if path else key) for key, item in value.items()}
    if MERGE_KEY not in values:
        return values
    if not mergeable(values[MERGE_KEY]):
        raise ValueError(f"{path}: {NOT_MERGEABLE}" if path else NOT_MERGEABLE)
    return merged(values)


def key_text(node: Node) -> str | None:
    """The text of a key; None for what is none."""
    if isinstance(node, Alias) and node.target is not None:
        node = node.target
    if not isinstance(node, Scalar):
        return None
    value = node.text if node.style or node.tag else plain_value(node.text)
    return value if isinstance(value, str) else None


def _key(node: Node, source: Source) -> str:
    value = value_of(node, source)
    if isinstance(value, str):
        return value
    if isinstance(value, (dict, list)):
        raise source.error(f"{type_name(value)} cannot be a key", node.start)
    written = node.text if isinstance(node, Scalar) else value
    raise source.error(odd_key(written, value), node.start)


def odd_key(written: Any, value: Any) -> str:
    """The reason text for a key that is no text."""
    return f'the key {written} is {type_name(value)}, not text; write it in quotes: "{written}"'


def _scalar(node: Scalar, source: Source) -> Any:
    _refuse_tag(node, source)
    kind = (node.tag or "").removeprefix(_TAG_PREFIX)
    if kind in ("int", "float", "bool", "null"):
        value = plain_value(node.text) if node.text else ""
        if kind == "float" and type(value) is int:
            value = float(value)
        if type(value).__name__ != kind.replace("null", "NoneType"):
            raise source.error(f"{node.text!r} is not a value of !!{kind}", node.start)
    elif kind or node.style:
        _refuse_surrogates(node, source)
        return node.text
    else:
        value = plain_value(node.text)
    if type(value) is int and not -(2**63) <= value < 2**64:
        raise source.error("an integer of more than 64 bits", node.start)
    return value


def plain_value(text: str) -> Any:
    """What an unquoted scalar means; what only YAML 1.1 takes for something else stays text."""
    if not text or text in _NULLS:
        return None
    if text in _BOOLS:
        return _BOOLS[text]
    if number := _INTEGER.fullmatch(text):
        return _integer(*number.groups())
    if text in _SPECIAL_FLOATS:
        return _SPECIAL_FLOATS[text]
    if _FLOAT.fullmatch(text) and not _DIGITS.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    return text


def _integer(sign: str, hexadecimal: str, octal: str, binary: str, decimal: str) -> int:
    digits, base = next((d, b) for d, b in ((hexadecimal, 16), (octal, 8), (binary, 2), (decimal, 10)) if d)
    return int(sign + digits[:_LONGEST], base)  # longer ones are refused for their size anyway


def _refuse_tag(node: Node, source: Source) -> None:
    if node.tag and node.tag.removeprefix(_TAG_PREFIX) not in CORE_TAGS:
        if node.tag.startswith(_TAG_PREFIX):
            raise source.error(f"tag {node.tag!r} is not read; only plain values are", node.start)
        # It may be a secret that somebody forgot to quote.
        raise source.error(
            "a tag (!) is not read, only plain values are; a text that begins so needs quotes", node.start
        )


def _refuse_surrogates(node: Scalar, source: Source) -> None:
    if node.style == '"' and re.search("[\ud800-\udfff]", node.text):
        raise source.error(r"an escape for half a character (\ud800 to \udfff); write the character itself", node.start)


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal, types included; the order of keys is not looked at."""
    return one is other or canonical(one) == canonical(other)


def canonical(value: Any) -> bytes:
    """Bytes that are the same for equal values."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
