"""The blocks of a large YAML text, found by indentation alone.

Parsing eight megabytes node by node takes most of a minute, finding one block of them some milliseconds. An outline is
a guess: it gives up (no entries) on anything unusual, and whoever uses it compares what it finds with a real reading.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

_FIRST_LINE = re.compile(r"^(?!---|%)( *)(?=[^\s#])", re.MULTILINE)
_KEY = re.compile(
    r"""("(?:[^"\\\r\n]|\\.)*"|'(?:[^'\r\n]|'')*'|[^\s"'#&*!|>%@`,?:\[\]{}-][^#\r\n]*?)[ \t]*:(?=[ \t\r\n]|\Z)"""
)
_NOTHING_INLINE = re.compile(r"[ \t]*(?:[&!][^\s#]*[ \t]*)*(?:#[^\r\n]*)?(?:\r\n|\r|\n|\Z)")
_MARKER = re.compile(r"^(?:---|\.\.\.)", re.MULTILINE)


class Block(NamedTuple):
    """A key with all lines up to the next key of its mapping; ``body`` is where its value's lines begin."""

    key: str
    start: int
    end: int
    column: int
    body: int


def whole(text: str) -> Block:
    """The block of the document itself; its key is nothing."""
    return Block("", 0, len(text), -1, 0)


def children(text: str, block: Block) -> list[Block]:
    """The entries of a block mapping in order; none where it is something else, or hard to say."""
    first = _FIRST_LINE.search(text, block.body, block.end)
    if first is None or len(first[1]) <= block.column or text.startswith(("- ", "-\n", "-\r"), first.end()):
        return []
    column = len(first[1])
    body = text[first.start() : block.end]
    if column and re.search(rf"^ {{0,{column - 1}}}[^\s#]", body, re.MULTILINE):
        return []
    if not column and _MARKER.search(body):
        return []
    lines = re.finditer(rf"^ {{{column}}}(?=[^\s#])(?!-\s)", body, re.MULTILINE)  # dashes belong to the key above
    return _entries(text, [first.start() + line.start() for line in lines], column, block.end)


def _entries(text: str, starts: list[int], column: int, end: int) -> list[Block]:
    found = []
    for start, following in zip(starts, [*starts[1:], end], strict=True):
        key = _KEY.match(text, start + column, following)
        name = _name(key[1]) if key else None
        if key is None or name is None:
            return []
        inline = _NOTHING_INLINE.match(text, key.end(), following)
        found.append(Block(name, start, following, column, inline.end() if inline else following))
    return found


def _name(written: str) -> str | None:
    if written[0] == "'":
        return written[1:-1].replace("''", "'")
    if written[0] != '"':
        return written
    try:
        return str(json.loads(written))
    except ValueError:
        return None


def leaves(text: str, block: Block, size: int) -> Iterator[Block]:
    """The blocks that make up ``block``, split further while one is larger than ``size`` and can be split."""
    for child in children(text, block):
        parts = leaves(text, child, size) if child.end - child.start > size else iter(())
        first = next(parts, None)
        if first is None:
            yield child
        else:
            yield first
            yield from parts
