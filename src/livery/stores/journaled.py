"""A store without a history of its own, every write of which leaves an event elsewhere: intent, write, completion.

The journal lies in another place than the files, so the two cannot change as one. Before a write it records what is
about to happen, with a digest of the content before and after; after it, what came of it. What a killed process leaves
open is settled by the digests.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol, TypeVar

from livery.core.names import Reference
from livery.core.profile import Profile, Registry
from livery.errors import (
    LiveryError,
    Locked,
    Place,
    SourceNotFound,
    SourceUnavailable,
    Unavailable,
    VersionConflict,
)
from livery.stores.intents import Intent, Look, Stored, scope_of, stored_as
from livery.stores.protocols import Event, EventQuery, Field, HistoryStore, Loaded, WritableProfileStore, WriteOptions
from livery.stores.source import Source

Result = TypeVar("Result")

_UNREADABLE = "?"
_ADVICE = "a write that cannot be recorded is not made; name another place for it with LIVERY_STATE"
_MOST_LOOKS = 5

Item = Profile | Registry | str | None
"""What is stored: the reason in place of what cannot be read, None where nothing is."""


class Journal(Protocol):
    """Where intents are kept. SourceUnavailable, or another Unavailable, where that cannot be reached."""

    def begin(self, intents: Sequence[Intent]) -> list[int]:
        """Record what is about to be written, all of it or nothing; the numbers under which it is known."""

    def done(self, numbers: Sequence[int], versions: Sequence[int]) -> None:
        """It was written, with these versions."""

    def failed(self, numbers: Sequence[int]) -> None:
        """Nothing of it was written."""

    def settle(self, source: str, look: Look) -> None:
        """Decide what became of the intents of a source that nobody can be writing any more."""

    def events(self, source: str, query: EventQuery) -> list[Event]:
        """The writes to a source that were done or may have been."""


class JournaledStore:
    """A store of files with an audit: each of its writes is an event in a journal.

    Nothing is written that cannot be recorded: where the journal does not take the intent, the write is refused with
    an error that names LIVERY_STATE, and the file is as it was. An audit that is silent about some writes would say of
    all others that there is nothing else; whoever cannot write where the journal lies names another place for it. Once
    the file is written the write is done: where only its completion cannot be recorded, it is settled later.

    What an event says of the item before the write is what the write has replaced: the store is told to expect the
    version that was looked at, and where another process came in between, it is looked at anew. Of profiles that go
    with their registry, of what cannot be read, and where it changes again and again, it is what stood there a moment
    before.
    """

    def __init__(self, store: WritableProfileStore, journal: Journal, label: str) -> None:
        self.inner = store
        self.kind, self.url = store.kind, store.url
        self.writable, self.advice = store.writable, store.advice
        self._journal = journal
        self._label = label

    def load_registries(self) -> Loaded:
        return self.inner.load_registries()

    def get_profile(self, registry: str, slug: str) -> Profile | None:
        return self.inner.get_profile(registry, slug)

    def changes(self, since: str) -> str:
        return self.inner.changes(since)

    def places(self, wanted: Sequence[Field], token: str) -> list[Place | None]:
        return self.inner.places(wanted, token)

    def watched(self) -> Sequence[Path]:
        return self.inner.watched()

    def close(self) -> None:
        self.inner.close()

    def demand_room(self, item: Profile | Registry) -> None:
        self.inner.demand_room(item)

    def save_registry(self, registry: Registry, options: WriteOptions) -> Registry:
        def save(stored: Item, options: WriteOptions) -> Registry:
            own = self._change(Reference(registry.slug, ""), stored, registry, options)
            new = [] if stored is not None else list(registry.profiles.values())
            alone = options._replace(floor=0, diff="")
            brought = [self._change(Reference(registry.slug, profile.slug), None, profile, alone) for profile in new]

            def versions(saved: Registry) -> list[int]:
                profiles = [saved.profiles.get(profile.slug, profile).version for profile in new]
                return [saved.version, *profiles]

            return self._write([own, *brought], lambda: self.inner.save_registry(registry, options), versions)

        return _on_what_stands(lambda: self._registry(registry.slug), save, options)

    def save_profile(self, profile: Profile, options: WriteOptions) -> Profile:
        def save(stored: Item, options: WriteOptions) -> Profile:
            intent = self._change(profile.reference, stored, profile, options)
            return self._write([intent], lambda: self.inner.save_profile(profile, options), lambda it: [it.version])

        return _on_what_stands(lambda: self._profile(profile.reference), save, options)

    def delete_profile(self, reference: Reference, options: WriteOptions) -> None:
        def delete(stored: Item, options: WriteOptions) -> None:
            intent = self._change(reference, stored, None, options)
            self._write([intent], lambda: self.inner.delete_profile(reference, options), lambda _: [0])

        _on_what_stands(lambda: self._profile(reference), delete, options)

    def delete_registry(self, slug: str, options: WriteOptions) -> None:
        def delete(stored: Item, options: WriteOptions) -> None:
            alone = options._replace(action="", diff="")
            profiles = self._profiles_of(stored) if isinstance(stored, Registry) else []
            intents = [self._change(profile.reference, profile, None, alone) for profile in profiles]
            intents.append(self._change(Reference(slug, ""), stored, None, options))
            self._write(intents, lambda: self.inner.delete_registry(slug, options), lambda _: [0] * len(intents))

        _on_what_stands(lambda: self._registry(slug), delete, options)

    def settle(self) -> None:
        """Decide what became of writes that a killed process has left open."""
        self._journal.settle(self._label, self._look)

    def events(self, query: EventQuery) -> list[Event]:
        """The writes that were done, or may have been, as far as they went through a journal."""
        with suppress(Unavailable):
            self.settle()  # what is still open is told as such
        return self._journal.events(self._label, query)

    # What these share

    def _write(
        self, intents: list[Intent], write: Callable[[], Result], versions: Callable[[Result], list[int]]
    ) -> Result:
        """Intent, write, completion. Any end but an answer or one of Livery's errors leaves the intent open."""
        numbers = self._begun(intents)
        try:
            result = write()
        except LiveryError:
            with suppress(Unavailable):
                self._journal.failed(numbers)
            raise
        with suppress(Unavailable):
            self._journal.done(numbers, versions(result))
        return result

    def _begun(self, intents: list[Intent]) -> list[int]:
        try:
            self.settle()
            return self._journal.begin(intents)
        except SourceUnavailable as error:
            raise SourceUnavailable(error.source, f"{error.reason} ({_ADVICE})") from error
        except Locked as error:
            raise Locked(error.what, f"{error.holder or 'another program'} ({_ADVICE})") from error

    def _change(
        self,
        item: Reference,
        before: Item,
        after: Profile | Registry | None,
        how: WriteOptions,
    ) -> Intent:
        old = stored_as(before)
        action = "delete" if after is None else "create" if before is None else "update"
        event = Event(
            seq=0,
            at_ms=how.at_ms,
            actor=how.actor,
            action=how.action or action,
            registry=item.registry,
            profile=item.profile,
            from_version=old.version,
            to_version=0 if after is None else max(old.version, how.floor) + 1,
            scope=scope_of(before, after),
            source=how.source,
            request_id=how.request_id,
            diff=how.diff,
        )
        return Intent(self._label, event, old.digest, stored_as(after).digest)

    def _look(self, registry: str, profile: str) -> Stored | None:
        item = self._profile(Reference(registry, profile)) if profile else self._registry(registry)
        return None if item == _UNREADABLE else stored_as(item)

    def _profile(self, reference: Reference) -> Item:
        """What is stored; a broken one is for the store to judge."""
        try:
            return self.inner.get_profile(*reference)
        except SourceNotFound:
            return None
        except LiveryError:
            return _UNREADABLE

    def _registry(self, slug: str) -> Item:
        try:
            loaded = self.inner.load_registries()
        except SourceNotFound:
            return None
        except LiveryError:
            return _UNREADABLE
        if any(item.registry == slug and not item.profile for item in loaded.broken):
            return _UNREADABLE
        return next((registry for registry in loaded.registries if registry.slug == slug), None)

    def _profiles_of(self, registry: Registry) -> list[Profile]:
        """The profiles of a registry, of those that cannot be read what is listed."""
        read = self.inner.load_registries().read
        if read is None:
            return list(registry.profiles.values())
        found = []
        for slug, heading in registry.profiles.items():
            try:
                found.append(read(registry.slug, slug))
            except LiveryError:
                found.append(heading)
        return found


def _on_what_stands(
    look: Callable[[], Item], write: Callable[[Item, WriteOptions], Result], options: WriteOptions
) -> Result:
    """Write with what stands there, and only on that: where it is another one by then, it is looked at anew."""
    stored = look()
    if options.expected_version is None:
        for _ in range(_MOST_LOOKS):
            version = _version_of(stored)
            if version is None:
                break
            with suppress(VersionConflict):
                return write(stored, options._replace(expected_version=version))
            stored = look()
    return write(stored, options)


def _version_of(stored: Item) -> int | None:
    """The version to expect; None where it cannot be read."""
    return None if isinstance(stored, str) else stored.version if stored is not None else 0


def journaled(source: Source, journal: Journal | None) -> WritableProfileStore | None:
    """The store of a source, its writes recorded where it keeps no history itself and outlives the process."""
    store = source.store
    if not isinstance(store, WritableProfileStore):
        return None
    if journal is None or store.kind == "memory" or isinstance(store, HistoryStore):
        return store
    return JournaledStore(store, journal, journal_label(source))


def journal_label(source: Source) -> str:
    """What a source is called in a journal: the same from every working directory, and through links."""
    url = source.url
    where = os.path.realpath(os.path.expanduser(url.location)) if url.location else ""
    app = dict(url.options).get("app", "")
    if not where and source.store is not None:
        where = ",".join(sorted({os.path.realpath(path) for path in source.store.watched()}))
    return f"{url.kind}:{where}" + (f"?app={app}" if app else "")
