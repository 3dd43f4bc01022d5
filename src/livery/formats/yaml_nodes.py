"""YAML text as a tree of nodes that know where they stand.

The slow and exact side of the port: it finds the line of every fault and serves ``locate`` and the edits. What aliases
add is counted while the tree is built, so nothing is ever expanded that is too large.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

from livery.errors import Place, ValidationError

MAX_DEPTH = 128
MAX_EXPANSION = 64 * 1024 * 1024
"""What the aliases of a document may add to it, in characters."""
NODE_COST = 64
"""What a node counts for, beside its text."""

FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
_BEYOND_UNICODE = re.compile(r"\\U(?!000|0010)")
_TUPLE = re.compile(r"\(('.*'),\)")
LINE_SEPARATORS = "\x85\u2028\u2029"
"""Ends of lines for YAML 1.1, plain characters for 1.2: refused, for the libraries disagree too."""


class Source(NamedTuple):
    """The text that is read; ``start`` is where a slice of it begins, so that places are those of the whole."""

    text: str
    file: str
    start: int = 0

    def place(self, index: int) -> Place:
        """File, line and column of the character at ``index`` of the slice."""
        text, end = self.text, self.start + index
        line = 1 + text.count("\n", 0, end) + text.count("\r", 0, end) - text.count("\r\n", 0, end)
        return Place(self.file, line, end - max(text.rfind(mark, 0, end) for mark in "\r\n"))

    def error(self, reason: str, index: int) -> ValidationError:
        return ValidationError("", reason, self.place(index))


@dataclass(slots=True)
class Node:
    """``start`` includes an anchor or tag; ``end`` is behind the last character of the content.

    ``cost`` and ``height`` are those of the expanded node.
    """

    start: int
    end: int
    anchor: str | None = None
    tag: str | None = None
    cost: int = NODE_COST
    height: int = 0


@dataclass(slots=True)
class Scalar(Node):
    """Text; ``style`` is ``'``, ``"``, ``|``, ``>``, or empty for a plain one."""

    text: str = ""
    style: str = ""


@dataclass(slots=True)
class Alias(Node):
    """``*name``; ``target`` is None where the anchor stands outside of the slice that was parsed."""

    name: str = ""
    target: Node | None = None


@dataclass(slots=True)
class Items(Node):
    """A list; ``flow`` for one in brackets."""

    items: list[Node] = field(default_factory=list)
    flow: bool = False


@dataclass(slots=True)
class Mapping(Node):
    """Keys and values in the order of the text; ``flow`` for one in braces."""

    entries: list[tuple[Node, Node]] = field(default_factory=list)
    flow: bool = False


Collection = TypeVar("Collection", Items, Mapping)


def parse_nodes(source: Source, slice_of: str | None = None) -> Node | None:
    """The root node of the source, or of a slice that begins at ``source.start``; None where there is no content.

    In a slice the anchor of an alias may be missing: its ``target`` is None then.
    """
    from ruamel.yaml.error import MarkedYAMLError

    text = source.text if slice_of is None else slice_of
    refuse_characters(text, source)
    try:
        return _Builder(source, text, _events(text), loose=slice_of is not None).document()
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = _TUPLE.sub(r"\1", str(error.problem or error.context))
        raise source.error(reason, mark.index if mark else 0) from None
    except (ValueError, OverflowError):
        found = _BEYOND_UNICODE.search(text)
        raise source.error("an escape beyond the last character of Unicode", found.start() if found else 0) from None


def _events(text: str) -> Iterator[Any]:
    from ruamel.yaml import YAML
    from ruamel.yaml.scanner import Scanner

    class TabScanner(Scanner):
        """Takes tabs between tokens and words, as other YAML libraries do."""

        def scan_to_next_token(self) -> None:
            super().scan_to_next_token()
            while self.reader.peek() == "\t" and not self.allow_simple_key:
                self.reader.forward()
                super().scan_to_next_token()

        def scan_plain_spaces(self, indent: Any, start_mark: Any) -> Any:
            line = self.reader.line
            spaces = super().scan_plain_spaces(indent, start_mark)
            tabs = 0
            while self.reader.peek(tabs) in " \t":
                tabs += 1
            following = self.reader.peek(tabs)
            if not tabs or following in "\0#" or (self.reader.line > line and self.reader.column < indent):
                return spaces
            text = self.reader.prefix(tabs)
            self.reader.forward(tabs)
            if following in "\r\n":
                return super().scan_plain_spaces(indent, start_mark)
            return spaces if self.reader.line > line else [*spaces, text]

    yaml = YAML(typ="safe", pure=True)
    yaml.Scanner = TabScanner
    return iter(yaml.parse(text))


def refuse_characters(text: str, source: Source) -> None:
    """A ValidationError for the first character that may only stand in a document as an escape."""
    if found := FORBIDDEN.search(text):
        code = ord(found[0])
        escape = f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
        reason = f'character U+{code:04X} cannot stand here as it is; in double quotes it is written "{escape}"'
        raise source.error(reason, found.start())


class _Builder:
    """One pass over the parser's events."""

    def __init__(self, source: Source, text: str, events: Iterator[Any], *, loose: bool) -> None:
        self.source, self.text, self.events, self.loose = source, text, events, loose
        self.anchors: dict[str, Node | None] = {}
        self.added = 0

    def document(self) -> Node | None:
        root: Node | None = None
        documents = 0
        for event in self.events:
            kind = type(event).__name__
            if kind == "DocumentStartEvent":
                documents += 1
                if documents > 1:
                    raise self.source.error("a second document; a file holds one", event.start_mark.index)
            elif not kind.startswith(("Document", "Stream")):
                root = self.node(event, 1)
        return root

    def node(self, event: Any, depth: int) -> Node:
        start, end = event.start_mark.index, event.end_mark.index
        if depth > MAX_DEPTH:
            raise self.source.error(f"nested deeper than {MAX_DEPTH} levels", start)
        match type(event).__name__:
            case "AliasEvent":
                return self.alias(Alias(start, end, name=event.anchor), depth)
            case "ScalarEvent":
                scalar = Scalar(start, end, event.anchor, event.tag, text=event.value, style=event.style or "")
                return self.named(self.scalar(scalar))
            case "SequenceStartEvent":
                self.opened(event)
                return self.named(self.items(Items(start, end, event.anchor, event.tag, flow=event.flow_style), depth))
            case _:
                self.opened(event)
                mapping = Mapping(start, end, event.anchor, event.tag, flow=event.flow_style)
                return self.named(self.mapping(mapping, depth))

    def opened(self, event: Any) -> None:
        if event.anchor:
            self.anchors[event.anchor] = None

    def named(self, node: Node) -> Node:
        if node.anchor:
            self.anchors[node.anchor] = node
        return node

    def alias(self, node: Alias, depth: int) -> Alias:
        if node.name not in self.anchors:
            if self.loose:
                return node
            raise self.source.error("an alias (*) of no anchor; a text that begins so needs quotes", node.start)
        node.target = self.anchors[node.name]
        if node.target is None:
            raise self.source.error(f"anchor {node.name!r} contains itself", node.start)
        node.cost, node.height = node.target.cost, node.target.height
        self.added += node.cost
        if self.added > MAX_EXPANSION:
            raise self.source.error("aliases expand to more than 64 MiB", node.start)
        if depth + node.height > MAX_DEPTH:
            raise self.source.error(f"nested deeper than {MAX_DEPTH} levels", node.start)
        return node

    def scalar(self, node: Scalar) -> Scalar:
        node.cost += len(node.text)
        if node.style in ("|", ">") and node.style:
            written = self.text[node.start : node.end]
            header = re.match(r"[^\r\n]*", written)
            if header and "+" not in header[0].partition("#")[0]:
                node.end = node.start + len(written.rstrip())
        return node

    def items(self, node: Items, depth: int) -> Items:
        for event in self.events:
            if type(event).__name__ == "SequenceEndEvent":
                return self.closed(node, event, node.items)
            node.items.append(self.node(event, depth + 1))
        return node

    def mapping(self, node: Mapping, depth: int) -> Mapping:
        for event in self.events:
            if type(event).__name__ == "MappingEndEvent":
                return self.closed(node, event, [part for entry in node.entries for part in entry])
            key = self.node(event, depth + 1)
            node.entries.append((key, self.node(next(self.events), depth + 1)))
        return node

    def closed(self, node: Collection, event: Any, children: list[Node]) -> Collection:
        node.end = event.end_mark.index if node.flow else children[-1].end
        node.cost += sum(child.cost for child in children)
        node.height = 1 + max((child.height for child in children), default=0)
        return node
