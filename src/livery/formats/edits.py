"""Edits of a text that people wrote: what to set and what to remove, the same for every format."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

Path = Sequence[str | int]


class Put(NamedTuple):
    """Set the value at a path; missing mappings are created, an index one past the end of a list adds an item."""

    path: Path
    value: Any


class Drop(NamedTuple):
    """Remove the key or item at a path, if it is there."""

    path: Path


Change = Put | Drop
