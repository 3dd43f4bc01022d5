"""The text of the old file with today's keys in the places of the older ones; all else stays as it was written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from livery.errors import Place, ValidationError
from livery.formats.edits import Change, Drop, Put
from livery.formats.yaml import read_yaml
from livery.formats.yaml_edit import changed, edit_yaml
from livery.formats.yaml_nodes import Items, Mapping, Node, Scalar, Source, parse_nodes
from livery.formats.yaml_text import scalar
from livery.formats.yaml_values import key_text, same
from livery.migrate.profile_store.older_keys import Move, Path


def changes_of(moves: Sequence[Move]) -> list[Change]:
    """The moves as edits of the value."""
    puts: list[Change] = [Put((*move.path[:-1], move.key), move.value) for move in moves if move.key]
    return [*puts, *(Drop(move.path) for move in moves)]


def rewritten(text: str, document: Any, moves: Sequence[Move], changes: Sequence[Change], file: str) -> str:
    """The text after the moves, made where the older keys stand, and after further changes.

    A ValidationError where that cannot be done without loss.
    """
    every = [*changes_of(moves), *changes]
    wanted = changed(document, every)
    drops = [change for change in every if isinstance(change, Drop)]
    for start, edits in ((_in_place(text, moves), [*drops, *changes]), (text, every)):
        try:
            edited = edit_yaml(start, edits, file)
            if same(read_yaml(edited, file), wanted):
                return edited
        except ValidationError:
            continue
    raise ValidationError("", "cannot be rewritten without loss; write today's keys by hand, then repeat", Place(file))


def _in_place(text: str, moves: Sequence[Move]) -> str:
    """The text with the older keys overwritten by their new ones, where they stand as plain keys and values."""
    root = parse_nodes(Source(text, ""))
    for start, end, new in sorted((cut for move in moves if move.key for cut in _cuts(root, move)), reverse=True):
        text = text[:start] + new + text[end:]
    return text


def _cuts(root: Node | None, move: Move) -> Iterator[tuple[int, int, str]]:
    entry = _entry(root, move.path)
    if entry is None:
        return
    key, value = entry
    if isinstance(value, Scalar) and not value.anchor and not value.tag and value.style in ("", "'", '"'):
        yield key.start, key.end, move.key
        if not same(read_yaml(value.text, "") if not value.style else value.text, move.value):
            yield value.start, value.end, scalar(move.value)


def _entry(node: Node | None, path: Path) -> tuple[Node, Node] | None:
    """The key and the value at a path; None where they do not stand there themselves."""
    part, *rest = path
    if isinstance(node, Items) and isinstance(part, int):
        return _entry(node.items[part], tuple(rest)) if rest and part < len(node.items) else None
    if not isinstance(node, Mapping):
        return None
    for key, value in node.entries:
        if key_text(key) == part:
            return _entry(value, tuple(rest)) if rest else (key, value)
    return None
