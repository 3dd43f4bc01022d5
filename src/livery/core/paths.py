"""Paths of values in a runtime document, as tuples and as the dotted text that people read and write.

A settings path is written without its container (``chat.temperature``, not ``step_settings_patch.chat.temperature``);
a segment that holds anything but letters, digits and ``_@#$/:-`` is quoted (``extensions."webchat.starter@v1".items``).
"""

from __future__ import annotations

import re
from functools import lru_cache

from livery.errors import ValidationError

Path = tuple[str, ...]

SETTINGS = "step_settings_patch"
RUNTIME_FIELDS = (SETTINGS, "system_prompt", "middlewares", "tools", "servers")
KEYED_LISTS = ("middlewares", "servers")
"""Fields whose elements merge by a key; the second part of a path into them is that key."""
_TOP = frozenset((*RUNTIME_FIELDS, "extensions"))
_PLAIN = re.compile(r"[A-Za-z0-9_@#$/:-]+", re.ASCII)
_LONGEST_CACHED = 128  # nobody fills the memory with names that nobody has
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z](?:[a-rt-z]|s[a-z]))")  # baseURLs: base_urls
_SEGMENT = re.compile(r'"((?:[^"\\]|\\["\\])*)"|([^."]+)')


def text_of(path: Path) -> str:
    """The dotted text of a path; :func:`path_of` reads it back to the same path."""
    if len(path) > 1 and path[0] == SETTINGS and path[1] not in _TOP:
        path = path[1:]
    return ".".join(part if _PLAIN.fullmatch(part) else _quoted(part) for part in path)


def path_of(text: str, field: str = "path") -> Path:
    """The path that a dotted text names; what is no field of a runtime is a settings path."""
    parts: list[str] = []
    at = 0
    while True:
        match = _SEGMENT.match(text, at)
        if match is None:
            raise ValidationError(field, f"{text!r} is not a dotted path")
        quoted, plain = match.groups()
        parts.append(plain if quoted is None else re.sub(r"\\(.)", r"\1", quoted))
        at = match.end()
        if at == len(text):
            break
        if text[at] != ".":
            raise ValidationError(field, f"{text!r} is not a dotted path")
        at += 1
    return tuple(parts) if parts[0] in _TOP else (SETTINGS, *parts)


def snake_case(name: str) -> str:
    """A key as it is compared: trimmed, camelCase and ``-`` to snake_case (``systemPrompt``, ``system-prompt``)."""
    return _folded_name(name) if len(name) <= _LONGEST_CACHED else _folded_name.__wrapped__(name)


@lru_cache(maxsize=4096)
def _folded_name(name: str) -> str:
    return _HUMP.sub("_", name.strip()).replace("-", "_").lower()


def folded(path: Path) -> Path:
    """A path with every part in snake_case, for the comparison with patterns."""
    return tuple(map(snake_case, path))


def _quoted(part: str) -> str:
    return '"' + part.replace("\\", "\\\\").replace('"', '\\"') + '"'
