"""Changes of profiles: create, update, replace, delete, copy, rename."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from msgspec.structs import replace

from livery.core.catalogue import ProfileStack, RegistryView
from livery.core.check import profile_faults
from livery.core.documents import read_profile
from livery.core.names import Reference, profile_slug
from livery.core.patch import keep_redacted, merge_patch
from livery.core.profile import Profile, Registry
from livery.core.values import same
from livery.errors import AlreadyExists, Invalid, SourceReadOnly, ValidationError, VersionConflict
from livery.service.guards import demand_lifted, demand_unreferenced, expect, known_version, overruled, same_identity
from livery.service.protocols import NO_OPTIONS
from livery.service.redacted import left_to_lower
from livery.service.soundness import demand_sound, resolved
from livery.service.writes import Writes, document_of, layer_of, writable_metadata
from livery.stores.protocols import Field, WriteOptions


class ProfileWrites(Writes):
    """The writes of profiles; see :class:`livery.service.RegistryWriter` for what each promises."""

    def create_profile(
        self, registry: str | None, document: Mapping[str, Any], options: WriteOptions = NO_OPTIONS
    ) -> Profile:
        with self._lock:
            view = self._view(registry)
            fields = document_of(document, "profile")
            if fields.get("registry", view.slug) != view.slug:
                raise ValidationError("profile.registry", f"is {fields['registry']!r}, not {view.slug!r}")
            fields.pop("registry", None)
            fields["metadata"] = writable_metadata(fields)
            return self._create(view, _read(keep_redacted(fields, {}, "profile"), view), options)

    def _create(self, view: RegistryView, profile: Profile, options: WriteOptions) -> Profile:
        if profile.slug in view.profiles and view.profiles[profile.slug].layers:
            raise AlreadyExists("profile", str(profile.reference))
        if options.expected_version:
            raise VersionConflict("profile", profile.slug, options.expected_version, 0)
        self._check(profile, view, None)
        self._save(profile, view, self._stamped(options, 0))
        return self._profile(profile.reference)

    def update_profile(
        self, registry: str | None, slug: str, patch: Mapping[str, Any], options: WriteOptions = NO_OPTIONS
    ) -> Profile:
        given = document_of(patch, "patch")

        def changed(old: dict[str, Any]) -> dict[str, Any]:
            new: dict[str, Any] = merge_patch(old, given)
            return new

        def write() -> Profile:
            return self._change(registry, slug, given, changed, options, lifts=given)

        return self._repeated(write) if options.expected_version is None else write()

    def replace_profile(
        self, registry: str | None, slug: str, document: Mapping[str, Any], options: WriteOptions = NO_OPTIONS
    ) -> Profile:
        given = document_of(document, "profile")
        return self._change(registry, slug, given, lambda old: given, options)

    def _change(
        self,
        registry: str | None,
        slug: str,
        given: dict[str, Any],
        changed: Callable[[dict[str, Any]], dict[str, Any]],
        options: WriteOptions,
        *,
        lifts: dict[str, Any] | None = None,
    ) -> Profile:
        with self._lock:
            view = self._view(registry)
            stack = self._existing(view, slug)
            expect(stack, options)
            demand_lifted(stack, lifts)
            layer = layer_of(stack)
            old = layer.profile.document() if layer else {}
            seen = _seen(stack)
            self._demand_effective(stack, given, seen)
            new = same_identity(changed(old), stack.reference)
            new = keep_redacted(left_to_lower(new, old, seen), merge_patch(seen, old), "profile")
            new["metadata"] = writable_metadata(new)
            profile = _read({**new, "slug": stack.reference.profile}, view)
            if same(_content(profile), _content(layer.profile if layer else Profile(slug="", registry=view.slug))):
                return self._profile(stack.reference)
            self._check(profile, view, layer.profile if layer else None)
            if layer is not None:
                self._save(profile, view, self._stamped(options, layer.profile.version))
            else:
                self._save_over(profile, stack, view, options)
            return self._profile(stack.reference)

    def _save_over(self, profile: Profile, stack: ProfileStack, view: RegistryView, options: WriteOptions) -> None:
        """Save a first layer over what lower sources hold; it counts on from there."""
        public = stack.public.profile
        metadata = replace(profile.metadata, runtime_version=public.runtime_version)
        self._save(replace(profile, metadata=metadata), view, self._stamped(options, 0, public.version))

    def delete_profile(
        self, registry: str | None, slug: str, options: WriteOptions = NO_OPTIONS, *, revert: bool = False
    ) -> Profile | None:
        with self._lock:
            view = self._view(registry)
            stack = self._existing(view, slug)
            reference = stack.reference
            expect(stack, options)
            demand_lifted(stack)
            layer = layer_of(stack)
            below = [other for other in stack.layers if other is not layer]
            if layer is None or (below and not revert):
                advice = "give --revert to drop only the changes laid over it" if layer else "it can only go there"
                raise SourceReadOnly(f"profile '{reference}'", below[-1].source, advice=advice)
            if not below:
                demand_unreferenced(reference, view, self._chain.catalogue())
            held = self._held(view.slug)
            rest = {name: profile for name, profile in held.profiles.items() if name != reference.profile}
            after = self._chain.trial(replace(held, profiles=rest))
            demand_sound(self._chain.catalogue(), after, [reference])
            self._writer().delete_profile(reference, self._stamped(options, known_version(layer)))
            self._chain.refresh(self._clock())
            return self._profile(reference) if below else None

    def copy_profile(
        self, registry: str | None, slug: str, new_slug: str, options: WriteOptions = NO_OPTIONS
    ) -> Profile:
        with self._lock:
            view = self._view(registry)
            stack = view.stack(profile_slug(slug))
            document = {**stack.profile.document(), "slug": new_slug}
            document["metadata"] = writable_metadata(document)
            document.get("policy", {}).pop("read_only", None)  # the copy is there to be changed
            copied = _read(document, view)
            if copied.slug not in view.profiles:
                self._demand_equal(stack, copied)
            return self._create(view, copied, options._replace(like=stack.reference.profile))

    def _demand_equal(self, stack: ProfileStack, copied: Profile) -> None:
        """Of a profile in several sources not every document can be told as one; a copy must not be another runtime."""
        held = self._held(copied.registry)
        after = self._chain.trial(replace(held, profiles={**held.profiles, copied.slug: copied}))
        if resolved(after, copied.reference).runtime_digest != resolved(after, stack.reference).runtime_digest:
            sources = ", ".join(layer.source for layer in stack.layers)
            reason = f"'{stack.reference}' is laid together from {sources} and has no form as one document"
            raise ValidationError("profile", f"{reason}; let the new profile extend it instead")

    def rename_profile(
        self, registry: str | None, slug: str, new_slug: str, options: WriteOptions = NO_OPTIONS
    ) -> Profile:
        from livery.service.renaming import Renaming

        with self._lock:
            view = self._view(registry)
            stack = view.stack(profile_slug(slug))
            expect(stack, options)
            demand_lifted(stack)
            new = Reference(view.slug, profile_slug(new_slug))
            if new.profile in view.profiles:
                raise AlreadyExists("profile", str(new))
            renaming = Renaming(self._chain.catalogue(), view, stack, new)
            after = self._chain.trial(*renaming.registries(self._held))
            demand_sound(self._chain.catalogue(), after, renaming.changed)
            renaming.save(self._writer(), lambda expected: self._stamped(options, expected))
            return self._profile(new)

    # What these share

    def _check(self, profile: Profile, view: RegistryView, old: Profile | None) -> None:
        """ValidationError, LineageError or MergeConflict where the profile is not sound by itself or in the whole."""
        faults = profile_faults(profile, view)
        if faults:
            stored = f"registry.profiles[{profile.slug}]"
            raise ValidationError.of([f._replace(field=f.field.replace(stored, "profile", 1)) for f in faults])
        if old is None or not same(_resolved_part(old), _resolved_part(profile)):
            held = self._held(view.slug)
            after = self._chain.trial(replace(held, profiles={**held.profiles, profile.slug: profile}))
            demand_sound(self._chain.catalogue(), after, [profile.reference])

    def _demand_effective(self, stack: ProfileStack, given: Mapping[str, Any], seen: Mapping[str, Any]) -> None:
        """SourceReadOnly where a source above the writer sets a field that is given: the write would change nothing."""
        _, above = self._labels()
        layers = [layer for layer in stack.layers if layer.source in above]
        for path, position in overruled(given, seen, [layer.profile.document() for layer in layers]):
            layer = layers[position]
            field = Field(*stack.reference, ".".join(path))
            raise self._belongs_to(layer.source, path, field, f"profile '{stack.reference}'")

    def _save(self, profile: Profile, view: RegistryView, options: WriteOptions) -> None:
        writer = self._writer()
        if not any(layer.writer for layer in view.layers):
            writer.save_registry(Registry(slug=view.slug), self._stamped(options, 0, view.head.version))
        writer.save_profile(profile, options)


def _read(document: Mapping[str, Any], view: RegistryView) -> Profile:
    profile, faults = read_profile(document, registry=view.slug, field="profile")
    if profile is None or faults:
        raise ValidationError.of(faults)
    return profile


def _content(profile: Profile) -> dict[str, Any]:
    """What a writer can set of a profile."""
    document = profile.document()
    document.pop("metadata", None)
    tags = profile.metadata.tags
    return {**document, "tags": list(tags) if isinstance(tags, tuple) else None}


def _resolved_part(profile: Profile) -> dict[str, Any]:
    """What of a profile counts when it is resolved."""
    document = profile.document()
    return {field: document[field] for field in ("extends", "runtime", "extensions") if field in document}


def _seen(stack: ProfileStack) -> dict[str, Any]:
    """The document as it is seen over all sources; nothing where the sources do not fit together."""
    try:
        return stack.profile.document()
    except Invalid:
        return {}
