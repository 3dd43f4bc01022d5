"""Environment variables that texts name: ``${NAME}``, ``$NAME``, ``${NAME:-default}``; ``$$`` is a dollar sign.

Here they are only found; their values are put in where a server or an engine is started. A ``$`` before anything else
(``$5``, ``$(date)``) is the character itself, ``${`` that no name and ``}`` follow cannot be read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

_NAME = "[A-Za-z_][A-Za-z0-9_]*"
NAMED = rf"(?:^|[^$])(?:\$\$)*\$(?:{_NAME}|\{{{_NAME}(?::-[^}}]*)?\}})"
"""What a text that names a variable matches, for a JSON Schema."""
_DOLLAR = re.compile(
    rf"\$(?:(?P<escaped>\$)"
    rf"|\{{(?P<braced>{_NAME})(?::-(?P<default>(?:[^$}}]|\$(?!\{{))*+))?\}}"  # a default is plain text, never nested
    rf"|(?P<bare>{_NAME})"
    r"|(?P<open>\{))",
    re.ASCII,
)


def has_reference(text: str) -> bool:
    """Whether a text names a variable."""
    return "$" in text and any(True for _ in _names(text))


def is_unreadable(text: str) -> bool:
    """Whether a text has ``${`` without a name and ``}``."""
    return "${" in text and any(found["open"] for found in _DOLLAR.finditer(text))


def substituted(text: str, value_of: Callable[[str, str | None], str]) -> str:
    """The text with ``value_of(name, default)`` for each variable, ``$`` for ``$$``, and the rest as it is."""

    def put(found: re.Match[str]) -> str:
        name = found["braced"] or found["bare"]
        if name:
            return value_of(name, found["default"])
        return "$" if found["escaped"] else found[0]

    return _DOLLAR.sub(put, text) if "$" in text else text


def _names(text: str) -> Iterator[str]:
    for found in _DOLLAR.finditer(text):
        name = found["braced"] or found["bare"]
        if name:
            yield name
