"""What an entry of a manifest records of its profile: version, times, who. Odd values are as good as none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import UNSET, UnsetType

from livery.core.profile import Metadata
from livery.core.values import MAX_INTEGER

_LATEST_MS = 253_402_300_799_999  # the end of the year 9999; what is later is no time of these
_OWN_KEYS = frozenset(("source", "runtime_version", "created_by", "updated_by"))
_UNUSUAL = _OWN_KEYS | {"version", "last_applied_at"}
_KNOWN = _OWN_KEYS | {
    "name", "path", "description", "created_at", "updated_at", "last_applied_at", "version", "digest"
}  # fmt: skip


def metadata_of(fields: Mapping[str, Any], version: int = 0) -> Metadata:
    """What an entry says of its profile; odd values are as good as none. ``version`` is in place of that written."""
    get = fields.get
    times = _time(get("created_at")), _time(get("updated_at"))
    if not version and _UNUSUAL.isdisjoint(fields):
        return Metadata(created_at_ms=times[0], updated_at_ms=times[1])  # as other programs write it: be quick
    last_applied = _time(get("last_applied_at"))
    version = version or version_of(fields)
    return Metadata(
        source=_text(get("source")),
        version=version,
        runtime_version=recorded_version(get("runtime_version")) if "runtime_version" in fields else UNSET,
        created_at_ms=times[0],
        updated_at_ms=times[1],
        last_applied_at_ms=last_applied,
        created_by=_text(get("created_by")),
        updated_by=_text(get("updated_by")),
    )


def version_of(fields: Mapping[str, Any]) -> int:
    """The version that was recorded last; 1 where there is none."""
    return recorded_version(fields.get("version"))


def fields_of(metadata: Metadata, stored: Mapping[str, Any]) -> dict[str, Any]:
    """What a write records in an entry; what is odd in ``stored`` and does not change stays as it stands there."""
    created = {} if "created_at" in stored else {"created_at": _given(metadata.created_at_ms)}
    return {
        **created,
        "updated_at": _given(metadata.updated_at_ms),
        "version": metadata.version,
        "runtime_version": _given(metadata.runtime_version),
        "created_by": metadata.created_by or None,
        "updated_by": metadata.updated_by or None,
        "source": metadata.source or None,
    }


def foreign_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    """What an entry holds that Livery knows nothing of."""
    return {key: value for key, value in fields.items() if key not in _KNOWN}


def _given(value: int | UnsetType) -> int | None:
    return value if value is not UNSET else None


def _text(value: object) -> str:
    return value if type(value) is str else ""


def _time(value: object) -> int | UnsetType:
    return value if type(value) is int and 0 <= value <= _LATEST_MS else UNSET


def recorded_version(value: object) -> int:
    """A version as it is written; 1 where that is none."""
    return value if type(value) is int and 1 <= value <= MAX_INTEGER else 1
