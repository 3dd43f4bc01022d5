"""The profiles of a registry over all sources: all of them in memory, or as many as were asked for."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from livery.core.names import Reference
from livery.core.stack import ProfileStack


class Profiles(Mapping[str, ProfileStack]):
    """The profiles of a registry over all sources, by slug. Not all of them need to be in memory."""

    @property
    @abstractmethod
    def held_names(self) -> Collection[str]:
        """The slugs of the profiles that are in memory as a whole or as a heading, whatever is asked for."""

    @property
    @abstractmethod
    def at_hand(self) -> Collection[str]:
        """The slugs of these, and of those that were asked for and kept."""

    @property
    @abstractmethod
    def held(self) -> Collection[ProfileStack]:
        """The profiles that are in memory whatever is asked for."""

    @property
    @abstractmethod
    def is_told_once(self) -> bool:
        """Whether no more than one change log tells of those that are not held."""

    @abstractmethod
    def every(self) -> Iterator[ProfileStack]:
        """All of them, each once; those that are only looked at are not kept."""

    @abstractmethod
    def names(self, *, prefix: str = "", after: str = "", limit: int | None = None) -> list[str]:
        """The slugs in order: those that begin with ``prefix``, after ``after``."""

    @abstractmethod
    def users_of(self, base: Reference) -> Iterable[ProfileStack]:
        """The held profiles that may extend another: those that do, and those of which nobody knows yet."""


class HeldProfiles(dict[str, ProfileStack], Profiles):
    """Profiles that are all in memory."""

    @property
    def held_names(self) -> Collection[str]:
        return self.keys()

    at_hand = held_names

    @property
    def is_told_once(self) -> bool:
        return True

    @property
    def held(self) -> Collection[ProfileStack]:
        return self.values()

    def every(self) -> Iterator[ProfileStack]:
        return iter(list(self.values()))

    def names(self, *, prefix: str = "", after: str = "", limit: int | None = None) -> list[str]:
        return sorted(name for name in self if name > after and name.startswith(prefix))[:limit]

    def users_of(self, base: Reference) -> Iterable[ProfileStack]:
        return [*self._users.get(base, ()), *self._deferred]

    @cached_property
    def _users(self) -> Mapping[Reference, Sequence[ProfileStack]]:
        found: dict[Reference, list[ProfileStack]] = {}
        for stack in self.values():
            for base in stack.bases if not stack.is_deferred else ():
                found.setdefault(base, []).append(stack)
        return found

    @cached_property
    def _deferred(self) -> Sequence[ProfileStack]:
        return [stack for stack in self.values() if stack.is_deferred]
