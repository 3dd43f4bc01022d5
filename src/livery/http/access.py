"""Who may ask: the rules of a server without tokens, and the layer that holds every request to them.

A page of another site must neither write here nor read through a name that it has pointed at this machine (DNS
rebinding). So the name that a request was sent to has to be one of this server's, and a request that a browser made
for a page has to come from a page of this server.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from livery.errors import Forbidden, LiveryError, UsageError

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}


class Access(NamedTuple):
    """The rules of one server; ``any_host`` leaves the name in Host unchecked, which only a closed network may do."""

    any_host: bool = False
    hosts: frozenset[str] = frozenset()
    """Names that are this server's beside those of the loopback interface."""


LOOPBACK = Access()


def access_of(host: str, *, insecure: bool = False, hosts: Iterable[str] = ()) -> Access:
    """The rules of a server that listens on ``host``; UsageError where it would be open to others by accident."""
    if insecure:
        return Access(any_host=True)
    if not is_loopback(host):
        raise UsageError(
            f"{host or 'every address'} can be reached from other machines, and nobody has to sign in: whoever gets"
            " there could read every profile. Listen on 127.0.0.1 and put a proxy with a login in front of it, or"
            " say --insecure where the network itself is closed."
        )
    return Access(hosts=frozenset(name.lower() for name in hosts))


def is_loopback(host: str) -> bool:
    """Whether a name or address can only mean this machine."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Guard:
    """Lets a request through that keeps the rules; for the others the error goes up to who answers."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self.app = app
        self.access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        error = refusal(scope["headers"], self.access) if scope["type"] in ("http", "websocket") else None
        if error is None:
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            raise error
        else:
            await send({"type": "websocket.close", "code": 1008, "reason": error.code})


def refusal(headers: Sequence[tuple[bytes, bytes]], access: Access) -> LiveryError | None:
    """Why a request with these headers is turned away, or None."""
    hosts = [value.decode("latin-1") for name, value in headers if name == b"host"]
    origins = [value.decode("latin-1") for name, value in headers if name == b"origin"]
    if len(hosts) != 1 or _split(f"//{hosts[0]}") is None:
        return UsageError("a request needs exactly one Host header, with a name or address in it")
    if not access.any_host and not _is_ours(hosts[0], access):
        names = ", ".join(["localhost", "127.0.0.1", *sorted(access.hosts)])
        return Forbidden(f"this server answers to {names}, and not to {hosts[0][:200]!r}")
    if any(not _same_place(origin, hosts[0]) for origin in origins):
        return Forbidden(f"this request was made for a page of another site ({origins[0][:200]!r})")
    return None


class _Place(NamedTuple):
    name: str
    port: int | None


def _split(url: str) -> _Place | None:
    """The host and port of a URL, or None where it has none or is no URL at all."""
    try:
        parts = urlsplit(url)
        if not parts.hostname or parts.username is not None or parts.path not in ("", "/"):
            return None
        return _Place(parts.hostname.lower(), parts.port or _DEFAULT_PORTS.get(parts.scheme))
    except ValueError:
        return None


def _is_ours(host: str, access: Access) -> bool:
    place = _split(f"//{host}")
    return place is not None and (is_loopback(place.name) or place.name in access.hosts)


def _same_place(origin: str, host: str) -> bool:
    """Whether an origin (``scheme://host:port``, ``null``) is the one that a request with this Host was sent to."""
    scheme = origin.partition("://")[0].lower()
    place = _split(origin)
    return place is not None and scheme in _DEFAULT_PORTS and place == _split(f"{scheme}://{host}")
