"""What a store can do, by capability: a read-only one has no ``save``. The service is the only caller of stores."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol, runtime_checkable

from livery.core.names import Reference
from livery.core.profile import Profile, Registry
from livery.errors import Fault, LiveryError, Place


class WriteOptions(NamedTuple):
    """The circumstances of one write.

    ``expected_version`` None does not check, 0 demands that nothing is there. ``floor`` is a version that the new one
    must be above: that of a lower source's profile which the write is laid over. ``like`` is a profile of the same
    registry that a new one is a copy of: where its text is kept, the new one begins with that, comments included.
    Times are UTC epoch milliseconds.
    """

    expected_version: int | None = None
    actor: str = ""
    source: str = ""
    request_id: str = ""
    at_ms: int = 0
    floor: int = 0
    like: str = ""


class BrokenItem(NamedTuple):
    """A registry (``profile`` empty) or a profile that is there and cannot be used, and why."""

    registry: str
    profile: str
    error: LiveryError


class Field(NamedTuple):
    """A field of a stored document; ``profile`` empty: of the registry itself. E.g. ``runtime.system_prompt``."""

    registry: str
    profile: str
    field: str


class Notice(NamedTuple):
    """What deserves a warning about a registry (``profile`` empty) or a profile that can be used all the same.

    ``blocking`` is an error that has to be mended, though nothing that can be used needs it: an entry without a name.
    """

    registry: str
    profile: str
    fault: Fault
    blocking: bool = False


class Loaded(NamedTuple):
    """All that a store holds: registries with their sound profiles, and what is broken; ``token`` names this state.

    Where ``read`` is given, the profiles are headings alone (slug, names, description, version, times, tags) and it
    gives the whole of one, by registry and slug, when it is first needed; SourceNotFound or a ValidationError where
    that one is missing or broken. ``bases`` then gives, for a registry, what its profiles extend, as far as they say so
    and can be read: quicker than to read them all. ``remarks`` gives what deserves a warning in one of them.
    """

    registries: tuple[Registry, ...]
    broken: tuple[BrokenItem, ...] = ()
    token: str = ""
    notices: tuple[Notice, ...] = ()
    read: Callable[[str, str], Profile] | None = None
    bases: Callable[[str], Mapping[str, tuple[Reference, ...]]] | None = None
    remarks: Callable[[str, str], Sequence[Fault]] | None = None


@runtime_checkable
class ProfileStore(Protocol):
    """A place that registries are read from. Opening and reading one never creates or changes anything.

    The one exception is an index that can be made anew from what it is an index of.
    """

    kind: str
    url: str
    """Where it is, credentials masked: what people see as the source of a value."""
    writable: bool
    advice: str
    """What would make it writable, where it is not and something would; else empty."""

    def load_registries(self) -> Loaded:
        """Everything in the store; SourceNotFound or SourceUnavailable where it cannot be read."""

    def get_profile(self, registry: str, slug: str) -> Profile | None:
        """One profile as it is stored now."""

    def changes(self, since: str) -> str:
        """The token of the present state: equal to ``since`` where nothing has changed."""

    def places(self, wanted: Sequence[Field], token: str) -> list[Place | None]:
        """The file and line of each wanted field, where there is a file and it is still in the state of the token."""

    def watched(self) -> Sequence[Path]:
        """The files and directories (with what lies directly in them) whose changes may be changes of this store.

        Some may not exist, and links count as they stand. Empty where there is nothing to watch.
        """

    def close(self) -> None:
        """Let go of everything; closing twice is fine, any other call after it is an error."""


@runtime_checkable
class WritableProfileStore(ProfileStore, Protocol):
    """A store that is written. Each write is a compare-and-swap: VersionConflict writes nothing.

    A write raises the version by one; ``created_*`` never change; a deleted and recreated item goes on counting.
    """

    def demand_room(self, item: Profile | Registry) -> None:
        """Unsupported where a document says something that the layout has no place for; nothing is read or written."""

    def save_registry(self, registry: Registry, options: WriteOptions) -> Registry:
        """Store the registry-level fields and give back what is stored; only a new registry brings profiles along."""

    def save_profile(self, profile: Profile, options: WriteOptions) -> Profile:
        """Store a profile and give back what is stored; RegistryNotFound where its registry is not there."""

    def delete_profile(self, reference: Reference, options: WriteOptions) -> None:
        """Remove a profile; ProfileNotFound where it is not there."""

    def delete_registry(self, slug: str, options: WriteOptions) -> None:
        """Remove a registry with its profiles; RegistryNotFound where it is not there."""


@runtime_checkable
class ActiveProfileStore(ProfileStore, Protocol):
    """A store that keeps a pointer of its own to the profile in use, beside its profiles."""

    def active_profile(self) -> Reference | None:
        """The profile of the last :meth:`use_profile`; None where there was none."""

    def use_profile(self, reference: Reference, options: WriteOptions) -> None:
        """Make a profile the active one. The last ten are remembered; the profile itself does not change."""

    def follow_rename(self, old: Reference, new: Reference, options: WriteOptions) -> None:
        """Let the pointer, and what it remembers, follow a profile to its new name; both are there."""

    def use_previous_profile(self, options: WriteOptions) -> Reference | None:
        """Go back to the profile that was active before and give it back; None where there was none."""
