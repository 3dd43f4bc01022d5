"""What a resolution looks into: registries and profiles as seen over all sources, with their layers in source order."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from copy import copy
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Protocol

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from livery.core.composed import composed
from livery.core.extensions import NO_EXTENSION_SCHEMAS, ExtensionSchemas
from livery.core.layers import Layer, Origin, layer_of
from livery.core.names import Reference, nearest
from livery.core.policy import OwnedPolicy, combine
from livery.core.profile import PolicySpec, Profile, Registry, RuntimeSpec
from livery.core.schema import SettingsSchema
from livery.errors import Invalid, LiveryError, ProfileNotFound, RegistryNotFound

if TYPE_CHECKING:
    from livery.core.changes import Change


class Users(Protocol):
    """What tells who extends what among profiles that are not in memory."""

    def users(self, base: Reference) -> Iterable[Reference]:
        """The profiles that extend another."""

    def users_of_registry(self, registry: str) -> Iterable[Reference]:
        """The profiles of other registries that extend one of this."""


_MOST_NAMES = 2_000  # finding the nearest of many takes its time


class ProfileLayer:
    """What one source says of a profile.

    With ``read`` the profile is only a heading, without bases, runtime and extensions, until the whole is needed;
    ``read`` raises what keeps it from being read, and every use of it after that does so too. ``bases`` tells what it
    extends without reading it.
    """

    def __init__(
        self,
        source: str,
        profile: Profile,
        schema: SettingsSchema,
        *,
        writer: bool = False,
        read: Callable[[], Profile] | None = None,
        bases: Callable[[], tuple[Reference, ...]] | None = None,
    ) -> None:
        self.source = source
        self.schema = schema
        self.writer = writer
        self.listed = profile
        """The profile as the source lists it: as a whole, or the heading of one that is read when it is needed."""
        self.is_deferred = read is not None
        self.checked: tuple[object, object, Any] | None = None
        """What a check by a schema and extension schemas has found; the layer never changes, so it is made once."""
        self._known = profile
        self._read = read
        self._bases = bases

    @property
    def is_read(self) -> bool:
        """Whether :attr:`profile` is known already."""
        return self._read is None

    @property
    def heading(self) -> Profile:
        """What is known of the profile by now: at least name, description, version, policy, times, tags."""
        return self._known

    @property
    def profile(self) -> Profile:
        """The whole profile as the source has it."""
        read = self._read  # another thread may read it too: both come to the same
        if read is not None:
            self._known = read()
            self._read = None
        return self._known

    @property
    def extends(self) -> tuple[Reference, ...] | UnsetType:
        """The bases that the source names, if it says anything of them."""
        if self._read is not None and self._bases is not None:
            return self._bases() or UNSET
        return self.profile.extends

    @cached_property
    def as_selected(self) -> Layer:
        """The prepared runtime with the extensions beside it; made when it is first needed."""
        profile = self.profile
        runtime = profile.runtime.given()
        if profile.extensions:
            runtime["extensions"] = profile.extensions
        origin = Origin("profile", profile.registry, profile.slug, self.source, profile.version)
        return layer_of(origin, runtime, self.schema, f"registry.profiles[{profile.slug}].runtime")

    @cached_property
    def as_base(self) -> Layer:
        layer = self.as_selected
        return layer._replace(origin=layer.origin._replace(layer="extends"))


class ProfileStack:
    """One profile over all sources: its layers, the lowest first.

    ``examine`` finds what is wrong with it once its layers are read; without one, ``fault`` is all there is to say.
    """

    def __init__(
        self,
        reference: Reference,
        layers: Sequence[ProfileLayer],
        fault: LiveryError | None = None,
        *,
        examine: Callable[[ProfileStack], LiveryError | None] | None = None,
    ) -> None:
        self.reference = reference
        self.layers = tuple(layers)
        self.known_fault = fault
        """Why the profile cannot be used, as far as that is known without reading anything."""
        self._examine = examine

    @cached_property
    def is_deferred(self) -> bool:
        """Whether a layer is read only when it is needed."""
        return any(layer.is_deferred for layer in self.layers)

    @property
    def is_examined(self) -> bool:
        """Whether :attr:`fault` is known already."""
        return self._examine is None

    @property
    def is_read(self) -> bool:
        """Whether all layers are known as a whole."""
        return all(layer.is_read for layer in self.layers)

    @property
    def fault(self) -> LiveryError | None:
        """Why the profile cannot be used; layers that were not read yet are read for that."""
        examine = self._examine
        if examine is not None:  # cleared last: whoever finds it gone must find the fault
            self.known_fault = self.known_fault or examine(self)
            self._examine = None
        return self.known_fault

    @property
    def public(self) -> ProfileLayer:
        """The layer whose version is the profile's: the writer's, else the highest."""
        for layer in self.layers:
            if layer.writer:
                return layer
        return self.layers[-1]

    @cached_property
    def bases(self) -> tuple[Reference, ...]:
        """The bases that the highest layer with ``extends`` names."""
        named = (layer.extends for layer in reversed(self.layers))
        return next((extends for extends in named if extends is not UNSET), ())

    @property
    def bases_at_hand(self) -> tuple[Reference, ...]:
        """The bases as far as they are known without reading anything; a broken profile leads nowhere."""
        return self.bases if self.is_examined and self.known_fault is None else ()

    @cached_property
    def policies(self) -> tuple[OwnedPolicy, ...]:
        return tuple(
            OwnedPolicy(str(self.reference), layer.profile.version, layer.heading.policy)
            for layer in self.layers
            if layer.heading.policy != PolicySpec()
        )

    @property
    def read_only_owner(self) -> str | None:
        """The source of the first layer that says ``read_only``."""
        for layer in self.layers:
            if layer.heading.policy.read_only:
                return layer.source
        return None

    @cached_property
    def profile(self) -> Profile:
        """The merged stored document; its metadata are those of the public layer."""
        if len(self.layers) == 1:
            return _with_metadata(self.layers[0].profile, self.layers[0])
        profiles = [layer.profile for layer in self.layers]
        runtime, extensions = composed((layer.as_selected for layer in self.layers), [p.runtime for p in profiles])
        merged = replace(
            self.public.profile,
            display_name=_last(p.display_name for p in profiles),
            description=_last(p.description for p in profiles),
            extends=self.bases or UNSET,
            runtime=runtime,
            policy=combine([p.policy for p in profiles]),
            extensions=extensions,
        )
        tags = [p.metadata.tags for p in profiles if p.metadata.tags is not UNSET]
        return _with_metadata(merged, self.public, tags[-1] if tags else UNSET)


def _with_metadata(profile: Profile, layer: ProfileLayer, tags: Any = UNSET) -> Profile:
    """A profile with the kind of its source where its document does not say."""
    metadata = profile.metadata
    kind = _SOURCE_KINDS.get(layer.source.partition(":")[0], "file")
    return replace(
        profile,
        metadata=replace(metadata, source=metadata.source or kind, tags=tags if tags is not UNSET else metadata.tags),
    )


_SOURCE_KINDS = {"builtin": "builtin", "memory": "api", "sqlite": "db", "postgresql": "db", "https": "remote"}


def _last(texts: Iterator[str] | Any) -> str:
    return next((text for text in reversed(list(texts)) if text), "")


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


class Profiles(Mapping[str, ProfileStack]):
    """The profiles of a registry over all sources, by slug. Not all of them need to be in memory."""

    @property
    @abstractmethod
    def held_names(self) -> Collection[str]:
        """The slugs of the profiles that are in memory as a whole or as a heading, whatever is asked for."""

    @property
    @abstractmethod
    def at_hand(self) -> Collection[str]:
        """The slugs of these, and of those that were asked for and kept."""

    @property
    @abstractmethod
    def held(self) -> Collection[ProfileStack]:
        """The profiles that are in memory whatever is asked for."""

    @abstractmethod
    def every(self) -> Iterator[ProfileStack]:
        """All of them, each once; those that are only looked at are not kept."""

    @abstractmethod
    def names(self, *, prefix: str = "", after: str = "", limit: int | None = None) -> list[str]:
        """The slugs in order: those that begin with ``prefix``, after ``after``."""

    @abstractmethod
    def users_of(self, base: Reference) -> Iterable[ProfileStack]:
        """The held profiles that may extend another: those that do, and those of which nobody knows yet."""


class HeldProfiles(dict[str, ProfileStack], Profiles):
    """Profiles that are all in memory."""

    @property
    def held_names(self) -> Collection[str]:
        return self.keys()

    at_hand = held_names

    @property
    def held(self) -> Collection[ProfileStack]:
        return self.values()

    def every(self) -> Iterator[ProfileStack]:
        return iter(list(self.values()))

    def names(self, *, prefix: str = "", after: str = "", limit: int | None = None) -> list[str]:
        return sorted(name for name in self if name > after and name.startswith(prefix))[:limit]

    def users_of(self, base: Reference) -> Iterable[ProfileStack]:
        return [*self._users.get(base, ()), *self._deferred]

    @cached_property
    def _users(self) -> Mapping[Reference, Sequence[ProfileStack]]:
        found: dict[Reference, list[ProfileStack]] = {}
        for stack in self.values():
            for base in stack.bases if not stack.is_deferred else ():
                found.setdefault(base, []).append(stack)
        return found

    @cached_property
    def _deferred(self) -> Sequence[ProfileStack]:
        return [stack for stack in self.values() if stack.is_deferred]


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
            display_name=_last(h.display_name for h in heads),
            description=_last(h.description for h in heads),
            default_profile_slug=_last(h.default_profile_slug for h in heads),
            defaults=_merged_or(public.defaults, self, "defaults"),
            enforced=_merged_or(public.enforced, self, "enforced"),
            policy=combine([h.policy for h in heads]),
            callers={caller: slug for head in heads for caller, slug in head.callers.items()},
            fallback=_last(h.fallback for h in heads),
            settings_schema=_last(h.settings_schema for h in heads),
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
        stack = self.find(reference)
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
