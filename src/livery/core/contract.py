"""The JSON Schemas of documents: what files, bodies, forms and editors share. Settings bring their own schema.

They check shape: names and types of fields. What fields mean together is checked where the meaning is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import jsonschema_rs

from livery.core.paths import Path
from livery.core.reasons import reasons_of
from livery.core.schema import SECRET_REFERENCE, UNSET_DIRECTIVE, SettingsSchema, directive, partial_schema
from livery.core.values import MAX_INTEGER

TEXT = {"type": "string"}
TEXTS = {"type": "array", "items": TEXT}
COUNT = {"type": "integer", "minimum": 0, "maximum": MAX_INTEGER}
VERSION = {"type": "integer", "minimum": 1, "maximum": MAX_INTEGER}


def _mapping(properties: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "object", "properties": dict(properties), "additionalProperties": False, **more}


def _partial_list(items: Mapping[str, Any], removed: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A list that layers merge: the list, null, or one directive."""
    whole = {"type": "array", "items": dict(items), **more}
    edits = [directive(name, whole) for name in ("$append", "$prepend", "$replace", "$literal")]
    remove = directive("$remove", {"type": "array", "items": dict(removed)})
    return {"anyOf": [whole, {"type": "null"}, *edits, remove, UNSET_DIRECTIVE]}


MIDDLEWARE = _mapping(
    {
        "name": {"type": "string", "minLength": 1},
        "id": TEXT,
        "enabled": {"anyOf": [{"type": ["boolean", "null"]}, UNSET_DIRECTIVE]},
        "config": {"type": ["object", "null"]},
    },
    required=["name"],
)
SERVER = {"type": "object", "properties": {"name": {"type": "string", "minLength": 1}}, "required": ["name"]}

RUNTIME = _mapping(
    {
        "step_settings_patch": {
            "type": ["object", "null"],
            "description": "section, field, value: a partial document laid over the bases'",
        },
        "system_prompt": {
            "anyOf": [{"type": ["string", "null"]}, UNSET_DIRECTIVE, directive("$literal", TEXT), SECRET_REFERENCE],
            "description": "replaces the bases' prompt; empty keeps it, null unsets it",
        },
        "middlewares": {**_partial_list(MIDDLEWARE, TEXT), "description": "merged by name and id"},
        "tools": {
            **_partial_list(TEXT, TEXT, uniqueItems=True),
            "description": "tool ids; replace the bases', $append adds",
        },
        "servers": {**_partial_list(SERVER, TEXT), "description": "MCP servers, merged by name"},
    }
)
POLICY = _mapping(
    {
        "allow_overrides": {
            "type": "boolean",
            "description": "absent inherits; nothing is allowed where nobody says true",
        },
        "allowed_override_keys": {
            **TEXTS,
            "description": "paths, chat.* or *; absent: all but sensitive ones",
        },
        "denied_override_keys": {**TEXTS, "description": "beat the allowed ones"},
        "read_only": {"type": "boolean", "description": "refuses every write to the profile"},
    }
)
METADATA = _mapping(
    {
        "source": TEXT,
        "version": VERSION,
        "runtime_version": VERSION,
        "created_at_ms": COUNT,
        "updated_at_ms": COUNT,
        "last_applied_at_ms": COUNT,
        "created_by": TEXT,
        "updated_by": TEXT,
        "tags": TEXTS,
        "deleted_versions": {"type": "object", "additionalProperties": COUNT},
    }
)
REFERENCE = {
    "anyOf": [
        TEXT,
        _mapping({name: TEXT for name in ("registry", "profile", "registry_slug", "profile_slug")}),
    ]
}
PROFILE = _mapping(
    {
        "slug": TEXT,
        "id": TEXT,
        "display_name": TEXT,
        "description": TEXT,
        "extends": {"type": ["array", "null"], "items": REFERENCE, "description": "bases, in order"},
        "runtime": RUNTIME,
        "policy": POLICY,
        "metadata": METADATA,
        "extensions": {"type": "object"},
    }
)
REGISTRY_HEAD = _mapping(
    {
        "slug": TEXT,
        "id": TEXT,
        "display_name": TEXT,
        "description": TEXT,
        "default_profile_slug": TEXT,
        "defaults": {**RUNTIME, "description": "laid under every profile of this registry"},
        "enforced": {**RUNTIME, "description": "laid over every profile; no request may override it"},
        "policy": POLICY,
        "callers": {"type": "object", "additionalProperties": TEXT},
        "fallback": {"enum": ["default", "deny"]},
        "settings_schema": {"enum": ["ai", "free", "profile-store"]},
        "foreign_sections": TEXTS,
        "profiles": {"type": ["object", "null"]},
        "metadata": METADATA,
    }
)


_SHAPES = {"profile": PROFILE, "registry": REGISTRY_HEAD}


@cache
def _validator(name: str) -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for(_SHAPES[name])


def shape_faults(name: str, document: Any) -> list[tuple[Path, str]]:
    """What is wrong with the shape of a ``profile`` or of a ``registry`` without its profiles, as (path, reason)."""
    validator = _validator(name)
    return [] if validator.is_valid(document) else reasons_of(validator, _SHAPES[name], document)


def profile_schema(settings: SettingsSchema) -> dict[str, Any]:
    """The whole JSON Schema of a profile document whose settings follow a schema."""
    plain = settings.document_schema()
    whole = [directive("$replace", plain), directive("$literal", partial_schema(settings.plain))]
    patch = {"anyOf": [plain, {"type": "null"}, UNSET_DIRECTIVE, *whole]}
    runtime = {**RUNTIME, "properties": {**RUNTIME["properties"], "step_settings_patch": patch}}
    return {**PROFILE, "properties": {**PROFILE["properties"], "runtime": runtime}}


def registry_schema(settings: SettingsSchema) -> dict[str, Any]:
    """The whole JSON Schema of a registry document."""
    profile = profile_schema(settings)
    runtime = profile["properties"]["runtime"]
    own = {
        "defaults": runtime,
        "enforced": runtime,
        "profiles": {"type": ["object", "null"], "additionalProperties": profile},
    }
    return {**REGISTRY_HEAD, "properties": {**REGISTRY_HEAD["properties"], **own}}
