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
    return {
        SETTINGS: _over(schema.defaults, values.get(SETTINGS, {})),
        "system_prompt": values.get("system_prompt", ""),
        "middlewares": {key: _over(_MIDDLEWARE_DEFAULTS, element) for key, element in middlewares.items()},
        "tools": values.get("tools", list(schema.default_tools)),
        "servers": values.get("servers", {}),
        "extensions": values.get("extensions", {}),
    }


def _over(defaults: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    result = dict(defaults)
    for key, value in values.items():
        below = defaults.get(key)
        result[key] = _over(below, value) if below and type(below) is dict and type(value) is dict else value
    return result


def runtime_document(effective: Mapping[str, Any]) -> dict[str, Any]:
    """What the runtime digest is made of: all that makes an engine, nothing that only describes it."""
    return {
        "settings": effective[SETTINGS],
        "system_prompt": effective["system_prompt"],
        "middlewares": list(effective["middlewares"].values()),
        "tools": effective["tools"],
        "servers": list(effective["servers"].values()),
    }
