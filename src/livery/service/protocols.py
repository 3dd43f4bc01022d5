"""What can be asked of registries and what can be changed: the method names that every door uses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from livery.core.diff import Difference
from livery.core.explain import Explained
from livery.core.names import Reference
from livery.core.profile import Profile, Registry, ResolveInput
from livery.core.resolved import ResolvedProfile
from livery.stores.protocols import Event, EventQuery, WriteOptions

NO_OPTIONS = WriteOptions()


class RegistrySummary(NamedTuple):
    """One registry in a list."""

    slug: str
    display_name: str
    default_profile: str
    profile_count: int
    version: int
    sources: tuple[str, ...]
    writable: bool
    is_default: bool


class ProfileSummary(NamedTuple):
    """One profile in a list; ``error`` is why it cannot be used, empty where it can."""

    slug: str
    registry: str
    display_name: str
    description: str
    read_only: bool
    version: int
    source: str
    tags: tuple[str, ...]
    is_default: bool
    updated_at_ms: int
    last_applied_at_ms: int
    error: str = ""


class RegistryReader(Protocol):
    """What can be asked. ``registry`` None is the default registry."""

    def list_registries(self) -> list[RegistrySummary]:
        """Every registry, by slug."""

    def get_registry(self, slug: str | None = None) -> Registry:
        """One registry as seen over all sources, with the merged documents of its profiles."""

    def list_profiles(
        self,
        registry: str | None = None,
        *,
        words: str = "",
        tags: Sequence[str] = (),
        after: Reference | None = None,
        limit: int | None = None,
    ) -> list[ProfileSummary]:
        """The profiles of a registry by slug, broken ones too; ``*`` is every registry.

        Each of ``words`` has to be in the names, the description or the tags of a profile, whatever its case, and each
        tag among its tags. With ``limit`` it is one page: the first so many after the profile ``after``. A page costs
        the same wherever it begins.
        """

    def get_profile(self, registry: str | None, slug: str) -> Profile:
        """The merged stored document of a profile: what was written, not what it resolves to."""

    def resolve_effective_profile(self, request: ResolveInput) -> ResolvedProfile:
        """The effective runtime."""

    def explain(self, request: ResolveInput) -> list[Explained]:
        """Every leaf of the same resolution with its origin, its losers, the rule, and lines of files."""


class RegistryWriter(Protocol):
    """What can be changed. Options carry the expected version (of what is changed) and who asks.

    Writes never search: ``registry`` None is the default registry. Each gives back the merged document after the write.
    VersionConflict, AlreadyExists, StillReferenced, ProfileReadOnly, SourceReadOnly and what validation finds are
    raised before anything is written.
    """

    def create_profile(
        self, registry: str | None, document: Mapping[str, Any], options: WriteOptions = NO_OPTIONS
    ) -> Profile:
        """A new profile from its document, which names its slug."""

    def update_profile(
        self, registry: str | None, slug: str, patch: Mapping[str, Any], options: WriteOptions = NO_OPTIONS
    ) -> Profile:
        """A JSON Merge Patch of the writer's layer of a profile."""

    def replace_profile(
        self, registry: str | None, slug: str, document: Mapping[str, Any], options: WriteOptions = NO_OPTIONS
    ) -> Profile:
        """The writer's layer of a profile as a whole."""

    def delete_profile(
        self, registry: str | None, slug: str, options: WriteOptions = NO_OPTIONS, *, revert: bool = False
    ) -> Profile | None:
        """Remove the writer's layer; with ``revert`` what the lower sources hold comes back and is returned."""

    def rename_profile(
        self, registry: str | None, slug: str, new_slug: str, options: WriteOptions = NO_OPTIONS
    ) -> Profile:
        """The profile under another name; bases, callers and the default that name it follow."""

    def copy_profile(
        self, registry: str | None, slug: str, new_slug: str, options: WriteOptions = NO_OPTIONS
    ) -> Profile:
        """A new profile with the merged document of another."""

    def set_default_profile(self, registry: str | None, slug: str, options: WriteOptions = NO_OPTIONS) -> Registry:
        """The registry with another default; the expected version is the registry's."""

    def create_registry(self, document: Mapping[str, Any], options: WriteOptions = NO_OPTIONS) -> Registry:
        """A new registry; a document with profiles brings them along."""

    def update_registry(self, slug: str, patch: Mapping[str, Any], options: WriteOptions = NO_OPTIONS) -> Registry:
        """A JSON Merge Patch of the writer's layer of the registry-level fields."""

    def delete_registry(self, slug: str, options: WriteOptions = NO_OPTIONS) -> None:
        """Remove a registry with its profiles from the writer."""


class RegistryHistory(Protocol):
    """What was. Unsupported where the source that is written keeps no history; files do not."""

    def history(self, registry: str | None, slug: str = "", *, limit: int = 50, before: int = 0) -> list[Event]:
        """The changes of a profile, or (without ``slug``) of a registry's own fields, newest first.

        ``before`` is the ``seq`` of the last one of the page before. What was deleted has a history too.
        """

    def profile_revision(self, registry: str | None, slug: str, version: int) -> Profile:
        """A profile as the written source had it in a version; ProfileNotFound says which versions there are."""

    def profile_diff(
        self, registry: str | None, slug: str, from_version: int, to_version: int | None = None
    ) -> list[Difference]:
        """What differs between two versions of a profile (None: as it is now), secrets hidden."""

    def rollback_profile(
        self, registry: str | None, slug: str, to_version: int, options: WriteOptions = NO_OPTIONS
    ) -> Profile:
        """A new version with the content of an old one, checked like any write; a deleted profile comes back.

        Nothing is written where the content is the present one.
        """

    def rollback_registry(self, slug: str, to_version: int, options: WriteOptions = NO_OPTIONS) -> Registry:
        """The same for the registry-level fields; profiles stay, and come back with a registry that was deleted."""

    def events(self, query: EventQuery) -> list[Event]:
        """The audit: who wrote what to the source that is written. Of files, what was written through Livery."""

    def resolve_at(self, request: ResolveInput, at_ms: int) -> ResolvedProfile:
        """What a request would have been answered at a time; a warning names each source without history."""

    def explain_at(self, request: ResolveInput, at_ms: int) -> list[Explained]:
        """Every leaf of the same resolution with its origin."""


class Registries(RegistryReader, RegistryWriter, RegistryHistory, Protocol):
    """All of it."""
