"""Rows to records. A row that another hand has spoilt is a ValidationError that names it, and never anything else.

JSON columns hold documents as they were written.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec
from msgspec import UNSET

from livery.core.documents import read_profile, read_registry
from livery.core.names import profile_slug
from livery.core.profile import Profile, Registry, RuntimeSpec
from livery.errors import ValidationError
from livery.stores.sql.columns import HEADING_COLUMNS, KEPT_METADATA
from livery.stores.sql.database import Row
from livery.stores.sql.headings import MOST_CHARACTERS, quick_heading
from livery.stores.sql.typed_texts import type_texts

_OF_HEADING: Final = len(HEADING_COLUMNS)
_NO_BODY: Final = ("{}", None, "{}", None)
_decode = msgspec.json.Decoder().decode


def profile_of(row: Row, field: str = "") -> Profile:
    """The profile of a row; ValidationError with the row and the column."""
    return _quick_profile(row) or _whole_profile(row, field)


def heading_of_row(row: Row) -> Profile:
    """A profile without its runtime, bases and extensions, from the columns of headings."""
    return quick_heading(row) or _whole_profile((*row, *_NO_BODY), "")


def _quick_profile(row: Row) -> Profile | None:
    """The profile of a row as nearly all are; None of any other."""
    heading = quick_heading(row[:_OF_HEADING])
    runtime, extends, extensions, typed = body = row[_OF_HEADING:]
    if heading is None or body == _NO_BODY:
        return heading
    try:
        if typed is not None or len(runtime) + len(extends or "") + len(extensions) > MOST_CHARACTERS:
            return None
        document = {"runtime": _decode(runtime), "extensions": _decode(extensions)}
        if extends is not None:
            document["extends"] = _decode(extends)
    except (ValueError, TypeError, RecursionError):
        return None
    read, faults = read_profile(document, registry=heading.registry, slug=heading.slug)
    if read is None or faults:
        return None
    return msgspec.structs.replace(heading, runtime=read.runtime, extends=read.extends, extensions=read.extensions)


def _whole_profile(row: Row, field: str) -> Profile:
    """The profile of a row, read as the document that it stands for, with every fault of it."""
    (
        registry, slug, display_name, description, policy, version, created_at_ms, updated_at_ms, created_by,
        updated_by, metadata, runtime_version, last_applied_at_ms, runtime, extends, extensions, typed,
    ) = row  # fmt: skip
    where = field or f"profiles[{registry}/{slug}]"
    document: dict[str, Any] = {"display_name": display_name, "description": description}
    if extends is not None:
        document["extends"] = _value(extends, where, "extends_json")
    document["runtime"] = _value(runtime, where, "runtime_json")
    document["policy"] = _value(policy, where, "policy_json")
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


def demand_folded(slug: str, fold: Callable[[object, str], str], field: str) -> None:
    """ValidationError where a slug is not written as it would be stored."""
    if fold(slug, field) != slug:
        raise ValidationError(field, f"{slug!r} is not written as a slug is: it would be {fold(slug, field)!r}")


def _read_profile(document: Any, typed: str | None, registry: str, slug: str, where: str) -> Profile:
    demand_folded(slug, profile_slug, f"{where}.slug")
    type_texts(document, typed)
    profile, faults = read_profile(document, registry=registry, slug=slug, field=where)
    if profile is None or faults:
        raise ValidationError.of(faults)
    return profile


def _read_registry(document: Any, typed: str | None, slug: str, where: str) -> Registry:
    type_texts(document, typed)
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
    kept = _value(text, where, "metadata_json")
    if not isinstance(kept, dict):
        raise ValidationError(f"{where}.metadata_json", "is no mapping")
    return given | {name: kept[name] for name in KEPT_METADATA if name in kept}
