"""The reference pages that are made of the code: settings from their schema, errors from their table."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from livery.errors import LiveryError
from livery.outcomes import OUTCOMES
from livery.settings.profile_store import plain_profile_store_schema
from livery.settings.schema import described_ai_schema, plain_ai_schema
from livery.settings.servers import SERVER


def settings_page() -> str:
    """docs/reference/settings.md."""
    lines = [
        "# Settings",
        "",
        "The sections and fields of `step_settings_patch` under the schema `ai`, with the flags of older programs.",
        'Secret fields take a reference such as `{$secret: "env:NAME"}`; sensitive ones (and secrets) can only be',
        "overridden where a policy names their exact path. Made from the schema; do not edit.",
    ]
    for name, section in plain_ai_schema()["properties"].items():
        lines += ["", f"## {name}", "", section.get("description", ""), ""]
        lines += ["| field | type | default | flag | meaning |", "|---|---|---|---|---|"]
        lines += list(_rows(section, ""))
    return "\n".join(lines) + "\n"


def _rows(section: Mapping[str, Any], prefix: str) -> Iterator[str]:
    for name, field in section.get("properties", {}).items():
        if "properties" in field:
            yield from _rows(field, f"{prefix}{name}.")
        if "properties" not in field or isinstance(field.get("additionalProperties"), dict):
            label = f"{prefix}{name}" + (".*" if "properties" in field else "")
            yield f"| `{label}` | {_type(field)} | {_default(field)} | {_flag(field)} | {_meaning(field)} |"


def _type(field: Mapping[str, Any]) -> str:
    if "enum" in field:
        return " \\| ".join(f"`{option}`" if option else '`""`' for option in field["enum"])
    return {"object": "mapping", "array": "list", "string": "text"}.get(field.get("type", ""), field.get("type", "any"))


def _default(field: Mapping[str, Any]) -> str:
    return f"`{json.dumps(field['default'])}`" if "default" in field else "–"


def _flag(field: Mapping[str, Any]) -> str:
    return f"`{field['x-flag']}`" if field.get("x-flag") else "–"


def _meaning(field: Mapping[str, Any]) -> str:
    marks = [word for mark, word in (("x-secret", "secret"), ("x-sensitive", "sensitive")) if field.get(mark)]
    return " ".join([field.get("description", ""), *(f"*{mark}*" for mark in marks[:1])]).strip()


def profile_store_page() -> str:
    """docs/reference/profile-store.md."""
    lines = [
        "# Profile stores: every key",
        "",
        "What [the files of a profile store](../profile-store.md) may hold. Made from the schema; do not edit.",
    ]
    parts = (
        ("runtime.yaml, and beside the servers in profiles", plain_profile_store_schema()),
        ("A server in `servers`", SERVER),
        ("A plugin in `plugins`", plain_profile_store_schema()["properties"]["plugins"]["items"]),
    )
    for name, section in parts:
        lines += ["", f"## {name}", "", "| key | type | default | meaning |", "|---|---|---|---|"]
        rows = (row.split(" | ") for row in _rows(section, ""))
        lines += [" | ".join([*row[:3], *row[4:]]) for row in rows]
    lines += [
        "",
        "Defaults of servers: " + "; ".join(f"`{key}` {value}" for key, value in _SERVER_DEFAULTS.items()) + ".",
    ]
    return "\n".join(lines) + "\n"


_SERVER_DEFAULTS = {
    "transport": "stdio, or streamable_http where `http` is given",
    "idleSeconds": "0",
    "maxConcurrent": "1",
    "strategy": "stateless",
    "sessionTTLSeconds": "300 for stateful servers",
    "minReady": "0",
    "activationMode": "that of `defaultActivationMode`",
    "drainTimeoutSeconds": "30",
    "protocolVersion": "2025-11-25, over HTTP 2025-06-18",
    "exposeTools": "all",
    "http.maxRetries": "5",
}


def errors_page() -> str:
    """docs/reference/errors.md."""
    lines = [
        "# Errors",
        "",
        "Every error has a stable `code`. Made from the table that the command line and the server ask; do not edit.",
        "",
        "| error | code | HTTP | exit code | meaning |",
        "|---|---|---|---|---|",
    ]
    for cls, outcome in OUTCOMES.items():
        if issubclass(cls, LiveryError) and not cls.__subclasses__():
            meaning = (cls.__doc__ or "").split("\n")[0].replace("``", "`")
            codes = f"`{cls.code}` | {outcome.status or '–'} | {outcome.exit_code}"
            lines.append(f"| `{cls.__name__}` | {codes} | {meaning} |")
    lines += ["", "Wrong usage of a command exits with 2, an unexpected error with 1, an interrupted command with 130."]
    return "\n".join(lines) + "\n"


def ai_schema_file() -> str:
    """src/livery/settings/ai_schema.json."""
    return json.dumps(described_ai_schema(), indent=1, ensure_ascii=False) + "\n"
