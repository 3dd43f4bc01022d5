"""One source of a chain: what was read of it last, and what is known of its health."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import cached_property, partial

from msgspec.structs import replace

from livery.core.names import Reference
from livery.core.profile import Profile, Registry
from livery.errors import LiveryError, SourceNotFound, SourceReadOnly, SourceUnavailable, ValidationError
from livery.stores.last_good import Item, same_content, with_known, with_last_good
from livery.stores.protocols import BrokenItem, Event, HistoryStore, Loaded, ProfileStore, history_of
from livery.stores.urls import SourceURL

_MOST_LOOKS = 3
_FIRST_WRITES = 1_000  # that are told one by one; a longer log was put there as a whole


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
        self.unread_faults: dict[Item, LiveryError] = {}
        """Why profiles that are read when they are needed could not be read in the present state."""
        self.skipped = ""
        """Why the source takes no part, e.g. an untrusted project file."""
        self.events: list[Event] = []
        """What its change log says has happened since :meth:`take_events`."""
        self.is_followed = False
        """Whether :attr:`events` are all of its content that has changed since then."""
        self.is_disturbed = False
        """Whether its health has changed since then, too."""
        self._own: dict[Item, Profile] = {}
        self._history = history_of(store)
        self._is_trusted = is_trusted
        self._broken_token: str | None = None
        self._last_read: dict[Item, Profile] = {}
        self._kept: dict[Item, Profile] = {}
        self._as_read: tuple[Loaded, frozenset[Item]] | None = None
        self._known_bases: dict[str, _Bases] = {}
        self._loaded_at_ms = 0
        self._marks: dict[Item, bytes] = {}

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

    @property
    def broken(self) -> tuple[BrokenItem, ...]:
        """Every item that is known to be broken."""
        return (*self.loaded.broken, *(BrokenItem(*item, error) for item, error in dict(self.unread_faults).items()))

    def read(self, registry: str, slug: str) -> Profile:
        """A profile of which the present state holds only the heading; its last good version where it broke since."""
        item = (registry, slug)
        if item in self._kept:
            return self._kept[item]
        try:
            profile = self._read_now(registry, slug)
        except LiveryError as error:
            self.unread_faults[item] = error
            if item not in self._last_read:
                raise
            self.stale_items |= {item}
            self.stale_since_ms = self.stale_since_ms or self._loaded_at_ms
            return self._last_read[item]
        self._last_read[item] = profile
        return profile

    def _read_now(self, registry: str, slug: str) -> Profile:
        if self.loaded.read is None:
            raise SourceUnavailable(self.label, "what it held when this was listed is no longer there")
        return self.loaded.read(registry, slug)

    def bases_of(self, registry: str) -> Callable[[str], tuple[Reference, ...]] | None:
        """What tells the bases of a profile that was not read, if the store can; it asks once for a whole registry."""
        tell = self.loaded.bases
        if tell is None:
            return None
        return self._known_bases.setdefault(registry, _Bases(tell, registry)).of

    def whole_registries(self) -> Iterator[Registry]:
        """The registries with every profile that can be read, also where the present state lists only headings."""
        if self.loaded.snapshot is not None and self.store is not None:
            yield from self.store.load_registries().registries
            return
        for registry in self.loaded.registries:
            if self.loaded.read is None:
                yield registry
                continue
            profiles = {}
            for slug in registry.profiles:
                with suppress(LiveryError):
                    profiles[slug] = self.read(registry.slug, slug)
            yield replace(registry, profiles=profiles)

    def headings(self, registry: str) -> Mapping[str, Profile]:
        """The profiles that the present state lists without their content."""
        if self.loaded.read is None:
            return {}
        listed = (held.profiles for held in self.loaded.registries if held.slug == registry)
        return next(listed, {})

    def keep(self, profile: Profile, broken: BrokenItem) -> None:
        """Take an earlier version of a profile in place of what the source holds now, and why, until it is built anew.

        What was read stays at hand: the reason may go when another source changes.
        """
        self._as_read = self._as_read or (self.loaded, self.stale_items)
        item = (profile.registry, profile.slug)
        if self.loaded.read is not None:
            self._kept = {**self._kept, item: profile}  # copies of this source may share the old one
        registries = tuple(
            replace(registry, profiles={**registry.profiles, profile.slug: profile})
            if registry.slug == profile.registry and (self.loaded.read is None or profile.slug not in registry.profiles)
            else registry
            for registry in self.loaded.registries
        )
        self.loaded = self.loaded._replace(registries=registries, broken=(*self.loaded.broken, broken))
        self.stale_items |= {item}
        self.stale_since_ms = self.stale_since_ms or self._loaded_at_ms

    def take_as_read(self) -> None:
        """Forget what was kept: it is decided anew for each state of the whole."""
        if self._as_read is not None:
            (self.loaded, self.stale_items), self._as_read, self._kept = self._as_read, None, {}

    def settle(self) -> None:
        """Nothing is stale where nothing was kept, and nothing is wrong."""
        if not self.stale_items and self.error is None:
            self.stale_since_ms = None

    def take_events(self) -> None:
        """Let go of what has happened so far: it has been told."""
        self.events = []
        self._own = {}
        self.is_followed = self.loaded.snapshot is not None
        self.is_disturbed = False

    def note_written(self, profile: Profile) -> None:
        """Know what this process has just stored: it need not be read to be seen."""
        if self.loaded.snapshot is not None:
            self._own[(profile.registry, profile.slug)] = profile

    def written(self, registry: str) -> dict[str, Profile]:
        """What this process has stored of a registry since :meth:`take_events` and is still there, by slug."""
        last = {event.profile: event.to_version for event in self.events if event.registry == registry}
        own = {slug: self._own.get((registry, slug)) for slug in last}
        return {slug: profile for slug, profile in own.items() if profile is not None and profile.version == last[slug]}

    def _follow(self, store: HistoryStore, now_ms: int) -> bool:
        """Go on to the present state of a store that says what has changed."""
        before = self.loaded.snapshot
        was_empty = self._was_empty
        try:
            now = store.follow(before)
            if was_empty and now is not before and now.seq <= _FIRST_WRITES:
                now = store.follow(store.snapshot_at(0))
        except SourceNotFound as error:
            return self._took(Loaded(()), now_ms) if self.url.optional else self._failed(error, now_ms)
        except LiveryError as error:
            return self._failed(error, now_ms)
        if now is before:
            return self._recovered()
        seq = 0 if was_empty else before.seq if before is not None and self.is_followed else None
        is_followed = seq is not None and now.follows == seq
        self.events += now.events
        self.is_disturbed |= self.error is not None
        self._took(Loaded(now.heads, now.broken, str(now.seq), snapshot=now), now_ms)
        self.is_followed = is_followed
        return True

    @property
    def _was_empty(self) -> bool:
        """Whether nothing was ever written to the database, as far as anybody knows: all that is in it is news."""
        if self.loaded.snapshot is not None:
            return self.loaded.snapshot.seq == 0
        return self.ever_loaded or isinstance(self.error, SourceNotFound)

    def _recovered(self) -> bool:
        """The state is the known one; whether the source was at fault."""
        was_at_fault = self.error is not None
        if was_at_fault:
            self.error, self.stale_since_ms, self.is_disturbed = None, None, True
        return was_at_fault

    def load(self, now_ms: int) -> bool:
        """Read the source if it has changed; whether it or its health had. What cannot be read stays as it was."""
        if self.store is None:
            return False
        if self._history is not None:
            return self._follow(self._history, now_ms)
        token: str | None = None
        try:
            if self._is_known(self.store):
                return False
            token = self._token(self.store)
            self._demand_trust(token)
            loaded = self.store.load_registries()
            for _ in range(_MOST_LOOKS):
                if loaded.token == token:
                    break
                token = self._token(self.store)  # written to in between, perhaps in part: let it rest once more
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
            return self._failed(error, now_ms, token if token is not None and self._is_still(token) else None)
        except LiveryError as error:
            return self._failed(error, now_ms)
        return self._took(self._kept_as_known(loaded), now_ms)

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

    def _kept_as_known(self, new: Loaded) -> Loaded:
        known, self._marks = with_known(new, self.loaded, self._marks, self.stale_items)
        return known

    def _took(self, new: Loaded, now_ms: int) -> bool:
        loaded, stale = with_last_good(new, self.loaded, self.stale_items)
        changed = not self.ever_loaded or self.error is not None or bool(self.skipped)
        changed = changed or not same_content(loaded, self.loaded)
        self.loaded, self.stale_items, self.unread_faults = loaded, stale, {}
        self.ever_loaded, self.error, self.skipped, self.is_followed = True, None, "", False
        self._known_bases, self._kept, self._as_read = {}, {}, None
        self._loaded_at_ms = now_ms
        listed = {(registry.slug, slug) for registry in loaded.registries for slug in registry.profiles}
        self._last_read = {item: profile for item, profile in dict(self._last_read).items() if item in listed}
        self.stale_since_ms = (self.stale_since_ms or now_ms) if stale else None
        self._broken_token = None
        return changed

    def _failed(self, error: LiveryError, now_ms: int, token: str | None = None) -> bool:
        """``token`` is that of content that cannot be used: it is not tried again as long as it is the same."""
        changed = str(error) != str(self.error)
        self.error, self._broken_token, self.is_disturbed = error, token, True
        if self.ever_loaded and self.stale_since_ms is None:
            self.stale_since_ms = now_ms
        return changed


def registry_of(source: Source, slug: str) -> Registry | None:
    """A registry as one source holds it."""
    return next((registry for registry in source.loaded.registries if registry.slug == slug), None)


class _Bases:
    """The bases of all profiles of one registry, asked for once."""

    def __init__(self, tell: Callable[[str], Mapping[str, tuple[Reference, ...]]], registry: str) -> None:
        self._tell = partial(tell, registry)

    @cached_property
    def _known(self) -> Mapping[str, tuple[Reference, ...]]:
        return self._tell()

    def of(self, slug: str) -> tuple[Reference, ...]:
        return self._known.get(slug, ())


class _Untrusted(LiveryError):
    """The content of a source is not one that was trusted."""
