"""The fast YAML reader: a compiled library, and what it lets through or cannot place found again by the exact reader.

The exact reader gets as little text as possible: a text of up to 256 KiB whole; a larger one is split along its blocks,
each is read fast, and only one that has a fault is read exactly.
"""

from __future__ import annotations

import re
from typing import Any

import orjson
from ryaml import InvalidYamlError, loads  # type: ignore[attr-defined]

from livery.errors import Place, ValidationError
from livery.formats import yaml_outline
from livery.formats.yaml_expansion import may_expand
from livery.formats.yaml_nodes import LINE_SEPARATORS, MAX_DEPTH, Source, parse_nodes, refuse_characters
from livery.formats.yaml_outline import Block
from livery.formats.yaml_values import CORE_TAGS, merges_resolved, read_nodes, value_of

_EXACT_BELOW = 256 * 1024

_TAG = re.compile(r"!(?<![^\s,\[{:?]!)")  # at the beginning of a token
_REFUSED_TAG = re.compile(rf"!!(?:{'|'.join(CORE_TAGS)})(?![\w-])|(!)")
_TAG_MARK, _ALIAS_MARK = "\ue0b2", "\ue0b1"
_TO_ZERO = bytes(ord("0") if 48 <= code <= 57 else code for code in range(256))
_TOO_LONG = b"0" * 39
_STRETCH, _MANY_BRACKETS = 16 * 1024, 16 * 1024
_MANY_BLOCKS = 100
_TOO_DEEP = "recursion limit exceeded"
_AT = re.compile(r" ?at line (\d+) column (\d+)")


def read_fast(source: Source) -> Any:
    """The value of the whole source; a ValidationError for every fault that the exact reader would find."""
    text = source.text
    if not text.isascii() and any(separator in text for separator in LINE_SEPARATORS):
        refuse_characters(text, source)
    if may_expand(text) or _may_nest(text):
        return read_nodes(source)  # counts exactly, and goes no deeper than it must
    try:
        value = loads(text)
        written = orjson.dumps(value)  # fails for keys that are no text
        if _is_doubtful(text, written):
            _read_exactly(source)
        return merges_resolved(value) if b'"<<":' in written else value
    except (InvalidYamlError, ValueError, TypeError) as error:
        raise _explained(source, str(error)) from None


def _may_nest(text: str) -> bool:
    """Whether brackets may nest so deep that the library takes seconds: its time grows with the square of the depth."""
    opened = 0
    for start in range(0, len(text), _STRETCH):
        end = start + _STRETCH
        opening = text.count("[", start, end) + text.count("{", start, end)
        if opened + opening > _MANY_BRACKETS:
            return True
        opened = max(0, opened + opening - text.count("]", start, end) - text.count("}", start, end))
    return False


def _is_doubtful(text: str, written: bytes) -> bool:
    """Whether the library may have read what must be refused; ``written`` is its reading as JSON.

    It drops or renames tags, and takes integers of more than 128 bits for floats.
    """
    if _TOO_LONG in text.encode().translate(_TO_ZERO):
        return True
    return bool(_TAG.search(text)) and _has_refused_tag(text, written)


def _has_refused_tag(text: str, written: bytes) -> bool:
    """Only a tag changes its meaning where every ``!`` becomes a letter."""
    marked = _REFUSED_TAG.sub(lambda found: _TAG_MARK if found[1] else found[0], text)
    try:
        return orjson.dumps(loads(marked)).replace(_TAG_MARK.encode(), b"!") != written
    except (InvalidYamlError, ValueError, TypeError):
        return True


def _read_exactly(source: Source) -> None:
    """A ValidationError for the first fault that the exact reader finds, if there is one."""
    refuse_characters(source.text, source)
    if len(source.text) <= _EXACT_BELOW:
        read_nodes(source)
        return
    blocks = [yaml_outline.whole(source.text)]
    for block in blocks:
        children = yaml_outline.children(source.text, block)
        _refuse_duplicates(children, source)
        for child in children:
            if child.end - child.start > _EXACT_BELOW and len(blocks) < _MANY_BLOCKS:
                blocks.append(child)
            elif _is_suspect(source.text[child.start : child.end]):
                _read_block(child, source)


def _refuse_duplicates(blocks: list[Block], source: Source) -> None:
    seen: dict[str, Block] = {}
    for block in blocks:
        if first := seen.get(block.key):
            line = source.place(first.start).line
            raise source.error(f"duplicate key {block.key!r}, first in line {line}", block.start + block.column)
        seen[block.key] = block


def _is_suspect(text: str) -> bool:
    text = text.replace("*", _ALIAS_MARK)  # the anchors of aliases may stand in another block
    try:
        return _is_doubtful(text, orjson.dumps(loads(text)))
    except (InvalidYamlError, ValueError, TypeError):
        return True


def _read_block(block: Block, source: Source) -> None:
    part = source._replace(start=block.start)
    node = parse_nodes(part, source.text[block.start : block.end])
    if node is not None:
        value_of(node, part)


def _explained(source: Source, message: str) -> ValidationError:
    """The fault behind a message of the library, from the exact reader where that finds it too."""
    try:
        if _TOO_DEEP not in message or len(source.text) <= _EXACT_BELOW:
            _read_exactly(source)
    except ValidationError as error:
        return error
    message = message.replace(_TOO_DEEP, f"nested deeper than {MAX_DEPTH} levels")
    at = _AT.search(message)
    place = Place(source.file, int(at[1]), int(at[2])) if at else Place(source.file)
    return ValidationError("", _AT.sub("", message, count=1).strip(), place)
