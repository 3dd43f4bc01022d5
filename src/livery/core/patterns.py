"""Patterns of a policy's lists: an exact path and what is beneath it (``chat.temperature``), ``chat.*``, or ``*``."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from livery.core.paths import RUNTIME_FIELDS, Path, folded, path_of, snake_case
from livery.errors import ValidationError


@lru_cache(maxsize=1024)
def pattern(text: str) -> tuple[Path, bool]:
    """A pattern as the folded path that it covers, and whether it ends in ``*``."""
    text = text.strip()
    if text == "*":
        return (), True
    head, dot, rest = text.removesuffix(".*").partition(".")
    top = snake_case(head) if snake_case(head) in (*RUNTIME_FIELDS, "extensions") else head
    path = folded(path_of(top + dot + rest))
    if any("*" in part for part in path):
        raise ValidationError("path", f"{text!r} is no pattern; write an exact path, 'section.*' or '*'")
    return path, text.endswith(".*")


def covering(patterns: Iterable[str], path: Path) -> str | None:
    """The first pattern that covers a folded path."""
    for text in patterns:
        prefix, _ = pattern(text)
        if path[: len(prefix)] == prefix:
            return text
    return None


def overlapping(patterns: Iterable[str], path: Path) -> str | None:
    """The first pattern that covers a folded path or something beneath it."""
    for text in patterns:
        prefix, _ = pattern(text)
        shorter = min(len(prefix), len(path))
        if prefix[:shorter] == path[:shorter]:
            return text
    return None
