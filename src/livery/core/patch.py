"""Changes of stored documents: JSON Merge Patch (RFC 7396); directives and secret references are whole values in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from livery.core.paths import Path
from livery.errors import ValidationError


def merge_patch(document: Any, patch: Any) -> Any:
    """The document after the patch; ``null`` removes a member, ``{"$unset": true}`` is stored as it stands."""
    if not isinstance(patch, Mapping) or is_atomic(patch):
        return patch
    result = dict(document) if isinstance(document, Mapping) and not is_atomic(document) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge_patch(result.get(key), value)
    return result


def is_atomic(value: Mapping[str, Any]) -> bool:
    """Whether a mapping is a directive or a reference, which a patch takes as one value."""
    return len(value) == 1 and next(iter(value)).startswith("$")


def keep_redacted(new: Any, old: Any, field: str) -> Any:
    """The new document with the old value wherever it says ``{"$redacted": true}``; elsewhere that is an error."""
    if isinstance(new, Mapping):
        if set(new) == {"$redacted"}:
            if old is _ABSENT:
                raise ValidationError(field, "a redacted value can only stand where there is a value to keep")
            return old
        return {key: keep_redacted(value, _member(old, key), f"{field}.{key}") for key, value in new.items()}
    if isinstance(new, list):
        return [keep_redacted(value, _item(old, index), f"{field}[{index}]") for index, value in enumerate(new)]
    return new


class _Absent:
    """Nothing to keep."""


_ABSENT: Any = _Absent()


def _member(old: Any, key: str) -> Any:
    return old[key] if isinstance(old, Mapping) and key in old else _ABSENT


def _item(old: Any, index: int) -> Any:
    return old[index] if isinstance(old, list) and index < len(old) else _ABSENT


def leaf_paths(patch: Any, path: Path = ()) -> Iterator[Path]:
    """The paths that a patch sets or removes."""
    if isinstance(patch, Mapping) and patch and not is_atomic(patch):
        for key, value in patch.items():
            yield from leaf_paths(value, (*path, key))
    else:
        yield path
