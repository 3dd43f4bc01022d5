"""Documents as people write them ⇄ records. Every fault is reported, and a broken profile breaks no other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET

from livery.core.contract import shape_faults
from livery.core.json_faults import json_faults
from livery.core.names import (
    Reference,
    extension_key,
    fold_keys,
    parse_reference,
    profile_slug,
    registry_slug,
    type_name,
    unknown_field,
)
from livery.core.policy import policy_faults
from livery.core.profile import Metadata, PolicySpec, Profile, Registry, RuntimeSpec
from livery.core.schema import dotted
from livery.errors import Fault, ValidationError


class ReadRegistry(NamedTuple):
    """A registry as read: its sound profiles, the faults of its head, and the faults of each broken profile by slug."""

    registry: Registry
    faults: list[Fault]
    broken: dict[str, list[Fault]]

    @property
    def all_faults(self) -> list[Fault]:
        return [*self.faults, *(fault for faults in self.broken.values() for fault in faults)]


def read_registry(document: Any, *, slug: str | None = None, field: str = "registry") -> ReadRegistry:
    """The registry that a document describes; ``slug`` where a bundle's key names it. Never raises for bad content."""
    if not isinstance(document, Mapping):
        fault = Fault(field, f"expected a mapping, got {type_name(document)}")
        return ReadRegistry(Registry(slug=slug or "invalid"), [fault], {})
    head = {key: value for key, value in document.items() if key != "profiles"}
    faults = _shape_faults("registry", head, field)
    name = _registry_name(document, slug, field, faults)
    profiles, broken = _profiles(document.get("profiles"), name, field, faults)
    registry = _head(_sound(head, faults, field), name, field, faults)
    return ReadRegistry(msgspec.structs.replace(registry, profiles=profiles), faults, broken)


def _shape_faults(kind: str, document: Mapping[str, Any], field: str) -> list[Fault]:
    """What in a document is no JSON, and the faults in the shape of the rest."""
    faults = json_faults(document, field)
    rest = _sound(document, faults, field) if faults else document
    return faults + [Fault(dotted(field, path), reason) for path, reason in shape_faults(kind, rest)]


def _sound(document: Mapping[str, Any], faults: Sequence[Fault], field: str) -> dict[str, Any]:
    """The fields of a document that no fault names; none where a fault is about the whole."""
    if not faults:
        return dict(document)
    if any(fault.field == field for fault in faults):
        return {}
    return {key: value for key, value in document.items() if not _names_field(faults, f"{field}.{key}")}


def _names_field(faults: Sequence[Fault], field: str) -> bool:
    return any(f.field == field or f.field.startswith((f"{field}.", f"{field}[")) for f in faults)


def _registry_name(document: Mapping[str, Any], slug: str | None, field: str, faults: list[Fault]) -> str:
    written = document.get("slug", slug)
    if written is None:
        faults.append(Fault(f"{field}.slug", "a registry needs a slug"))
        return "invalid"
    try:
        name = registry_slug(written, f"{field}.slug")
    except ValidationError as error:
        faults.extend(error.faults)
        return slug or "invalid"
    if document.get("id", name) != name:
        faults.append(Fault(f"{field}.id", f"is read-only and would be {name!r}"))
    if slug is not None and name != slug:
        faults.append(Fault(f"{field}.slug", f"map key and slug must match: {slug!r} against {name!r}"))
    return slug or name


def _head(head: Mapping[str, Any], name: str, field: str, faults: list[Fault]) -> Registry:
    policy = msgspec.convert(head.get("policy", {}), PolicySpec)
    faults += policy_faults(policy, f"{field}.policy")
    return Registry(
        slug=name,
        display_name=head.get("display_name", ""),
        description=head.get("description", ""),
        default_profile_slug=_slug_field(head, "default_profile_slug", field, faults),
        defaults=_runtime(head.get("defaults", {})),
        enforced=_runtime(head.get("enforced", {})),
        policy=policy,
        callers=_callers(head.get("callers", {}), field, faults),
        fallback=head.get("fallback", ""),
        settings_schema=head.get("settings_schema", ""),
        foreign_sections=tuple(head.get("foreign_sections", ())),
        metadata=msgspec.convert(head.get("metadata", {}), Metadata),
    )


def _slug_field(head: Mapping[str, Any], key: str, field: str, faults: list[Fault]) -> str:
    try:
        return profile_slug(head[key], f"{field}.{key}") if head.get(key) else ""
    except ValidationError as error:
        faults.extend(error.faults)
        return ""


def _callers(callers: Mapping[str, Any], field: str, faults: list[Fault]) -> dict[str, str]:
    read: dict[str, str] = {}
    for caller, slug in callers.items():
        where = f"{field}.callers[{caller}]"
        if not caller.strip():
            faults.append(Fault(where, "a caller has a name"))
        elif caller.strip() in read:
            faults.append(Fault(where, "the same caller stands twice, apart from blanks"))
        else:
            try:
                read[caller.strip()] = profile_slug(slug, where)
            except ValidationError as error:
                faults.extend(error.faults)
    return read


def _runtime(document: Mapping[str, Any]) -> RuntimeSpec:
    return RuntimeSpec(**document) if document else RuntimeSpec()


def _profiles(
    documents: Any, registry: str, field: str, faults: list[Fault]
) -> tuple[dict[str, Profile], dict[str, list[Fault]]]:
    if documents is None:
        return {}, {}
    if not isinstance(documents, Mapping):
        faults.append(Fault(f"{field}.profiles", f"expected a mapping, got {type_name(documents)}"))
        return {}, {}
    written, name_faults = fold_keys(documents, profile_slug, f"{field}.profiles")
    faults += name_faults
    profiles: dict[str, Profile] = {}
    broken: dict[str, list[Fault]] = {}
    for slug, key in written.items():
        profile, own = read_profile(documents[key], registry=registry, slug=slug, field=f"{field}.profiles[{key}]")
        if profile is not None and not own:
            profiles[slug] = profile
        else:
            broken[slug] = own
    return profiles, broken


def read_profile(
    document: Any, *, registry: str, slug: str | None = None, field: str = "profile"
) -> tuple[Profile | None, list[Fault]]:
    """The profile that a document describes, and every fault of it; None where it cannot be read at all.

    ``slug`` is the key under which the document stands; without one the document must name its own.
    """
    if not isinstance(document, Mapping):
        return None, [Fault(field, f"expected a mapping, got {type_name(document)}")]
    fields, faults = _old_spellings(document, field)
    faults += _shape_faults("profile", fields, field)
    if any(fault.field == field for fault in faults):
        return None, faults
    fields = _sound(fields, faults, field)
    faults += _identity_faults(fields, registry, slug, field)
    return _profile(fields, registry, slug, field, faults), faults


def _old_spellings(document: Mapping[str, Any], field: str) -> tuple[dict[str, Any], list[Fault]]:
    """Older documents call ``extends`` ``stack``."""
    fields = dict(document)
    if "stack" not in fields:
        return fields, []
    if "extends" in fields:
        del fields["stack"]
        return fields, [Fault(f"{field}.stack", "given twice, also as 'extends'")]
    fields["extends"] = fields.pop("stack")
    return fields, []


def _identity_faults(fields: Mapping[str, Any], registry: str, slug: str | None, field: str) -> list[Fault]:
    faults: list[Fault] = []
    try:
        own = profile_slug(fields["slug"], f"{field}.slug") if "slug" in fields else slug
    except ValidationError as error:
        return list(error.faults)
    if own is None:
        faults.append(Fault(f"{field}.slug", "a profile needs a slug"))
    elif slug is not None and own != slug:
        faults.append(Fault(f"{field}.slug", f"map key and profile slug must match: {slug!r} against {own!r}"))
    if own is not None and fields.get("id", f"{registry}/{own}") != f"{registry}/{own}":
        faults.append(Fault(f"{field}.id", f"is read-only and would be '{registry}/{own}'"))
    return faults


def _profile(
    fields: Mapping[str, Any], registry: str, slug: str | None, field: str, faults: list[Fault]
) -> Profile | None:
    policy = msgspec.convert(fields["policy"], PolicySpec) if fields.get("policy") else PolicySpec()
    faults += policy_faults(policy, f"{field}.policy")
    extends = _extends(fields, registry, field, faults)
    extensions = _extensions(fields.get("extensions", {}), field, faults)
    if faults:
        return None
    return Profile(
        slug=slug if slug is not None else profile_slug(fields["slug"]),
        registry=registry,
        display_name=fields.get("display_name", ""),
        description=fields.get("description", ""),
        extends=extends,
        runtime=_runtime(fields.get("runtime", {})),
        policy=policy,
        metadata=msgspec.convert(fields.get("metadata", {}), Metadata),
        extensions=extensions,
    )


def _extends(fields: Mapping[str, Any], registry: str, field: str, faults: list[Fault]) -> Any:
    if "extends" not in fields:
        return UNSET
    read: dict[Reference, None] = {}
    for position, base in enumerate(fields["extends"] or ()):
        where = f"{field}.extends[{position}]"
        try:
            reference = parse_reference(base, registry, where)
        except ValidationError as error:
            faults.extend(error.faults)
            continue
        if reference in read:
            faults.append(Fault(where, f"'{reference}' is named twice"))
        read[reference] = None
    return tuple(read)


def _extensions(extensions: Mapping[str, Any], field: str, faults: list[Fault]) -> dict[str, Any]:
    if not extensions:
        return {}
    written, key_faults = fold_keys(extensions, extension_key, f"{field}.extensions")
    faults += key_faults
    return {key: extensions[name] for key, name in written.items()}


BUNDLE_FIELDS = ("registries",)


def is_bundle(document: Any) -> bool:
    """Whether a document holds several registries (``registries: {…}``)."""
    return isinstance(document, Mapping) and "registries" in document


def read_bundle(document: Mapping[str, Any]) -> tuple[list[ReadRegistry], list[Fault]]:
    """The registries of a bundle and the faults of the bundle itself."""
    faults = [Fault(str(key), unknown_field(str(key), BUNDLE_FIELDS)) for key in document if key not in BUNDLE_FIELDS]
    registries = document["registries"]
    if not isinstance(registries, Mapping):
        return [], [*faults, Fault("registries", f"expected a mapping, got {type_name(registries)}")]
    written, name_faults = fold_keys(registries, registry_slug, "registries")
    reads = [read_registry(registries[key], slug=slug, field=f"registries[{key}]") for slug, key in written.items()]
    return reads, [*faults, *name_faults]
