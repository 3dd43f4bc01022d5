"""What a request asks to override, in any of its spellings, as one prepared document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from livery.core.layers import Layer, Origin, layer_of, settled
from livery.core.names import nearest, type_name
from livery.core.paths import RUNTIME_FIELDS, SETTINGS, Path, path_of, snake_case, text_of
from livery.core.reasons import MOST_FAULTS
from livery.core.schema import FREE, SettingsSchema
from livery.core.values import MAX_DEPTH, Replace
from livery.errors import Fault, ValidationError

OVERRIDABLE = (SETTINGS, "system_prompt", "middlewares", "tools")
_FIELD = "request_overrides"
_LONGEST_KEY = 512


def read_overrides(overrides: Mapping[str, Any], schema: SettingsSchema) -> Layer:
    """The layer of ``{system_prompt?, middlewares?, tools?, step_settings_patch?}`` and of ``{"chat.n": 1}``.

    A ValidationError names every key that is unknown, given twice (also in two spellings) or has a wrong type.
    """
    document: dict[str, Any] = {}
    faults: list[Fault] = []
    if not isinstance(overrides, Mapping):
        raise ValidationError(_FIELD, f"expected a mapping, got {type_name(overrides)}")
    for key, value in overrides.items():
        try:
            path = _override_path(str(key), schema)
            if path[0] == SETTINGS:
                value = _folded_keys(value, schema, path[1:])
            _put(document, path, value)
        except ValidationError as error:
            faults.extend(error.faults)
            if len(faults) >= MOST_FAULTS:
                break
    if not faults:
        layer = layer_of(Origin("request"), document, schema, _FIELD)
        faults = setting_faults(layer.values.get(SETTINGS), schema, f"{_FIELD}.{SETTINGS}")
    if faults:
        raise ValidationError.of(faults)
    return layer


def setting_faults(settings: Any, schema: SettingsSchema, field: str) -> list[Fault]:
    """What the schema says against prepared settings."""
    given = settings.value if isinstance(settings, Replace) else settings
    return schema.faults(settled(given), field) if isinstance(given, dict) else []


def _override_path(key: str, schema: SettingsSchema) -> Path:
    """The path of an override key; the name of a runtime field or a settings path in any spelling."""
    if len(key) > _LONGEST_KEY:
        raise ValidationError(_FIELD, f"a key has at most {_LONGEST_KEY} characters, and '{key[:40]}…' more")
    head, dot, rest = key.strip().partition(".")
    first = snake_case(head)
    field = f"{_FIELD}.{first}"
    if first in OVERRIDABLE and first != SETTINGS:
        return (first,) if not dot else _no_part(first, rest)
    if first != SETTINGS and (first in RUNTIME_FIELDS or first == "extensions"):
        raise ValidationError(field, f"cannot be overridden; known are {', '.join(OVERRIDABLE)}")
    path = path_of(f"{SETTINGS}.{rest}" if dot else first, field) if first == SETTINGS else path_of(key.strip(), field)
    return (SETTINGS, *_folded_path(path[1:], schema))


def _no_part(field: str, part: str) -> Path:
    raise ValidationError(f"{_FIELD}.{field}.{part}", f"{field!r} can only be overridden as a whole")


def _folded_path(path: Path, schema: SettingsSchema) -> Path:
    if len(path) == 1:
        _demand_section(path[0], schema)
    done: Path = ()
    for part in path:
        done = (*done, _folded_key(part, schema, done))
    return done


def _demand_section(name: str, schema: SettingsSchema) -> None:
    """A key without a dot is a field of the runtime or a whole section, and anything else a misspelling of those."""
    known = schema.sections()
    if schema.open or name in known or snake_case(name) in known:
        return
    close = nearest(name, (*OVERRIDABLE, *known), 1)
    hint = f"; did you mean {close[0]!r}?" if close else f"; known are {', '.join(OVERRIDABLE)} and section.field"
    raise ValidationError(f"{_FIELD}.{snake_case(name)}", f"unknown override key {name!r}{hint}")


def _folded_key(key: str, schema: SettingsSchema, parent: Path) -> str:
    """The known field that a key spells; keys of free mappings stay as they are."""
    known = (schema.node(parent) or {}).get("properties", ())
    if key in known:
        return key
    return next((name for name in known if snake_case(name) == snake_case(key)), key)


def _folded_keys(value: Any, schema: SettingsSchema, parent: Path, depth: int = 0) -> Any:
    """A copy of a value at a settings path, with the known keys in it as the schema spells them."""
    if not isinstance(value, Mapping) or depth > MAX_DEPTH:
        return value
    schema = FREE if "$literal" in value else schema
    result: dict[str, Any] = {}
    for key, child in value.items():
        name = _folded_key(str(key), schema, parent)
        if name in result:
            raise ValidationError(f"{_FIELD}.{text_of((SETTINGS, *parent, name))}", "given twice, in two spellings")
        below = parent if name == "$replace" else (*parent, name)
        result[name] = _folded_keys(child, schema, below, depth + 1)
    return result


def _put(document: dict[str, Any], path: Path, value: Any) -> None:
    """Lay one override into the document; what another key has given already is an error."""
    field = f"{_FIELD}.{text_of(path[:4])}"
    if len(path) > MAX_DEPTH:
        raise ValidationError(field, f"nested deeper than {MAX_DEPTH}")
    if path == (SETTINGS,) and not isinstance(value, Mapping | None):
        raise ValidationError(field, f"expected a mapping, got {type_name(value)}")
    place = document
    for part in path[:-1]:
        place = place.setdefault(part, {})
        if not isinstance(place, dict):
            raise ValidationError(field, "given twice, once as a part of another key")
    last = path[-1]
    if last in place and isinstance(place[last], dict) and isinstance(value, Mapping):
        for key, child in value.items():
            _put(document, (*path, key), child)
    elif last in place:
        raise ValidationError(field, "given twice; two of the keys are the same after folding")
    else:
        place[last] = value
