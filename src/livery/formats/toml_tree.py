"""The tables of a TOML text as one tree: for each, the lines of the text that speak of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from livery.formats.toml_nodes import Key, Pair, Section, Value, read_sections


class Mention(NamedTuple):
    """A pair outside of a table that speaks of it by a dotted key, whose first ``depth`` parts lead to the table."""

    pair: Pair
    depth: int
    section: Section


class Node:
    """A table, list or value: the key that names it first, and all that the text says of it."""

    __slots__ = ("children", "items", "key", "mentions", "own", "sections", "value")

    def __init__(self, key: Key | None = None) -> None:
        self.key = key
        self.children: dict[str, Node] = {}
        self.items: list[Node] | None = None
        """The tables of a list of ``[[tables]]``."""
        self.own: Section | None = None
        """The section whose header is the name of this table."""
        self.sections: list[Section] = []
        """The sections of this table and of those in it, in the order of the text."""
        self.mentions: list[Mention] = []
        self.value: Value | None = None
        """What stands after the equals sign; for a table, what stands within braces."""

    def child(self, key: Key) -> Node:
        if key.name not in self.children:
            self.children[key.name] = Node(key)
        return self.children[key.name]

    def at(self, path: Sequence[str | int]) -> tuple[Node, int]:
        """The deepest node on a path, and how many of its parts lead there."""
        node = self
        for depth, part in enumerate(path):
            following = node.step(part)
            if following is None:
                return node, depth
            node = following
        return node, len(path)

    def step(self, part: str | int) -> Node | None:
        if isinstance(part, str):
            self._open()
            return self.children.get(part)
        if self.items is None and self.value is not None and self.value.items is not None:
            self.items = [_of_value(item) for item in self.value.items]
        items = self.items or []
        return items[part] if 0 <= part < len(items) else None

    def _open(self) -> None:
        """Read what stands within braces."""
        if self.value is not None and self.value.pairs is not None and not self.children:
            for pair in self.value.pairs:
                node = self
                for key in pair.keys:
                    node = node.child(key)
                node.value = pair.value


def _of_value(value: Value) -> Node:
    node = Node(Key("", value.start, value.end))
    node.value = value
    return node


def read_tree(text: str) -> Node:
    """The tree of a text that the parser has found sound."""
    root = Node()
    for section in read_sections(text):
        table = _opened(root, section)
        for pair in section.pairs:
            _add(table, section, pair)
    return root


def _opened(root: Node, section: Section) -> Node:
    """The table that a section is about."""
    node = root
    root.sections.append(section)
    for position, key in enumerate(section.keys):
        node = node.child(key)
        node.sections.append(section)
        is_last = position == len(section.keys) - 1
        if is_last and section.is_item:
            node.items = node.items or []
            node.items.append(Node(key))
        if node.items:
            node = node.items[-1]
            node.sections.append(section)
    node.own = section
    return node


def _add(table: Node, section: Section, pair: Pair) -> None:
    node = table
    for depth, key in enumerate(pair.keys, 1):
        node = node.child(key)
        node.mentions.append(Mention(pair, depth, section))
    node.value = pair.value
