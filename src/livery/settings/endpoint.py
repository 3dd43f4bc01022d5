"""Where the requests of a profile go, and with which key: its own entries, else what the provider has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from livery.settings.outbound import is_loopback
from livery.settings.providers import PROVIDERS, Provider

Use = Literal["chat", "embeddings"]


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """The address and the key of one provider, as they stand: text, a reference ``{$secret: …}``, or None.

    The fields are the settings paths where they stand, or where they would have to be set.
    """

    provider: Provider
    base_url: Any
    base_url_field: str
    key: Any
    key_field: str

    @property
    def needs_key(self) -> bool:
        """Whether requests need a key; other makers' servers on this machine take them without."""
        local = isinstance(self.base_url, str) and is_loopback(self.base_url)
        return self.provider.needs_key and not (self.provider.openai_compatible and local)


def endpoint_of(settings: Mapping[str, Any], api_type: str, use: Use = "chat") -> Endpoint:
    """The endpoint of a provider in :data:`~livery.settings.providers.PROVIDERS`, for chat or for embeddings.

    Entries of the section that uses it go before those of ``api``; an address that is the vendor's own never
    hides one that somebody chose.
    """
    provider = PROVIDERS[api_type]
    key_field, key = _entry(settings, use, "api_keys", provider, "api-key")
    url_field, url = _entry(settings, use, "base_urls", provider, "base-url", default=provider.base_url)
    return Endpoint(
        provider=provider,
        base_url=url if url is not None else provider.base_url,
        base_url_field=url_field,
        key=key,
        key_field=key_field,
    )


def _entry(
    settings: Mapping[str, Any], use: Use, map_name: str, provider: Provider, suffix: str, default: Any = None
) -> tuple[str, Any]:
    """The first entry that is set and not the default, with its path; else where to set one, and None."""
    keys = [f"{name}-{suffix}" for name in provider.names]
    for section in (use, "api"):
        entries = mapping_at(settings, section, map_name)
        for key in keys:
            if entries.get(key) not in (None, "", default):
                return f"{section}.{map_name}.{key}", entries[key]
    return f"api.{map_name}.{keys[-1]}" if keys else f"api.{map_name}", None


def mapping_at(settings: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    """The mapping at a path of settings; empty where there is none."""
    found: Any = settings
    for part in path:
        found = found.get(part) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}
