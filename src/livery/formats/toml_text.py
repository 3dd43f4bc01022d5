"""TOML written anew: keys, values and whole tables, laid out as people write them.

Nothing here is beyond TOML 1.0, so that every reader takes it. Values are those of
:func:`livery.formats.toml_values.held`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_BARE = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_ESCAPED = re.compile(r'["\\\x00-\x1f\x7f]')
_ESCAPED_IN_LINES = re.compile(r'\\|"""|"(?=\Z)|[\x00-\x08\x0b-\x1f\x7f]')  # a tab and a newline may stand as they are
_NOT_LITERAL = re.compile(r"['\x00-\x1f\x7f]")
_NAMED = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
WIDTH = 100
"""Columns; a longer list is written with one item on a line."""


def key_text(key: str) -> str:
    """A key, quoted where it must be."""
    return key if _BARE.fullmatch(key) else string_text(key)


def dotted(path: Sequence[str]) -> str:
    """A path as a dotted key."""
    return ".".join(map(key_text, path))


def string_text(text: str) -> str:
    """A string on one line: in apostrophes where that saves escapes, else in quotes."""
    if ("\\" in text or '"' in text) and not _NOT_LITERAL.search(text):
        return f"'{text}'"
    return f'"{_ESCAPED.sub(_escape, text)}"'


def _escape(match: re.Match[str]) -> str:
    return "".join(_NAMED.get(char) or f"\\u{ord(char):04x}" for char in match[0])


def value_text(value: Any) -> str:
    """A value on one line, tables within braces."""
    kind = type(value)
    if kind is str:
        return string_text(value)
    if kind is bool:
        return "true" if value else "false"
    if kind is list:
        return "[" + ", ".join(map(value_text, value)) + "]"
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{key_text(key)} = {value_text(child)}" for key, child in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    return str(value)  # numbers and TypedText


def line_value(value: Any, newline: str = "\n", indent: str = "") -> str:
    """A value after ``key =``: a text of several lines and a long list take more than one."""
    if type(value) is str and "\n" in value and newline == "\n":  # readers disagree on the other line endings
        lines = _ESCAPED_IN_LINES.sub(_escape, value)
        return f'"""\n{lines}"""'
    text = value_text(value)
    if type(value) is not list or len(text) <= WIDTH:
        return text
    items = "".join(f"{indent}    {value_text(item)},{newline}" for item in value)
    return f"[{newline}{items}{indent}]"


def pair_line(key: str, value: Any, newline: str = "\n", indent: str = "") -> str:
    """``key = value`` and the end of the line; ``key`` is the text of one."""
    return f"{indent}{key} = {line_value(value, newline, indent)}{newline}"


def is_table(value: Any) -> bool:
    """Whether a value gets a ``[table]`` of its own; references and directives (``{"$secret": …}``) stay in line."""
    return isinstance(value, Mapping) and not (len(value) == 1 and next(iter(value)).startswith("$"))


def is_tables(value: Any) -> bool:
    """Whether a value gets ``[[tables]]`` of its own."""
    return isinstance(value, list) and bool(value) and all(map(is_table, value))


def tables_text(path: Sequence[str], value: Any, newline: str = "\n", indent: str = "") -> str:
    """The sections of a table, or list of tables, at a path, with blank lines between them."""
    return newline.join(_sections(tuple(path), value, newline, indent))


def document_text(value: Mapping[str, Any], newline: str = "\n") -> str:
    """A whole document: what is no table first."""
    return newline.join(_bodies((), "", value, newline, ""))


def _sections(path: tuple[str, ...], value: Any, newline: str, indent: str) -> Iterator[str]:
    tables = value if isinstance(value, list) else [value]
    header = f"{indent}[[{dotted(path)}]]" if isinstance(value, list) else f"{indent}[{dotted(path)}]"
    for table in tables:
        needs_header = isinstance(value, list) or not table or not all(map(_is_section, table.values()))
        yield from _bodies(path, f"{header}{newline}" if needs_header else "", table, newline, indent)


def _bodies(path: tuple[str, ...], header: str, table: Mapping[str, Any], newline: str, indent: str) -> Iterator[str]:
    lines = [pair_line(key_text(key), v, newline, indent) for key, v in table.items() if not _is_section(v)]
    if header or lines:
        yield header + "".join(lines)
    for key, child in table.items():
        if _is_section(child):
            yield from _sections((*path, key), child, newline, indent)


def _is_section(value: Any) -> bool:
    return is_table(value) or is_tables(value)
