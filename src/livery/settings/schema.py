"""The settings schemas that a registry can name, and the JSON Schema of the AI settings in its plain form.

Built on first use: the import costs nothing, and a command that resolves nothing never pays for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from livery.core.names import nearest
from livery.errors import ValidationError
from livery.settings.checks import cross_faults

if TYPE_CHECKING:
    from livery.core.schema import SettingsSchema

SCHEMA_NAMES = ("ai", "free", "profile-store")


def schema_named(name: str, *, default_tools: tuple[str, ...] = ()) -> SettingsSchema:
    """The settings schema that a registry calls ``name``; a ValidationError lists the known ones."""
    if name in SCHEMA_NAMES:
        return _compiled(name, default_tools)
    close = nearest(name, SCHEMA_NAMES, 1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    raise ValidationError("settings_schema", f"{name!r} is not one of {', '.join(SCHEMA_NAMES)}{hint}")


def ai_schema(default_tools: tuple[str, ...] = ()) -> SettingsSchema:
    """The schema of the AI settings; ``default_tools`` are those the application registered as default."""
    return _compiled("ai", default_tools)


@cache
def _compiled(name: str, default_tools: tuple[str, ...]) -> SettingsSchema:
    from livery.core.schema import FREE, SettingsSchema  # loads the validator

    if name == "free" and not default_tools:
        return FREE
    if name == "free":
        return SettingsSchema(name, FREE.plain, default_tools=default_tools)
    if name == "profile-store":
        return _profile_store_schema(default_tools)
    return SettingsSchema(name, plain_ai_schema(), default_tools=default_tools, cross_check=cross_faults)


def _profile_store_schema(default_tools: tuple[str, ...]) -> SettingsSchema:
    from livery.core.schema import SettingsSchema
    from livery.settings import profile_store, profile_store_checks, servers

    return SettingsSchema(
        "profile-store",
        profile_store.plain_profile_store_schema(),
        default_tools=default_tools,
        cross_check=profile_store_checks.cross_faults,
        server_defaults=servers.server_defaults,
        variables=True,
    )


@cache
def plain_ai_schema() -> Mapping[str, Any]:
    """The JSON Schema of the AI settings without references or null: sections, fields, defaults, marks.

    Read from ``ai_schema.json``, which is made from the records by ``make docs``: to make it anew takes ten times as
    long as all the rest that a short command does with it.
    """
    schema: Mapping[str, Any] = orjson.loads(Path(__file__).with_name("ai_schema.json").read_bytes())
    return schema


def described_ai_schema() -> Mapping[str, Any]:
    """The same, made from the records of the sections."""
    import msgspec

    from livery.settings.sections import StepSettings

    schema = msgspec.json.schema(StepSettings)
    return _plain(schema, schema["$defs"])


def _plain(node: Mapping[str, Any], definitions: Mapping[str, Any], *, in_unit: bool = False) -> dict[str, Any]:
    found = _without_references(node, definitions)
    in_unit = in_unit or found.get("x-unit") is True
    if found.get("default", ...) is None or in_unit:
        found.pop("default", None)  # what a unit leaves out is not filled in from outside
    elif "default" in found:
        found["default"] = _plain_value(found["default"])
    if not found.get("required", True):
        del found["required"]
    if "properties" in found:
        found["properties"] = {
            name: _plain(child, definitions, in_unit=in_unit) for name, child in found["properties"].items()
        }
    if isinstance(found.get("additionalProperties"), Mapping):
        found["additionalProperties"] = _plain(found["additionalProperties"], definitions, in_unit=in_unit)
    if "enum" in found:
        found["type"] = "string"
    return found


def _without_references(node: Mapping[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    """The node with its one real alternative in place: not null, not the reference to a secret."""
    found = dict(node)
    while True:
        if "$ref" in found:
            named = definitions[found.pop("$ref").rpartition("/")[2]]
        elif "anyOf" in found:
            (named,) = filter(_is_plain, found.pop("anyOf"))
        else:
            found.pop("$defs", None)
            return found
        found = {**named, **found}


def _is_plain(alternative: Mapping[str, Any]) -> bool:
    reference = "#/$defs/SecretReference"
    return alternative.get("type") != "null" and alternative.get("$ref") != reference


def _plain_value(value: Any) -> Any:
    """A default as the core has it: JSON values, whole numbers as integers."""
    if isinstance(value, tuple):
        return list(value)
    return int(value) if isinstance(value, float) and value.is_integer() else value
