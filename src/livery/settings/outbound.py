"""Where a profile may send requests: https to public hosts, anything else only where it opts in by provider.

A host is judged as the network stack will read it: ``http://2130706433/`` and ``http://[::ffff:127.0.0.1]/``
are this machine. Names are not looked up here, so a public name that leads to a private address is not seen.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Final, NamedTuple
from urllib.parse import SplitResult, urlsplit

from livery.settings.providers import names_of

_LOCAL_NAMES: Final = ("localhost", "local", "localdomain", "internal", "home.arpa")
_NUMBER: Final = re.compile(r"0[xX][0-9a-fA-F]*|[0-9]+", re.ASCII)
_NAME: Final = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*", re.ASCII)
_UNSAFE: Final = re.compile(r"[\x00-\x20\x7f\\]")


def check_outbound_url(
    url: str, provider: str, allow_http: Mapping[str, bool], allow_local_networks: Mapping[str, bool]
) -> str | None:
    """Why requests to the URL are refused, with what would allow them; None where they are allowed.

    The maps are ``api.allow_http`` and ``api.allow_local_networks``, by provider.
    """
    if _UNSAFE.search(url):
        return "is no URL: it holds spaces, control characters or backslashes"
    try:
        parts = urlsplit(url)
        host = _host(parts)
    except ValueError as error:
        return f"is no URL: {error}"
    if parts.scheme not in ("https", "http"):
        return f"has the scheme {parts.scheme!r}; only https and http are used"
    if "@" in parts.netloc:
        return "holds user information; put the key into api.api_keys"
    if host.never:
        return f"leads to {host.name}, which is no address of a server"
    if parts.scheme == "http" and not _opted_in(allow_http, provider, "allow-http"):
        return f"is not https; set api.allow_http.{provider} to allow it"
    if host.local and not _opted_in(allow_local_networks, provider, "allow-local-networks"):
        return f"leads to the local network ({host.name}); set api.allow_local_networks.{provider} to allow it"
    return None


def _opted_in(allowed: Mapping[str, bool], provider: str, suffix: str) -> bool:
    """Whether a profile opts in for a provider; the first of its names that has an entry decides."""
    keys = [key for name in names_of(provider) for key in (name, f"{name}-{suffix}")]
    return next((allowed[key] is True for key in keys if key in allowed), False)


def is_loopback(url: str) -> bool:
    """Whether a URL leads to this very machine."""
    try:
        host = _host(urlsplit(url))
    except ValueError:
        return False
    return host.loopback


class _Host(NamedTuple):
    name: str
    local: bool = False
    loopback: bool = False
    never: bool = False


def _host(parts: SplitResult) -> _Host:
    """The host of a URL as it will be reached; ValueError where it has none that can be read."""
    _ = parts.port  # raises for a port out of range
    name = (parts.hostname or "").lower()
    if not name.isascii():  # full-width digits and ideographic full stops are folded before the address is read
        name = name.encode("idna").decode("ascii").lower()
    name = name.removesuffix(".")
    if not name:
        raise ValueError("it names no host")
    if "[" in parts.netloc:
        return _ipv6_host(name)
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no host")
    if _NUMBER.fullmatch(name.rpartition(".")[2]):
        return _ipv4_host(name)
    local = any(name == known or name.endswith(f".{known}") for known in _LOCAL_NAMES)
    return _Host(name, local=local, loopback=name == "localhost" or name.endswith(".localhost"))


def _ipv4_host(name: str) -> _Host:
    address = _ipv4(name)
    host = _judged(name, address)
    return host if str(address) == name else host._replace(local=True)  # a spelling that hides the address


def _ipv4(name: str) -> ipaddress.IPv4Address:
    """The address in any spelling that ``inet_aton`` reads: decimal, hex or octal, one to four numbers."""
    numbers = [_number(part) for part in name.split(".")]
    *heads, last = numbers
    if len(numbers) > 4 or any(head > 255 for head in heads) or last >= 256 ** (4 - len(heads)):
        raise ValueError(f"{name!r} is no IP address")
    value = last
    for place, head in enumerate(heads):
        value += head << 8 * (3 - place)
    return ipaddress.IPv4Address(value)


def _number(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{text!r} is no part of an IP address")
    if text[:2] in ("0x", "0X"):
        return int(text[2:] or "0", 16)
    return int(text, 8 if text.startswith("0") and text != "0" else 10)


def _ipv6_host(name: str) -> _Host:
    bare, _, zone = name.partition("%")
    address = ipaddress.IPv6Address(bare)
    host = _judged(name, address)
    carried = _carried(address)
    if carried is not None:
        inner = _judged(name, carried)
        host = _Host(name, local=True, loopback=inner.loopback, never=host.never or inner.never)
    return host._replace(local=True) if zone or address.is_reserved or address.is_site_local else host


def _carried(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address inside an IPv6 one: mapped, translated or tunnelled."""
    if address.ipv4_mapped is not None or address.sixtofour is not None:
        return address.ipv4_mapped or address.sixtofour
    value = int(address)
    if value >> 32 in (0, 0x0064_FF9B << 64) and value > 1:  # ::a.b.c.d and the translation prefix 64:ff9b::/96
        return ipaddress.IPv4Address(value & 0xFFFF_FFFF)
    return None


def _judged(name: str, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> _Host:
    never = address.is_unspecified or address.is_multicast or str(address) == "255.255.255.255"
    return _Host(name, local=not address.is_global, loopback=address.is_loopback, never=never)
