"""Dates without quotes: text to some YAML readers and a time to others, so a profile store does not take them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from livery.core.schema import dotted
from livery.errors import Fault
from livery.formats import yaml_nodes
from livery.formats.yaml_nodes import Items, Node, Scalar, Source
from livery.formats.yaml_values import key_text

_DATE = re.compile(
    r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt \t]+[0-9]{1,2}:[0-9]{2}:[0-9]{2}\S*(?:[ \t]*\S+)?)?", re.ASCII
)
_BARE = re.compile(r"(?:^|[\s\[{,])[0-9]{4}-[0-9]{1,2}-[0-9]")  # what does not begin with a quote
_LONGEST = 40
LARGEST = 256 * 1024
"""Characters; of a larger text nobody waits for the reader that tells quotes from none."""


def unquoted_dates(document: Any, text: str | bytes, file: str) -> list[Fault]:
    """One fault for each date in a YAML text that stands there without quotes."""
    decoded = text if isinstance(text, str) else text.decode()
    if len(decoded) > LARGEST or not _BARE.search(decoded) or not _holds_date(document):
        return []
    source = Source(decoded.removeprefix("\ufeff"), file)
    root = yaml_nodes.parse_nodes(source)
    return [] if root is None else [_fault(path, node, document, source) for path, node in _dates(root, ())]


def _fault(path: tuple[str, ...], node: Scalar, document: Any, source: Source) -> Fault:
    reason = f'a date without quotes is not text to every reader; write it in quotes: "{node.text}"'
    field = f"callers[{path[1]}]" if path[:1] == ("callers",) and len(path) == 2 else dotted("", path).lstrip(".")
    return Fault(field, reason + _server(path, document), source.place(node.start))


def _server(path: tuple[str, ...], document: Any) -> str:
    """Whose date it is, where it is a server's."""
    if path[:1] != ("servers",) or len(path) < 3:
        return ""
    server = document["servers"][int(path[1])]
    name = server.get("name") if isinstance(server, Mapping) else None
    return f" (server {name!r})" if isinstance(name, str) else ""


def _dates(node: Node, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Scalar]]:
    """Plain dates and their paths; what an alias stands for is told where it stands itself."""
    if isinstance(node, Scalar):
        if not node.style and not node.tag and _is_date(node.text):
            yield path, node
    elif isinstance(node, Items):
        for position, item in enumerate(node.items):
            yield from _dates(item, (*path, str(position)))
    elif isinstance(node, yaml_nodes.Mapping):
        for key, value in node.entries:
            yield from _dates(value, (*path, key_text(key) or ""))


def _holds_date(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_holds_date, value.values()))
    if isinstance(value, list):
        return any(map(_holds_date, value))
    return isinstance(value, str) and _is_date(value)


def _is_date(text: str) -> bool:
    return len(text) <= _LONGEST and _DATE.fullmatch(text) is not None
