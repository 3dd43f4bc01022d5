"""Where a document says ``{"$redacted": true}``: a value that is there and was not told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from livery.core.values import REDACTED


def redacted_fields(document: Any, field: str = "") -> Iterator[str]:
    """The fields of a document that are redacted, as faults name them: ``runtime.servers[0].env.TOKEN``."""
    if isinstance(document, Mapping):
        if document == REDACTED:
            yield field
            return
        for key, value in document.items():
            yield from redacted_fields(value, f"{field}.{key}" if field else str(key))
    elif isinstance(document, list):
        for position, value in enumerate(document):
            yield from redacted_fields(value, f"{field}[{position}]")
