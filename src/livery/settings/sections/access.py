"""How providers are reached: ``client`` for every connection, ``api`` with keys, addresses and opt-ins."""

from __future__ import annotations

from typing import Annotated

from msgspec import field

from livery.settings.providers import CLAUDE_URL, GEMINI_URL, OPENAI_URL
from livery.settings.sections.setting import (
    NAMED_KEY,
    NAMED_URL,
    AtLeastOne,
    Credential,
    Section,
    key_of,
    no_entries,
    setting,
    url_of,
)

_SECTIONS = ("openai-chat", "claude-chat", "gemini-chat", "ollama-chat")


class Client(Section, frozen=True, kw_only=True):
    """The HTTP client of every provider."""

    timeout: Annotated[
        AtLeastOne,
        setting(
            "Seconds until a request is given up.",
            flag="ai-client.timeout",
            aliases=("timeout_second", "timeout_seconds"),
        ),
    ] = 60
    organization: Annotated[
        str, setting("The organization that requests are charged to.", flag="ai-client.organization")
    ] = ""
    user_agent: Annotated[str | None, setting("What the client calls itself.", flag="ai-client.user-agent")] = None
    proxy_url: Annotated[
        Credential | None,
        setting("The proxy that requests go through.", flag="ai-client.proxy-url", sensitive=True),
    ] = None
    proxy_from_environment: Annotated[
        bool,
        setting(
            "Whether the proxy variables of the process count.",
            flag="ai-client.proxy-from-environment",
            sensitive=True,
        ),
    ] = True


class Api(Section, frozen=True, kw_only=True):
    """Keys and addresses of the providers, and what a profile allows beyond https to public hosts."""

    api_keys: Annotated[
        dict[str, Annotated[Credential, setting("An API key.", secret=True)]],
        setting(
            "API keys by '<provider>-api-key'.",
            flag_patterns=tuple(f"{slug}.*-api-key" for slug in _SECTIONS),
            sensitive=True,
            propertyNames=NAMED_KEY,
            properties={
                "openai-api-key": key_of("OpenAI", flag="openai-chat.openai-api-key"),
                "claude-api-key": key_of("Anthropic", flag="claude-chat.claude-api-key"),
                "gemini-api-key": key_of("Gemini", flag="gemini-chat.gemini-api-key"),
            },
        ),
    ] = field(default_factory=no_entries)
    base_urls: Annotated[
        dict[str, Annotated[Credential, setting("Where an API is.", sensitive=True)]],
        setting(
            "Addresses by '<provider>-base-url'.",
            flag_patterns=tuple(f"{slug}.*-base-url" for slug in _SECTIONS),
            sensitive=True,
            propertyNames=NAMED_URL,
            properties={
                "openai-base-url": url_of("OpenAI", OPENAI_URL, flag="openai-chat.openai-base-url"),
                "claude-base-url": url_of("Anthropic", CLAUDE_URL, flag="claude-chat.claude-base-url"),
                "gemini-base-url": url_of("Gemini", GEMINI_URL, flag="gemini-chat.gemini-base-url"),
            },
        ),
    ] = field(default_factory=no_entries)
    allow_http: Annotated[
        dict[str, Annotated[bool, setting("Whether this provider may be reached without TLS.")]],
        setting("By provider: whether it may be reached without TLS.", sensitive=True),
    ] = field(default_factory=no_entries)
    allow_local_networks: Annotated[
        dict[str, Annotated[bool, setting("Whether this provider may be on a local network.")]],
        setting("By provider: whether it may be on this machine or in a private network.", sensitive=True),
    ] = field(default_factory=no_entries)
