"""Records to rows. What would not come back as it is, is refused."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, Raw

from livery.core.names import profile_slug, registry_slug
from livery.core.profile import Metadata, Profile, Registry
from livery.core.values import has_surrogate
from livery.errors import ValidationError
from livery.stores.sql.columns import KEPT_METADATA
from livery.stores.sql.database import Row
from livery.stores.sql.rows import demand_folded, profile_of, registry_of
from livery.stores.sql.typed_texts import typed_places

_encode = msgspec.json.Encoder().encode
_encode_typed = msgspec.json.Encoder(enc_hook=str).encode


class Written(msgspec.Struct, frozen=True):
    """A record as it is stored: its row, and the whole document for the revision."""

    row: Row
    document: str
    typed: str | None


def written_profile(profile: Profile) -> Written:
    """A profile as it is stored; ValidationError where it would not come back as it is."""
    metadata = profile.metadata
    runtime, extensions = _json(profile.runtime, "runtime"), _json(profile.extensions, "extensions")
    extends = None if profile.extends is UNSET else _json([str(base) for base in profile.extends], "extends")
    policy, kept = _json(profile.policy, "policy"), _kept_metadata(metadata)
    typed = typed_places(runtime=profile.runtime, extensions=profile.extensions)
    row = (
        profile.registry, profile.slug, profile.display_name, profile.description, policy, metadata.version,
        _number(metadata.created_at_ms), _number(metadata.updated_at_ms), metadata.created_by, metadata.updated_by,
        kept, _number(metadata.runtime_version), _number(metadata.last_applied_at_ms), runtime, extends, extensions,
        typed,
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
    typed = typed_places(defaults=registry.defaults, enforced=registry.enforced)
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
    demand_folded(item.slug, fold, f"{kind}.slug")
    demand_text(item.display_name, kind, "display_name")
    demand_text(item.description, kind, "description")


def demand_text(text: str, *field: str) -> None:
    """ValidationError where a text cannot stand in a column."""
    if "\0" in text:
        reason = "holds the character U+0000, which PostgreSQL cannot store; remove it"
        raise ValidationError(".".join(field), reason)
    if not text.isascii() and has_surrogate(text):
        raise ValidationError(".".join(field), "holds half of a surrogate pair, which UTF-8 cannot")


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
    kept = {name: getattr(metadata, name) for name in KEPT_METADATA}
    return _json({name: value for name, value in kept.items() if value is not UNSET and value not in ("", {})}, "tags")


def _demand_same(given: Profile | Registry, read: Profile | Registry) -> None:
    """What is stored has to come back as it was: dates and numbers that are not finite would not."""
    plain = msgspec.structs.replace(given, profiles={}) if isinstance(given, Registry) else given
    if plain == read:  # what JSON tells apart and Python does not, as 1 and true, JSON keeps apart
        return
    different = [name for name in plain.__struct_fields__ if getattr(plain, name) != getattr(read, name)]
    field = different[0] if different else "document"
    raise ValidationError(field, "holds a value that JSON cannot hold as it is, such as a date or an endless number")
