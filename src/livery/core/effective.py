"""The effective runtime: merged values with the defaults laid under them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from livery.core.paths import SETTINGS
from livery.core.schema import SettingsSchema

_MIDDLEWARE_DEFAULTS: dict[str, Any] = {"name": "", "id": "", "enabled": True, "config": {}}


def effective_values(values: Mapping[str, Any], schema: SettingsSchema) -> dict[str, Any]:
    """Every field of a runtime and the extensions, with the schema's defaults; keyed lists are still mappings."""
    middlewares = values.get("middlewares", {})
    settings = over(schema.defaults, values.get(SETTINGS, {}))
    servers = values.get("servers", {})
    return {
        SETTINGS: settings,
        "system_prompt": values.get("system_prompt", ""),
        "middlewares": {key: over(_MIDDLEWARE_DEFAULTS, element) for key, element in middlewares.items()},
        "tools": values.get("tools", list(schema.default_tools)),
        "servers": _filled(servers, defaults_of_servers(servers, settings, schema)),
        "extensions": values.get("extensions", {}),
    }


def defaults_of_servers(
    servers: Mapping[str, Any], settings: Mapping[str, Any], schema: SettingsSchema
) -> dict[str, dict[str, Any]]:
    """What lies under each server, by its key; nothing where the schema says nothing of servers."""
    if schema.server_defaults is None:
        return {}
    return {key: schema.server_defaults(server, settings) for key, server in servers.items()}


def over(defaults: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values with the defaults where they have none, at any depth."""
    result = dict(defaults)
    for key, value in values.items():
        below = defaults.get(key)
        result[key] = over(below, value) if below and type(below) is dict and type(value) is dict else value
    return result


def _filled(values: dict[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """The same, with what the values have in front: a server begins with its name."""
    if not defaults:
        return values
    result = {
        key: _filled(value, defaults.get(key, {})) if type(value) is dict else value for key, value in values.items()
    }
    return {**result, **{key: default for key, default in defaults.items() if key not in values}}


def runtime_document(effective: Mapping[str, Any]) -> dict[str, Any]:
    """What the runtime digest is made of: all that makes an engine, nothing that only describes it."""
    return {
        "settings": effective[SETTINGS],
        "system_prompt": effective["system_prompt"],
        "middlewares": list(effective["middlewares"].values()),
        "tools": effective["tools"],
        "servers": list(effective["servers"].values()),
    }
