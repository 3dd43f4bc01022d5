"""The writes of one rehearsed transaction: what each would store is laid over the state, and nothing is stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from msgspec.structs import replace

from livery.core.names import Reference, nearest
from livery.core.profile import Profile, Registry
from livery.errors import Place, ProfileNotFound, RegistryNotFound, SourceUnavailable
from livery.stores.copies import copied_profile, copied_registry
from livery.stores.intents import scope_of
from livery.stores.protocols import BrokenItem, Event, Field, HistoryStore, Loaded, WriteOptions
from livery.stores.rehearsed.snapshot import Laid, RehearsedSnapshot, whole
from livery.stores.versions import expect, next_profile, next_registry

LastVersion = Callable[[Reference], int]
"""The last version that there ever was of a profile, or of a registry (an empty profile); 0 where there was none."""

_AT_ONCE = 1_000


class Transaction:
    """A store within one rehearsed transaction: its reads see its own writes."""

    writable = True
    advice = ""

    def __init__(self, store: HistoryStore, begun: RehearsedSnapshot, last_version: LastVersion) -> None:
        self.kind, self.url = store.kind, store.url
        self.kept: list[Profile | Registry] = []
        """The versions that the real store would have kept by its end."""
        self._store = store
        self._begun = begun
        self._last_version = last_version
        self._heads = {head.slug: head for head in begun.heads}
        self._overlay = {registry: dict(laid) for registry, laid in begun.overlay.items()}
        self._events: list[Event] = []
        self._last: dict[Reference, int] = {}
        self._is_over = False
        self._look_again()

    def finish(self) -> RehearsedSnapshot:
        """The state after it; that before where nothing was written."""
        self.end()
        if not self._events:
            return self._begun
        begun, seq = self._begun, self._begun.seq + len(self._events)
        return RehearsedSnapshot(begun.below, seq, self._sorted(), self._overlay, tuple(self._events), begun.seq)

    def end(self) -> None:
        """Take nothing more."""
        self._is_over = True

    # Reading

    def load_registries(self) -> Loaded:
        return whole(self._open())._replace(token=self.changes(""))

    def get_profile(self, registry: str, slug: str) -> Profile | None:
        return self._open().profile(registry, slug)

    def changes(self, since: str) -> str:
        return str(self._open().seq + len(self._events))

    def places(self, wanted: Sequence[Field], token: str) -> list[Place | None]:
        return [None] * len(wanted)

    def watched(self) -> Sequence[Path]:
        return ()

    def close(self) -> None:
        """The transaction ends with its block."""

    # Writing

    def demand_room(self, item: Profile | Registry) -> None:
        self._store.demand_room(item)

    def save_registry(self, registry: Registry, options: WriteOptions) -> Registry:
        self.demand_room(registry)
        stored = self._head(registry.slug)
        expect("registry", registry.slug, options, stored.version if stored else 0)
        if stored is None:
            return self._new_registry(registry, options)
        saved = next_registry(stored, replace(registry, profiles={}), options)
        self._put_head(stored, saved, options)
        return saved

    def _new_registry(self, registry: Registry, options: WriteOptions) -> Registry:
        """A registry that is not there, with the profiles it brings along."""
        for profile in registry.profiles.values():
            self.demand_room(profile)
        above = max(options.floor, self._last_of(Reference(registry.slug, "")))
        head = next_registry(None, replace(registry, profiles={}), options._replace(floor=above))
        self._put_head(None, head, options)
        alone = options._replace(floor=0, diff="", expected_version=None)
        profiles = {
            slug: self._put(None, replace(profile, registry=head.slug, slug=slug), alone)
            for slug, profile in registry.profiles.items()
        }
        return replace(head, profiles=profiles)

    def save_profile(self, profile: Profile, options: WriteOptions) -> Profile:
        self.demand_room(profile)
        stored = self._open().profile(*profile.reference)
        if stored is None:
            self._demand_registry(profile.registry)
        expect("profile", profile.slug, options, stored.version if stored else 0)
        return self._put(stored, profile, options)

    def delete_profile(self, reference: Reference, options: WriteOptions) -> None:
        stored = self._open().profile(*reference)
        if stored is None:
            self._demand_registry(reference.registry)
            raise ProfileNotFound(str(reference), nearest=nearest(reference.profile, self._near(reference)))
        expect("profile", reference.profile, options, stored.version)
        self.kept.append(stored)
        self._drop(reference, stored.version, options)

    def delete_registry(self, slug: str, options: WriteOptions) -> None:
        stored = self._head(slug)
        if stored is None:
            raise self._no_registry(slug)
        expect("registry", slug, options, stored.version)
        for item in list(self._listed(slug)):
            reference = Reference(slug, item.profile if isinstance(item, BrokenItem) else item.slug)
            version = self._last_of(reference) if isinstance(item, BrokenItem) else item.version
            self._drop(reference, version or 1, options._replace(diff=""))
        self.kept.append(self._heads.pop(slug))
        self._look_again()
        self._tell(Reference(slug, ""), stored.version, 0, options, "delete")

    # Parts of these

    def _open(self) -> RehearsedSnapshot:
        """The state with what was written so far."""
        if self._is_over:
            raise SourceUnavailable(self.url, "the transaction is over")
        return self._present

    def _look_again(self) -> None:
        self._present = RehearsedSnapshot(self._begun.below, self._begun.seq, self._sorted(), self._overlay)

    def _sorted(self) -> tuple[Registry, ...]:
        return tuple(head for _, head in sorted(self._heads.items()))

    def _head(self, slug: str) -> Registry | None:
        for item in self._open().broken:
            if item.registry == slug:
                raise item.error
        return self._heads.get(slug)

    def _put_head(self, stored: Registry | None, saved: Registry, options: WriteOptions) -> None:
        self._heads[saved.slug] = copied_registry(saved)
        self._look_again()
        self.kept += [stored, self._heads[saved.slug]] if stored else [self._heads[saved.slug]]
        version = stored.version if stored else 0
        action = "update" if stored else "create"
        self._tell(Reference(saved.slug, ""), version, saved.version, options, action, scope_of(stored, saved))

    def _put(self, stored: Profile | None, profile: Profile, options: WriteOptions) -> Profile:
        last = self._last_of(profile.reference) if stored is None else 0
        saved = next_profile(stored, profile, options, last)
        laid = copied_profile(saved)  # what goes in is nobody else's
        self._lay(saved.reference, laid, is_below=stored is not None)
        self.kept += [stored, laid] if stored else [laid]
        version = stored.version if stored else 0
        action = "update" if stored else "create"
        self._tell(saved.reference, version, saved.version, options, action, scope_of(stored, saved))
        return saved

    def _drop(self, reference: Reference, version: int, options: WriteOptions) -> None:
        self._lay(reference, None, is_below=True)
        self._tell(reference, version, 0, options, "delete")

    def _lay(self, reference: Reference, profile: Profile | None, *, is_below: bool) -> None:
        """Lay a profile over the state; what was laid there first knows what is below."""
        laid = self._overlay.setdefault(reference.registry, {})
        known = laid.get(reference.profile)
        laid[reference.profile] = Laid(profile, known.is_below if known is not None else is_below)

    def _last_of(self, item: Reference) -> int:
        return self._last.get(item) or self._last_version(item)

    def _listed(self, registry: str) -> Iterator[Profile | BrokenItem]:
        """Every profile of a registry, without its content."""
        after = ""
        while page := self._open().page(registry, after=after, limit=_AT_ONCE):
            yield from page
            last = page[-1]
            after = last.profile if isinstance(last, BrokenItem) else last.slug

    def _near(self, reference: Reference) -> list[str]:
        return self._open().names(reference.registry, prefix=reference.profile[:1], limit=_AT_ONCE)

    def _demand_registry(self, slug: str) -> None:
        if self._head(slug) is None:
            raise self._no_registry(slug)

    def _no_registry(self, slug: str) -> RegistryNotFound:
        return RegistryNotFound(slug, nearest=nearest(slug, self._heads))

    def _tell(
        self, item: Reference, before: int, after: int, options: WriteOptions, action: str, scope: str = "runtime"
    ) -> None:
        self._last[item] = max(before, after)
        seq = self._begun.seq + len(self._events) + 1
        self._events.append(
            Event(
                seq, options.at_ms, options.actor, options.action or action, *item, before, after, scope,
                options.source, options.request_id, options.diff,
            )
        )  # fmt: skip
