"""Changes of registries: create with profiles, update what stands above the profiles, delete."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

from msgspec.structs import replace

from livery.core.catalogue import RegistryView
from livery.core.documents import ReadRegistry, read_registry
from livery.core.names import Reference, nearest, profile_slug
from livery.core.patch import keep_redacted, merge_patch
from livery.core.profile import Metadata, Profile, Registry
from livery.core.schema import SettingsSchema
from livery.core.stack import ProfileStack
from livery.core.values import same
from livery.errors import AlreadyExists, Fault, SourceNotFound, SourceReadOnly, SourceUnavailable, ValidationError
from livery.service.guards import demand_lifted, demand_unreferenced_registry, expect_registry, overruled
from livery.service.protocols import NO_OPTIONS
from livery.service.reading import registry_document
from livery.service.redacted import left_to_lower
from livery.service.soundness import demand_sound_registry
from livery.service.writes import Writes, document_of, writable_metadata
from livery.stores.chain import Instead
from livery.stores.protocols import Field, WriteOptions, history_of


class RegistryWrites(Writes):
    """The writes of registries; see :class:`livery.service.RegistryWriter` for what each promises."""

    def set_default_profile(self, registry: str | None, slug: str, options: WriteOptions = NO_OPTIONS) -> Registry:
        named = options._replace(action=options.action or "set_default")

        def write() -> Registry:
            view = self._view(registry)
            stack = view.stack(profile_slug(slug))
            return self._update_registry(view.slug, {"default_profile_slug": stack.reference.profile}, named)

        return self._written(write, options)

    def create_registry(self, document: Mapping[str, Any], options: WriteOptions = NO_OPTIONS) -> Registry:
        def write() -> Registry:
            given = keep_redacted(document_of(document, "registry"), {}, "registry")
            registry = _sound(read_registry({**given, "metadata": writable_metadata(given)}))
            registry = replace(registry, profiles={s: _unstamped(p) for s, p in registry.profiles.items()})
            self._demand_free(registry.slug)
            after = self._chain.trial(Instead(registry.slug, registry, registry.profiles))
            looked_at = demand_sound_registry(self._present, after, registry.slug)
            schema = after.view(registry.slug).schema
            noted = self._noted(self._stamped(options, 0), None, registry, schema)
            return self._registry_with(self._save_new(registry, self._seen(noted, looked_at), schema))

        return self._written(write, options._replace(expected_version=0))

    def _save_new(self, registry: Registry, options: WriteOptions, schema: SettingsSchema) -> Registry:
        """Store a registry with the profiles it brings; where there is an audit, each has its own word in it."""
        if history_of(self._chain.writer_store()) is None:
            return self._writer().save_registry(registry, options)
        with self._transaction() as store:
            head = store.save_registry(replace(registry, profiles={}), options)
            brought = [replace(profile, registry=head.slug) for profile in registry.profiles.values()]
            saved = [store.save_profile(profile, self._noted(options, None, profile, schema)) for profile in brought]
            return replace(head, profiles={profile.slug: profile for profile in saved})

    def _demand_free(self, slug: str) -> None:
        """AlreadyExists where the name is taken, SourceUnavailable where that cannot be told."""
        if slug in self._look().registries:
            raise AlreadyExists("registry", slug)
        for source in self._chain.sources:
            to_be_made = source is self._chain.writer and isinstance(source.error, SourceNotFound)
            may_hold = slug in source.url.registries or not source.url.registries
            if source.error is not None and not source.ever_loaded and may_hold and not to_be_made:
                reason = source.error.reason if isinstance(source.error, SourceUnavailable) else source.error
                raise SourceUnavailable(source.label, f"it may hold registry {slug!r}: {reason}")

    def update_registry(self, slug: str, patch: Mapping[str, Any], options: WriteOptions = NO_OPTIONS) -> Registry:
        given = document_of(patch, "patch")
        return self._written(lambda: self._update_registry(slug, given, options), options)

    def _update_registry(self, slug: str, given: dict[str, Any], options: WriteOptions) -> Registry:
        view = self._view(slug)
        self._demand_head(view, given)
        expect_registry(view, options)
        layer = next((layer for layer in view.layers if layer.writer), None)
        held = layer.head if layer else Registry(slug=view.slug)
        old = layer.head.head() if layer else {"slug": view.slug}
        seen = view.head.head()
        self._demand_effective_head(view, given, seen)
        new = left_to_lower(merge_patch(old, given), old, seen)
        new = keep_redacted(new, merge_patch(seen, old), "registry")
        registry = _sound(read_registry({**new, "slug": view.slug, "metadata": writable_metadata(new)}))
        if same(_content(registry), _content(held)):
            return registry_document(view)
        is_same = same(_resolved_part(held), _resolved_part(registry))
        looked_at = self._check_head(registry, view, is_same=is_same)
        noted = self._seen(self._noted(options, layer.head if layer else None, registry, view.schema), looked_at)
        version = layer.head.version if layer else 0
        floor = 0 if layer else view.head.version
        with nullcontext(self._writer()) if is_same else self._alone() as store:  # it concerns new profiles too
            return self._registry_with(store.save_registry(registry, self._stamped(noted, version, floor)))

    def delete_registry(self, slug: str, options: WriteOptions = NO_OPTIONS) -> None:
        def write() -> None:
            view = self._view(slug)
            others = [layer.source for layer in view.layers if not layer.writer]
            if others:
                raise SourceReadOnly(f"registry '{view.slug}'", others[-1], advice="it can only go there")
            expect_registry(view, options)
            for stack in view.profiles.every():
                demand_lifted(stack)
            demand_unreferenced_registry(view, self._present)
            timed = self._stamped(options, view.head.version)
            with self._alone() as store:  # a profile that is new by then may be the user of another, or read-only
                if history_of(self._chain.writer_store()) is not None:
                    for stack in view.profiles.every():
                        gone = self._noted(timed, _readable(stack), None, view.schema)
                        store.delete_profile(stack.reference, gone._replace(expected_version=None))
                store.delete_registry(view.slug, self._noted(timed, view.head, None, view.schema))

        self._written(write, options)

    def _demand_head(self, view: RegistryView, given: Mapping[str, Any]) -> None:
        """A patch of a registry changes neither its profiles nor its name."""
        if "profiles" in given:
            raise ValidationError("registry.profiles", "profiles are created, changed and deleted one by one")
        named = given.get("slug", view.slug)
        if not isinstance(named, str) or named.strip().lower() != view.slug:
            reason = f"is {view.slug!r} and cannot be changed to {named!r}; create another registry"
            raise ValidationError("registry.slug", reason)

    def _demand_effective_head(self, view: RegistryView, given: Mapping[str, Any], seen: Mapping[str, Any]) -> None:
        """SourceReadOnly where another source has the last word on a field: one above, for ``enforced`` one below."""
        below, above = self._labels()
        enforced = {key: value for key, value in given.items() if key == "enforced"}
        others = {key: value for key, value in given.items() if key not in ("enforced", "foreign_sections")}
        for fields, labels in ((others, above), (enforced, below)):
            layers = [layer for layer in view.layers if layer.source in labels]
            for path, position in overruled(fields, seen, [layer.head.head() for layer in layers]):
                field = Field(view.slug, "", ".".join(path))
                raise self._belongs_to(layers[position].source, path, field, f"registry '{view.slug}'")

    def _check_head(self, registry: Registry, view: RegistryView, *, is_same: bool) -> set[Reference]:
        """ValidationError where the writer's own fields name profiles that are not there, or break what was sound.

        What it gives are the profiles that were looked at.
        """
        named = [("default_profile_slug", registry.default_profile_slug)]
        named += [(f"callers[{caller}]", slug) for caller, slug in registry.callers.items()]
        faults = [
            Fault(f"registry.{field}", f"there is no profile {slug!r}{_hint(slug, view)}")
            for field, slug in named
            if slug and slug not in view.profiles
        ]
        if faults:
            raise ValidationError.of(faults)
        looked_at = {Reference(view.slug, slug) for _, slug in named if slug}
        if not is_same:
            after = self._chain.trial(Instead(view.slug, registry))
            looked_at |= demand_sound_registry(self._present, after, view.slug)
        return looked_at


def _readable(stack: ProfileStack) -> Profile | None:
    """The document of a profile, if it is one that can be read."""
    return stack.layers[-1].profile if stack.layers else None


def _sound(read: ReadRegistry) -> Registry:
    if read.all_faults:
        raise ValidationError.of(read.all_faults)
    return read.registry


def _unstamped(profile: Profile) -> Profile:
    """A profile of a new registry: version and times are the store's to give."""
    return replace(profile, metadata=Metadata(tags=profile.metadata.tags))


def _content(registry: Registry) -> dict[str, Any]:
    """What a writer can set of a registry."""
    head = registry.head()
    head.pop("metadata", None)
    tags = registry.metadata.tags
    return {**head, "tags": list(tags) if isinstance(tags, tuple) else None}


def _resolved_part(registry: Registry) -> dict[str, Any]:
    """What of a registry counts when one of its profiles is resolved."""
    head = registry.head()
    fields = ("defaults", "enforced", "policy", "settings_schema", "foreign_sections")
    return {field: head[field] for field in fields if field in head}


def _hint(slug: str, view: RegistryView) -> str:
    close = nearest(slug, view.names_like(slug), 1)
    return f"; did you mean {close[0]!r}?" if close else ""
