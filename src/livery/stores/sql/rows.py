"""Records ⇄ rows. A row that another hand has spoilt is a ValidationError that names it, and never anything else.

JSON columns hold documents as they were written. The values that JSON has no type for (a date of a TOML file) stand
there as text, and ``typed_json`` tells where: paths into the document.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import msgspec
from msgspec import UNSET, Raw

from livery.core.documents import read_profile, read_registry
from livery.core.names import profile_slug, registry_slug
from livery.core.profile import Metadata, Profile, Registry, RuntimeSpec
from livery.core.values import TypedText, has_surrogate
from livery.errors import ValidationError
from livery.stores.sql.database import Row

PROFILE_COLUMNS: Final = (
    "registry_slug", "slug", "display_name", "description", "runtime_json", "policy_json", "version", "created_at_ms",
    "updated_at_ms", "created_by", "updated_by", "extends_json", "extensions_json", "metadata_json", "runtime_version",
    "last_applied_at_ms", "typed_json",
)  # fmt: skip
REGISTRY_COLUMNS: Final = (
    "slug", "display_name", "default_profile_slug", "created_at_ms", "updated_at_ms", "metadata_json", "description",
    "version", "defaults_json", "enforced_json", "policy_json", "callers_json", "fallback", "settings_schema",
    "foreign_sections_json", "created_by", "updated_by", "last_applied_at_ms", "typed_json",
)  # fmt: skip
_LEFT_OUT: Final = {"runtime_json": "'{}'", "extends_json": "NULL", "extensions_json": "'{}'", "typed_json": "NULL"}
HEADING: Final = ", ".join(_LEFT_OUT.get(column, column) for column in PROFILE_COLUMNS)
"""What is selected in place of the columns of a profile where its runtime, bases and extensions are not wanted."""

_KEPT_METADATA: Final = ("source", "tags", "deleted_versions")
_encode = msgspec.json.Encoder().encode
_encode_typed = msgspec.json.Encoder(enc_hook=str).encode
_decode = msgspec.json.Decoder().decode


class Written(msgspec.Struct, frozen=True):
    """A record as it is stored: its row, and the whole document for the revision."""

    row: Row
    document: str
    typed: str | None


# Records to rows


def written_profile(profile: Profile) -> Written:
    """A profile as it is stored; ValidationError where it would not come back as it is."""
    runtime, extensions = _json(profile.runtime, "runtime"), _json(profile.extensions, "extensions")
    typed = _typed_places(runtime=profile.runtime, extensions=profile.extensions)
    extends = None if profile.extends is UNSET else _json([str(base) for base in profile.extends], "extends")
    policy, metadata = _json(profile.policy, "policy"), profile.metadata
    row = (
        profile.registry, profile.slug, profile.display_name, profile.description, runtime, policy, metadata.version,
        _number(metadata.created_at_ms), _number(metadata.updated_at_ms), metadata.created_by, metadata.updated_by,
        extends, extensions, _kept_metadata(metadata), _number(metadata.runtime_version),
        _number(metadata.last_applied_at_ms), typed,
    )  # fmt: skip
    _demand_same(profile, profile_of(row, "profile"))
    document = {
        "display_name": profile.display_name, "description": profile.description,
        "extends": Raw((extends or "null").encode()), "runtime": _raw(runtime), "policy": _raw(policy),
        "metadata": metadata, "extensions": _raw(extensions),
    }  # fmt: skip
    if extends is None:
        del document["extends"]
    return Written(row, _encode(document).decode(), typed)


def written_registry(registry: Registry) -> Written:
    """A registry without its profiles as it is stored; ValidationError where it would not come back as it is."""
    defaults, enforced = _json(registry.defaults, "defaults"), _json(registry.enforced, "enforced")
    typed = _typed_places(defaults=registry.defaults, enforced=registry.enforced)
    policy, metadata = _json(registry.policy, "policy"), registry.metadata
    callers, foreign = _json(registry.callers, "callers"), _json(registry.foreign_sections, "foreign_sections")
    row = (
        registry.slug, registry.display_name, registry.default_profile_slug, _number(metadata.created_at_ms),
        _number(metadata.updated_at_ms), _kept_metadata(metadata), registry.description, metadata.version, defaults,
        enforced, policy, callers, registry.fallback, registry.settings_schema, foreign, metadata.created_by,
        metadata.updated_by, _number(metadata.last_applied_at_ms), typed,
    )  # fmt: skip
    _demand_same(registry, registry_of(row, "registry"))
    document = {
        "display_name": registry.display_name, "description": registry.description,
        "default_profile_slug": registry.default_profile_slug, "defaults": _raw(defaults), "enforced": _raw(enforced),
        "policy": _raw(policy), "callers": _raw(callers), "fallback": registry.fallback,
        "settings_schema": registry.settings_schema, "foreign_sections": _raw(foreign), "metadata": metadata,
    }  # fmt: skip
    return Written(row, _encode({name: value for name, value in document.items() if value != ""}).decode(), typed)


def demand_storable(item: Profile | Registry) -> None:
    """ValidationError for texts that one of the databases has no place for; JSON columns hold every character."""
    kind, fold = ("profile", profile_slug) if isinstance(item, Profile) else ("registry", registry_slug)
    _demand_slug(item.slug, fold, f"{kind}.slug")
    for field in ("display_name", "description"):
        demand_text(getattr(item, field), f"{kind}.{field}")


def _demand_slug(slug: str, fold: Callable[[object, str], str], field: str) -> None:
    if fold(slug, field) != slug:
        raise ValidationError(field, f"{slug!r} is not written as a slug is: it would be {fold(slug, field)!r}")


def demand_text(text: str, field: str) -> None:
    """ValidationError where a text cannot stand in a column."""
    if "\0" in text:
        raise ValidationError(field, "holds the character U+0000, which PostgreSQL cannot store; remove it")
    if not text.isascii() and has_surrogate(text):
        raise ValidationError(field, "holds half of a surrogate pair, which UTF-8 cannot")


def _json(value: Any, field: str) -> str:
    try:
        return _encode(value).decode()
    except TypeError:
        return _json_of_typed(value, field)
    except (ValueError, RecursionError, OverflowError) as error:
        raise ValidationError(field, f"cannot be written as JSON: {error}") from None


def _json_of_typed(value: Any, field: str) -> str:
    try:
        return _encode_typed(value).decode()
    except (TypeError, ValueError, RecursionError, OverflowError) as error:
        raise ValidationError(field, f"cannot be written as JSON: {error}") from None


def _raw(text: str) -> Raw:
    return Raw(text.encode())


def _number(value: Any) -> int | None:
    return None if value is UNSET else value


def _kept_metadata(metadata: Metadata) -> str:
    """What of the metadata has no column of its own."""
    kept = {name: getattr(metadata, name) for name in _KEPT_METADATA}
    return _json({name: value for name, value in kept.items() if value is not UNSET and value not in ("", {})}, "tags")


def _typed_places(**values: Any) -> str | None:
    """Where in a document typed texts stand, as JSON; None where there are none."""
    document = {name: value.given() if isinstance(value, RuntimeSpec) else value for name, value in values.items()}
    places = list(_places(document, [])) if _holds_typed(document) else None
    return _encode(places).decode() if places else None


def _holds_typed(document: Any) -> bool:
    """Whether a document that can be written has to be written in another way than plain JSON."""
    try:
        _encode(document)
    except TypeError:
        return True
    return False


def _places(value: Any, path: list[str | int]) -> Iterator[list[str | int]]:
    if type(value) is TypedText:
        yield path
    elif isinstance(value, dict):
        for key, child in value.items():
            if isinstance(child, (TypedText, dict, list)):
                yield from _places(child, [*path, key])
    elif isinstance(value, list):
        for position, child in enumerate(value):
            if isinstance(child, (TypedText, dict, list)):
                yield from _places(child, [*path, position])


def _demand_same(given: Profile | Registry, read: Profile | Registry) -> None:
    """What is stored has to come back as it was: dates and numbers that are not finite would not."""
    plain = msgspec.structs.replace(given, profiles={}) if isinstance(given, Registry) else given
    if plain == read:  # what JSON tells apart and Python does not, as 1 and true, JSON keeps apart
        return
    different = [name for name in plain.__struct_fields__ if getattr(plain, name) != getattr(read, name)]
    field = different[0] if different else "document"
    raise ValidationError(field, "holds a value that JSON cannot hold as it is, such as a date or an endless number")


# Rows to records


def profile_of(row: Sequence[Any], field: str = "") -> Profile:
    """The profile of a row; ValidationError with the row and the column."""
    (
        registry, slug, display_name, description, runtime, policy, version, created_at_ms, updated_at_ms, created_by,
        updated_by, extends, extensions, metadata, runtime_version, last_applied_at_ms, typed,
    ) = row  # fmt: skip
    where = field or f"profiles[{registry}/{slug}]"
    document: dict[str, Any] = {"display_name": display_name, "description": description}
    if extends is not None:
        document["extends"] = _value(extends, where, "extends_json")
    if runtime != "{}":
        document["runtime"] = _value(runtime, where, "runtime_json")
    if policy != "{}":
        document["policy"] = _value(policy, where, "policy_json")
    if extensions != "{}":
        document["extensions"] = _value(extensions, where, "extensions_json")
    document["metadata"] = _metadata(metadata, where, {
        "version": version, "runtime_version": runtime_version, "created_at_ms": created_at_ms,
        "updated_at_ms": updated_at_ms, "last_applied_at_ms": last_applied_at_ms, "created_by": created_by,
        "updated_by": updated_by,
    })  # fmt: skip
    return _read_profile(document, typed, registry, slug, where)


def registry_of(row: Sequence[Any], field: str = "") -> Registry:
    """The registry of a row, without profiles; ValidationError with the row and the column."""
    (
        slug, display_name, default_profile_slug, created_at_ms, updated_at_ms, metadata, description, version,
        defaults, enforced, policy, callers, fallback, settings_schema, foreign_sections, created_by, updated_by,
        last_applied_at_ms, typed,
    ) = row  # fmt: skip
    where = field or f"profile_registries[{slug}]"
    texts = {
        "display_name": display_name, "description": description, "default_profile_slug": default_profile_slug,
        "fallback": fallback, "settings_schema": settings_schema,
    }  # fmt: skip
    columns = {
        "defaults": defaults, "enforced": enforced, "policy": policy, "callers": callers,
        "foreign_sections": foreign_sections,
    }  # fmt: skip
    document = {name: text for name, text in texts.items() if text != ""}
    document |= {name: _value(text, where, f"{name}_json") for name, text in columns.items()}
    document["metadata"] = _metadata(metadata, where, {
        "version": version, "created_at_ms": created_at_ms, "updated_at_ms": updated_at_ms,
        "last_applied_at_ms": last_applied_at_ms, "created_by": created_by, "updated_by": updated_by,
    })  # fmt: skip
    return _read_registry(document, typed, slug, where)


def profile_of_revision(registry: str, slug: str, version: int, document: str, typed: str | None) -> Profile:
    """The profile of a revision; ValidationError with the row."""
    where = f"profile_revisions[{registry}/{slug}, version {version}]"
    return _read_profile(_value(document, where, "document_json"), typed, registry, slug, where)


def registry_of_revision(slug: str, version: int, document: str, typed: str | None) -> Registry:
    """The registry of a revision, without profiles; ValidationError with the row."""
    where = f"registry_revisions[{slug}, version {version}]"
    return _read_registry(_value(document, where, "document_json"), typed, slug, where)


def heading_of(profile: Profile) -> Profile:
    """A profile without its runtime, bases and extensions."""
    return msgspec.structs.replace(profile, runtime=RuntimeSpec(), extends=UNSET, extensions={})


def _read_profile(document: Any, typed: str | None, registry: str, slug: str, where: str) -> Profile:
    _demand_slug(slug, profile_slug, f"{where}.slug")
    _type_texts(document, typed)
    profile, faults = read_profile(document, registry=registry, slug=slug, field=where)
    if profile is None or faults:
        raise ValidationError.of(faults)
    return profile


def _read_registry(document: Any, typed: str | None, slug: str, where: str) -> Registry:
    _type_texts(document, typed)
    read = read_registry(document, slug=slug, field=where)
    if read.faults:
        raise ValidationError.of(read.faults)
    return read.registry


def _value(text: Any, where: str, column: str) -> Any:
    try:
        return _decode(text)
    except (ValueError, TypeError, RecursionError) as error:
        raise ValidationError(f"{where}.{column}", f"is not JSON: {error}") from None


def _metadata(text: str, where: str, columns: dict[str, Any]) -> dict[str, Any]:
    """The metadata of a document: what has columns, and of the rest what is ours."""
    given = {name: value for name, value in columns.items() if value is not None}
    if text == "{}":
        return given
    kept = _value(text, where, "metadata_json")
    if not isinstance(kept, dict):
        raise ValidationError(f"{where}.metadata_json", "is no mapping")
    return given | {name: kept[name] for name in _KEPT_METADATA if name in kept}


def _type_texts(document: Any, typed: str | None) -> None:
    """Make typed texts of those that were such; what does not fit the document is passed over."""
    if typed is None:
        return
    try:
        places = msgspec.json.decode(typed, type=list[list[str | int]])
    except (ValueError, TypeError, RecursionError):
        return
    for place in places:
        _type_text(document, place)


def _type_text(holder: Any, place: Sequence[str | int]) -> None:
    try:
        for step in place[:-1]:
            holder = holder[step]
        text = holder[place[-1]]
        if isinstance(text, str):
            holder[place[-1]] = TypedText(text)
    except (LookupError, TypeError):
        return
