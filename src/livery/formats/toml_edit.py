"""Edits of TOML text that leave the rest of it as it is: comments, order, quotes and every line that is not concerned.

Every edit is read again before it is given out: it has exactly the value that was asked for, or it is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from livery.core.names import type_name
from livery.errors import Place, ValidationError
from livery.formats.edits import Change, Drop, Path, Put
from livery.formats.toml import decoded, read_toml_document
from livery.formats.toml_splice import spliced
from livery.formats.toml_values import NoForm, field_of, held, identical, with_own_tables


def edit_toml(text: str, changes: Sequence[Change], file: str = "document") -> str:
    """The text with the changes made, in order; a ValidationError where that cannot be done without loss.

    Paths are keys of tables; a list is a value as a whole, of which items that stay the same stay as they are written.
    A comment stays where it stands, also above a key that is dropped; one inside of a table that is dropped, or behind
    a value, goes with it.
    """
    old = read_toml_document(text, file)
    new = changed(old, changes)
    if identical(old, new):
        return text
    mark = text[: text.startswith("\ufeff")]
    edited = mark + _spliced(text[len(mark) :], old, new, file)
    decoded(edited, file)  # not too long
    if not _reads_as(edited, new):
        raise _refused(file)
    return edited


def _spliced(text: str, old: dict[str, Any], new: dict[str, Any], file: str) -> str:
    try:
        return spliced(text, old, new)
    except (KeyError, IndexError):  # the text is read in another way here than by the parser
        raise _refused(file) from None


def _reads_as(text: str, value: dict[str, Any]) -> bool:
    try:
        return identical(read_toml_document(text, ""), value)
    except ValidationError:
        return False


def _refused(file: str) -> ValidationError:
    return ValidationError("", "cannot be edited without loss; make this change by hand", Place(file))


def changed(value: dict[str, Any], changes: Sequence[Change]) -> dict[str, Any]:
    """The plain value with the changes made; the value that was given stays as it is."""
    result: dict[str, Any] = with_own_tables(value)
    for change in changes:
        path = _keys(change.path)
        if isinstance(change, Drop):
            result = _dropped(result, path)
        else:
            result = _put(result, path, _held(change))
    return result


def _held(change: Put) -> Any:
    """The value of a change as it will be read; a ValidationError for one that has no form in TOML."""
    try:
        value = held(change.value, tuple(change.path))
    except NoForm as error:
        raise error.fault() from None
    if not change.path and type(value) is not dict:
        raise ValidationError("", f"a document is a table, not {type_name(value)}")
    return value


def _keys(path: Path) -> tuple[str, ...]:
    if any(not isinstance(part, str) for part in path):
        raise ValidationError(field_of(path), "a list can only be set as a whole")
    keys = tuple(map(str, path))
    try:
        held(dict.fromkeys(keys, True), keys[:-1])
    except NoForm as error:
        raise error.fault() from None
    return keys


def _put(document: dict[str, Any], path: tuple[str, ...], new: Any) -> dict[str, Any]:
    if not path:
        return dict(new)
    table = document
    for name in path[:-1]:
        table = _demand_table(table, name, path).setdefault(name, {})
    _demand_table(table, path[-1], path)[path[-1]] = new
    return document


def _demand_table(value: Any, name: str, path: tuple[str, ...]) -> dict[str, Any]:
    if type(value) is dict:
        return value
    raise ValidationError(field_of(path), f"{name!r} cannot be set in {type_name(value)}")


def _dropped(document: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    if not path:
        return {}
    table: Any = document
    for name in path[:-1]:
        table = table.get(name) if type(table) is dict else None
    if type(table) is dict:
        table.pop(path[-1], None)
    return document
