"""Where in a TOML text a value stands: file, line and column by path, found on demand."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property

from livery.core.values import MAX_DEPTH
from livery.errors import Place
from livery.formats.toml_nodes import Pair, Section, read_sections
from livery.formats.toml_tree import Node, read_tree

Path = Sequence[str | int]


class Finder:
    """The places of one text, which is parsed by the first question."""

    def __init__(self, text: str, file: str) -> None:
        self.text, self.file = text.removeprefix("\ufeff"), file

    @cached_property
    def _tree(self) -> Node:
        return read_tree(self.text)

    @cached_property
    def _lines(self) -> list[int]:
        return [0, *(index + 1 for index, char in enumerate(self.text) if char == "\n")]

    def place(self, path: Path) -> Place | None:
        """The place of the key or item at a path, else of its deepest ancestor that exists; None where none does."""
        node, _ = self._tree.at(path)
        return self.place_at(node.key.start) if node.key else None

    def place_at(self, index: int) -> Place:
        line = bisect_right(self._lines, index)
        return Place(self.file, line, index - self._lines[line - 1] + 1)

    def value_text(self, path: Path) -> str | None:
        """The text of the value at a path, if something stands there after an equals sign or in a list."""
        node, depth = self._tree.at(path)
        return self.text[node.value.start : node.value.end] if node.value and depth == len(path) else None


def locate_toml(text: str, file: str, paths: Sequence[Path]) -> list[Place | None]:
    """Where the key (or list item) at each path stands; where its last parts do not exist, the place of what encloses
    them. None where nothing of it is there, or the text is no TOML up to that point.
    """
    finder = Finder(text, file)
    return [finder.place(path) for path in paths]


def place_of_deep_key(text: str, file: str) -> Place:
    """The place of the first key with more parts than tables may be deep."""
    for section in read_sections(text):
        found = _deep_start(section)
        if found is not None:
            return Finder(text, file).place_at(found)
    return Place(file)


def _deep_start(section: Section) -> int | None:
    parts: list[Section | Pair] = [section, *section.pairs]
    return next((part.start for part in parts if len(part.keys) > MAX_DEPTH), None)
