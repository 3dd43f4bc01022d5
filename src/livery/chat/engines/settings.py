"""The settings an engine is built of: complete, typed, and with their secrets read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from livery.core.resolved import ResolvedProfile
from livery.errors import RuntimeUnavailable, ValidationError
from livery.secrets import expand_secrets
from livery.settings import StepSettings, readiness, step_settings_of

_SECTIONS: Final = ("chat", "inference", "client", "openai", "claude", "gemini", "ollama", "model_info")
"""What an engine looks at beside ``api``."""

_KEPT: Final = (("chat", "api_keys"), ("client", "proxy_url"))
"""Secrets that are read one by one where they are needed, so that those of other providers may be absent."""


def engine_settings(resolved: ResolvedProfile, environ: Mapping[str, str]) -> StepSettings:
    """The typed settings of a profile that lacks nothing.

    Keys, base URLs and the proxy keep their references. RuntimeUnavailable names everything that is missing or
    refused, before any request.
    """
    settings = resolved.effective_step_settings
    problems = readiness(settings)
    if problems:
        raise RuntimeUnavailable(f"{name_of(resolved)} cannot run: {'; '.join(map(str, problems))}")
    own: dict[str, Any] = {section: settings[section] for section in _SECTIONS if section in settings}
    read = {name: _read(name, values, environ) for name, values in own.items()}
    try:
        return step_settings_of({**read, "api": settings.get("api", {})})
    except ValidationError as error:
        if read == own:
            raise
        fields = ", ".join(fault.field for fault in error.faults)  # the reasons may quote a secret
        raise RuntimeUnavailable(f"{name_of(resolved)} cannot run: what a secret holds does not fit {fields}") from None


def name_of(resolved: ResolvedProfile) -> str:
    """How a resolved profile is called in messages."""
    return f"profile {profile_name(resolved)!r}" if resolved.profile_slug else "the base settings"


def profile_name(resolved: ResolvedProfile) -> str:
    """``registry/profile``, else the runtime key, else ``base`` for base settings alone."""
    if resolved.profile_slug:
        return f"{resolved.registry_slug}/{resolved.profile_slug}"
    return resolved.runtime_key or "base"


def _read(section: str, values: Any, environ: Mapping[str, str]) -> Any:
    if not isinstance(values, Mapping):
        return values
    kept = {name: values[name] for name in values if (section, name) in _KEPT}
    rest = {name: value for name, value in values.items() if name not in kept}
    return {**expand_secrets(rest, environ, field=section), **kept}
