"""Which cuts and insertions turn a TOML text of one value into one of another; everything between them stays.

What is told apart are tables, down to single keys, and the items of lists. A new key goes to its neighbours, written as
they are: below the header of its table, within its braces, or as a dotted key; a new table gets a header of its own.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from livery.formats.toml_elements import same_items, value_splices
from livery.formats.toml_lines import BLANK_LINES, COMMENT_LINE, CUT, NEW_TABLES, Lines, Splice, applied
from livery.formats.toml_nodes import Section
from livery.formats.toml_text import document_text, dotted, is_table, is_tables, key_text, pair_line, tables_text
from livery.formats.toml_tree import Mention, Node, read_tree
from livery.formats.toml_values import identical

Names = tuple[str, ...]
Table = Mapping[str, Any]


def spliced(text: str, old: Table, new: Table) -> str:
    """The text, of value ``old``, as one of value ``new``."""
    newline = "\r\n" if "\r\n" in text[: text.find("\n") + 1] else "\n"
    if not text.strip():
        return document_text(new, newline)
    whole = text if text.endswith("\n") else text + newline
    root = read_tree(whole)
    result = applied(whole, _Splicer(Lines(whole, newline), root).table(root, (), old, new))
    if not text.startswith(("\n", "\r")):
        result = result.lstrip("\r\n")
    return result if whole is text else result.removesuffix("\n").removesuffix("\r")


class _Splicer:
    """The splices of one text."""

    def __init__(self, lines: Lines, root: Node) -> None:
        self.lines = lines
        self.top = root.sections[0]
        self.headers = [section for section in root.sections if section.keys]

    def table(self, node: Node, path: Names, old: Table, new: Table) -> Iterator[Splice]:
        """The splices for a table that is not within braces."""
        added: dict[str, Any] = {}
        for key in old:
            if key not in new:
                yield from self.cut(node.children[key])
        for key, value in new.items():
            if key not in old:
                added[key] = value
            elif not identical(old[key], value):
                kept = self.change(node.children[key], (*path, key), old[key], value)
                if kept is None:
                    yield from self.cut(node.children[key])
                    added[key] = value
                else:
                    yield from kept
        yield from self.additions(node, path, added)

    def change(self, node: Node, path: Names, old: Any, new: Any) -> Iterator[Splice] | None:
        """The splices that give a key another value where it stands; None where it has to go and be written anew."""
        if node.value is not None:
            becomes_tables = bool(new) and (is_table(new) or is_tables(new))
            is_filled = node.value.items or node.value.pairs
            return (
                None
                if becomes_tables and not is_filled
                else value_splices(self.lines, node.value, old, new, in_line=False)
            )
        if isinstance(old, dict) and isinstance(new, dict):
            vanishes = not new and node.own is None  # nothing would be left that speaks of it
            return None if vanishes else self.table(node, path, old, new)
        if node.items and is_tables(new):
            return self.tables(node, path, old, new)
        return None

    # Whole keys, tables and lists of tables.

    def cut(self, node: Node) -> Iterator[Splice]:
        """Away with everything that speaks of a key; comments above it stay."""
        for mention in node.mentions:
            yield Splice(self.lines.line_start(mention.pair.start), self.lines.line_end(mention.pair.end), "", CUT)
        yield from map(self.section_cut, node.sections)

    def section_cut(self, section: Section) -> Splice:
        """The cut of a section, and of blank lines that would be too many."""
        start, end = self.lines.line_start(section.start), self.lines.line_end(section.end)
        after = self.lines.skip(BLANK_LINES, end)
        if after == len(self.lines.text):
            above = len(self.lines.text[:start].rstrip())
            return Splice(self.lines.line_end(above) if above else 0, after, "", CUT)
        return Splice(start, after if self.lines.follows_blank(start) else end, "", CUT)

    def tables(self, node: Node, path: Names, old: Sequence[Table], new: Sequence[Table]) -> Iterator[Splice]:
        """The first items that stay the same stay as they are; those after them are written anew."""
        items = node.items or []
        same = same_items(old, new)
        for item in items[same:]:
            yield from map(self.section_cut, item.sections)
        if same < len(new):
            header = items[same] if same < len(items) else None
            at = self.before(header.sections[0]) if header else self.after(items[-1].sections[-1])
            indent = self.lines.indent(node.sections[0].start)
            yield self.new_tables(at, tables_text(path, list(new[same:]), self.lines.newline, indent))

    def additions(self, node: Node, path: Names, added: Table) -> Iterator[Splice]:
        """New keys of a table, beside the ones that it has."""
        if not added:
            return
        if node.own is None and node.mentions:
            yield from self.dotted_lines(node.mentions[-1], added)
            return
        plain = {key: value for key, value in added.items() if not (is_table(value) or is_tables(value))}
        if plain and node.own is None:
            first = node.sections[0]
            header = tables_text(path, plain, self.lines.newline, self.lines.indent(first.start))
            yield self.new_tables(self.before(first), header)
        elif plain and node.own:
            yield self.new_lines(node.own, plain)
        for key, value in added.items():
            if key not in plain:
                last = node.sections[-1]
                indent = self.lines.indent(last.start) if last.keys else ""
                yield self.new_tables(self.after(last), tables_text((*path, key), value, self.lines.newline, indent))

    def dotted_lines(self, mention: Mention, added: Table) -> Iterator[Splice]:
        keys = mention.pair.keys[: mention.depth]
        prefix = self.lines.text[keys[0].start : keys[-1].end]
        at, indent = self.lines.line_end(mention.pair.end), self.lines.indent(mention.pair.start)
        lines = [
            pair_line(f"{prefix}.{dotted(names)}", value, self.lines.newline, indent)
            for names, value in _leaves((), added)
        ]
        yield Splice(at, at, "".join(lines))

    def new_lines(self, section: Section, added: Table) -> Splice:
        if section.pairs:
            at, indent = self.lines.line_end(section.pairs[-1].end), self.lines.indent(section.pairs[-1].start)
        elif section.keys:
            at, indent = self.lines.line_end(section.header_end), self.lines.indent(section.start)
        else:
            at, indent = self.start_of_text(), ""
        lines = "".join(pair_line(key_text(key), value, self.lines.newline, indent) for key, value in added.items())
        more = self.lines.newline if not section.keys and not section.pairs and self.lines.text[at:].strip() else ""
        return Splice(at, at, lines + more)

    def new_tables(self, at: int, tables: str) -> Splice:
        """New sections, with blank lines around them."""
        before = "" if self.lines.follows_blank(at) else self.lines.newline
        after = self.lines.newline if at < len(self.lines.text) else ""
        return Splice(at, at, before + tables + after, NEW_TABLES)

    # Places of the text.

    def start_of_text(self) -> int:
        """Where the first lines of a text without any at its top go: below the comment that it begins with."""
        end = 0
        while found := COMMENT_LINE.match(self.lines.text, end):
            end = found.end()
        after = self.lines.skip(BLANK_LINES, end)
        return after if after > end or after == len(self.lines.text) else 0

    def before(self, section: Section) -> int:
        """The beginning of a section, with the comment right above it."""
        index = bisect_left(self.headers, section.start, key=_start)
        last = self.headers[index - 1] if index else self.top
        end = self.lines.line_end(last.end) if last.keys or last.pairs else 0
        at = self.lines.line_start(section.start)
        while at > end and COMMENT_LINE.fullmatch(self.lines.text, above := self.lines.line_start(at - 1), at):
            at = above
        return at

    def after(self, section: Section) -> int:
        """The end of a section: the beginning of the next one, else that of the text."""
        index = bisect_left(self.headers, section.end, key=_start)
        return self.before(self.headers[index]) if index < len(self.headers) else len(self.lines.text)


def _start(section: Section) -> int:
    return section.start


def _leaves(names: Names, table: Table) -> Iterator[tuple[Names, Any]]:
    """What a table holds, by paths; of tables in it only those that are empty, or no more than a directive."""
    for key, value in table.items():
        if value and is_table(value):
            yield from _leaves((*names, key), value)
        else:
            yield (*names, key), value
