"""What JSON Schema cannot say of a gateway's settings: rules between two keys, addresses, the mode of a socket."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from livery.core.paths import Path
from livery.core.variables import has_reference

Reasons = Iterator[tuple[Path, str]]

PROXY_SCHEMES = ("http", "https", "socks5", "socks5h")
_SOCKET_MODE = re.compile(r"0[oO]?[0-7]{1,3}", re.ASCII)
_HOST_AND_PORT = re.compile(r"(?:\[[^\s\[\]/]+\]|[^\s:/\[\]]*):([0-9]{1,5})", re.ASCII)


def cross_faults(settings: Mapping[str, Any]) -> list[tuple[Path, str]]:
    """Every fault that no key shows alone, as (settings path, reason).

    Only keys that are there are compared, so that one layer alone can be checked; with the defaults laid under them
    they are a whole. A text that names an environment variable is taken as it is.
    """
    found = [*_retries(settings), *_proxy(_section(settings, "proxy")), *_rpc(_section(settings, "rpc"))]
    address = _section(settings, "observability").get("listenAddress")
    if _is_plain(address) and not _is_host_and_port(str(address)):
        found.append((("observability", "listenAddress"), "expected host:port, such as 0.0.0.0:9090"))
    return found


def proxy_reason(proxy: Mapping[str, Any]) -> str | None:
    """Why the ``url`` of a proxy cannot be used with its mode, or None."""
    url = proxy.get("url")
    if proxy.get("mode") == "custom" and url == "":
        return "is needed where the proxy's mode is 'custom'"
    if _is_plain(url) and url and not is_url(url, PROXY_SCHEMES):
        return "expected an http, https, socks5 or socks5h URL with a host"
    return None


def is_url(text: str, schemes: tuple[str, ...]) -> bool:
    """Whether a text is a URL with one of the schemes and a host, and nothing in it has to be guessed."""
    if any(char.isspace() or not char.isprintable() for char in text):
        return False
    try:
        parts = urlsplit(text)
        return parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a bracket that nothing closes, a port that is none
        return False


def _section(settings: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = settings.get(name)
    return found if isinstance(found, Mapping) else {}


def _is_plain(value: Any) -> bool:
    return isinstance(value, str) and not has_reference(value)


def _retries(settings: Mapping[str, Any]) -> Reasons:
    base, longest = settings.get("serverInitRetryBaseSeconds"), settings.get("serverInitRetryMaxSeconds")
    if type(base) is int and type(longest) is int and base > longest:
        reason = f"must not exceed serverInitRetryMaxSeconds: {base} is more than {longest}"
        yield ("serverInitRetryBaseSeconds",), reason


def _proxy(proxy: Mapping[str, Any]) -> Reasons:
    reason = proxy_reason(proxy)
    if reason:
        yield ("proxy", "url"), reason


def _rpc(rpc: Mapping[str, Any]) -> Reasons:
    address, mode = rpc.get("listenAddress"), rpc.get("socketMode")
    if address == "":
        yield ("rpc", "listenAddress"), "cannot be empty; leave the key out for the default"
    elif _is_plain(address) and not _is_listen_address(str(address)):
        yield ("rpc", "listenAddress"), "expected unix:///path, tcp://host:port or host:port"
    if _is_plain(mode) and not _SOCKET_MODE.fullmatch(str(mode)):
        yield ("rpc", "socketMode"), 'expected an octal number of at most 0777 with its zero in front, such as "0660"'
    yield from _tls(_section(rpc, "tls"))
    yield from _auth(_section(rpc, "auth"))
    yield from _auth_without_encryption(rpc)


def _tls(tls: Mapping[str, Any]) -> Reasons:
    if tls.get("enabled") is not True:
        return
    for name in ("certFile", "keyFile"):
        if tls.get(name) == "":
            yield ("rpc", "tls", name), "is needed where rpc.tls.enabled is true"
    if tls.get("clientAuth") is True and tls.get("caFile") == "":
        yield ("rpc", "tls", "caFile"), "is needed where rpc.tls.clientAuth is true"


def _auth(auth: Mapping[str, Any]) -> Reasons:
    token, variable = auth.get("token"), auth.get("tokenEnv")
    if token and variable:
        yield ("rpc", "auth", "token"), "stands beside rpc.auth.tokenEnv; give one of them"
    if auth.get("enabled") is True and auth.get("mode") == "token" and token == variable == "":
        yield ("rpc", "auth", "tokenEnv"), "is needed where rpc.auth asks for a token; name the variable that holds it"


def _auth_without_encryption(rpc: Mapping[str, Any]) -> Reasons:
    """A token never travels in clear; the certificate of a client needs a connection that asks for it."""
    auth, tls, address = _section(rpc, "auth"), _section(rpc, "tls"), rpc.get("listenAddress")
    if auth.get("enabled") is not True or "enabled" not in tls:
        return
    remote = _is_plain(address) and not str(address).startswith("unix:")
    if auth.get("mode") == "token" and remote and tls["enabled"] is False:
        yield ("rpc", "auth", "enabled"), "sends the token in clear; set rpc.tls.enabled or listen on unix:///path"
    if auth.get("mode") == "mtls" and (tls["enabled"] is False or tls.get("clientAuth") is False):
        yield ("rpc", "auth", "mode"), "'mtls' needs rpc.tls.enabled and rpc.tls.clientAuth"


def _is_listen_address(address: str) -> bool:
    if address.startswith("unix:"):
        return bool(address.removeprefix("unix:").removeprefix("//").strip())
    return _is_host_and_port(address.removeprefix("tcp://"))


def _is_host_and_port(address: str) -> bool:
    found = _HOST_AND_PORT.fullmatch(address)
    return found is not None and int(found[1]) <= 65535
