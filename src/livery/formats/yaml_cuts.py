"""The smallest cuts that give a YAML node another value: only what differs is written anew.

Nodes say where every value stands; a cut replaces a part of the text, and all that lies between the cuts stays as it
is, comments, quotes and spacing included. In odd corners of YAML a cut may still be wrong, so whoever makes it reads
the result again.
"""

from __future__ import annotations

import difflib
import re
from typing import Any, NamedTuple

from livery.formats import yaml_text
from livery.formats.yaml_nodes import Alias, Items, Mapping, Node, Scalar
from livery.formats.yaml_text import Layout
from livery.formats.yaml_values import MERGE_KEY, canonical, key_text, same

_LONG_LISTS = 4_000_000
_ANCHOR = re.compile(r"&[^\s,\[\]{}]+")
_ANCHOR_AND_SPACE = re.compile(r"&[^\s,\[\]{}]+[ \t]*")
_SPACES_AT_END = re.compile(r"[ \t]*(?=[\r\n]|\Z)")
_REST_OF_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")
_BLOCK_HEADER = re.compile(r"[|>][-+0-9]*")
_DASH = re.compile(r"-(?=\s|\Z)")
_COLON = re.compile(r"[ \t]*(?:(?:#[^\r\n]*)?\r?\n *)?:")  # on a line of its own for a key with a question mark


class CannotCut(Exception):
    """This text is too unusual for cuts."""


class Cut(NamedTuple):
    """``text`` in the place of what stands from ``start`` to ``end``."""

    start: int
    end: int
    text: str


class Slot(NamedTuple):
    """Where a value hangs: behind the colon of a key, or a dash, at ``head``; ``column`` is that of the key or dash."""

    head: int
    column: int
    dash: bool = False
    flow: bool = False


class Surgeon:
    """Collects the cuts of one text, the root node of which is ``root``."""

    def __init__(self, text: str, root: Node | None, layout: Layout) -> None:
        self.text, self.root, self.layout = text, root, layout
        self.as_json = text.lstrip().startswith("{")
        self.cuts: list[Cut] = []

    def cut(self, start: int, end: int, text: str) -> None:
        self.cuts.append(Cut(start, end, text))

    # A node with the same kind of value: cut inside of it.

    def inside(self, node: Node | None, old: Any, new: Any) -> bool:
        """Whether the node could take the new value by cuts inside of it."""
        before = len(self.cuts)
        try:
            if isinstance(node, Mapping) and isinstance(old, dict) and isinstance(new, dict):
                self.in_mapping(node, old, new)
            elif isinstance(node, Items) and isinstance(old, list) and isinstance(new, list):
                self.in_list(node, old, new)
            else:
                return False
        except CannotCut:
            del self.cuts[before:]
            return False
        return True

    def in_mapping(self, node: Mapping, old: dict[str, Any], new: dict[str, Any]) -> None:
        names = [key_text(key) for key, _ in node.entries]
        unmerged = any(name not in new and name not in names for name in old)  # what a merge key brings is dropped
        dropped = [number for number, name in enumerate(names) if name not in new and (name != MERGE_KEY or unmerged)]
        for name, (key, value) in zip(names, node.entries, strict=True):
            if name in old and name in new and not same(old[name], new[name]):
                self.change(value, old[name], new[name], self.slot_of(key, node.flow))
        added = {
            name: value
            for name, value in new.items()
            if name not in names and (unmerged or name not in old or not same(old[name], value))
        }
        if node.flow:
            pairs = [(key.start, max(key.end, value.end)) for key, value in node.entries]
            self.in_brackets(node, pairs, dropped, {len(pairs): [self.pair(*entry) for entry in added.items()]})
        else:
            self.in_block_mapping(node, dropped, added)

    def pair(self, name: str, value: Any) -> str:
        return yaml_text.flow({name: value}, as_json=self.as_json)[1:-1]

    def in_block_mapping(self, node: Mapping, dropped: list[int], added: dict[str, Any]) -> None:
        column = self.column_of(node.entries[0][0].start)
        starts, ends = [key.start for key, _ in node.entries], [value.end for _, value in node.entries]
        self.drop_lines(starts, ends, dropped, column)
        if added:
            lines = [line for entry in added.items() for line in yaml_text.entry(*entry, column, self.layout)]
            end = self.behind_comments(self.line_end(node.end), column)
            self.lines(end, end, lines)

    def in_list(self, node: Items, old: list[Any], new: list[Any]) -> None:
        dropped: list[int] = []
        added: dict[int, list[Any]] = {}
        for start, end, values in _differences(old, new):
            paired = min(end - start, len(values))
            for number in range(paired):
                item = node.items[start + number]
                self.change(item, old[start + number], values[number], self.slot_of_item(node, start + number))
            dropped += range(start + paired, end)
            if values[paired:]:
                added[end] = values[paired:]
        if node.flow:
            spans = [(item.start, item.end) for item in node.items]
            texts = {at: [yaml_text.flow(v, as_json=self.as_json) for v in values] for at, values in added.items()}
            self.in_brackets(node, spans, dropped, texts)
        else:
            self.in_block_list(node, dropped, added)

    def in_block_list(self, node: Items, dropped: list[int], added: dict[int, list[Any]]) -> None:
        column = self.column_of(self.dash_of(node, 0))
        if dropped:
            starts = [self.dash_of(node, number) for number in range(len(node.items))]
            self.drop_lines(starts, [item.end for item in node.items], dropped, column)
        for at, values in added.items():
            lines = [line for value in values for line in yaml_text.list_item(value, column, self.layout)]
            place = self.dash_of(node, 0) - column
            if at:
                is_last = at == len(node.items)
                place = self.behind_comments(self.line_end(node.items[at - 1].end), column if is_last else column + 1)
            self.lines(place, place, lines)

    def in_brackets(
        self, node: Items | Mapping, spans: list[tuple[int, int]], dropped: list[int], added: dict[int, list[str]]
    ) -> None:
        """Drop and add parts of ``[..]`` or ``{..}``; ``added`` maps the part before which to add to new texts."""
        kept = [number for number in range(len(spans)) if number not in dropped]
        if (dropped or added) and (not kept or self.text[self.content_start(node)] not in "[{"):
            raise CannotCut
        for number in dropped:
            if number < kept[-1]:
                self.cut(spans[number][0], spans[number + 1][0], "")
        if kept and kept[-1] < len(spans) - 1:
            self.cut(spans[kept[-1]][1], spans[-1][1], "")
        for at, texts in added.items():
            comma = self.comma(node, spans)
            if at > kept[-1]:
                self.cut(spans[kept[-1]][1], spans[kept[-1]][1], "".join(comma + text for text in texts))
            else:
                self.cut(spans[at][0], spans[at][0], "".join(text + comma for text in texts))

    def comma(self, node: Node, spans: list[tuple[int, int]]) -> str:
        """``, ``, or a comma and a new line where the parts stand in lines of their own."""
        before = spans[-2][1] if len(spans) > 1 else node.start
        if "\n" not in self.text[before : spans[-1][0]]:
            return ", "
        return "," + self.layout.newline + " " * self.column_of(spans[-1][0])

    # A node with another kind of value: cut all of it.

    def change(self, node: Node, old: Any, new: Any, slot: Slot) -> None:
        """Give a node another value."""
        if new and self.inside(node, old, new):
            return
        if isinstance(node, Alias) and isinstance(old, dict) and isinstance(new, dict) and set(old) <= set(new):
            self.beside_alias(node, old, new, slot)
        elif self.has_comment(node) and _is_akin(old, new):
            raise CannotCut
        else:
            self.put(node, *self.written(node, new, slot), slot)

    def has_comment(self, node: Node) -> bool:
        return "#" in self.text[node.start : node.end]

    def beside_alias(self, node: Alias, old: dict[str, Any], new: dict[str, Any], slot: Slot) -> None:
        """Make the alias a mapping that merges what it stands for, and has the differing keys of its own."""
        own = {name: value for name, value in new.items() if name not in old or not same(old[name], value)}
        merge = f"{MERGE_KEY}: *{node.name}"
        if slot.flow:
            self.put(node, "{" + merge + ", " + yaml_text.flow(own, as_json=self.as_json)[1:], [], slot)
            return
        column = slot.column + (2 if slot.dash else self.layout.step)
        self.put(node, *_split([" " * column + merge, *yaml_text.block(own, column, self.layout)], slot), slot)

    def written(self, node: Node, new: Any, slot: Slot) -> tuple[str, list[str]]:
        """A value as the text behind the head, and the lines below it."""
        quote = node.style if isinstance(node, Scalar) and node.style in ("'", '"') else ""
        step = 2 if slot.dash else self.layout.step
        if isinstance(new, (dict, list)) and new and not slot.flow:
            column = slot.column + (self.layout.dash if isinstance(new, list) and not slot.dash else step)
            return _split(list(yaml_text.block(new, column, self.layout)), slot)
        if isinstance(new, str) and yaml_text.is_literal(new) and not quote and not slot.flow:
            return yaml_text.literal_header(new), list(yaml_text.literal_lines(new, slot.column + step))
        if isinstance(new, str) and quote:
            return yaml_text.scalar(new, quote), []
        return yaml_text.flow(new, as_json=self.as_json), []

    def put(self, node: Node, inline: str, body: list[str], slot: Slot) -> None:
        if node.tag and node.anchor:
            raise CannotCut
        start, end, body_start, body_end = self.extent(node, slot)
        if not inline:
            start = slot.head + len(self.text[slot.head : start].rstrip(" \t"))
        elif start == end:
            inline = " " + inline
            end += len(_match(_SPACES_AT_END, self.text, end))
        self.cut(start, end, inline)
        self.lines(body_start, body_end, body)

    def extent(self, node: Node, slot: Slot) -> tuple[int, int, int, int]:
        """Where the content behind the head begins and ends, and the lines below it."""
        start, end = self.content_start(node), node.end
        if isinstance(node, (Mapping, Items)) and not node.flow and self.is_below(node, slot):
            start = end = node.start + len(_match(_ANCHOR, self.text, node.start)) if node.anchor else slot.head
        elif isinstance(node, Scalar) and node.style in ("|", ">"):
            end = start + len(_match(_BLOCK_HEADER, self.text, start))
        else:  # the last text of a collection may go on to the beginning of the next line
            end = start + len(self.text[start:end].rstrip("\r\n"))
        return start, end, self.line_end(end), max(self.line_end(end), self.line_end(node.end))

    def is_below(self, node: Mapping | Items, slot: Slot) -> bool:
        first = node.entries[0][0] if isinstance(node, Mapping) else node.items[0]
        return "\n" in self.text[slot.head : first.start]

    # Places in the text.

    def content_start(self, node: Node) -> int:
        return node.start + len(_match(_ANCHOR_AND_SPACE, self.text, node.start)) if node.anchor else node.start

    def slot_of(self, key: Node, flow: bool) -> Slot:
        colon = _COLON.match(self.text, key.end)
        if colon is None:
            raise CannotCut
        return Slot(colon.end(), self.column_of(key.start), flow=flow)

    def slot_of_item(self, node: Items, number: int) -> Slot:
        if node.flow:
            return Slot(node.items[number].start, 0, flow=True)
        dash = self.dash_of(node, number)
        return Slot(dash + 1, self.column_of(dash), dash=True)

    def dash_of(self, node: Items, number: int) -> int:
        """Where the dash of an item stands: the last one before it that is not in a comment."""
        item = node.items[number]
        after = node.items[number - 1].end if number else 0
        for found in reversed(list(_DASH.finditer(self.text, after, max(item.start, after)))):
            if "#" not in self.text[found.start() - self.column_of(found.start()) : found.start()]:
                return found.start()
        raise CannotCut

    def column_of(self, index: int) -> int:
        return index - max(self.text.rfind(end, 0, index) for end in "\r\n") - 1

    def line_end(self, index: int) -> int:
        """Where the next line begins; ``index`` itself where that is the beginning of one."""
        if index and self.text[index - 1] in "\r\n":
            return index
        return index + len(_match(_REST_OF_LINE, self.text, index))

    def behind_comments(self, index: int, column: int) -> int:
        """The next line that is no comment at ``column`` or deeper."""
        comment = re.compile(rf" {{{column},}}#[^\r\n]*(?:\r\n|\r|\n|\Z)")
        while found := comment.match(self.text, index):
            index = found.end()
        return index

    def drop_lines(self, starts: list[int], ends: list[int], dropped: list[int], column: int) -> None:
        """Cut the lines of some of the entries or items, and the comments that are indented deeper."""
        for number in dropped:
            start, end = starts[number], self.line_end(ends[number])
            if not self.text[start - column : start].strip(" "):
                self.cut(start - column, self.behind_comments(end, column + 1), "")
                continue
            following = starts[number + 1] if number + 1 < len(starts) else end  # it begins behind a dash
            if number + 1 in dropped or following == end or "#" in self.text[end:following]:
                raise CannotCut
            self.cut(start, following, "")

    def lines(self, start: int, end: int, lines: list[str]) -> None:
        """Put lines in the place of others; at the end of a text without a last line ending, one comes first."""
        if start == end and not lines:
            return
        first = self.layout.newline if lines and start and self.text[start - 1] not in "\r\n" else ""
        self.cut(start, end, first + yaml_text.joined(lines, self.layout.newline))


def _is_akin(old: Any, new: Any) -> bool:
    """Whether something of the old value is left in the new one."""
    if isinstance(old, dict) and isinstance(new, dict):
        return not old.keys().isdisjoint(new)
    return isinstance(old, list) and isinstance(new, list) and any(value in new for value in old)


def _split(lines: list[str], slot: Slot) -> tuple[str, list[str]]:
    """The first line goes behind a dash, but not behind a colon."""
    return (lines[0].lstrip(" "), lines[1:]) if slot.dash else ("", lines)


def _match(pattern: re.Pattern[str], text: str, index: int) -> str:
    found = pattern.match(text, index)
    return found[0] if found else ""


def _differences(old: list[Any], new: list[Any]) -> list[tuple[int, int, list[Any]]]:
    """Which items of ``old`` are replaced by which values, in order."""
    if len(old) * len(new) > _LONG_LISTS:
        return [(0, len(old), new)]
    before, after = [canonical(value) for value in old], [canonical(value) for value in new]
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    moved = [code[1:] for code in matcher.get_opcodes() if code[0] != "equal"]
    paired = [n for n, (one, other) in enumerate(zip(before, after, strict=False)) if one != other]
    if len(old) == len(new) and len(paired) <= sum(end - start + until - at for start, end, at, until in moved):
        return [(n, n + 1, [new[n]]) for n in paired]
    return [(start, end, new[at:until]) for start, end, at, until in moved]
