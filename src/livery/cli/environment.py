"""A resolved runtime as environment variables: ``LIVERY_`` and the path of each value, and the names that SDKs read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from livery.core.paths import SETTINGS, Path, text_of
from livery.core.resolved import ResolvedProfile
from livery.errors import Fault, ValidationError
from livery.settings.endpoint import endpoint_of
from livery.settings.providers import PROVIDERS

_SDK_NAMES = {"claude": ("ANTHROPIC",), "gemini": ("GEMINI", "GOOGLE")}
"""What the SDKs of a provider call it, where that is not its own name."""


def variables(runtime: Mapping[str, Any]) -> dict[str, str]:
    """``LIVERY_CHAT_ENGINE=…`` for every leaf of a runtime document; a ValidationError names what would collide."""
    found: dict[str, tuple[str, str]] = {}
    faults: list[Fault] = []
    for path, value in _leaves(runtime, ()):
        name, text = _variable(path), text_of(path)
        if name in found:
            faults.append(Fault(text, f"and {found[name][0]} would both be the variable {name}"))
        if "\0" in _text(value):
            faults.append(Fault(text, "holds a NUL character, which no variable can"))
        found[name] = (text, _text(value))
    if faults:
        raise ValidationError.of(faults)
    return {name: value for name, (_, value) in found.items()}


def _variable(path: Path) -> str:
    parts = path[1:] if path[0] == SETTINGS else path
    return "LIVERY_" + re.sub(r"[^A-Za-z0-9]", "_", "_".join(parts)).upper()


def _leaves(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """Leaves with their paths; a reference to a secret, a list and an empty mapping are leaves."""
    if isinstance(value, Mapping) and value and not next(iter(value)).startswith("$"):
        for key, child in value.items():
            yield from _leaves(child, (*path, key))
    elif path and not (value == {} and len(path) == 1):
        yield path, value


def _text(value: Any) -> str:
    """Text as it is; everything else as JSON, so ``true``, ``0.2``, ``["a"]``."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def shown_runtime(resolved: ResolvedProfile) -> dict[str, Any]:
    """The runtime as every output shows it: references to secrets, no secrets."""
    document = resolved.document()
    fields = {name: document[f"effective_{name}"] for name in ("system_prompt", "middlewares", "tools", "servers")}
    return {SETTINGS: document["effective_step_settings"], **fields, "extensions": document["extensions"]}


def live_runtime(resolved: ResolvedProfile, environ: Mapping[str, str]) -> dict[str, Any]:
    """The runtime with every secret in clear, for a process that is started; SecretUnavailable where one is missing."""
    from livery.secrets import expand_secrets

    plain = {
        "system_prompt": resolved.effective_system_prompt,
        "middlewares": resolved.effective_middlewares,
        "tools": resolved.effective_tools,
        "servers": resolved.effective_servers,
        "extensions": resolved.extensions,
    }
    fields: dict[str, Any] = expand_secrets(plain, environ)
    return {SETTINGS: expand_secrets(resolved.effective_step_settings, environ), **fields}


def provider_variables(resolved: ResolvedProfile, settings: Mapping[str, Any]) -> dict[str, str]:
    """The keys and addresses of a profile under the names that the providers' SDKs read.

    Only what the profile sets: an address that is merely the default of the schema is left to the SDK. The entries of
    the provider that the profile uses win over those of another that goes by the same name.
    """
    found: dict[str, str] = {}
    used = settings.get("chat", {}).get("api_type") or "openai"
    for api_type in sorted(PROVIDERS, key=lambda name: name == used):
        endpoint = endpoint_of(settings, api_type)
        for sdk in _sdk_names(api_type):
            if endpoint.key is not None:
                found[f"{sdk}_API_KEY"] = str(endpoint.key)
            if endpoint.base_url and _is_set(resolved, endpoint.base_url_field):
                found[f"{sdk}_BASE_URL"] = str(endpoint.base_url)
    organization = settings.get("client", {}).get("organization")
    if organization:
        found["OPENAI_ORG_ID"] = str(organization)
    return found


def _sdk_names(api_type: str) -> tuple[str, ...]:
    names = PROVIDERS[api_type].names
    return _SDK_NAMES.get(names[-1], (names[-1].upper().replace("-", "_"),)) if names else ()


def _is_set(resolved: ResolvedProfile, field: str) -> bool:
    """Whether any layer has set the settings field."""
    return bool(resolved.merged.steps((SETTINGS, *field.split("."))))
