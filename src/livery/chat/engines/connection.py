"""How a provider is reached: address, key, proxy and patience of one profile, with its secrets read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from livery.errors import RuntimeUnavailable
from livery.secrets import expand_secrets
from livery.settings import StepSettings, check_outbound_url, endpoint_of


@dataclass(frozen=True, kw_only=True)
class Connection:
    """One provider as a profile reaches it; what is secret, or may hold a secret, is not printed.

    The ``…_field`` entries are the settings paths to name where something is wrong. ``timeout_s`` limits every
    single wait: to connect, for the first piece of the answer, and from each piece to the next.
    """

    api_type: str
    base_url: str = field(repr=False)
    base_url_field: str
    key: str | None = field(repr=False)
    key_field: str
    timeout_s: int
    organization: str = field(repr=False)
    user_agent: str | None
    proxy_url: str | None = field(repr=False)
    proxy_from_environment: bool

    @property
    def origin(self) -> str:
        """Scheme, host and port of the address: all of it that messages show."""
        parts = urlsplit(self.base_url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def host(self) -> str:
        return urlsplit(self.base_url).hostname or ""

    def scrub(self, text: str) -> str:
        """A text without the secrets of this connection."""
        for secret in sorted(filter(None, self._secrets()), key=len, reverse=True):
            text = text.replace(secret, "***")
        return text

    def _secrets(self) -> list[str | None]:
        proxy = urlsplit(self.proxy_url or "")
        password = proxy.password and unquote(proxy.password)
        return [self.key, self.proxy_url, proxy.password, password]


def connection_of(
    settings: Mapping[str, Any], typed: StepSettings, environ: Mapping[str, str], *, profile: str
) -> Connection:
    """The connection of effective settings; ``profile`` is how messages call their owner.

    SecretUnavailable where a secret cannot be read, RuntimeUnavailable where what was read cannot be used.
    """
    endpoint = endpoint_of(settings, typed.chat.api_type)
    connection = Connection(
        api_type=typed.chat.api_type,
        base_url=expand_secrets(endpoint.base_url, environ, field=endpoint.base_url_field),
        base_url_field=endpoint.base_url_field,
        key=expand_secrets(endpoint.key, environ, field=endpoint.key_field) or None,
        key_field=endpoint.key_field,
        timeout_s=typed.client.timeout,
        organization=typed.client.organization,
        user_agent=typed.client.user_agent,
        proxy_url=expand_secrets(settings.get("client", {}).get("proxy_url"), environ, field="client.proxy_url")
        or None,
        proxy_from_environment=typed.client.proxy_from_environment,
    )
    for name, reason in _faults(connection, typed):
        raise RuntimeUnavailable(f"{profile} cannot run: {name}: {reason}")
    return connection


def _faults(connection: Connection, typed: StepSettings) -> list[tuple[str, str]]:
    refused = check_outbound_url(
        connection.base_url, connection.api_type, typed.api.allow_http, typed.api.allow_local_networks
    )
    found = [(connection.base_url_field, refused)] if refused else []
    for name, value in (
        (connection.key_field, connection.key),
        ("client.organization", connection.organization),
        ("client.user_agent", connection.user_agent),
    ):
        if value and not (value.isascii() and value.isprintable() and value == value.strip()):
            found.append((name, "holds characters that no HTTP header can carry, or spaces around it"))
    if connection.proxy_url and not _is_proxy(connection.proxy_url):
        found.append(("client.proxy_url", "is no proxy; write http://host:port or https://host:port"))
    return found


def _is_proxy(url: str) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises for a port out of range
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)
