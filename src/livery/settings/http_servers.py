"""The address and the headers of an MCP server on the network."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from livery.core.paths import Path
from livery.core.variables import has_reference
from livery.settings.profile_store_checks import is_url

RESERVED_HEADERS = frozenset(
    (
        "content-type", "accept", "mcp-protocol-version", "mcp-session-id", "last-event-id", "host", "content-length",
        "transfer-encoding", "connection",
    )
)  # fmt: skip
"""Headers that the transport sets itself, in lower case."""

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def endpoint_reasons(endpoint: Any) -> Iterator[tuple[Path, str]]:
    """Why an ``http.endpoint`` cannot be used; one that names a variable is taken as it is."""
    path = ("http", "endpoint")
    if endpoint == "":
        yield path, "is needed: the http or https URL of the server"
    elif isinstance(endpoint, str) and not has_reference(endpoint) and not is_url(endpoint, ("http", "https")):
        yield path, "expected an http or https URL with a host and without blanks"


def header_reasons(headers: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    """Why ``http.headers`` cannot be sent; their values are never repeated."""
    seen: dict[str, str] = {}
    for name, value in headers.items():
        path, folded = ("http", "headers", name), name.strip().lower()
        if not _TOKEN.fullmatch(folded):
            yield path, "is no name of a header"
        elif folded in RESERVED_HEADERS:
            yield path, f"http.headers.{name} is reserved: the transport sets it"
        elif folded in seen:
            yield path, f"is the same header as {seen[folded]!r}; give it once"
        elif isinstance(value, str) and not value.strip():
            yield path, "a header cannot be empty"
        elif isinstance(value, str) and _CONTROL.search(value):
            yield path, "a header is one line without control characters"
        seen.setdefault(folded, name)
