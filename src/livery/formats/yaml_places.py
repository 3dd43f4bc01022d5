"""Where in a YAML text a value stands: file, line and column by path, found on demand."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from livery.errors import Place, ValidationError
from livery.formats import yaml_outline
from livery.formats.yaml_nodes import Alias, Items, Mapping, Node, Source, parse_nodes
from livery.formats.yaml_outline import Block
from livery.formats.yaml_values import MERGE_KEY, key_text, same

Path = Sequence[str | int]

_UNREADABLE = object()
_LINE_END = re.compile(r"\r\n|\r|\n")
SLICED_ABOVE = 16 * 1024
"""Characters; of a larger text only the block that is asked for is parsed, where it can be told."""
PARSED = 256 * 1024
"""Characters; of a larger block only its first line is told, where it is a plain list of keys."""
PARSED_WHOLE = 2 * 1024 * 1024
"""Characters; nothing larger is parsed node by node."""


class Spot(NamedTuple):
    """A key (or list item) and its value, and the text that their positions count in."""

    source: Source
    key: Node
    value: Node


class Finder:
    """The places of one text; what it has parsed it keeps."""

    def __init__(self, text: str, file: str) -> None:
        self.text, self.file = text.removeprefix("\ufeff"), file
        self._roots: dict[Block, Spot | None] = {}
        self._children: dict[Block, dict[str, Block]] = {}
        self._lines: list[int] = []

    def place(self, path: Path) -> Place | None:
        """The place of the key or item at ``path``, else of its deepest ancestor that exists."""
        block, depth = self._block_of(path)
        if self._is_too_large(block) or (depth and depth == len(path)):
            return self._line_of(block)
        spot = self._root(block)
        if spot is None:
            return self._line_of(block) if depth else None
        for part in path[max(depth - 1, 0) :]:
            following = self._step(spot, part)
            if following is None:
                break
            spot = following
        return self._place_at(spot.source.start + spot.key.start)

    def _place_at(self, index: int) -> Place:
        if not self._lines:
            self._lines = [0, *(end.end() for end in _LINE_END.finditer(self.text))]
        line = bisect_right(self._lines, index)
        return Place(self.file, line, index - self._lines[line - 1] + 1)

    def _is_too_large(self, block: Block) -> bool:
        size = block.end - block.start
        return size > PARSED_WHOLE or (size > PARSED and bool(self._children_of(block)))

    def _line_of(self, block: Block) -> Place:
        return self._place_at(block.start + max(block.column, 0))

    def _root(self, block: Block) -> Spot | None:
        if block not in self._roots:
            self._roots[block] = self._parsed(block.start, block.end)
        return self._roots[block]

    def _parsed(self, start: int, end: int) -> Spot | None:
        source = Source(self.text, self.file, start)
        try:
            root = parse_nodes(source, self.text[start:end])
        except ValidationError:
            return None
        return None if root is None else Spot(source, root, root)

    def _block_of(self, path: Path) -> tuple[Block, int]:
        """The smallest block to parse for a path, and how many of its parts lead to that block."""
        blocks = [yaml_outline.whole(self.text)]
        for part in path:
            if blocks[-1].end - blocks[-1].start <= SLICED_ABOVE:
                break
            child = self._children_of(blocks[-1]).get(part) if isinstance(part, str) else None
            if child is None:
                break
            blocks.append(child)
        depth = len(blocks) - 1
        if depth and not self._holds(blocks[-1], path[:depth]) and len(self.text) <= PARSED_WHOLE:
            return blocks[0], 0
        return blocks[-1], depth

    def _children_of(self, block: Block) -> dict[str, Block]:
        if block not in self._children:
            self._children[block] = {child.key: child for child in yaml_outline.children(self.text, block)}
        return self._children[block]

    def _holds(self, block: Block, path: Path) -> bool:
        """Whether a block found by indentation has the value that a real reading finds at the path."""
        alone = _read(self.text[block.start : block.end])
        if alone is _UNREADABLE or self._value is _UNREADABLE:
            return True  # an anchor outside of the block, or a broken text: nothing to compare
        value = self._value
        for part in path:
            value = value.get(part) if isinstance(value, dict) else None
        return same({block.key: value}, alone)

    @cached_property
    def _value(self) -> Any:
        return _read(self.text)

    def _step(self, spot: Spot, part: str | int) -> Spot | None:
        spot = self._followed(spot)
        if isinstance(spot.value, Items) and isinstance(part, int) and 0 <= part < len(spot.value.items):
            item = spot.value.items[part]
            return Spot(spot.source, item, item)
        return self._entry(spot, part) if isinstance(spot.value, Mapping) and isinstance(part, str) else None

    def _entry(self, spot: Spot, name: str) -> Spot | None:
        assert isinstance(spot.value, Mapping)
        merges = []
        for key, value in spot.value.entries:
            written = key_text(key)
            if written == name:
                return Spot(spot.source, key, value)
            if written == MERGE_KEY:
                merges.append(Spot(spot.source, key, value))
        bases = (base for merge in merges for base in self._bases(merge))
        return next((found for base in bases if (found := self._entry(base, name))), None)

    def _bases(self, merge: Spot) -> Iterator[Spot]:
        merge = self._followed(merge)
        items = merge.value.items if isinstance(merge.value, Items) else [merge.value]
        for item in items:
            base = self._followed(Spot(merge.source, item, item))
            if isinstance(base.value, Mapping):
                yield base

    def _followed(self, spot: Spot) -> Spot:
        """The spot with the content of an alias as its value."""
        if not isinstance(spot.value, Alias):
            return spot
        if spot.value.target is not None:
            return self._followed(spot._replace(value=spot.value.target))
        owner = self._owner(spot.value.name, spot.source.start + spot.value.start)
        return self._followed(owner) if owner else spot

    def _owner(self, anchor: str, before: int) -> Spot | None:
        """The node with an anchor that stands before the block in hand, found by the name."""
        marks = list(re.finditer(rf"&{re.escape(anchor)}(?![\w-])", self.text[:before]))
        if not marks:
            return None
        start = max(self.text.rfind(end, 0, marks[-1].start()) for end in "\r\n") + 1
        indent = len(re.compile(" *").match(self.text, start)[0])  # type: ignore[index]
        following = re.compile(rf"^ {{0,{indent}}}[^\s#]", re.MULTILINE).search(self.text, marks[-1].end())
        spot = self._parsed(start, following.start() if following else len(self.text))
        return next((Spot(spot.source, n, n) for n in _all(spot.value) if n.anchor == anchor), None) if spot else None


def _read(text: str) -> Any:
    from livery.formats.yaml import read_yaml  # which has the functions of this module too

    try:
        return read_yaml(text, "")
    except ValidationError:
        return _UNREADABLE


def _all(node: Node) -> Iterator[Node]:
    yield node
    parts: list[Node] = []
    if isinstance(node, Items):
        parts = node.items
    elif isinstance(node, Mapping):
        parts = [part for entry in node.entries for part in entry]
    for part in parts:
        yield from _all(part)


def locate(text: str, file: str, path: Path) -> Place | None:
    """Where the key (or list item) at ``path`` stands; aliases and merge keys are followed to where the value stands.

    Where the last parts of the path do not exist: the place of the deepest ancestor that does. None for a text without
    content, or one that cannot be parsed.
    """
    return Finder(text, file).place(path)


def locate_all(text: str, file: str, paths: Sequence[Path]) -> list[Place | None]:
    """:func:`locate` for many paths, in their order; every part of the text is parsed at most once."""
    finder = Finder(text, file)
    return [finder.place(path) for path in paths]
