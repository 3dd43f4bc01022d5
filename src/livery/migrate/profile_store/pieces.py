"""A YAML text in pieces: every key of the file, and every server, with its lines and the comments that belong to it.

Comments directly above a key or a dash belong to it, and so do those indented deeper below; a comment with a blank line
after it belongs to what stands before. Taken in order, the pieces are the whole text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from livery.errors import ValidationError
from livery.formats.yaml_cuts import CannotCut, Surgeon
from livery.formats.yaml_nodes import Items, Mapping, Node, Source, parse_nodes
from livery.formats.yaml_splice import layout_of
from livery.formats.yaml_values import key_text

_COMMENT = re.compile(r"( *)#")


class Pieces(NamedTuple):
    """``head`` stands before the first key, ``keys`` are the pieces of the top level in order.

    ``list_head`` and ``items`` are the piece of ``servers`` once more, cut at its dashes; no items where it is no list
    of lines of its own.
    """

    head: str
    keys: dict[str, str]
    list_head: str = ""
    items: tuple[str, ...] = ()


def pieces_of(text: str, list_key: str) -> Pieces | None:
    """The pieces of a text; None where its keys do not stand in lines of their own."""
    try:
        root = parse_nodes(Source(text, ""))
        return _pieces(_Cutter(text, root), root, list_key) if isinstance(root, Mapping) else None
    except (CannotCut, ValidationError):
        return None


def _pieces(cutter: _Cutter, root: Mapping, list_key: str) -> Pieces | None:
    names = [key_text(key) for key, _ in root.entries]
    if root.flow or not all(isinstance(name, str) for name in names):
        return None
    keys, values = [key for key, _ in root.entries], [value for _, value in root.entries]
    marks = cutter.marks([key.start for key in keys], values, 0, len(cutter.text))
    parts = {str(name): (marks[n], marks[n + 1]) for n, name in enumerate(names)}
    found = Pieces(cutter.text[: marks[0]], {name: cutter.text[slice(*part)] for name, part in parts.items()})
    number = names.index(list_key)
    node = values[number]
    if not isinstance(node, Items) or node.flow or node.anchor or not node.items:
        return found
    start, end = parts[list_key]
    dashes = [cutter.surgeon.dash_of(node, n) for n in range(len(node.items))]
    cuts = cutter.marks(dashes, node.items, cutter.surgeon.line_end(keys[number].end), end)
    items = tuple(cutter.text[one:other] for one, other in pairwise(cuts))
    return found._replace(list_head=cutter.text[start : cuts[0]], items=items)


class _Cutter:
    """Finds where pieces of a text begin."""

    def __init__(self, text: str, root: Node | None) -> None:
        self.text = text
        self.surgeon = Surgeon(text, root, layout_of(text))

    def marks(self, starts: Sequence[int], values: Sequence[Node], floor: int, end: int) -> list[int]:
        """Where the piece of each entry begins, and where the last one ends."""
        floors = [floor, *(self.surgeon.line_end(value.end) for value in values[:-1])]
        return [*(self._with_comments(start, low) for start, low in zip(starts, floors, strict=True)), end]

    def _with_comments(self, start: int, floor: int) -> int:
        """The beginning of the comment block directly above the line of ``start``, not before ``floor``."""
        column = self.surgeon.column_of(start)
        line = start - column
        if self.text[line:start].strip(" ") or line < floor:
            raise CannotCut  # it begins behind something else on its line
        while line > floor:
            above = self.text.rfind("\n", 0, line - 1) + 1
            comment = _COMMENT.match(self.text, above)
            if above < floor or comment is None or len(comment[1]) > column:
                break
            line = above
        return line
