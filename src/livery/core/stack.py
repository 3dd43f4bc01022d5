"""One profile over all sources: what each says of it, read when it is needed, and what they make up together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from livery.core.composed import composed
from livery.core.layers import Layer, Origin, layer_of
from livery.core.names import Reference
from livery.core.policy import OwnedPolicy, combine
from livery.core.profile import PolicySpec, Profile
from livery.core.schema import SettingsSchema
from livery.errors import LiveryError


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
            display_name=last_given(p.display_name for p in profiles),
            description=last_given(p.description for p in profiles),
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


def last_given(texts: Iterable[str]) -> str:
    """The last text that is not empty; empty where there is none."""
    return next((text for text in reversed(list(texts)) if text), "")
