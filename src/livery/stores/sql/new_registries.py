"""The registries that a transaction has made: nobody else can put a profile into one before the end.

Of a profile that was not written yet nothing has to be asked then; a large import takes half the time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from livery.core.names import Reference


class _New(NamedTuple):
    last: Mapping[str, int]
    written: set[str]


class NewRegistries:
    """What is known of their profiles."""

    def __init__(self) -> None:
        self._by_slug: dict[str, _New] = {}

    def add(self, slug: str, last: Mapping[str, int]) -> None:
        """A registry was made; ``last`` are the last versions that there ever were of its profiles."""
        self._by_slug[slug] = _New(last, set())

    def discard(self, slug: str) -> None:
        self._by_slug.pop(slug, None)

    def last_of_unwritten(self, reference: Reference) -> int | None:
        """The last version that there ever was of a profile that is not there; None where somebody has to look."""
        new = self._by_slug.get(reference.registry)
        if new is None or reference.profile in new.written:
            return None
        return new.last.get(reference.profile, 0)

    def note_written(self, reference: Reference) -> None:
        if new := self._by_slug.get(reference.registry):
            new.written.add(reference.profile)
