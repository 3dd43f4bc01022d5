"""Where everything stands in a TOML text: keys, values, and the lines of every table.

This reads texts that the parser has found sound, and does not judge them; of any other it reads what it can.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import rtoml

_DEEPEST = 200  # more than the parser takes
_BLANK = re.compile(r"(?:[ \t\r\n]++|#[^\n]*+)*+")
_SPACE = re.compile(r"[ \t]*+")
_KEY = re.compile(r"""[ \t]*+(?:(?P<bare>[A-Za-z0-9_-]++)|"(?:[^"\\\n]|\\.)*+"|'(?P<literal>[^'\n]*+)')[ \t]*+""")
_VALUE = re.compile(
    r'"""(?:[^"\\]++|\\.|"(?!""))*+"""(?:"{0,2})'
    r'|"(?:[^"\\\n]++|\\.)*+"'
    r"|'''(?:[^']++|'(?!''))*+'''(?:'{0,2})"
    r"|'[^'\n]*+'"
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[^\s,\]}#]++"
    r"|[^\s,\]}#\[{\"']++",
    re.DOTALL,
)


class Key(NamedTuple):
    """One part of a key, which may be dotted; ``start`` and ``end`` enclose its quotes."""

    name: str
    start: int
    end: int


class Value(NamedTuple):
    """A value; a list has ``items``, a table within braces ``pairs``."""

    start: int
    end: int
    items: tuple[Value, ...] | None = None
    pairs: tuple[Pair, ...] | None = None


class Pair(NamedTuple):
    """A key, in its parts, and its value."""

    keys: tuple[Key, ...]
    value: Value

    @property
    def start(self) -> int:
        return self.keys[0].start

    @property
    def end(self) -> int:
        return self.value.end


class Section(NamedTuple):
    """A header and the pairs below it; the section at the top of a text has no header, and no keys in it."""

    keys: tuple[Key, ...]
    start: int
    header_end: int
    is_item: bool
    pairs: list[Pair]

    @property
    def end(self) -> int:
        """Where the last thing in it ends; what follows are comments and blank lines."""
        return self.pairs[-1].end if self.pairs else self.header_end


class _Lost(Exception):
    """This is no TOML."""


def read_sections(text: str) -> list[Section]:
    """The sections of a text in their order, up to the first place that is no TOML."""
    sections = [Section((), 0, 0, False, [])]
    try:
        for part in _parts(text):
            if isinstance(part, Section):
                sections.append(part)
            else:
                sections[-1].pairs.append(part)
    except _Lost:
        pass
    return sections


def read_key(text: str) -> tuple[str, ...] | None:
    """The parts of a dotted key; None for a text that is none."""
    try:
        keys, end = _keys(text, 0)
    except _Lost:
        return None
    return tuple(key.name for key in keys) if end == len(text) else None


def _parts(text: str) -> Iterator[Section | Pair]:
    at = _skip(_BLANK, text, 0)
    while at < len(text):
        if text[at] == "[":
            section = _header(text, at)
            at = section.header_end
            yield section
        else:
            pair = _pair(text, at, 0)
            at = pair.end
            yield pair
        at = _skip(_BLANK, text, at)


def _skip(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    assert found is not None
    return found.end()


def _header(text: str, start: int) -> Section:
    is_item = text.startswith("[[", start)
    keys, at = _keys(text, start + 1 + is_item)
    at = _expected(text, at, "]]" if is_item else "]")
    return Section(keys, start, at, is_item, [])


def _expected(text: str, at: int, what: str) -> int:
    if not text.startswith(what, at):
        raise _Lost
    return at + len(what)


def _keys(text: str, at: int) -> tuple[tuple[Key, ...], int]:
    """The parts of a dotted key, and where what follows it begins."""
    keys: list[Key] = []
    while True:
        found = _KEY.match(text, at)
        if found is None:
            raise _Lost
        keys.append(_key(text, found))
        at = found.end()
        if not text.startswith(".", at):
            return tuple(keys), at
        at += 1


def _key(text: str, found: re.Match[str]) -> Key:
    if found["bare"] is not None:
        return Key(found["bare"], *found.span("bare"))
    start = _skip(_SPACE, text, found.start())
    end = start + len(found[0].strip(" \t"))
    return Key(found["literal"] if found["literal"] is not None else _unquoted(text[start:end]), start, end)


def _unquoted(text: str) -> str:
    if "\\" not in text:
        return text[1:-1]
    try:
        value = rtoml.loads(f"x = {text}")["x"]
    except (rtoml.TomlParsingError, UnicodeEncodeError):
        raise _Lost from None
    return str(value)


def _pair(text: str, at: int, depth: int) -> Pair:
    keys, at = _keys(text, at)
    at = _skip(_SPACE, text, _expected(text, at, "="))
    return Pair(keys, _value(text, at, depth))


def _value(text: str, at: int, depth: int) -> Value:
    if depth > _DEEPEST:
        raise _Lost
    if text.startswith("[", at):
        return _list(text, at, depth + 1)
    if text.startswith("{", at):
        return _table(text, at, depth + 1)
    found = _VALUE.match(text, at)
    if found is None:
        raise _Lost
    return Value(at, found.end())


def _list(text: str, start: int, depth: int) -> Value:
    items: list[Value] = []
    at = _skip(_BLANK, text, start + 1)
    while not text.startswith("]", at):
        items.append(_value(text, at, depth))
        at = _after_comma(text, items[-1].end, "]")
    return Value(start, at + 1, items=tuple(items))


def _table(text: str, start: int, depth: int) -> Value:
    pairs: list[Pair] = []
    at = _skip(_BLANK, text, start + 1)
    while not text.startswith("}", at):
        pairs.append(_pair(text, at, depth))
        at = _after_comma(text, pairs[-1].end, "}")
    return Value(start, at + 1, pairs=tuple(pairs))


def _after_comma(text: str, at: int, close: str) -> int:
    """Where the next element begins, or ``close`` stands."""
    at = _skip(_BLANK, text, at)
    if text.startswith(close, at):
        return at
    return _skip(_BLANK, text, _expected(text, at, ","))
