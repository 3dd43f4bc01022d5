"""Which providers a profile can name, and under which names their keys, base URLs and opt-ins stand."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

Protocol = Literal["openai", "openai-responses", "anthropic", "google", "none"]

OPENAI_URL: Final = "https://api.openai.com/v1"
CLAUDE_URL: Final = "https://api.anthropic.com"
GEMINI_URL: Final = "https://generativelanguage.googleapis.com/"
OLLAMA_URL: Final = "http://localhost:11434/v1"


class Provider(msgspec.Struct, frozen=True):
    """One value of ``chat.api_type``.

    ``names`` are the prefixes of its entries in ``api.api_keys``, ``api.base_urls`` and of the opt-ins, the
    first one found counts and the last is the usual one; ``base_url`` is the vendor's own, None where the
    profile must give one.
    """

    names: tuple[str, ...]
    protocol: Protocol
    base_url: str | None = None
    needs_key: bool = True

    @property
    def openai_compatible(self) -> bool:
        """Whether servers of other makers speak its protocol too."""
        return self.protocol in ("openai", "openai-responses")


_RESPONSES = Provider(("open-responses", "openai-responses", "openai"), "openai-responses", OPENAI_URL)
_CLAUDE = Provider(("anthropic", "claude"), "anthropic", CLAUDE_URL)

PROVIDERS: Final[dict[str, Provider]] = {
    "openai": Provider(("openai",), "openai", OPENAI_URL),
    "open-responses": _RESPONSES,
    "openai-responses": _RESPONSES,
    "claude": _CLAUDE,
    "anthropic": _CLAUDE,
    "gemini": Provider(("gemini",), "google", GEMINI_URL),
    "ollama": Provider(("ollama",), "openai", OLLAMA_URL, needs_key=False),
    "anyscale": Provider(("anyscale",), "openai"),
    "fireworks": Provider(("fireworks",), "openai"),
    "echo": Provider((), "none", needs_key=False),
}


def provider_of(api_type: object) -> Provider | None:
    """The provider of a ``chat.api_type``; None for one that is not supported."""
    return PROVIDERS.get(api_type) if isinstance(api_type, str) else None


def names_of(provider: str) -> tuple[str, ...]:
    """The names under which a provider's entries stand; its own name where it is not in the table."""
    known = PROVIDERS.get(provider)
    return known.names if known else (provider,)
