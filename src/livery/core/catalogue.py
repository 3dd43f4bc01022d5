"""What a resolution looks into: registries and profiles as seen over all sources, with their layers in source order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Protocol

from msgspec.structs import replace

from livery.core.composed import composed
from livery.core.extensions import NO_EXTENSION_SCHEMAS, ExtensionSchemas
from livery.core.layers import Layer, Origin, layer_of
from livery.core.names import Reference, nearest
from livery.core.policy import OwnedPolicy, combine
from livery.core.profile import PolicySpec, Registry, RuntimeSpec
from livery.core.profiles import HeldProfiles, Profiles
from livery.core.schema import SettingsSchema
from livery.core.stack import ProfileStack, last_given
from livery.errors import Invalid, LiveryError, ProfileNotFound, RegistryNotFound, SourceUnavailable

if TYPE_CHECKING:
    from livery.core.changes import Change


class Users(Protocol):
    """What tells who extends what among profiles that are not in memory."""

    def users(self, base: Reference) -> Iterable[Reference]:
        """The profiles that extend another."""

    def users_of_registry(self, registry: str) -> Iterable[Reference]:
        """The profiles of other registries that extend one of this."""


_MOST_NAMES = 2_000  # finding the nearest of many takes its time


class RegistryLayer:
    """What one source says of a registry, its profiles apart."""

    def __init__(self, source: str, head: Registry, schema: SettingsSchema, *, writer: bool = False) -> None:
        self.source = source
        self.head = head
        self.schema = schema
        self.writer = writer

    @cached_property
    def defaults(self) -> Layer:
        return self._layer("defaults", self.head.defaults)

    @cached_property
    def enforced(self) -> Layer:
        return self._layer("enforced", self.head.enforced)

    def _layer(self, kind: Any, runtime: RuntimeSpec) -> Layer:
        origin = Origin(kind, self.head.slug, "", self.source, self.head.version)
        return layer_of(origin, runtime.given(), self.schema, f"registry.{kind}")


class RegistryView:
    """One registry over all sources: its layers, the lowest first, and its profiles by slug."""

    def __init__(
        self,
        slug: str,
        layers: Sequence[RegistryLayer],
        profiles: Mapping[str, ProfileStack],
        schema: SettingsSchema,
        *,
        extension_schemas: ExtensionSchemas = NO_EXTENSION_SCHEMAS,
        stamp: int = 0,
    ) -> None:
        self.slug = slug
        self.layers = tuple(layers)
        self.profiles = profiles if isinstance(profiles, Profiles) else HeldProfiles(profiles)
        self.own_schema = schema
        """The schema that the registry names; :attr:`schema` knows the sections of other programs too."""
        self.extension_schemas = extension_schemas
        self.stamp = stamp
        """The generation in which anything of the registry last changed, profiles that are asked for apart."""

    def with_profiles(self, profiles: Profiles) -> RegistryView:
        """The same registry with other profiles; what is known of its head stays known."""
        view = copy(self)
        view.profiles = profiles
        view.__dict__.pop("default_profile", None)
        return view

    @cached_property
    def head(self) -> Registry:
        """The registry-level fields over all sources: the later wins, ``policy`` combines, ``enforced`` the earlier."""
        heads = [layer.head for layer in self.layers] or [Registry(slug=self.slug)]  # none: broken in every source
        public = next((layer.head for layer in self.layers if layer.writer), heads[-1])
        if len(heads) == 1:
            return public
        return replace(
            public,
            display_name=last_given(h.display_name for h in heads),
            description=last_given(h.description for h in heads),
            default_profile_slug=last_given(h.default_profile_slug for h in heads),
            defaults=_merged_or(public.defaults, self, "defaults"),
            enforced=_merged_or(public.enforced, self, "enforced"),
            policy=combine([h.policy for h in heads]),
            callers={caller: slug for head in heads for caller, slug in head.callers.items()},
            fallback=last_given(h.fallback for h in heads),
            settings_schema=last_given(h.settings_schema for h in heads),
            foreign_sections=tuple(dict.fromkeys(s for h in heads for s in h.foreign_sections)),
        )

    @cached_property
    def schema(self) -> SettingsSchema:
        """The schema of the settings, with the sections of other programs that the registry lists."""
        return self.own_schema.with_sections(self.head.foreign_sections)

    @cached_property
    def defaults(self) -> tuple[Layer, ...]:
        return tuple(layer.defaults for layer in self.layers if layer.defaults.values)

    @cached_property
    def enforced(self) -> tuple[Layer, ...]:
        """In the order in which they are laid: an earlier source over a later one, so that none can be loosened."""
        return tuple(layer.enforced for layer in reversed(self.layers) if layer.enforced.values)

    @cached_property
    def policies(self) -> tuple[OwnedPolicy, ...]:
        return tuple(
            OwnedPolicy(self.slug, layer.head.version, layer.head.policy)
            for layer in self.layers
            if layer.head.policy != PolicySpec()
        )

    @cached_property
    def default_profile(self) -> tuple[str | None, str | None]:
        """The slug of the default profile, if there is any profile, and a warning where nobody named it."""
        named = self.head.default_profile_slug
        if named or not self.profiles:
            return named or None, None
        chosen = "default" if "default" in self.profiles else self.profiles.names(limit=1)[0]
        return chosen, f"registry '{self.slug}' names no default profile; '{chosen}' is taken"

    def stack(self, slug: str) -> ProfileStack:
        """A profile that can be used; its own error where its document is broken."""
        stack = self.profiles.get(slug)
        if stack is None:
            close = nearest(slug, self.names_like(slug))
            raise ProfileNotFound(f"{self.slug}/{slug}", nearest=[f"{self.slug}/{name}" for name in close])
        if stack.fault is not None:
            raise stack.fault.with_traceback(None)
        return stack

    def names_like(self, slug: str) -> list[str]:
        """Names that one that is not there may have been meant for; of very many only those that begin like it."""
        names = self.profiles.names(limit=_MOST_NAMES + 1)
        if len(names) <= _MOST_NAMES:
            return names
        return self.profiles.names(prefix=slug[:1], limit=_MOST_NAMES)


def _merged_or(written: RuntimeSpec, view: RegistryView, field: Literal["defaults", "enforced"]) -> RuntimeSpec:
    """The merged runtime of a registry; as one source wrote it where the sources clash, which a resolution reports."""
    try:
        return composed(getattr(view, field), [getattr(layer.head, field) for layer in view.layers])[0]
    except Invalid:
        return written


class Catalogue:
    """Every registry of one generation of the chain, the topmost source's first; nothing in it changes."""

    def __init__(
        self,
        registries: Mapping[str, RegistryView],
        *,
        default_registry: str | None = None,
        generation: int = 0,
        unavailable: Mapping[str | None, LiveryError] | None = None,
        users: Sequence[Users] = (),
        logged: Sequence[Change] | None = (),
        seqs: Mapping[str, int] | None = None,
    ) -> None:
        self.registries = registries
        self.configured_default = default_registry
        self.generation = generation
        self.unavailable = unavailable or {}
        """Registries that a source at fault holds or may hold, and why; None stands for any registry."""
        self.users = tuple(users)
        self.logged = tuple(logged) if logged is not None else None
        """What the change logs of its sources say has happened since the generation before, in order.

        None where one of them cannot say so.
        """
        self.seqs = seqs or {}
        """Up to where the change logs of its sources are in it, by source."""

    def view(self, slug: str) -> RegistryView:
        """The registry, or RegistryNotFound, or why it cannot be answered for."""
        fault = self.unavailable.get(slug) or self.unavailable.get(None)
        if fault is not None:
            raise fault.with_traceback(None)  # the same error is raised every time
        view = self.registries.get(slug)
        if view is None:
            raise RegistryNotFound(slug, nearest=nearest(slug, self.registries))
        return view

    def demand_complete(self) -> None:
        """Raise the error of a source that may hold any registry: without it nobody can say what there is."""
        fault = self.unavailable.get(None)
        if fault is not None:
            raise fault.with_traceback(None)

    def stack(self, reference: Reference) -> ProfileStack:
        return self.view(reference.registry).stack(reference.profile)

    def bases_of(self, reference: Reference) -> Sequence[Reference] | None:
        """What :func:`livery.core.lineage.expand` asks: the bases, or None where there is no such profile."""
        unknown = reference.registry not in self.registries
        if unknown and reference.registry not in self.unavailable and None not in self.unavailable:
            return None
        view = self.view(reference.registry)
        return view.stack(reference.profile).bases if reference.profile in view.profiles else None

    def find(self, reference: Reference) -> ProfileStack | None:
        """A profile, usable or not; None where it is not there."""
        view = self.registries.get(reference.registry)
        return view.profiles.get(reference.profile) if view is not None else None

    def bases_at_hand(self, reference: Reference) -> Sequence[Reference] | None:
        """The bases as far as they are known without reading a file, or None where there is no such profile."""
        try:
            stack = self.find(reference)
        except SourceUnavailable:
            return ()  # nobody knows; its source says so
        return stack.bases_at_hand if stack is not None else None

    def users_of(self, base: Reference) -> list[ProfileStack]:
        """The profiles that extend another, in all registries; those that were not read yet too."""
        asked = (self.find(reference) for asked in self.users for reference in asked.users(base))
        held = (stack for view in self.registries.values() for stack in view.profiles.users_of(base))
        found = {stack.reference: stack for stack in (*held, *asked) if stack is not None}
        return [stack for _, stack in sorted(found.items()) if stack.known_fault is None and base in stack.bases]

    def users_of_registry(self, slug: str) -> list[ProfileStack]:
        """The profiles of other registries that extend one of this."""
        asked = (self.find(reference) for asked in self.users for reference in asked.users_of_registry(slug))
        held = (stack for view in self.registries.values() for stack in view.profiles.held)
        found = {stack.reference: stack for stack in (*held, *asked) if stack is not None}
        return [
            stack
            for reference, stack in sorted(found.items())
            if reference.registry != slug and any(base.registry == slug for base in stack.bases)
        ]

    def names_like(self, reference: Reference) -> list[Reference]:
        """Profiles that a name may have been meant for."""
        own = self.registries.get(reference.registry)
        if own is not None:
            return [Reference(own.slug, name) for name in own.names_like(reference.profile)]
        views = self.registries.values()
        return [Reference(view.slug, name) for view in views for name in view.names_like(reference.profile)]
