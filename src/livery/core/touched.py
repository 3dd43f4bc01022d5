"""What an override touches: every leaf that it sets, changes or removes; and the references to secrets in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from livery.core.merge import removes
from livery.core.paths import KEYED_LISTS, SETTINGS, Path
from livery.core.schema import SettingsSchema
from livery.core.values import DIRECTIVES, Atom, KeyedEdit, ListEdit, Replace


def touched(overrides: Mapping[str, Any], below: Mapping[str, Any], schema: SettingsSchema) -> list[Path]:
    """The leaves, each once, that prepared overrides touch over the merged values ``below``; elements by their key."""
    found: dict[Path, None] = {}
    for field, value in overrides.items():
        if field in KEYED_LISTS:
            found.update(dict.fromkeys(_touched_elements(field, value, below)))
        else:
            found.update(dict.fromkeys(_touched((field,), value, below.get(field), schema)))
    return list(found)


def _touched(path: Path, value: Any, below: Any, schema: SettingsSchema) -> Iterator[Path]:
    """The leaves that an override sets, changes or removes: those it names, and all beneath what it unsets."""
    if type(value) is dict and value:
        for key, child in value.items():
            yield from _touched((*path, key), child, below.get(key) if type(below) is dict else None, schema)
        return
    if type(value) in DIRECTIVES and type(value) is not ListEdit:
        if path[0] == SETTINGS:
            yield from ((SETTINGS, *leaf) for leaf in schema.leaves_below(path[1:]))
        if type(below) is dict:
            yield from _leaf_paths(path, below)
        if type(value) is Replace and value.value != {}:
            yield from _touched(path, value.value, below, schema)
        if type(below) is dict or (path[0] == SETTINGS and _is_mapping(schema, path[1:])):
            return
    yield path


def _is_mapping(schema: SettingsSchema, path: Path) -> bool:
    return bool((schema.node(path) or {}).get("properties"))


def _leaf_paths(path: Path, value: Mapping[str, Any]) -> Iterator[Path]:
    for key, child in value.items():
        if type(child) is dict and child:
            yield from _leaf_paths((*path, key), child)
        else:
            yield (*path, key)


def _touched_elements(field: str, value: Any, below: Mapping[str, Any]) -> Iterator[Path]:
    """The elements of a keyed list that an override touches, or the field where it touches none by name."""
    known = below.get(field, ())
    names: dict[str, None] = {}
    if type(value) is KeyedEdit:
        names.update(dict.fromkeys(name for name in known if removes(value, name)))
        names.update(dict.fromkeys(value.elements))
    elif type(value) is dict:
        names.update(dict.fromkeys(value))
    else:
        names.update(dict.fromkeys(known))
        names.update(dict.fromkeys(value.value if type(value) is Replace else ()))
    yield from ((field, name) for name in names) if names else [(field,)]


def references(path: Path, value: Any) -> Iterator[Path]:
    """Where prepared values hold ``{$secret: …}``."""
    kind = type(value)
    if kind is Atom:
        yield path
    elif kind is Replace:
        yield from references(path, value.value)
    elif kind is KeyedEdit or kind is dict:
        for key, child in (value if kind is dict else value.elements).items():
            yield from references((*path, key), child)
    elif kind is ListEdit or kind is list:
        for position, item in enumerate(value if kind is list else value.items):
            yield from references((*path, str(position)), item)
