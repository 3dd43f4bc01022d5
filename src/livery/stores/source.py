"""One source of a chain: what was read of it last, and what is known of its health."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from livery.core.profile import Registry
from livery.errors import LiveryError, SourceNotFound, SourceReadOnly, SourceUnavailable, ValidationError
from livery.stores.protocols import BrokenItem, Loaded, ProfileStore
from livery.stores.urls import SourceURL

Item = tuple[str, str]
"""A registry and a profile of it; an empty profile is the registry itself."""


class Source:
    """A store and its last good state.

    ``error`` is why it could not be read the last time, ``stale_items`` are items that were broken since and are served
    as they were before, ``stale_since_ms`` is since when anything older than the source is served. ``is_trusted`` is
    asked about the token of a content before that takes part.
    """

    def __init__(
        self,
        url: SourceURL,
        store: ProfileStore | None,
        error: LiveryError | None = None,
        *,
        is_trusted: Callable[[str], bool] | None = None,
    ) -> None:
        self.url = url
        self.store = store
        self.error = error
        self.loaded = Loaded(())
        self.ever_loaded = False
        self.stale_items: frozenset[Item] = frozenset()
        self.stale_since_ms: int | None = None
        self.skipped = ""
        """Why the source takes no part, e.g. an untrusted project file."""
        self._is_trusted = is_trusted
        self._broken_token: str | None = None

    @property
    def label(self) -> str:
        """How the source is named in origins and listings, credentials masked."""
        return self.store.url if self.store is not None else str(self.url)

    @property
    def writable(self) -> bool:
        if self.store is None or self.url.readonly or self._is_trusted is not None:
            return False  # content that has to be trusted is written by hand alone
        return self.store.writable

    def why_not_written(self) -> SourceReadOnly:
        """The error of a write to this source where it cannot be written."""
        if self.url.readonly:
            advice = "it was opened read-only (?readonly=1 or --read-only)"
            return SourceReadOnly("what is here", self.label, advice=advice)
        if self._is_trusted is not None:
            advice = f"edit the file and trust it again, or name it: --source {self.url.location}"
        else:
            advice = self.store.advice if self.store is not None else ""
        return SourceReadOnly("what is here", self.label, advice=advice or "add a source that can be written")

    def load(self, now_ms: int) -> bool:
        """Read the source if it has changed; whether it or its health had. What cannot be read stays as it was."""
        if self.store is None:
            return False
        try:
            if self._is_known(self.store):
                return False
            token = self._token(self.store)
            self._demand_trust(token)
            loaded = self.store.load_registries()
            self._demand_trust(loaded.token)
        except SourceNotFound as error:
            return self._took(Loaded(()), now_ms) if self.url.optional else self._failed(error, now_ms)
        except _Untrusted as error:
            if self.ever_loaded:
                return self._failed(SourceUnavailable(self.label, str(error)), now_ms)
            self.skipped = self.skipped or f"{self.label} is not used: {error}"
            return False
        except ValidationError as error:
            return self._failed(error, now_ms, token if self._is_still(token) else None)
        except LiveryError as error:
            return self._failed(error, now_ms)
        return self._took(loaded, now_ms)

    def _is_known(self, store: ProfileStore) -> bool:
        """Whether the source is as it was when it was read last, sound or broken."""
        known = self.loaded.token if self.ever_loaded and self.error is None else self._broken_token
        return known is not None and store.changes(known) == known

    def _is_still(self, token: str) -> bool:
        try:
            return self.store is not None and self.store.changes("") == token
        except LiveryError:
            return False

    def _token(self, store: ProfileStore) -> str:
        try:
            return store.changes(self.loaded.token)
        except SourceUnavailable as error:
            if self._is_trusted is None:
                raise
            raise _Untrusted(f"its content cannot be read, let alone trusted: {error.reason}") from None

    def _demand_trust(self, token: str) -> None:
        if self._is_trusted is not None and not self._is_trusted(token):
            path = self.url.location
            raise _Untrusted(f"its content is not trusted; look at it, then: livery trust {path}")

    def _took(self, new: Loaded, now_ms: int) -> bool:
        loaded, stale = _with_last_good(new, self.loaded, self.stale_items)
        changed = not self.ever_loaded or self.error is not None or bool(self.skipped)
        changed = changed or not _same_content(loaded, self.loaded)
        self.loaded, self.stale_items = loaded, stale
        self.ever_loaded, self.error, self.skipped = True, None, ""
        self.stale_since_ms = (self.stale_since_ms or now_ms) if stale else None
        self._broken_token = None
        return changed

    def _failed(self, error: LiveryError, now_ms: int, token: str | None = None) -> bool:
        """``token`` is that of content that cannot be used: it is not tried again as long as it is the same."""
        changed = str(error) != str(self.error)
        self.error, self._broken_token = error, token
        if self.ever_loaded and self.stale_since_ms is None:
            self.stale_since_ms = now_ms
        return changed


class _Untrusted(LiveryError):
    """The content of a source is not one that was trusted."""


def _with_last_good(new: Loaded, old: Loaded, stale: frozenset[Item]) -> tuple[Loaded, frozenset[Item]]:
    """The new state with the earlier version of every item that is now broken and was sound, and which those are."""
    broken_before = {(item.registry, item.profile) for item in old.broken} - stale
    before = {registry.slug: registry for registry in old.registries}
    kept = frozenset(
        (item.registry, item.profile)
        for item in new.broken
        if (item.registry, item.profile) not in broken_before
        and item.registry in before
        and (not item.profile or item.profile in before[item.registry].profiles)
    )
    if not kept:
        return new, kept
    registries = tuple(_kept(registry, before.get(registry.slug), kept) for registry in new.registries)
    return new._replace(registries=registries), kept


def _kept(new: Registry, old: Registry | None, kept: frozenset[Item]) -> Registry:
    """A registry with the earlier head and profiles of those items that are kept."""
    if old is None:
        return new
    head = old if (new.slug, "") in kept else new
    profiles = {slug: profile for slug, profile in old.profiles.items() if (new.slug, slug) in kept}
    return replace(head, profiles={**new.profiles, **profiles}) if profiles or head is old else new


def _same_content(one: Loaded, other: Loaded) -> bool:
    """Whether two states hold the same; where in a file things stand does not count, but for what is broken."""
    if one.registries != other.registries:
        return False
    if [_broken_text(item) for item in one.broken] != [_broken_text(item) for item in other.broken]:
        return False
    encode = msgspec.msgpack.encode
    return encode(one.registries) == encode(other.registries)  # Python calls 1 and true equal


def _broken_text(item: BrokenItem) -> tuple[str, str, str]:
    return (item.registry, item.profile, str(item.error))
