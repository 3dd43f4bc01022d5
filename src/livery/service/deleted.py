"""A registry that was deleted: what it held at its end, to be brought back."""

from __future__ import annotations

from collections.abc import Iterator

from livery.core.catalogue import Catalogue
from livery.core.profile import Profile, Registry
from livery.errors import Invalid, LiveryError, ValidationError
from livery.service.incoming import Chosen, Incoming
from livery.stores.protocols import Event, EventQuery, HistoryStore

_AT_ONCE = 1_000


def profiles_at_the_end(store: HistoryStore, registry: str) -> dict[str, Profile]:
    """The profiles of a deleted registry right before it was deleted; none where nobody knows of it.

    One whose last version is not kept, or cannot be read, is left out, and logged: the others need not stay away.
    """
    last = store.events(EventQuery(registry, "", limit=1))
    if not last or last[0].to_version:
        return {}
    found: dict[str, Profile] = {}
    for event in _profiles_deleted(store, last[0]):
        try:
            found[event.profile] = _as_deleted(store, event)
        except Invalid as error:
            _note_left_out(event, error)
    return {slug: found[slug] for slug in sorted(found)}


def _as_deleted(store: HistoryStore, event: Event) -> Profile:
    """A profile in the version that was deleted. Each is one question: a revision knows nothing of the others."""
    profile = store.revision(event.registry, event.profile, event.from_version)
    if not isinstance(profile, Profile):
        reason = "it could not be read when it was deleted, so that its content is not kept"
        raise ValidationError(f"version {event.from_version}", reason)
    return profile


def _note_left_out(event: Event, error: Invalid) -> None:
    import logging  # loaded when there is something to say

    log = logging.getLogger("livery.service")
    log.warning("profile '%s/%s' does not come back with its registry: %s", event.registry, event.profile, error)


def _profiles_deleted(store: HistoryStore, last: Event) -> Iterator[Event]:
    """The events of a deletion but its own, the last: its profiles' stand right before that."""
    first = last.seq
    while events := store.events(EventQuery(last.registry, before=first, after=first - _AT_ONCE - 1, limit=_AT_ONCE)):
        for event in events:
            if event.seq != first - 1 or not _is_of(event, last):
                return
            first = event.seq
            yield event


def _is_of(event: Event, last: Event) -> bool:
    """Whether a profile was deleted with its registry: in the same act of the same person."""
    return bool(event.profile) and not event.to_version and _act(event) == _act(last)


def _act(event: Event) -> tuple[int, str, str, str]:
    return (event.at_ms, event.actor, event.action, event.request_id)


class Whole:
    """A registry with its profiles, to be brought in as it is."""

    def __init__(self, registry: Registry) -> None:
        self.name = registry.slug
        self._found = Chosen().taken([Incoming(registry, "registry")])

    def registries(self, catalogue: Catalogue) -> list[Incoming]:
        return self._found

    def located(self, error: LiveryError) -> LiveryError:
        return error
