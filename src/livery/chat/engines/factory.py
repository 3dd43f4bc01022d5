"""From a resolved profile to its engine; a provider's library is loaded here, and only for an engine that needs it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from livery.chat.engines.protocol import Engine
from livery.chat.engines.settings import engine_settings, name_of, profile_name
from livery.core.resolved import ResolvedProfile
from livery.errors import RuntimeUnavailable
from livery.settings import sampling

EngineFactory: TypeAlias = Callable[[ResolvedProfile, Mapping[str, str]], Engine]
"""Builds the engine of a profile; the second argument is the environment that secrets are read from."""


def build_engine(resolved: ResolvedProfile, environ: Mapping[str, str]) -> Engine:
    """The engine that ``chat.api_type`` names. Nothing is sent yet.

    RuntimeUnavailable and SecretUnavailable name the field that keeps it from being built. The first engine of a
    provider loads its library, which takes seconds: a server does this in a worker thread.
    """
    chat: Any = resolved.effective_step_settings.get("chat")
    api_type = (chat.get("api_type") if isinstance(chat, Mapping) else None) or "openai"
    factory = _FACTORIES.get(api_type) if isinstance(api_type, str) else None
    if factory is None:
        known = ", ".join(SUPPORTED)
        raise RuntimeUnavailable(
            f"{name_of(resolved)}: chat.api_type {api_type!r} has no engine; supported are {known}"
        )
    return factory(resolved, environ)


def _echo(resolved: ResolvedProfile, environ: Mapping[str, str]) -> Engine:
    from livery.chat.engines.echo import EchoEngine

    asked = sampling(engine_settings(resolved, environ))
    return EchoEngine(profile_name(resolved), stop=asked.stop, max_response_tokens=asked.max_response_tokens)


def _openai_compatible(resolved: ResolvedProfile, environ: Mapping[str, str]) -> Engine:
    from livery.chat.engines.connection import connection_of

    settings = engine_settings(resolved, environ)
    connection = connection_of(resolved.effective_step_settings, settings, environ, profile=name_of(resolved))
    try:
        from livery.chat.engines.openai_compatible import open_engine
    except ImportError as error:
        missing = f"{connection.api_type!r} needs libraries that are not installed ({error.name or error})"
        raise RuntimeUnavailable(f"{missing}; install them with: pip install 'livery[server]'") from None
    return open_engine(settings, connection)


_FACTORIES: Final[dict[str, EngineFactory]] = {
    "echo": _echo,
    "openai": _openai_compatible,
    "openai-responses": _openai_compatible,
    "open-responses": _openai_compatible,
    "ollama": _openai_compatible,
    "anyscale": _openai_compatible,
    "fireworks": _openai_compatible,
}

SUPPORTED: Final = tuple(_FACTORIES)
"""The values of ``chat.api_type`` that have an engine."""
