"""Registries that come from elsewhere: out of a document, or out of any source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from msgspec.structs import replace

from livery.core.catalogue import Catalogue, RegistryView
from livery.core.documents import ReadRegistry, read_bundle, read_registry
from livery.core.names import Reference, nearest, registry_slug
from livery.core.patch import keep_redacted, merge_patch
from livery.core.profile import Metadata, Profile, Registry
from livery.errors import Fault, Invalid, LiveryError, RegistryNotFound, UsageError, ValidationError
from livery.formats.registry_yaml import path_of_field, placed, read_registries
from livery.service.redacted import left_to_lower
from livery.service.redacted_fields import redacted_fields
from livery.service.writes import layer_of
from livery.stores.chain import SchemaNamed
from livery.stores.opening import open_chain
from livery.stores.urls import SourceURL

_UNFILLED = "a redacted value can only stand where there is a value to keep"


class Incoming(NamedTuple):
    """A registry that is brought in, and what faults call its document: ``registry`` or ``registries[team]``."""

    registry: Registry
    field: str


class Chosen:
    """Which registries are brought in, and under which names; without any, all under their own."""

    def __init__(self, wanted: Sequence[str] = ()) -> None:
        pairs = [_pair(text) for text in wanted]
        self.names = dict(pairs)
        twice = {new for _, new in pairs if [new for _, new in pairs].count(new) > 1} or len(pairs) > len(self.names)
        if twice:
            raise UsageError(f"--registry names a registry twice: {', '.join(wanted)}")

    def new_name(self, slug: str) -> str | None:
        """The name that a registry gets; None for one that stays out."""
        return self.names.get(slug) if self.names else slug

    def demand_found(self, found: Sequence[str], where: str) -> None:
        """RegistryNotFound where one is wanted that is not there."""
        for slug in self.names:
            if slug not in found:
                raise RegistryNotFound(slug, nearest=nearest(slug, found), where=f"in {where}")

    def taken(self, registries: Sequence[Incoming]) -> list[Incoming]:
        """The chosen ones under their new names; references between them follow."""
        names = {one.registry.slug: self.new_name(one.registry.slug) for one in registries}
        return [
            one._replace(registry=_renamed(one.registry, new, names))
            for one in registries
            if (new := names[one.registry.slug]) is not None
        ]


def _pair(text: str) -> tuple[str, str]:
    old, equals, new = text.partition("=")
    return registry_slug(old, "--registry"), registry_slug(new if equals else old, "--registry")


def _renamed(registry: Registry, new: str, names: Mapping[str, str | None]) -> Registry:
    """A registry under its new name, with nothing that another store has kept beside its documents."""

    def moved(base: Reference) -> Reference:
        return Reference(names.get(base.registry) or base.registry, base.profile)

    profiles = {
        slug: replace(
            profile,
            registry=new,
            extends=tuple(map(moved, profile.bases)) if profile.bases else profile.extends,
            metadata=Metadata(tags=profile.metadata.tags),
        )
        for slug, profile in registry.profiles.items()
    }
    return replace(registry, slug=new, profiles=profiles, metadata=Metadata(tags=registry.metadata.tags))


class Bundle(Protocol):
    """What is brought in."""

    name: str

    def registries(self, catalogue: Catalogue) -> list[Incoming]:
        """The registries; a ValidationError has every fault of them. Redacted values are those of the catalogue."""

    def located(self, error: LiveryError) -> LiveryError:
        """An error that was found later, with the lines of its faults where there are lines.

        A fault that has a place already is one of what is there.
        """


class TextBundle:
    """The registries of a YAML or JSON text: a bundle, one registry, or a legacy map."""

    def __init__(self, text: str | bytes, name: str, chosen: Chosen) -> None:
        self.name = name
        self._text = text
        self._chosen = chosen
        self._file = read_registries(text, name)
        self._is_redacted = next(redacted_fields(self._file.document), None) is not None

    def registries(self, catalogue: Catalogue) -> list[Incoming]:
        reads, faults = self._filled(catalogue) if self._is_redacted else (self._file.registries, self._file.faults)
        self._chosen.demand_found([read.registry.slug for read in reads], self.name)
        chosen = [read for read in reads if self._chosen.new_name(read.registry.slug) is not None]
        faults = [*faults, *(fault for read in chosen for fault in read.all_faults)]
        if faults:
            raise self.located(ValidationError.of(faults))
        is_bundle = self._file.shape == "bundle"
        return self._chosen.taken(
            [
                Incoming(read.registry, f"registries[{read.registry.slug}]" if is_bundle else "registry")
                for read in chosen
            ]
        )

    def _filled(self, catalogue: Catalogue) -> tuple[list[ReadRegistry], list[Fault]]:
        """The registries with the values of the catalogue where the text has none; faults where there are none."""
        document = self._file.document
        faults: list[Fault] = []
        if self._file.shape == "bundle":
            parts = {}
            for key, part in document["registries"].items():
                parts[key] = self._filled_registry(part, key, f"registries[{key}]", catalogue, faults)
            reads, own = read_bundle({**document, "registries": parts})
            return reads, [*faults, *own]
        slug = str(document.get("slug", ""))
        return [read_registry(self._filled_registry(document, slug, "registry", catalogue, faults))], faults

    def _filled_registry(self, document: Any, slug: str, field: str, catalogue: Catalogue, faults: list[Fault]) -> Any:
        new = self._chosen.new_name(slug.strip().lower())
        if new is None or not isinstance(document, Mapping):
            return {"slug": slug, "profiles": {}} if new is None else document
        view = catalogue.registries.get(new)
        head = {key: value for key, value in document.items() if key != "profiles"}
        filled = _Filling(field, faults).of(head, *_heads(view))
        profiles = document.get("profiles")
        if not isinstance(profiles, Mapping):
            return {**filled, **({"profiles": profiles} if "profiles" in document else {})}
        return filled | {
            "profiles": {
                key: _Filling(f"{field}.profiles[{key}]", faults).of(profile, *_documents(view, str(key)))
                for key, profile in profiles.items()
            }
        }

    def located(self, error: LiveryError) -> LiveryError:
        if not isinstance(error, ValidationError):
            return error
        own = [fault for fault in error.faults if fault.place is None]
        at = dict(zip(own, placed(own, self._file.document, self._text, self.name), strict=True))
        return ValidationError.of([at.get(fault, fault) for fault in error.faults])


class _Filling:
    """Puts what is there in the place of redacted values, and notes those where nothing is."""

    def __init__(self, field: str, faults: list[Fault]) -> None:
        self._field = field
        self._faults = faults

    def of(self, document: Any, own: Mapping[str, Any] | None, seen: Mapping[str, Any] | None) -> Any:
        """``own`` is what the written source says, ``seen`` what all sources do; None: there is nothing."""
        fields = list(redacted_fields(document, self._field))
        if not fields:
            return document
        if seen is None:
            self._faults += [Fault(field, _UNFILLED) for field in fields]
            return _without_redacted(document)
        own = own or {}
        document = left_to_lower(document, own, seen)
        for _ in fields:
            try:
                return keep_redacted(document, merge_patch(seen, own), self._field)
            except ValidationError as error:
                self._faults += error.faults
                document = _without(document, path_of_field(document, error.field[len(self._field) :]))
        return document


def _without_redacted(document: Any) -> Any:
    """A document in which nothing is redacted, so that its other faults are found too."""
    if isinstance(document, Mapping):
        members = ((key, _without_redacted(value)) for key, value in document.items())
        return {key: value for key, value in members if value != {"$redacted": True}}
    if isinstance(document, list):
        return [_without_redacted(value) for value in document if value != {"$redacted": True}]
    return document


def _without(document: Any, path: tuple[str | int, ...]) -> Any:
    """A copy of a document without what stands at a path."""
    if not path:
        return None
    head, rest = path[0], path[1:]
    if isinstance(document, Mapping):
        pairs = ((key, _without(value, rest) if key == head else value) for key, value in document.items())
        return {key: value for key, value in pairs if rest or key != head}
    return [_without(value, rest) if position == head else value for position, value in enumerate(document)]


def _heads(view: RegistryView | None) -> tuple[Mapping[str, Any] | None, Mapping[str, Any] | None]:
    if view is None:
        return None, None
    own = next((layer.head.head() for layer in view.layers if layer.writer), None)
    return own, view.head.head()


def _documents(view: RegistryView | None, key: str) -> tuple[Mapping[str, Any] | None, Mapping[str, Any] | None]:
    """What the written source says of a profile, and what all sources do."""
    stack = view.profiles.get(key.strip().lower()) if view is not None else None
    if stack is None or not stack.layers:
        return None, None
    layer = layer_of(stack)
    try:
        return (layer.profile.document() if layer is not None else None), stack.profile.document()
    except Invalid:
        return None, None


class SourceBundle:
    """The registries of a source, with their secrets."""

    def __init__(self, url: SourceURL, schema_named: SchemaNamed, chosen: Chosen) -> None:
        chain = open_chain([url._replace(readonly=True)], schema_named)
        self.name = chain.sources[0].label
        try:
            catalogue = chain.catalogue()
            source = chain.sources[0]
            if source.error is not None:
                raise source.error
            chosen.demand_found(list(catalogue.registries), self.name)
            views = [view for slug, view in catalogue.registries.items() if chosen.new_name(slug) is not None]
            faults = [fault for item in source.loaded.broken for fault in _faults(item.error)]
            found = [Incoming(_whole(view, faults), f"registries[{view.slug}]") for view in views]
        finally:
            chain.close()
        if faults:
            raise ValidationError.of(list(dict.fromkeys(faults)))
        self._found = chosen.taken(found)

    def registries(self, catalogue: Catalogue) -> list[Incoming]:
        return self._found

    def located(self, error: LiveryError) -> LiveryError:
        return error


def _whole(view: RegistryView, faults: list[Fault]) -> Registry:
    """A registry with all its profiles, as its one source has them."""
    profiles: dict[str, Profile] = {}
    for stack in view.profiles.every():
        if stack.fault is not None:
            faults += _faults(stack.fault)
        else:
            profiles[stack.reference.profile] = stack.layers[0].profile
    return replace(view.head, profiles=profiles)


def _faults(error: LiveryError) -> Iterator[Fault]:
    if isinstance(error, ValidationError):
        yield from error.faults
    else:
        yield Fault("", str(error))
