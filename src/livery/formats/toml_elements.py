"""Edits of values: what stands between commas is told apart, down to the items of lists within tables within braces."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from livery.formats.toml_lines import CUT, Lines, Splice
from livery.formats.toml_nodes import Pair, Value
from livery.formats.toml_text import key_text, line_value, value_text
from livery.formats.toml_values import identical

_AFTER_ELEMENT = re.compile(r"[ \t]*+(?P<comma>,?)[ \t]*+(?:#[^\n]*+)?(?P<end>\r?\n)")
_COMPARED = 10_000  # pairs of items; in longer lists all between the first and the last difference is replaced


def value_splices(lines: Lines, value: Value, old: Any, new: Any, *, in_line: bool = True) -> Iterator[Splice]:
    """The splices that give a value another; not ``in_line`` it may take several lines."""
    if isinstance(old, dict) and isinstance(new, dict) and value.pairs:
        yield from _braces(lines, value, old, new)
    elif isinstance(old, list) and isinstance(new, list) and value.items and new:
        yield from _brackets(lines, value, old, new)
    else:
        written = value_text(new) if in_line else line_value(new, lines.newline, lines.indent(value.start))
        yield Splice(value.start, value.end, written)


def _braces(lines: Lines, value: Value, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Splice]:
    pairs = value.pairs or ()
    gone: list[int] = []
    for key, positions in _by_first_key(pairs).items():
        first = pairs[positions[0]]
        if key not in new:
            gone += positions
        elif identical(old[key], new[key]):
            continue
        elif len(first.keys) == 1:
            yield from value_splices(lines, first.value, old[key], new[key])
        else:  # dotted keys become one key
            yield Splice(first.start, first.end, _pair_text(key, new[key]))
            gone += positions[1:]
    added = [_pair_text(key, new[key]) for key in new if key not in old]
    for position, text in zip(gone, added, strict=False):
        yield Splice(pairs[position].start, pairs[position].end, text)
    both = min(len(gone), len(added))
    yield from _elements(lines, value, pairs, gone[both:], added[both:], len(pairs))


def _brackets(lines: Lines, value: Value, old: Sequence[Any], new: Sequence[Any]) -> Iterator[Splice]:
    """Items that are in both stay as they are written."""
    items = value.items or ()
    for first, last, replacement in _different(old, new):
        both = min(last - first, len(replacement))
        for index in range(both):
            yield from value_splices(lines, items[first + index], old[first + index], replacement[index])
        gone = list(range(first + both, last))
        added = [value_text(item) for item in replacement[both:]]
        yield from _elements(lines, value, items, gone, added, first + both)


def _elements(
    lines: Lines, value: Value, elements: Sequence[Value | Pair], gone: list[int], added: list[str], position: int
) -> Iterator[Splice]:
    """Elements between commas: some are taken away, or some put in at a position."""
    if len(gone) == len(elements):
        yield Splice(value.start + 1, value.end - 1, "", CUT)
        return
    for first, last in _runs(gone):
        yield _without(lines, elements, first, last)
    if added and position == 0:
        start = elements[0].start
        yield Splice(start, start, "".join(text + _comma_before(lines, start) for text in added))
    elif added:
        yield from _inserted(lines, elements[position - 1], added)


def _without(lines: Lines, elements: Sequence[Value | Pair], first: int, last: int) -> Splice:
    """The cut of neighbours, with one comma; where they have lines of their own, with their comments."""
    if last + 1 < len(elements):
        begin, end = elements[first].start, elements[last + 1].start
        if lines.begins_line(begin) and lines.begins_line(end):
            rest = _AFTER_ELEMENT.match(lines.text, elements[last].end)
            return Splice(lines.line_start(begin), rest.end() if rest else end, "", CUT)
        return Splice(begin, end, "", CUT)
    rest = _AFTER_ELEMENT.match(lines.text, elements[last].end)
    if rest and lines.begins_line(elements[first].start):
        return Splice(lines.line_start(elements[first].start), rest.end(), "", CUT)
    return Splice(elements[first - 1].end, elements[last].end, "", CUT)


def _inserted(lines: Lines, after: Value | Pair, added: Sequence[str]) -> Iterator[Splice]:
    rest = _AFTER_ELEMENT.match(lines.text, after.end)
    if rest is None or not lines.begins_line(after.start):
        yield Splice(after.end, after.end, "".join(f", {text}" for text in added))
        return
    own_lines = f",{lines.newline}".join(lines.indent(after.start) + text for text in added)
    if not rest["comma"]:
        yield Splice(after.end, after.end, ",")
    yield Splice(rest.end(), rest.end(), own_lines + rest["comma"] + lines.newline)


def _comma_before(lines: Lines, start: int) -> str:
    return f",{lines.newline}{lines.indent(start)}" if lines.begins_line(start) else ", "


def same_items(one: Sequence[Any], other: Sequence[Any]) -> int:
    """How many items at the beginning are the same."""
    both = zip(one, other, strict=False)
    return next((index for index, pair in enumerate(both) if not identical(*pair)), min(len(one), len(other)))


def _different(old: Sequence[Any], new: Sequence[Any]) -> list[tuple[int, int, Sequence[Any]]]:
    """First and last position of what is different in a list, and the items that stand there in the other."""
    head = same_items(old, new)
    tail = same_items(old[head:][::-1], new[head:][::-1])
    changed, replacement = old[head : len(old) - tail], new[head : len(new) - tail]
    if len(changed) * len(replacement) > _COMPARED:
        return [(head, head + len(changed), replacement)]
    from difflib import SequenceMatcher  # rarely needed, and not free to import

    codes = SequenceMatcher(None, _texts(changed), _texts(replacement), autojunk=False).get_opcodes()
    return [(head + i, head + j, replacement[k:m]) for code, i, j, k, m in codes if code != "equal"]


def _texts(values: Sequence[Any]) -> list[str]:
    return list(map(value_text, values))


def _runs(indexes: Sequence[int]) -> Iterator[tuple[int, int]]:
    """First and last of each run of neighbours."""
    known = set(indexes)
    firsts = [index for index in sorted(known) if index - 1 not in known]
    lasts = [index for index in sorted(known) if index + 1 not in known]
    return zip(firsts, lasts, strict=True)


def _by_first_key(pairs: Sequence[Pair]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for position, pair in enumerate(pairs):
        found.setdefault(pair.keys[0].name, []).append(position)
    return found


def _pair_text(key: str, value: Any) -> str:
    return f"{key_text(key)} = {value_text(value)}"
