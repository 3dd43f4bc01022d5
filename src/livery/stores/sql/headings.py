"""A profile without runtime, bases and extensions, quickly: lists have thousands of rows.

A row that is as nearly all are is checked column by column. Of any other nothing is said here: whoever asks has to read
it as a whole document, which finds its faults.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from livery.core.documents import read_profile
from livery.core.names import profile_slug
from livery.core.profile import Metadata, PolicySpec, Profile
from livery.core.values import MAX_INTEGER, MAX_PROFILE_BYTES
from livery.errors import ValidationError
from livery.stores.sql.database import Row

_MOST_OF_POLICY: Final = 1_000
_NO_METADATA: Final = "{}"
MOST_CHARACTERS: Final = (MAX_PROFILE_BYTES // 2 - 2 * _MOST_OF_POLICY) // 6
"""Half a document with fewer is never larger than half of what a profile may be: one is six bytes at most, escaped."""


class _Kept(msgspec.Struct):
    source: str = ""
    tags: tuple[str, ...] | UnsetType = UNSET
    deleted_versions: dict[str, Any] = {}


_NOTHING_KEPT: Final = _Kept()
_decode = msgspec.json.Decoder(_Kept).decode


def quick_heading(row: Row) -> Profile | None:
    """The heading that the columns of headings make; None where they have to be looked at more closely."""
    (
        registry, slug, display_name, description, policy_json, version, created_at_ms, updated_at_ms, created_by,
        updated_by, metadata_json, runtime_version, last_applied_at_ms,
    ) = row  # fmt: skip
    try:
        kept = _decode(metadata_json) if metadata_json != _NO_METADATA else _NOTHING_KEPT
        policy = _policy(policy_json) if len(policy_json) < _MOST_OF_POLICY else None
        is_folded = profile_slug(slug) == slug
        texts = display_name + description + created_by + updated_by
        texts.encode()
        is_small = len(texts) + len(metadata_json) < MOST_CHARACTERS
    except (ValueError, TypeError, RecursionError, ValidationError):
        return None
    if policy is None or kept.deleted_versions or not (is_folded and is_small):
        return None
    if type(version) is not int or not (
        _is_number(version, 1)
        and _is_number(runtime_version, 1)
        and _is_number(created_at_ms, 0)
        and _is_number(updated_at_ms, 0)
        and _is_number(last_applied_at_ms, 0)
    ):
        return None
    metadata = Metadata(
        source=kept.source,
        version=version,
        runtime_version=UNSET if runtime_version is None else runtime_version,
        created_at_ms=UNSET if created_at_ms is None else created_at_ms,
        updated_at_ms=UNSET if updated_at_ms is None else updated_at_ms,
        last_applied_at_ms=UNSET if last_applied_at_ms is None else last_applied_at_ms,
        created_by=created_by,
        updated_by=updated_by,
        tags=kept.tags,
    )
    return Profile(
        slug=slug,
        registry=registry,
        display_name=display_name,
        description=description,
        policy=policy,
        metadata=metadata,
    )


def _is_number(value: Any, least: int) -> bool:
    return value is None or (type(value) is int and least <= value <= MAX_INTEGER)


@lru_cache(1024)
def _policy(text: str) -> PolicySpec | None:
    """The policy of a column, most of which are alike; None of a broken one."""
    profile, faults = read_profile({"policy": msgspec.json.decode(text)}, registry="any", slug="any")
    return profile.policy if profile is not None and not faults else None
