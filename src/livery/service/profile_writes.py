"""Changes of profiles: create, update, replace, delete, copy, rename."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from msgspec.structs import replace

from livery.core.catalogue import RegistryView
from livery.core.check import profile_faults
from livery.core.documents import read_profile
from livery.core.names import Reference, profile_slug
from livery.core.patch import keep_redacted, merge_patch
from livery.core.profile import Profile, Registry
from livery.core.stack import ProfileLayer, ProfileStack
from livery.core.values import same
from livery.errors import AlreadyExists, Invalid, LiveryError, SourceReadOnly, ValidationError, VersionConflict
from livery.service.guards import demand_lifted, demand_unreferenced, expect, known_version, overruled, same_identity
from livery.service.protocols import NO_OPTIONS
from livery.service.redacted import left_to_lower
from livery.service.soundness import demand_sound, resolved
from livery.service.writes import Writes, document_of, layer_of, writable_metadata
from livery.stores.chain import Instead
from livery.stores.copies import copied_profile
from livery.stores.protocols import Field, WriteOptions, history_of


class ProfileWrites(Writes):
    """The writes of profiles; see :class:`livery.service.RegistryWriter` for what each promises."""

    def create_profile(
        self, registry: str | None, document: Mapping[str, Any], options: WriteOptions = NO_OPTIONS
    ) -> Profile:
        def write() -> Profile:
            view = self._view(registry)
            fields = document_of(document, "profile")
            if fields.get("registry", view.slug) != view.slug:
                raise ValidationError("profile.registry", f"is {fields['registry']!r}, not {view.slug!r}")
            fields.pop("registry", None)
            fields["metadata"] = writable_metadata(fields)
            return self._create(view, _read(keep_redacted(fields, {}, "profile"), view), options)

        return self._written(write, _absent(options))

    def _create(self, view: RegistryView, profile: Profile, options: WriteOptions) -> Profile:
        present = view.profiles.get(profile.slug)
        if present is not None and present.layers:
            raise AlreadyExists("profile", str(profile.reference))
        if options.expected_version:
            raise VersionConflict("profile", profile.slug, options.expected_version, 0)
        looked_at = self._check(profile, view, None)
        noted = self._noted(options, None, profile, view.schema)
        return self._save(profile, view, self._seen(self._stamped(noted, 0), looked_at))

    def update_profile(
        self, registry: str | None, slug: str, patch: Mapping[str, Any], options: WriteOptions = NO_OPTIONS
    ) -> Profile:
        given = document_of(patch, "patch")

        def changed(old: dict[str, Any]) -> dict[str, Any]:
            new: dict[str, Any] = merge_patch(old, given)
            return new

        return self._written(lambda: self._change(registry, slug, given, changed, options, lifts=given), options)

    def replace_profile(
        self, registry: str | None, slug: str, document: Mapping[str, Any], options: WriteOptions = NO_OPTIONS
    ) -> Profile:
        given = document_of(document, "profile")
        return self._written(lambda: self._change(registry, slug, given, lambda old: given, options), options)

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
        view = self._view(registry)
        stack = self._existing(view, slug)
        expect(stack, options)
        demand_lifted(stack, lifts)
        layer = layer_of(stack)
        own = layer.profile if layer else None
        old = own.document() if own else {}
        seen = _seen(stack)
        self._demand_effective(stack, given, seen)
        new = same_identity(changed(old), stack.reference)
        new = keep_redacted(left_to_lower(new, old, seen), merge_patch(seen, old), "profile")
        new["metadata"] = writable_metadata(new)
        profile = _read({**new, "slug": stack.reference.profile}, view)
        if same(_content(profile), _content(own or Profile(slug="", registry=view.slug))):
            return copied_profile(stack.profile)
        looked_at = self._check(profile, view, own)
        noted = self._seen(self._noted(options, own, profile, view.schema), looked_at)
        if own is not None:
            return self._save(profile, view, self._stamped(noted, own.version))
        return self._save_over(profile, stack, view, noted)

    def _save_over(self, profile: Profile, stack: ProfileStack, view: RegistryView, options: WriteOptions) -> Profile:
        """Save a first layer over what lower sources hold; it counts on from there."""
        public = stack.public.profile
        metadata = replace(profile.metadata, runtime_version=public.runtime_version)
        return self._save(replace(profile, metadata=metadata), view, self._stamped(options, 0, public.version))

    def delete_profile(
        self, registry: str | None, slug: str, options: WriteOptions = NO_OPTIONS, *, revert: bool = False
    ) -> Profile | None:
        return self._written(lambda: self._delete(registry, slug, options, revert=revert), options)

    def _delete(self, registry: str | None, slug: str, options: WriteOptions, *, revert: bool) -> Profile | None:
        view = self._view(registry)
        broken = self._broken(view, slug)
        if broken is not None:
            demand_unreferenced(broken, view, self._present)
            self._delete_broken(broken, options)
            return None
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
            demand_unreferenced(reference, view, self._present)
        after = self._chain.trial(Instead(view.slug, profiles={reference.profile: None}))
        looked_at = demand_sound(self._present, after, [reference])
        noted = self._seen(self._noted(options, _known(layer), None, view.schema), looked_at)
        self._writer().delete_profile(reference, self._stamped(noted, known_version(layer)))
        return self._profile_with(reference, None) if below else None

    def _broken(self, view: RegistryView, slug: str) -> Reference | None:
        """A profile of which the writer has nothing but a row that cannot be read; the way out is without it."""
        stack = view.profiles.get(profile_slug(slug))
        is_database = history_of(self._chain.writer_store()) is not None
        return stack.reference if is_database and stack is not None and not stack.layers else None

    def _delete_broken(self, reference: Reference, options: WriteOptions) -> None:
        stamped = self._stamped(options, 0)
        self._writer().delete_profile(reference, stamped._replace(expected_version=options.expected_version))

    def copy_profile(
        self, registry: str | None, slug: str, new_slug: str, options: WriteOptions = NO_OPTIONS
    ) -> Profile:
        def write() -> Profile:
            view = self._view(registry)
            stack = view.stack(profile_slug(slug))
            document = {**stack.profile.document(), "slug": new_slug}
            document["metadata"] = writable_metadata(document)
            document.get("policy", {}).pop("read_only", None)  # the copy is there to be changed
            copied = _read(document, view)
            if copied.slug not in view.profiles:
                self._demand_equal(stack, copied)
            return self._create(view, copied, options._replace(like=stack.reference.profile))

        return self._written(write, _absent(options))

    def _demand_equal(self, stack: ProfileStack, copied: Profile) -> None:
        """Of a profile in several sources not every document can be told as one; a copy must not be another runtime."""
        after = self._chain.trial(Instead(copied.registry, profiles={copied.slug: copied}))
        if resolved(after, copied.reference).runtime_digest != resolved(after, stack.reference).runtime_digest:
            sources = ", ".join(layer.source for layer in stack.layers)
            reason = f"'{stack.reference}' is laid together from {sources} and has no form as one document"
            raise ValidationError("profile", f"{reason}; let the new profile extend it instead")

    def rename_profile(
        self, registry: str | None, slug: str, new_slug: str, options: WriteOptions = NO_OPTIONS
    ) -> Profile:
        from livery.service.renaming import Renaming

        def write() -> Profile:
            view = self._view(registry)
            stack = view.stack(profile_slug(slug))
            expect(stack, options)
            demand_lifted(stack)
            new = Reference(view.slug, profile_slug(new_slug))
            if new.profile in view.profiles:
                raise AlreadyExists("profile", str(new))
            renaming = Renaming(self._present, view, stack, new)
            after = self._chain.trial(*renaming.instead())
            looked_at = demand_sound(self._present, after, [*renaming.changed, stack.reference])
            at_ms = options.at_ms or self._clock()  # one time for all of it: no moment lies in between
            named = self._seen(options._replace(action=options.action or "rename", at_ms=at_ms), looked_at)
            with self._transaction() as store:
                return renaming.save(
                    store, lambda old, new: self._noted(self._stamped(named, 0), old, new, view.schema)
                )

        return copied_profile(self._written(write, options))

    # What these share

    def _check(self, profile: Profile, view: RegistryView, old: Profile | None) -> frozenset[Reference]:
        """ValidationError, LineageError or MergeConflict where the profile is not sound by itself or in the whole.

        What it gives are the profiles that were looked at.
        """
        faults = profile_faults(profile, view)
        if faults:
            stored = f"registry.profiles[{profile.slug}]"
            raise ValidationError.of([f._replace(field=f.field.replace(stored, "profile", 1)) for f in faults])
        if old is not None and same(_resolved_part(old), _resolved_part(profile)):
            return frozenset()
        after = self._chain.trial(Instead(view.slug, profiles={profile.slug: profile}))
        return demand_sound(self._present, after, [profile.reference])

    def _demand_effective(self, stack: ProfileStack, given: Mapping[str, Any], seen: Mapping[str, Any]) -> None:
        """SourceReadOnly where a source above the writer sets a field that is given: the write would change nothing."""
        _, above = self._labels()
        layers = [layer for layer in stack.layers if layer.source in above]
        for path, position in overruled(given, seen, [layer.profile.document() for layer in layers]):
            layer = layers[position]
            field = Field(*stack.reference, ".".join(path))
            raise self._belongs_to(layer.source, path, field, f"profile '{stack.reference}'")

    def _save(self, profile: Profile, view: RegistryView, options: WriteOptions) -> Profile:
        """The merged document, once the writer's layer of it is stored, and its registry if it was not there."""
        if any(layer.writer for layer in view.layers):
            return self._profile_with(profile.reference, self._writer().save_profile(profile, options))
        head = options._replace(diff="", seen=None)
        with self._transaction() as writer:
            writer.save_registry(Registry(slug=view.slug), self._stamped(head, 0, view.head.version))
            return self._profile_with(profile.reference, writer.save_profile(profile, options))


def _absent(options: WriteOptions) -> WriteOptions:
    """The options of a write of something new: that it is there by now is said, and not tried again."""
    return options if options.expected_version is not None else options._replace(expected_version=0)


def _known(layer: ProfileLayer) -> Profile:
    """A profile as one source has it; as it is listed, where it can no longer be read."""
    try:
        return layer.profile
    except LiveryError:
        return layer.heading


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
