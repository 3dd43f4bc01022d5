"""What all writes share: one at a time, made from the state that stands, checked as a whole, then saved.

Every write goes to one layer, that of the designated writer; what other sources hold stays as it is.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from livery.core.catalogue import ProfileLayer, ProfileStack, RegistryView
from livery.core.json_faults import json_faults
from livery.core.names import Reference, profile_slug, registry_slug, type_name
from livery.core.paths import Path
from livery.core.profile import Profile, Registry
from livery.core.selection import default_registry
from livery.errors import Place, RegistryNotFound, SourceReadOnly, ValidationError, VersionConflict
from livery.service.reading import registry_document
from livery.stores.chain import Chain, SchemaNamed, registry_of
from livery.stores.copies import copied_profile
from livery.stores.protocols import Field, WritableProfileStore, WriteOptions

_MOST_TRIES = 10


class Writes:
    """The ground of the writes of :class:`livery.service.RegistryService`. Safe for threads."""

    def __init__(self, chain: Chain, schema_named: SchemaNamed, clock: Callable[[], int]) -> None:
        self._chain = chain
        self._schema_named = schema_named
        self._clock = clock
        self._lock = threading.RLock()

    def _repeated(self, write: Callable[[], Profile]) -> Profile:
        """A patch that expects no version, made again on what another process has written in between."""
        for _ in range(_MOST_TRIES - 1):
            try:
                return write()
            except VersionConflict:
                continue
        return write()

    def _view(self, registry: str | None) -> RegistryView:
        """A registry in the state that stands now."""
        catalogue = self._chain.refresh(self._clock())
        slug = (registry_slug(registry, "registry") if registry else default_registry(catalogue)) or "default"
        try:
            return catalogue.view(slug)
        except RegistryNotFound as error:
            where = "" if error.nearest else f"(create it first: livery registry create {slug})"
            raise RegistryNotFound(slug, nearest=error.nearest, where=where) from None

    def _existing(self, view: RegistryView, slug: str) -> ProfileStack:
        """A profile that can be written: also one with faults, as long as its documents can be read."""
        stack = view.profiles.get(profile_slug(slug))
        return stack if stack is not None and stack.layers else view.stack(profile_slug(slug))

    def _writer(self) -> WritableProfileStore:
        return self._chain.writer_store()

    def _held(self, slug: str) -> Registry:
        """A registry as the writer holds it; an empty one where it holds none."""
        writer = self._chain.writer
        return (registry_of(writer, slug) if writer else None) or Registry(slug=slug)

    def _stamped(self, options: WriteOptions, expected: int, floor: int = 0) -> WriteOptions:
        at_ms = options.at_ms or self._clock()
        return options._replace(expected_version=expected, floor=floor, at_ms=at_ms)

    def _profile(self, reference: Reference) -> Profile:
        return copied_profile(self._chain.refresh(self._clock()).stack(reference).profile)

    def _registry(self, slug: str) -> Registry:
        return registry_document(self._chain.refresh(self._clock()).view(slug))

    def _labels(self) -> tuple[set[str], set[str]]:
        """The sources below and above the writer."""
        labels = [source.label for source in self._chain.sources]
        writer = self._chain.writer
        position = labels.index(writer.label) if writer else len(labels)
        return set(labels[:position]), set(labels[position + 1 :])

    def _belongs_to(self, source_label: str, path: Path, field: Field, what: str) -> SourceReadOnly:
        """The error of a write that a value in another source would overrule, with the line of that value."""
        source = self._chain.source_named(source_label)
        place: Place | None = self._chain.places(source, [field])[0] if source else None
        return SourceReadOnly(f"{'.'.join(path)} of {what}", source_label, place, "change it there")


def layer_of(stack: ProfileStack) -> ProfileLayer | None:
    """The writer's layer of a profile, if it has one."""
    return next((layer for layer in stack.layers if layer.writer), None)


def document_of(given: Any, field: str) -> dict[str, Any]:
    """A document as it was given, if it is one that JSON can hold; else a ValidationError."""
    if not isinstance(given, Mapping):
        raise ValidationError(field, f"expected a mapping, got {type_name(given)}")
    parts = {field: {key: value for key, value in given.items() if key != "profiles"}}
    profiles = given.get("profiles")
    for slug, profile in profiles.items() if isinstance(profiles, Mapping) else ():
        parts[f"{field}.profiles[{slug}]"] = profile  # the limit of size is for each
    faults = [fault for name, part in parts.items() for fault in json_faults(part, name)]
    if faults:
        raise ValidationError.of(faults)
    plain: dict[str, Any] = _plain(given)
    return plain


def _plain(value: Any) -> Any:
    """A copy in which every sequence is a list and every mapping a dict, as if it had been read from a file."""
    if isinstance(value, Mapping):
        return {key: _plain(child) for key, child in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def writable_metadata(document: Mapping[str, Any]) -> dict[str, Any]:
    """Of the metadata only the tags are a writer's to set; the store keeps the rest."""
    metadata = document.get("metadata")
    return {"tags": metadata["tags"]} if isinstance(metadata, Mapping) and "tags" in metadata else {}
