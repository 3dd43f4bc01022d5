"""Cuts into whole YAML texts, small or large: of a large one only the blocks that change are parsed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from livery.formats import yaml_outline, yaml_text
from livery.formats.yaml_cuts import CannotCut, Cut, Surgeon
from livery.formats.yaml_nodes import Source, parse_nodes
from livery.formats.yaml_outline import Block
from livery.formats.yaml_text import Layout
from livery.formats.yaml_values import same

_SLICED_ABOVE = 16 * 1024
_PARSED_WHOLE = 2 * 1024 * 1024
_NESTED = re.compile(r"^( *)[^\s#-][^\n]*:[ \t]*\n(?=( *)(?:(-)\s|[^\s#]))", re.MULTILINE)


def spliced(text: str, old: Any, new: Any) -> str:
    """The text with the value ``new`` instead of ``old``, both mappings or both lists; or CannotCut."""
    return _joined(text, _cuts(text, yaml_outline.whole(text), old, new, layout_of(text)))


def _joined(text: str, cuts: Iterable[Cut]) -> str:
    pieces = []
    done = 0
    for cut in sorted(cuts, key=lambda cut: (cut.start, cut.end)):  # at one place the inner comes before the outer
        if cut.start < done:
            raise CannotCut
        pieces += [text[done : cut.start], cut.text]
        done = cut.end
    return "".join([*pieces, text[done:]])


def layout_of(text: str) -> Layout:
    """How the text is indented, as far as its first blocks tell."""
    step, dash = 0, -1
    for found in _NESTED.finditer(text[: 64 * 1024].replace("\r\n", "\n")):
        deeper = len(found[2]) - len(found[1])
        if found[3] and dash < 0 <= deeper:
            dash = deeper
        elif not found[3] and not step and deeper > 0:
            step = deeper
    step = step or 2
    return Layout(step, dash if dash >= 0 else step, "\r\n" if "\r\n" in text else "\n")


def _cuts(text: str, block: Block, old: Any, new: Any, layout: Layout) -> Iterator[Cut]:
    """The cuts in a block the body of which has the value ``old``; a large one is cut child by child."""
    children = yaml_outline.children(text, block) if block.end - block.start > _SLICED_ABOVE else []
    if not children or not isinstance(new, dict) or {child.key for child in children} != set(old):
        if block.column >= 0:
            old, new = {block.key: old}, {block.key: new}
        yield from _cuts_in_slice(text, block, old, new, layout)
        return
    for child in children:
        if child.key not in new:
            yield Cut(child.start, _end_of(text, child, child.column + 1, layout), "")
        elif not same(old[child.key], new[child.key]):
            yield from _cuts_in_child(text, child, old[child.key], new[child.key], layout)
    added = {key: value for key, value in new.items() if key not in old}
    if added:
        end = _end_of(text, children[-1], children[-1].column, layout)
        lines = "".join(yaml_text.joined(yaml_text.block(added, children[-1].column, layout), layout.newline))
        yield Cut(end, end, lines if text[end - 1] in "\r\n" else layout.newline + lines)


def _cuts_in_child(text: str, child: Block, old: Any, new: Any, layout: Layout) -> Iterator[Cut]:
    if isinstance(old, dict) and isinstance(new, dict) and new:
        yield from _cuts(text, child, old, new, layout)
    else:
        yield from _cuts_in_slice(text, child, {child.key: old}, {child.key: new}, layout)


def _cuts_in_slice(text: str, block: Block, old: Any, new: Any, layout: Layout) -> Iterator[Cut]:
    surgeon = _surgeon(text, block, layout)
    if not surgeon.inside(surgeon.root, old, new):
        raise CannotCut
    for cut in surgeon.cuts:
        yield Cut(block.start + cut.start, block.start + cut.end, cut.text)


def _surgeon(text: str, block: Block, layout: Layout) -> Surgeon:
    if block.end - block.start > _PARSED_WHOLE:
        raise CannotCut
    part = text[block.start : block.end]
    return Surgeon(part, parse_nodes(Source(text, "", block.start), part), layout)


def _end_of(text: str, block: Block, column: int, layout: Layout) -> int:
    """Where a block and the comments at ``column`` or deeper end; its last child is all that is parsed."""
    while block.end - block.start > _SLICED_ABOVE and (children := yaml_outline.children(text, block)):
        block = children[-1]
    surgeon = _surgeon(text, block, layout)
    if surgeon.root is None:
        raise CannotCut
    return block.start + surgeon.behind_comments(surgeon.line_end(surgeon.root.end), column)
