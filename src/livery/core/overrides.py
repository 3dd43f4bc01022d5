"""What a request asks to override, in any of its spellings, as one prepared document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from livery.core.layers import Layer, Origin, layer_of, settled
from livery.core.names import nearest, type_name
from livery.core.paths import RUNTIME_FIELDS, SETTINGS, Path, path_of, snake_case, text_of
from livery.core.schema import SettingsSchema
from livery.errors import Fault, ValidationError

OVERRIDABLE = (SETTINGS, "system_prompt", "middlewares", "tools")
_FIELD = "request_overrides"


def read_overrides(
    overrides: Mapping[str, Any], schema: SettingsSchema, foreign_sections: tuple[str, ...] = ()
) -> Layer:
    """The layer of ``{system_prompt?, middlewares?, tools?, step_settings_patch?}`` and of ``{"chat.n": 1}``.

    A ValidationError names every key that is unknown, given twice (also in two spellings) or has a wrong type.
    """
    document: dict[str, Any] = {}
    faults: list[Fault] = []
    for key, value in overrides.items():
        try:
            path = _override_path(str(key), schema)
            if path == (SETTINGS,) and isinstance(value, Mapping):
                value = _folded_keys(value, schema, ())
            _put(document, path, value)
        except ValidationError as error:
            faults.extend(error.faults)
    if not faults:
        layer = layer_of(Origin("request"), document, schema, _FIELD)
        faults = setting_faults(layer.values.get(SETTINGS), schema, f"{_FIELD}.{SETTINGS}", foreign_sections)
    if faults:
        raise ValidationError.of(faults)
    return layer


def setting_faults(
    settings: Any, schema: SettingsSchema, field: str, foreign_sections: tuple[str, ...] = ()
) -> list[Fault]:
    """What the schema says against prepared settings; sections of other programs are not its business."""
    if not isinstance(settings, dict):
        return []
    plain = settled(settings)
    for section in foreign_sections:
        plain.pop(section, None)
    return schema.faults(plain, field)


def _override_path(key: str, schema: SettingsSchema) -> Path:
    """The path of an override key; the name of a runtime field or a settings path in any spelling."""
    first = snake_case(key.partition(".")[0])
    if first in OVERRIDABLE:
        rest = key.partition(".")[2]
        path: Path = (
            first,
            *(path_of(rest)[1:] if rest and first == SETTINGS else path_of(rest) if rest else ()),
        )
    elif first in RUNTIME_FIELDS or first == "extensions":
        raise ValidationError(f"{_FIELD}.{first}", f"cannot be overridden; known are {', '.join(OVERRIDABLE)}")
    else:
        path = path_of(key.strip(), f"{_FIELD}.{first}")
    if path[0] != SETTINGS:
        return path[:1] if len(path) == 1 else _no_part(path)
    return (SETTINGS, *_folded_path(path[1:], schema, first))


def _no_part(path: Path) -> Path:
    raise ValidationError(f"{_FIELD}.{text_of(path)}", f"{path[0]!r} can only be overridden as a whole")


def _folded_path(path: Path, schema: SettingsSchema, first: str) -> Path:
    if len(path) == 1 and not schema.open and path[0] not in schema.sections() and first not in schema.sections():
        close = nearest(first, OVERRIDABLE, 1)
        hint = f"; did you mean {close[0]!r}?" if close else f"; known are {', '.join(OVERRIDABLE)} and section.field"
        raise ValidationError(f"{_FIELD}.{first}", f"unknown override key {path[0]!r}{hint}")
    done: Path = ()
    for part in path:
        done = (*done, _folded_key(part, schema, done))
    return done


def _folded_key(key: str, schema: SettingsSchema, parent: Path) -> str:
    """The known field that a key spells; keys of free mappings stay as they are."""
    known = (schema.node(parent) or {}).get("properties", ())
    return snake_case(key) if key not in known and snake_case(key) in known else key


def _folded_keys(value: Mapping[str, Any], schema: SettingsSchema, parent: Path) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, child in value.items():
        name = _folded_key(str(key), schema, parent)
        if name in result:
            raise ValidationError(f"{_FIELD}.{text_of((SETTINGS, *parent, name))}", "given twice, in two spellings")
        result[name] = _folded_keys(child, schema, (*parent, name)) if isinstance(child, Mapping) else child
    return result


def _put(document: dict[str, Any], path: Path, value: Any) -> None:
    """Lay one override into the document; what another key has given already is an error."""
    field = f"{_FIELD}.{text_of(path)}"
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
