"""What was: the versions of profiles and registries, the way back to one, the log of all changes, earlier states."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from livery.core.diff import Difference
from livery.core.explain import Explained
from livery.core.names import Reference, profile_slug, registry_slug
from livery.core.patch import is_atomic
from livery.core.profile import Profile, Registry, ResolveInput
from livery.core.resolved import ResolvedProfile
from livery.core.schema import SettingsSchema
from livery.core.selection import default_registry, select
from livery.core.values import has_surrogate, same
from livery.errors import NotFound, ProfileNotFound, RegistryNotFound, Unsupported
from livery.service.deleted import Whole, profiles_at_the_end
from livery.service.differences import differences_of
from livery.service.past import past_of, without_past
from livery.service.protocols import NO_OPTIONS
from livery.service.reading import registry_document
from livery.service.transfer import Transfer
from livery.service.writes import layer_of
from livery.stores.copies import copied_profile
from livery.stores.journaled import JournaledStore
from livery.stores.protocols import Event, EventQuery, HistoryStore, Retention, WriteOptions

if TYPE_CHECKING:
    from livery.service.registry_service import RegistryService

_MOST_VERSIONS = 10_000  # that are looked at to say which there are


class History(Transfer):
    """The history of the source that is written; see :class:`livery.service.protocols.RegistryHistory`."""

    def history(self, registry: str | None, slug: str = "", *, limit: int = 50, before: int = 0) -> list[Event]:
        """The changes of a profile, or (without ``slug``) of a registry's own fields, newest first.

        ``before`` is the ``seq`` of the last one of the page before. What was deleted has a history too.
        """
        store, item = self._log(), self._item(registry, slug)
        events = store.events(EventQuery(*item, before=before, limit=limit))
        if not events and not before:
            self._demand_known(item)
        return events

    def profile_revision(self, registry: str | None, slug: str, version: int) -> Profile:
        """A profile as the written source had it in a version; ProfileNotFound says which versions there are."""
        store, item = self._log(), self._item(registry, slug)
        found = store.revision(*item, version)
        if not isinstance(found, Profile):
            raise ProfileNotFound(f"{item}@{version}", where=self._why_missing(store, item, version))
        return copied_profile(found)

    def registry_revision(self, slug: str | None, version: int) -> Registry:
        """The registry-level fields as the written source had them in a version."""
        store, item = self._log(), self._item(slug, "")
        found = store.revision(*item, version)
        if not isinstance(found, Registry):
            raise RegistryNotFound(f"{item.registry}@{version}", where=self._why_missing(store, item, version))
        return found

    def profile_diff(
        self, registry: str | None, slug: str, from_version: int, to_version: int | None = None
    ) -> list[Difference]:
        """What differs between two versions of a profile (None: as it is now), secrets hidden."""
        old = self.profile_revision(registry, slug, from_version)
        own = old.reference
        new = self._own_profile(own) if to_version is None else self.profile_revision(*own, to_version)
        return differences_of(old, new, self._schema_of(own.registry))

    def rollback_profile(
        self, registry: str | None, slug: str, to_version: int, options: WriteOptions = NO_OPTIONS
    ) -> Profile:
        """A new version with the content of an old one, checked like any write; a deleted profile comes back.

        Nothing is written where the content is the present one.
        """
        with self._lock:
            return self.restore_profile(self.profile_revision(registry, slug, to_version), options)

    def restore_profile(self, profile: Profile, options: WriteOptions = NO_OPTIONS) -> Profile:
        """Write a profile as it once was, whether or not it is there now."""
        with self._lock:
            options = options._replace(action=options.action or "rollback")
            stack = self._view(profile.registry).profiles.get(profile.slug)
            if stack is not None and stack.layers:
                return self.replace_profile(*profile.reference, profile.document(), options)
            document = {**profile.document(), "slug": profile.slug}
            return self._written(lambda: self._created_anew(profile.registry, document, options), options)

    def _created_anew(self, registry: str, document: Mapping[str, Any], options: WriteOptions) -> Profile:
        """A profile from its document, in place of a row that cannot be read, if there is one."""
        broken = self._broken(self._view(registry), document["slug"])
        if broken is None:
            return self.create_profile(registry, document, options)
        with self._transaction():
            self._delete_broken(broken, options)
            return self.create_profile(registry, document, options._replace(expected_version=None))

    def rollback_registry(self, slug: str, to_version: int, options: WriteOptions = NO_OPTIONS) -> Registry:
        """The same for the registry-level fields; profiles stay, and come back with a registry that was deleted."""
        with self._lock:
            return self.restore_registry(self.registry_to_restore(slug, to_version), options)

    def registry_to_restore(self, slug: str, version: int) -> Registry:
        """The registry-level fields in a version; of a deleted registry with the profiles that it had at its end."""
        registry = self.registry_revision(slug, version)
        if registry.slug in self._chain.catalogue().registries:
            return registry
        return replace(registry, profiles=profiles_at_the_end(self._log(), registry.slug))

    def restore_registry(self, registry: Registry, options: WriteOptions = NO_OPTIONS) -> Registry:
        """Write the registry-level fields as they once were; a registry that is not there with its profiles."""
        with self._lock:
            options = options._replace(action=options.action or "rollback")
            if registry.slug not in self._chain.refresh(self._clock()).registries:
                self.import_registries(Whole(registry), options)
                return registry_document(self._view(registry.slug))
            view = self._view(registry.slug)
            own = next((layer.head for layer in view.layers if layer.writer), Registry(slug=view.slug))
            return self.update_registry(view.slug, _patch(_written(own), _written(registry)), options)

    def events(self, query: EventQuery) -> list[Event]:
        """The audit: what was written to the source that is written, by whom; Unsupported where nobody takes it down.

        Of files it holds what was written through Livery.
        """
        store = self._remembering() or self._writer()
        if isinstance(store, HistoryStore | JournaledStore):
            return [] if has_surrogate(query.actor + query.action) else store.events(query)
        raise Unsupported("an audit", store.kind, "a sqlite: or postgresql: source keeps one")

    def prune_history(self, retention: Retention) -> int:
        """Drop old contents that nobody has to keep; how many. The log of changes stays."""
        return self._history_store().prune(retention, self._clock())

    # Earlier states

    def seq_at(self, at_ms: int) -> int:
        """The number of the last change up to a time; 0 where there was none."""
        return self._log().seq_at(at_ms)

    def as_of(self, at_ms: int) -> RegistryService:
        """The registries as they were at a time, to be read: sources without history as they are now."""
        from livery.service.registry_service import RegistryService

        return RegistryService(past_of(self._chain, at_ms), self._schema_named, clock=self._clock)

    def resolve_at(self, request: ResolveInput, at_ms: int) -> ResolvedProfile:
        """What a request would have been answered at a time; a warning names the sources without history."""
        resolved = copy(self.as_of(at_ms).resolve_effective_profile(request))
        resolved.warnings = (*resolved.warnings, *self.warnings_of_past())
        return resolved

    def explain_at(self, request: ResolveInput, at_ms: int) -> list[Explained]:
        """Every leaf of the same resolution with its origin."""
        return self.as_of(at_ms).explain(request)

    def warnings_of_past(self) -> list[str]:
        """One warning for each source whose earlier states are not known."""
        labels = without_past(self._chain)
        return [f"{label} keeps no history: it is taken as it is now" for label in labels]

    # What these share

    def _log(self) -> HistoryStore:
        """The store whose history is asked for; Unsupported where there is none."""
        return self._remembering() or self._history_store()

    def _remembering(self) -> HistoryStore | None:
        """The written source, or of sources that are only read the topmost that keeps a history."""
        self._chain.catalogue()  # whether a source can be written is known once it was read
        writer = self._chain.writer
        asked = [writer] if writer is not None else self._chain.sources[::-1]
        stores = (source.store for source in asked)
        return next((store for store in stores if isinstance(store, HistoryStore)), None)

    def _item(self, registry: str | None, slug: str) -> Reference:
        """The profile, or with an empty slug the registry, that a name means; it need not be there any more."""
        catalogue = self._chain.refresh(self._clock())
        if slug and not registry:
            try:
                found = select(ResolveInput(profile_slug=slug), catalogue).reference
                return found or Reference(default_registry(catalogue) or "default", profile_slug(slug))
            except NotFound:
                pass
        named = registry_slug(registry, "registry") if registry else default_registry(catalogue) or "default"
        return Reference(named, profile_slug(slug) if slug else "")

    def _demand_known(self, item: Reference) -> None:
        """ProfileNotFound or RegistryNotFound where nothing has, or ever had, this name."""
        view = self._chain.catalogue().view(item.registry)
        if item.profile and item.profile not in view.profiles:
            view.stack(item.profile)

    def _why_missing(self, store: HistoryStore, item: Reference, version: int) -> str:
        """Which versions there are, and whether this one was there once."""
        events = store.events(EventQuery(*item, limit=_MOST_VERSIONS))
        known = sorted({event.to_version for event in events if event.to_version})
        if not known:
            self._demand_known(item)
            return f"(nothing of it was ever written to {store.url})"
        if version in known:
            return f"(its content is no longer kept; the newest version is {known[-1]})"
        return (
            f"(there are the versions {known[0]} to {known[-1]})" if len(known) > 1 else f"(there is only {known[0]})"
        )

    def _own_profile(self, reference: Reference) -> Profile | None:
        """What the written source says of a profile now."""
        stack = self._chain.catalogue().find(reference)
        layer = layer_of(stack) if stack is not None else None
        return layer.profile if layer is not None else None

    def _schema_of(self, registry: str) -> SettingsSchema:
        view = self._chain.catalogue().registries.get(registry)
        return view.schema if view is not None else self._schema_named("ai")


def _written(head: Registry) -> dict[str, Any]:
    """What a writer can set of a registry's own fields."""
    document = head.head()
    tags = document.pop("metadata", {}).get("tags")
    return {**document, "metadata": {"tags": tags}} if tags else document


def _patch(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON Merge Patch that makes one document of another."""
    gone: dict[str, Any] = {key: None for key in old if key not in new}
    return gone | {key: _new_value(old.get(key), value) for key, value in new.items() if not same(old.get(key), value)}


def _new_value(old: Any, new: Any) -> Any:
    """What stands for a new value in a patch, in which ``null`` would remove it."""
    if new is None:
        return {"$unset": True}
    if not isinstance(new, Mapping) or is_atomic(new):
        return new
    return _patch(old if isinstance(old, Mapping) and not is_atomic(old) else {}, new)
