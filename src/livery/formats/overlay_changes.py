"""The edits that make an overlay file say other settings: directives go to ``[_profile]``, values into the tables.

What stays the same in the settings stays in the file as it is written there, whichever way that is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from livery.core.values import same
from livery.errors import ValidationError
from livery.formats.edits import Change, Drop, Put
from livery.formats.overlay import LIST_EDITS, PROFILE, Directives, Names, Overlay, Path, directives_of, key_of
from livery.formats.toml_text import dotted
from livery.formats.toml_values import identical, typed_like, with_own_tables

_ABSENT = object()
_LISTS = {f"${kind}": kind for kind in LIST_EDITS}
_INLINE_UNSET = {"$unset": True}


def overlay_changes(
    old: Overlay, extends: tuple[str, ...] | None, settings: Mapping[str, Any], like: Mapping[str, Any] | None = None
) -> list[Change]:
    """The edits after which the file says these settings and bases, for :func:`livery.formats.toml_edit.edit_toml`.

    ``like`` is the base's document: strings where it, or the old settings, hold a date or the like become one again.
    """
    if PROFILE in settings:
        raise ValidationError(PROFILE, "is the table of the file's own directives; no setting can have this name")
    draft = _Draft(old.document)
    draft.table((), old.settings, typed_like(settings, old.settings, like or {}))
    told = directives_of(old.document.get(PROFILE, {}), [], [])
    table = _profile_table(old, told, extends, draft)
    target = {PROFILE: table, **draft.plain} if table or old.document.get(PROFILE) == {} else draft.plain
    return list(_differences((), old.document, target))


class _Draft:
    """What the file is to say: plain values, and directives by path; at ``kept`` paths what it says today."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self.plain: dict[str, Any] = {}
        self.kept: set[Names] = set()
        self.unset: dict[Names, None] = {}
        self.edits: dict[str, dict[Names, list[Any]]] = {kind: {} for kind in LIST_EDITS}

    def keeps(self, names: Names) -> bool:
        """Whether a directive for a path stays as it is."""
        return any(names[:depth] in self.kept for depth in range(len(names) + 1))

    def table(self, names: Names, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        """Say a table, without a word about what stays the same in it."""
        if not new or type(_at(self.document, names)) is dict:
            self.put(names, {})
        for key, value in new.items():
            path, before = (*names, key), old.get(key, _ABSENT)
            if before is not _ABSENT and same(before, value):
                self.keep(path)
            elif _is_table(before) and _is_table(value):
                self.table(path, before, value)
            else:
                self.say(path, value)

    def keep(self, names: Names) -> None:
        self.kept.add(names)
        value = _at(self.document, names)
        if value is not _ABSENT:
            self.put(names, value)

    def say(self, names: Names, value: Any) -> None:
        """Say a value, or directive, that was not there before."""
        name, payload = _directive(value)
        if value is None or value == _INLINE_UNSET:
            self.unset[names] = None
        elif name in _LISTS and isinstance(payload, list):
            self.edits[_LISTS[name]][names] = payload
        elif name == "$edits" and _is_in_order(payload):
            for edit in payload:
                self.say(names, edit)
        elif name == "$replace" and isinstance(payload, (dict, list)):
            self.unset[names] = None
            inner, scalar = _directive(payload)
            is_scalar = inner == "$literal" and scalar is not None and not isinstance(scalar, (dict, list))
            self.put(names, scalar if is_scalar else _inline(payload))
        elif name == "$literal" and _is_inert(payload):
            self.put(names, payload)
        elif name.startswith("$"):
            self.put(names, value)
        elif isinstance(value, dict):
            self.table(names, {}, value)
        else:
            self.put(names, value)

    def put(self, names: Names, value: Any) -> None:
        """Say a plain value; the tables that hold it are there, or made."""
        if not names:
            return
        table = self.plain
        for name in names[:-1]:
            table = table.setdefault(name, {})
        table[names[-1]] = value


def _at(document: Any, names: Path) -> Any:
    for name in names:
        if type(document) is not dict or name not in document:
            return _ABSENT
        document = document[name]
    return document


def _directive(value: Any) -> tuple[str, Any]:
    """The only key of a mapping and its value, where that key may be a directive or the like."""
    if isinstance(value, dict) and len(value) == 1:
        name, payload = next(iter(value.items()))
        return (name, payload) if name.startswith("$") else ("", None)
    return "", None


def _is_table(value: Any) -> bool:
    return isinstance(value, dict) and not _directive(value)[0]


def _is_in_order(edits: Any) -> bool:
    """Whether several edits of a list are those that ``[_profile]`` makes, in the same order."""
    if not isinstance(edits, list) or len(edits) < 2:
        return False
    found = [_directive(edit) for edit in edits]
    kinds = [_LISTS.get(name, "") for name, _ in found]
    return kinds == [kind for kind in LIST_EDITS if kind in kinds] and all(
        isinstance(items, list) for _, items in found
    )


def _is_inert(value: Any) -> bool:
    """Whether a value means the same with and without ``$literal``."""
    if isinstance(value, dict):
        return not _directive(value)[0] and all(map(_is_inert, value.values()))
    return value is not None


def _inline(value: Any) -> Any:
    """A value with ``{"$unset": true}`` for ``null``, which TOML cannot say."""
    if isinstance(value, dict):
        return {key: _INLINE_UNSET if child is None else _inline(child) for key, child in value.items()}
    return value


# The table [_profile].


def _profile_table(old: Overlay, told: Directives, extends: tuple[str, ...] | None, draft: _Draft) -> dict[str, Any]:
    before = old.document.get(PROFILE)
    table = dict(before) if isinstance(before, dict) else {}
    if extends != old.extends:
        table["extends"] = _extends(extends, table.get("extends"))
    unset = _unset(table.get("unset"), told, draft)
    if unset != table.get("unset"):
        table["unset"] = unset
    for kind in LIST_EDITS:
        edits = _list_edits(table.get(kind), kind, told, draft)
        if not identical(edits, table.get(kind)):
            table[kind] = edits
    return {name: value for name, value in table.items() if value is not None}


def _extends(names: tuple[str, ...] | None, before: Any) -> Any:
    if names is None:
        return None
    return names[0] if len(names) == 1 and not isinstance(before, list) else list(names)


def _unset(before: Any, told: Directives, draft: _Draft) -> list[Any] | None:
    """The entries of today that are still true, or that nobody understands, and new ones after them; None for none."""
    entries = before if isinstance(before, list) else []
    gone = {names for names in told.unset if names not in draft.unset and not draft.keeps(names)}
    kept = [entry for entry in entries if key_of(entry) not in gone]
    added = [dotted(names) for names in draft.unset if names not in told.unset]
    return [*kept, *added] or (before if before == [] else None)


def _list_edits(before: Any, kind: str, told: Directives, draft: _Draft) -> dict[str, Any] | None:
    table: dict[str, Any] = with_own_tables(before) if isinstance(before, dict) else {}
    known, wanted = told.edits.get(kind, {}), draft.edits[kind]
    for names, (path, items) in known.items():
        if names in wanted and not identical(wanted[names], items):
            _at(table, path[2:-1])[path[-1]] = wanted[names]
        elif names not in wanted and not draft.keeps(names):
            _remove(table, path[2:])
    added = {dotted(names): items for names, items in wanted.items() if names not in known}
    return {**table, **added} or (before if before == {} else None)


def _remove(table: dict[Any, Any], path: Path) -> None:
    """Remove what stands at a path, and tables that this leaves empty."""
    name, *rest = path
    if rest:
        _remove(table[name], tuple(rest))
    if not rest or not table[name]:
        del table[name]


def _differences(path: Names, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    for key in old:
        if key not in new:
            yield Drop((*path, key))
    for key, value in new.items():
        if key not in old:
            yield Put((*path, key), value)
        elif type(old[key]) is dict and type(value) is dict:
            yield from _differences((*path, key), old[key], value)
        elif not identical(old[key], value):
            yield Put((*path, key), value)
