"""Reasons to refuse a write before anything is checked: marks, references, and sources that would overrule it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from livery.core.catalogue import Catalogue, RegistryView
from livery.core.names import Reference
from livery.core.patch import is_atomic, leaf_paths
from livery.core.paths import Path
from livery.core.stack import ProfileLayer, ProfileStack
from livery.core.values import same
from livery.errors import Fault, LiveryError, ProfileReadOnly, StillReferenced, ValidationError, VersionConflict
from livery.stores.protocols import WriteOptions

Document = Mapping[str, Any]

_LIFTS: list[Document] = [{"policy": {"read_only": False}}, {"policy": {"read_only": None}}]
_KEPT_BY_THE_STORE = ("slug", "id", "registry", "metadata", "profiles")
_MISSING = object()


def expect(stack: ProfileStack, options: WriteOptions) -> None:
    """VersionConflict where the write was made from another version of the profile as it is seen."""
    actual = known_version(stack.public) if stack.layers else 0
    if options.expected_version is not None and options.expected_version != actual:
        raise VersionConflict("profile", stack.reference.profile, options.expected_version, actual)


def known_version(layer: ProfileLayer) -> int:
    """The version of a profile as one source has it; as it is listed, where it can no longer be read."""
    try:
        return layer.profile.version
    except LiveryError:
        return layer.heading.version


def expect_registry(view: RegistryView, options: WriteOptions) -> None:
    """The same for a registry."""
    if options.expected_version is not None and options.expected_version != view.head.version:
        raise VersionConflict("registry", view.slug, options.expected_version, view.head.version)


def demand_lifted(stack: ProfileStack, patch: Document | None = None) -> None:
    """A read-only profile takes no write but the patch that lifts the mark, where the writer's layer alone sets it."""
    owner = stack.read_only_owner
    if owner is None:
        return
    marked = [layer for layer in stack.layers if layer.heading.policy.read_only]
    if patch not in _LIFTS or not all(layer.writer for layer in marked):
        raise ProfileReadOnly(str(stack.reference), owner)


def demand_unreferenced(reference: Reference, view: RegistryView, catalogue: Catalogue) -> None:
    """StillReferenced, naming every profile, caller and default that would be left without its profile."""
    users = catalogue.users_of(reference)
    used = [f"'{stack.reference}'" for stack in users if stack.reference != reference]
    used += [f"caller {caller!r}" for caller, slug in view.head.callers.items() if slug == reference.profile]
    if view.head.default_profile_slug == reference.profile:
        used.append(f"registry '{view.slug}' as its default")
    if used:
        raise StillReferenced(f"profile '{reference}'", used)


def demand_unreferenced_registry(view: RegistryView, catalogue: Catalogue) -> None:
    """StillReferenced, naming the profiles of other registries that extend one of this."""
    used = [f"'{stack.reference}'" for stack in catalogue.users_of_registry(view.slug)]
    if used:
        raise StillReferenced(f"registry '{view.slug}'", used)


def same_identity(document: Document, reference: Reference) -> dict[str, Any]:
    """The document without its slug and registry, which a write can only repeat."""
    for field, own in (("slug", reference.profile), ("registry", reference.registry)):
        given = document.get(field, own)
        if not isinstance(given, str) or given.strip().lower() != own:
            reason = f"is {own!r} and cannot be changed to {given!r}; rename or copy the profile"
            raise ValidationError.of([Fault(f"profile.{field}", reason)])
    return {key: value for key, value in document.items() if key not in ("slug", "registry")}


def overruled(patch: Document, seen: Document, rivals: Sequence[Document]) -> Iterator[tuple[Path, int]]:
    """The paths that a patch would change and that a rival document sets too, each with the rival's position."""
    for path in leaf_paths(patch):
        if path and (path[0] not in _KEPT_BY_THE_STORE or path == ("metadata", "tags")):
            for position, rival in enumerate(rivals):
                if sets(rival, path) and not same(_at(seen, path), _at(patch, path)):
                    yield path, position


def sets(document: Any, path: Path) -> bool:
    """Whether a document says something at a path, or says something of what is above it as a whole."""
    for part in path:
        if not isinstance(document, Mapping) or is_atomic(document):
            return True
        if part not in document:
            return False
        document = document[part]
    return True


def _at(document: Any, path: Path) -> Any:
    for part in path:
        if not isinstance(document, Mapping) or part not in document:
            return _MISSING
        document = document[part]
    return document
