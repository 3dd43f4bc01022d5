"""A registry that was deleted: what it held at its end, to be brought back."""

from __future__ import annotations

from livery.core.catalogue import Catalogue
from livery.core.profile import Profile, Registry
from livery.errors import LiveryError
from livery.service.incoming import Chosen, Incoming
from livery.stores.protocols import Event, EventQuery, HistoryStore

_AT_ONCE = 1_000


def profiles_at_the_end(store: HistoryStore, registry: str) -> dict[str, Profile]:
    """The profiles of a deleted registry right before it was deleted; none where nobody knows of it."""
    last = store.events(EventQuery(registry, "", limit=1))
    if not last or last[0].to_version:
        return {}
    snapshot = store.snapshot_at(_begin_of_deletion(store, last[0]) - 1)
    found = {slug: snapshot.profile(registry, slug) for slug in snapshot.names(registry)}
    return {slug: profile for slug, profile in found.items() if profile is not None}


def _begin_of_deletion(store: HistoryStore, last: Event) -> int:
    """The number of the first event of a deletion: its profiles' stand right before its own."""
    first = last.seq
    while events := store.events(EventQuery(last.registry, before=first, after=first - _AT_ONCE, limit=_AT_ONCE)):
        for event in events:
            if event.seq != first - 1 or not event.profile or event.to_version or event.at_ms != last.at_ms:
                return first
            first = event.seq
    return first


class Whole:
    """A registry with its profiles, to be brought in as it is."""

    def __init__(self, registry: Registry) -> None:
        self.name = registry.slug
        self._found = Chosen().taken([Incoming(registry, "registry")])

    def registries(self, catalogue: Catalogue) -> list[Incoming]:
        return self._found

    def located(self, error: LiveryError) -> LiveryError:
        return error
