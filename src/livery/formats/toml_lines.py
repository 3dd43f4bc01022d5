"""Cuts and insertions in a text, and the lines that they are made at."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

INSERTED, NEW_TABLES, CUT = 0, 1, 2
"""Ranks: what goes to the lines before a place, new tables after those, what is taken away behind the place."""

BLANK_LINES = re.compile(r"(?:[ \t]*+\r?\n)*+")
COMMENT_LINE = re.compile(r"[ \t]*+#[^\n]*+\n")
_INDENT = re.compile(r"[ \t]*+")


class Splice(NamedTuple):
    """A text in the place of another; of those at one place the lower ``rank`` is first."""

    start: int
    end: int
    text: str
    rank: int = INSERTED


def applied(text: str, splices: Iterable[Splice]) -> str:
    """The text with all splices made; cuts may overlap."""
    parts: list[str] = []
    at = 0
    for splice in sorted(splices, key=lambda splice: (splice.start, splice.rank)):
        parts += (text[at : splice.start], splice.text)
        at = max(at, splice.end)
    return "".join((*parts, text[at:]))


class Lines:
    """A text whose last line has an end, and the line ending that it uses."""

    def __init__(self, text: str, newline: str) -> None:
        self.text = text
        self.newline = newline

    def line_start(self, at: int) -> int:
        return self.text.rfind("\n", 0, at) + 1

    def line_end(self, at: int) -> int:
        return self.text.find("\n", at) + 1

    def begins_line(self, at: int) -> bool:
        return self.skip(_INDENT, self.line_start(at)) == at

    def indent(self, at: int) -> str:
        start = self.line_start(at)
        return self.text[start : self.skip(_INDENT, start)]

    def follows_blank(self, at: int) -> bool:
        return not at or not self.text[self.line_start(at - 1) : at].strip()

    def skip(self, pattern: re.Pattern[str], at: int) -> int:
        found = pattern.match(self.text, at)
        assert found is not None
        return found.end()
