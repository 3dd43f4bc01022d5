"""Edits of YAML text that leave the rest of it as it is: comments, order, quotes and every line that is not concerned.

Every edit is read again before it is given out: it has exactly the value that was asked for, or it is refused.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import Any

from livery.core.names import type_name
from livery.errors import Place, ValidationError
from livery.formats.edits import Change, Put
from livery.formats.yaml import read_yaml
from livery.formats.yaml_cuts import CannotCut
from livery.formats.yaml_splice import layout_of, spliced
from livery.formats.yaml_text import write_yaml
from livery.formats.yaml_values import same

_ROUNDS = 4
_EMPTY = re.compile(r"^(?:\{ *\}|\[ *\]|null|~)[ \t]*(?:\r\n|\n|\Z)", re.MULTILINE)
_CONTENT = re.compile(r"^(?!---\s*$)[^\s#\ufeff]", re.MULTILINE)
_ROUND_TRIP_BELOW = 2 * 1024 * 1024


def edit_yaml(text: str, changes: Sequence[Change], file: str = "document") -> str:
    """The text with the changes made, in order; a ValidationError where that cannot be done without loss.

    A comment stays where it stands, also above a key that is dropped; one inside of a value that is replaced by another
    kind of value goes with it. An edit of what an alias or merge key brings adds a key of its own in the place itself;
    an edit of an anchored value is not passed on to its aliases, which keep the value that they had.
    """
    old = read_yaml(text, file)
    new = changed(old, [_readable(change, file) for change in changes])
    if same(old, new):
        return text
    for way in (_cut, _round_trip):
        edited = way(text, old, new, file)
        if edited is not None:
            return edited
    raise ValidationError("", "cannot be edited without loss; make this change by hand", Place(file))


def changed(value: Any, changes: Sequence[Change]) -> Any:
    """The plain value with the changes made; the value that was given stays as it is."""
    for change in changes:
        path = list(change.path)
        value = _put(value, path, change.value, path) if isinstance(change, Put) else _dropped(value, path)
    return value


def _readable(change: Change, file: str) -> Change:
    """The change with its value as it will be read; a ValidationError for one that has no form in YAML."""
    return Put(change.path, read_yaml(write_yaml(change.value), file)) if isinstance(change, Put) else change


def _put(value: Any, rest: list[str | int], new: Any, path: list[str | int]) -> Any:
    if not rest:
        return new
    part, *rest = rest
    if isinstance(part, int):
        if not isinstance(value, list) or not 0 <= part <= len(value):
            raise ValidationError(_field(path), f"there is no item {part} in {_described(value)}")
        item = value[part] if part < len(value) else None
        return [*value[:part], _put(item, rest, new, path), *value[part + 1 :]]
    if value is not None and not isinstance(value, dict):
        raise ValidationError(_field(path), f"{part!r} cannot be set in {_described(value)}")
    known = value or {}
    return {**known, part: _put(known.get(part), rest, new, path)}


def _dropped(value: Any, path: list[str | int]) -> Any:
    if not path:
        return None
    part, *rest = path
    if isinstance(value, list) and isinstance(part, int) and 0 <= part < len(value):
        return [*value[:part], *([_dropped(value[part], rest)] if rest else []), *value[part + 1 :]]
    if not isinstance(value, dict) or part not in value:
        return value
    if rest:
        return {**value, part: _dropped(value[part], rest)}
    return {key: item for key, item in value.items() if key != part}


def _described(value: Any) -> str:
    return f"{type_name(value)} of {len(value)}" if isinstance(value, list) else type_name(value)


def _field(path: Sequence[str | int]) -> str:
    return ".".join(map(str, path))


def _cut(text: str, old: Any, new: Any, file: str) -> str | None:
    """The edit by cuts; a further round gives back to aliases what an edit of their anchor took from them."""
    edited = text
    try:
        for _ in range(_ROUNDS):
            edited = _cut_once(edited, old, new)
            old = read_yaml(edited, file)
            if same(old, new):
                return _with_end_of(text, edited, new, file)
    except (CannotCut, ValidationError):
        return None
    return None


def _cut_once(text: str, old: Any, new: Any) -> str:
    if old and type(old) is type(new) and isinstance(old, (dict, list)):
        mark = text[: text.startswith("\ufeff")]
        return mark + spliced(text[len(mark) :], old, new)
    newline = layout_of(text).newline
    written = write_yaml(new).replace("\n", newline)
    if old is None and not _CONTENT.search(text):
        return (text if not text or text.endswith("\n") else text + newline) + written
    empty = _EMPTY.search(text)
    return text[: empty.start()] + written + text[empty.end() :] if empty and not old else written


def _with_end_of(text: str, edited: str, value: Any, file: str) -> str:
    """Without a line ending at the end where the text before the edit had none, if that does not change the value."""
    shorter = edited.removesuffix("\n").removesuffix("\r")
    if not text or text.endswith(("\n", "\r")) or shorter == edited:
        return edited
    return shorter if same(read_yaml(shorter, file), value) else edited


def _round_trip(text: str, old: Any, new: Any, file: str) -> str | None:
    """The edit by a parser that keeps comments, for what is too unusual to be cut; spacing may change."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    if len(text) > _ROUND_TRIP_BELOW:
        return None
    layout = layout_of(text)
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = len(text) + _ROUND_TRIP_BELOW  # never wraps
    yaml.explicit_start = text.lstrip("\ufeff").startswith("---")
    yaml.indent(mapping=layout.step, sequence=layout.dash + 2, offset=layout.dash)
    stream = io.StringIO()
    try:
        document = yaml.load(text)
        _assign(document, old, new)
        yaml.dump(document, stream)
        edited = stream.getvalue().replace("\n", layout.newline)
        return _with_end_of(text, edited, new, file) if same(read_yaml(edited, file), new) else None
    except (YAMLError, ValidationError, TypeError, ValueError):
        return None


def _assign(node: Any, old: Any, new: Any) -> None:
    """Give a mapping of the parser another value, key by key."""
    for key in [key for key in old if key not in new]:
        del node[key]
    for key, value in new.items():
        if isinstance(value, dict) and isinstance(old.get(key), dict):
            _assign(node[key], old[key], value)
        elif key not in old or not same(old[key], value):
            node[key] = value
