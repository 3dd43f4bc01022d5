"""``KEY=VALUE`` on the command line: overrides of a request, and patches of profile documents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import click

from livery.core.catalogue import RegistryView
from livery.core.names import nearest
from livery.core.patch import is_atomic
from livery.core.paths import RUNTIME_FIELDS, SETTINGS, Path, path_of, text_of
from livery.core.schema import SettingsSchema
from livery.errors import ValidationError
from livery.formats.yaml import read_yaml

_PROFILE_FIELDS = ("display_name", "description", "extends", "tags")
_POLICY_FIELDS = ("allow_overrides", "allowed_override_keys", "denied_override_keys", "read_only")
_LISTS = ("extends", "tags", "allowed_override_keys", "denied_override_keys")
_KINDS = {"system_prompt": "text", "tools": "list"}
_UNSET = {"$unset": True}


class Assignment(NamedTuple):
    """One KEY=VALUE; the value is still text."""

    key: str
    text: str


class Target(NamedTuple):
    """Where in a profile document a KEY leads, and whether its value is text, a list, or anything."""

    path: Path
    kind: str = ""


def assignment(text: str) -> Assignment:
    """KEY and VALUE; a usage error where there is no ``=``."""
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise click.UsageError(f"expected KEY=VALUE, got {text!r}", click.get_current_context(silent=True))
    return Assignment(key.strip(), value)


def overrides_of(texts: Sequence[str], schema: SettingsSchema) -> dict[str, Any]:
    """What a request asks to override; the service says which keys there are."""
    overrides: dict[str, Any] = {}
    for text in texts:
        key, value = assignment(text)
        if key in overrides:
            raise ValidationError(key, "is given twice")
        path = path_of(key, "KEY")
        kind = _kind_of_setting(path[1:], schema) if path[0] == SETTINGS else _KINDS.get(path[0], "")
        overrides[key] = _value(key, value, kind)
    return overrides


def patch_of(texts: Sequence[str], view: RegistryView) -> dict[str, Any]:
    """The patch of a profile document that some assignments make; ``null`` in a runtime is stored as ``$unset``."""
    patch: dict[str, Any] = {}
    for text in texts:
        key, value = assignment(text)
        target = target_of(key, view)
        _put(patch, target.path, _stored(_value(key, value, target.kind), target), key)
    return patch


def removal_of(keys: Sequence[str], view: RegistryView) -> dict[str, Any]:
    """The patch that removes some keys from a profile document."""
    patch: dict[str, Any] = {}
    for key in keys:
        _put(patch, target_of(key, view).path, None, key)
    return patch


def target_of(key: str, view: RegistryView) -> Target:
    """Where a KEY leads; a ValidationError names the nearest known one where it leads nowhere."""
    path = path_of(key, "KEY")
    if path[0] != SETTINGS:
        return _runtime_target(key, path)
    setting = path[1:]
    if not key.startswith(SETTINGS) and setting[0] in (*_PROFILE_FIELDS, "policy"):
        return _profile_target(key, setting, view)
    if setting and view.schema.node(setting) is None:
        raise _unknown(key, view)
    return Target(("runtime", *path), _kind_of_setting(setting, view.schema))


def _kind_of_setting(path: Path, schema: SettingsSchema) -> str:
    return {"string": "text", "array": "list"}.get((schema.node(path) or {}).get("type", ""), "")


def _runtime_target(key: str, path: Path) -> Target:
    if path[0] == "extensions":
        return Target(path)
    if len(path) > 1:
        raise ValidationError(key, f"{path[0]} can only be set as a whole, or with $append and the like")
    return Target(("runtime", *path), _KINDS.get(path[0], ""))


def _profile_target(key: str, path: Path, view: RegistryView) -> Target:
    if path[0] == "policy":
        if len(path) != 2 or path[1] not in _POLICY_FIELDS:
            raise _unknown(key, view)
        return Target(path, "list" if path[1] in _LISTS else "")
    if len(path) > 1:
        raise _unknown(key, view)
    if path[0] == "tags":
        return Target(("metadata", "tags"), "list")
    return Target(path, "list" if path[0] in _LISTS else "text")


def key_of(path: Path) -> str:
    """The KEY that leads to a path of a profile document."""
    return text_of(path[1:] if path[0] in ("runtime", "metadata") else path)


def known_keys(view: RegistryView) -> Iterator[str]:
    """Every KEY of a profile that has a name of its own."""
    yield from _PROFILE_FIELDS
    yield from (f"policy.{field}" for field in _POLICY_FIELDS)
    yield from (field for field in RUNTIME_FIELDS if field != SETTINGS)
    yield from (text_of((SETTINGS, *leaf)) for leaf in view.schema.leaves_below(()))


def _unknown(key: str, view: RegistryView) -> ValidationError:
    close = nearest(key, known_keys(view), 1) or nearest(key, view.schema.sections(), 1)
    return ValidationError(key, "unknown key" + (f"; did you mean {close[0]!r}?" if close else ""))


def _value(key: str, text: str, kind: str) -> Any:
    """The value of a text. Where text is wanted it needs no quotes, whatever YAML would make of it."""
    if kind == "text":
        return _text(text)
    value = read_yaml(text, key)
    return [value] if kind == "list" and isinstance(value, str) else value


def _text(text: str) -> Any:
    """Text as it stands; only ``null``, a quoted text and a ``{$directive: …}`` are read as YAML."""
    if text.strip()[:1] not in ("'", '"', "{") and text.strip() not in ("null", "~"):
        return text
    try:
        value = read_yaml(text, "VALUE")
    except ValidationError:
        return text
    is_directive = isinstance(value, Mapping) and is_atomic(value)
    return value if value is None or isinstance(value, str) or is_directive else text


def _stored(value: Any, target: Target) -> Any:
    """The value as a patch stores it: there ``null`` removes a key, so an unset is written as the directive."""
    if target.path[0] not in ("runtime", "extensions"):
        return value
    if value is None:
        return dict(_UNSET)
    if isinstance(value, Mapping) and not is_atomic(value):
        return {key: _stored(child, target) for key, child in value.items()}
    return value


def _put(patch: dict[str, Any], path: Path, value: Any, key: str) -> None:
    place = patch
    for part in path[:-1]:
        place = place.setdefault(part, {})
        if not isinstance(place, dict):
            raise ValidationError(key, "is given twice, once as a part of another key")
    if path[-1] in place:
        raise ValidationError(key, "is given twice")
    place[path[-1]] = value
