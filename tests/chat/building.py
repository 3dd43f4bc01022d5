"""Resolved profiles for chat tests, made as the product makes them: a store, asked through the service."""

from __future__ import annotations

from collections.abc import AsyncIterable
from typing import Any

from livery.chat.engines import TextDelta
from livery.chat.oneshot import AnswerEvent
from livery.core.profile import Profile, Registry, ResolveInput, RuntimeSpec
from livery.core.resolved import ResolvedProfile
from livery.service import RegistryService
from livery.settings import schema_named
from livery.stores.chain import Chain, Source
from livery.stores.memory import MemoryStore
from livery.stores.urls import parse_source

CANARY = "sk-canary-7f3a9d"
ENVIRON = {"PROVIDER_KEY": CANARY}


def resolved_profile(settings: dict[str, Any], *, prompt: str = "", schema: str = "ai") -> ResolvedProfile:
    """The profile ``team/coder`` with these settings, written ``{"chat.engine": "m"}``."""
    runtime = RuntimeSpec(step_settings_patch=nested(settings), system_prompt=prompt)
    coder = Profile(slug="coder", registry="team", runtime=runtime)
    registry = Registry(slug="team", settings_schema=schema, profiles={"coder": coder})
    source = Source(parse_source("memory:"), MemoryStore([registry]))
    service = RegistryService(Chain([source], schema_named), schema_named)
    return service.resolve_effective_profile(ResolveInput(profile_slug="coder"))


def openai_profile(
    url: str, settings: dict[str, Any] | None = None, *, api_type: str = "openai", prompt: str = ""
) -> ResolvedProfile:
    """A profile for a server on this machine, its key a reference to ``PROVIDER_KEY``."""
    usual = {
        "chat.api_type": api_type,
        "chat.engine": "tiny-1",
        "api.api_keys": {f"{api_type}-api-key": {"$secret": "env:PROVIDER_KEY"}},
        "api.base_urls": {f"{api_type}-base-url": url},
        "api.allow_http": {api_type: True},
        "api.allow_local_networks": {api_type: True},
    }
    return resolved_profile({**usual, **(settings or {})}, prompt=prompt)


def nested(settings: dict[str, Any]) -> dict[str, Any]:
    sections: dict[str, Any] = {}
    for path, value in settings.items():
        section, _, field = path.partition(".")
        sections.setdefault(section, {})[field] = value
    return sections


async def text_of(events: AsyncIterable[AnswerEvent]) -> str:
    return "".join([event.text async for event in events if isinstance(event, TextDelta)])
