"""Keys that servers had in older files: refused, with what is written in their place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from livery.core.paths import Path

_STICKY = "unknown key 'sticky'; write strategy: stateful instead of sticky: true"
_PERSISTENT = "unknown key 'persistent'; write strategy: persistent instead of persistent: true"
_BOTH = (
    "unknown keys 'sticky' and 'persistent', which together have no equal: write strategy: stateful (sessions keep "
    "their process) or strategy: persistent (processes are never stopped, but persistent has no binding to a session)"
)
_STARTUP = (
    "unknown key 'startupStrategy'; write activationMode: on-demand instead of lazy, activationMode: always-on "
    "instead of eager"
)


def older_reasons(server: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    """Why keys of old are no longer read, and what says the same now."""
    sticky, persistent = server.get("sticky"), server.get("persistent")
    both = sticky is True and persistent is True
    if "sticky" in server:
        yield ("sticky",), _BOTH if both else _STICKY + ("; leave it out" if sticky is False else "")
    if "persistent" in server:
        yield ("persistent",), _BOTH if both else _PERSISTENT + ("; leave it out" if persistent is False else "")
    if "startupStrategy" in server:
        yield ("startupStrategy",), _STARTUP
