"""Values as YAML text: block style, keys in the order given, quotes only where a reader needs them.

Words that YAML 1.1 and 1.2 read differently (``no``, ``017``, ``1_000``, dates) are always quoted, so that every reader
gets the same value. The edits use the same functions with the layout of the text they edit.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from livery.core.names import type_name
from livery.errors import ValidationError

_PLAIN = re.compile(r"[^\W\d][^\x00-\x1f\x7f-\x9f]*|[/$(;\\][^\x00-\x1f\x7f-\x9f]*")
_NOT_PLAIN = re.compile(r": |:$| #|\s$|[\t\u00a0\u2028\u2029\ufeff]")
_FLOW_MARKS = re.compile(r"[,\[\]{}:#]")
_WORDS = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null"))
_ESCAPED = re.compile(
    "[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]"  # bidirectional marks too: they hide text
)
_NOT_LITERAL = re.compile(  # control characters, and white space that would be taken for indentation
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
    r"|\A\n*[ \t]|\A\n+\Z|\n[ \t]+\Z"
)
_LONGEST_KEY = 1000  # a parser looks no further than 1024 characters for the colon


class Layout(NamedTuple):
    """How a text is indented: columns per level, columns from a key to the dashes of its list, and the line ending."""

    step: int = 2
    dash: int = 2
    newline: str = "\n"


DEFAULT = Layout()


def write_yaml(value: Any) -> str:
    """A document that :func:`livery.formats.yaml.read_yaml` reads back to the same value."""
    if isinstance(value, (Mapping, list, tuple)) and value:
        return joined(block(value, 0), "\n")
    return joined(_attached("", value, 2, DEFAULT), "\n").removeprefix(" ")


def block(value: Any, column: int, layout: Layout = DEFAULT) -> Iterator[str]:
    """The lines of a mapping or list that is not empty, its keys or dashes at ``column``."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from entry(key, item, column, layout)
    else:
        for item in value:
            yield from list_item(item, column, layout)


def entry(key: Any, value: Any, column: int, layout: Layout = DEFAULT) -> Iterator[str]:
    """The lines of one key and its value."""
    name = key_text(key)
    head = " " * column + name
    if len(name) > _LONGEST_KEY:
        yield " " * column + "? " + name
        head = " " * column
    indent = column + (layout.dash if isinstance(value, (list, tuple)) else layout.step)
    yield from _attached(head + ":", value, indent, layout)


def list_item(value: Any, column: int, layout: Layout = DEFAULT) -> Iterator[str]:
    """The lines of one item of a list whose dashes stand at ``column``."""
    dash = " " * column + "-"
    if isinstance(value, (Mapping, list, tuple)) and value:
        lines = block(value, column + 2, layout)
        yield f"{dash} {next(lines).lstrip(' ')}"
        yield from lines
    else:
        yield from _attached(dash, value, column + 2, layout)


def _attached(head: str, value: Any, indent: int, layout: Layout) -> Iterator[str]:
    if isinstance(value, (Mapping, list, tuple)) and value:
        yield head
        yield from block(value, indent, layout)
    elif isinstance(value, str) and is_literal(value):
        yield f"{head} {literal_header(value)}"
        yield from literal_lines(value, indent)
    else:
        yield f"{head} {flow(value) if isinstance(value, (Mapping, list, tuple)) else scalar(value)}"


def is_literal(text: str) -> bool:
    """Whether a text is written as a ``|`` block: several lines, all of which survive as they stand."""
    return "\n" in text and not _NOT_LITERAL.search(text)


def literal_header(text: str) -> str:
    if not text.endswith("\n"):
        return "|-"
    return "|+" if text.endswith("\n\n") else "|"


def literal_lines(text: str, indent: int) -> Iterator[str]:
    for line in text.removesuffix("\n").split("\n"):
        yield " " * indent + line if line else ""


def flow(value: Any, *, as_json: bool = False) -> str:
    """A value in one line, collections as ``[..]`` and ``{..}``."""
    if isinstance(value, Mapping):
        pairs = (f"{_flow_key(key, as_json)}: {flow(item, as_json=as_json)}" for key, item in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(flow(item, as_json=as_json) for item in value) + "]"
    if isinstance(value, str):
        return _quoted(value) if as_json or _FLOW_MARKS.search(value) else scalar(value)
    return scalar(value)


def _flow_key(key: Any, as_json: bool) -> str:
    return _quoted(key) if as_json or _FLOW_MARKS.search(key) else key_text(key)


def key_text(key: Any) -> str:
    if not isinstance(key, str):
        raise ValidationError("", f"the key {key!r} is {type_name(key)}, not text")
    return scalar(key)


def scalar(value: Any, quote: str = "") -> str:
    """A scalar in one line; ``quote`` is the quotation mark to use for text, where it can be used."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return _text(value, quote)
        case int():
            return _integer(value)
        case float():
            return _number(value)
    raise ValidationError("", f"{type(value).__name__} has no form in YAML")


def _text(text: str, quote: str) -> str:
    if quote == "'" and text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return text if not quote and _is_plain(text) else _quoted(text)


def _is_plain(text: str) -> bool:
    return bool(_PLAIN.fullmatch(text)) and not _NOT_PLAIN.search(text) and text.lower() not in _WORDS


def _quoted(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValidationError("", "text with half a character (a surrogate) has no form in YAML") from None
    return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False))


def _integer(value: int) -> str:
    if not -(2**63) <= value < 2**64:
        raise ValidationError("", "an integer of more than 64 bits")
    return str(value)


def _number(value: float) -> str:
    if math.isnan(value):
        return ".nan"
    if math.isinf(value):
        return ".inf" if value > 0 else "-.inf"
    digits, _, exponent = repr(value).partition("e")
    if not exponent:
        return digits
    return f"{digits}{'' if '.' in digits else '.0'}e{int(exponent):+03d}"  # YAML 1.1 wants the point and the sign


def joined(lines: Iterable[str], newline: str) -> str:
    return "".join(line + newline for line in lines)
