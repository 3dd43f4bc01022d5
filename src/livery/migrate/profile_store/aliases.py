"""A text whose parts can stand alone: what an alias stands for is written in its place, and no anchor is left."""

from __future__ import annotations

import re
from collections.abc import Iterator

from livery.errors import ValidationError
from livery.formats.yaml import read_yaml
from livery.formats.yaml_nodes import Alias, Items, Mapping, Node, Source, parse_nodes
from livery.formats.yaml_text import flow
from livery.formats.yaml_values import same, value_of

_ANCHOR = re.compile(r"&[^\s,\[\]{}]+[ \t]*")


def written_out(text: str) -> str:
    """The text with the same value and without aliases; as it is where it has none, or where that cannot be done."""
    source = Source(text, "")
    root = parse_nodes(source)
    nodes = list(_all(root)) if root is not None else []
    if not any(isinstance(node, Alias) for node in nodes):
        return text
    cuts = [cut for node in nodes for cut in _cuts(node, text, source)]
    result = text
    for start, end, new in sorted(cuts, reverse=True):
        result = result[:start] + new + result[end:]
    return result if _is_equal(result, text) else text


def _cuts(node: Node, text: str, source: Source) -> Iterator[tuple[int, int, str]]:
    if isinstance(node, Alias) and node.target is not None:
        yield node.start, node.end, flow(value_of(node.target, source))
    elif node.anchor and (found := _ANCHOR.match(text, node.start)):
        blanks = len(text[: found.start()]) - len(text[: found.start()].rstrip(" \t"))
        yield found.start() - (blanks if text[found.end() : found.end() + 1] in "\r\n" else 0), found.end(), ""


def _is_equal(one: str, other: str) -> bool:
    try:
        return same(read_yaml(one, ""), read_yaml(other, ""))
    except ValidationError:
        return False


def _all(node: Node) -> Iterator[Node]:
    yield node
    if isinstance(node, Items):
        parts = node.items
    else:
        parts = [part for entry in node.entries for part in entry] if isinstance(node, Mapping) else []
    for part in parts:
        yield from _all(part)
