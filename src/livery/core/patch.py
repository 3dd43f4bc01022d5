"""Changes of stored documents: JSON Merge Patch (RFC 7396); directives and secret references are whole values in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from livery.core.paths import Path
from livery.core.redact import redact
from livery.core.values import REDACTED
from livery.errors import ValidationError

_DEEPEST = 128  # deeper than any document that is taken


def merge_patch(document: Any, patch: Any, depth: int = 0) -> Any:
    """The document after the patch; ``null`` removes a member, ``{"$unset": true}`` is stored as it stands."""
    if depth > _DEEPEST:
        raise ValidationError("patch", "nested too deep")
    if not isinstance(patch, Mapping) or is_atomic(patch):
        return patch
    result = dict(document) if isinstance(document, Mapping) and not is_atomic(document) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge_patch(result.get(key), value, depth + 1)
    return result


def is_atomic(value: Mapping[str, Any]) -> bool:
    """Whether a mapping is a directive or a reference, which a patch takes as one value."""
    return len(value) == 1 and next(iter(value)).startswith("$")


def keep_redacted(new: Any, old: Any, field: str) -> Any:
    """The new document with the old value wherever it says ``{"$redacted": true}``; elsewhere that is an error.

    Elements with a name are the same where name and id are; an item of another list where it stands at its old place.
    """
    if not _has_redacted(new, 0):
        return new  # as nearly every document: the old one need not be looked at
    return _kept(new, _Old(old, redact(old)), field, 0)


def _has_redacted(value: Any, depth: int) -> bool:
    """Whether there is something to keep, or a document too deep to tell."""
    if isinstance(value, dict):
        return depth > _DEEPEST or "$redacted" in value or any(_has_redacted(v, depth + 1) for v in value.values())
    if isinstance(value, list):
        return depth > _DEEPEST or any(_has_redacted(item, depth + 1) for item in value)
    return isinstance(value, Mapping)


class _Old(NamedTuple):
    """A value that may be kept, and how it was shown."""

    value: Any
    shown: Any


_NOTHING = _Old(None, None)


def _kept(new: Any, old: _Old, field: str, depth: int) -> Any:
    if depth > _DEEPEST:
        raise ValidationError(field[:80], "nested too deep")
    if isinstance(new, Mapping):
        if set(new) == {"$redacted"}:
            return _old_value(old, field)
        members = ((key, value, _member(old, key)) for key, value in new.items())
        return {key: _kept(value, below, f"{field}.{key}", depth + 1) for key, value, below in members}
    if isinstance(new, list):
        items = enumerate(zip(new, _old_items(new, old), strict=True))
        return [_kept(value, below, f"{field}[{index}]", depth + 1) for index, (value, below) in items]
    return new


def _old_value(old: _Old, field: str) -> Any:
    if old is _NOTHING:
        raise ValidationError(field, "a redacted value can only stand where there is a value to keep")
    return old.value


def _member(old: _Old, key: str) -> _Old:
    if not isinstance(old.value, Mapping) or key not in old.value:
        return _NOTHING
    return _Old(old.value[key], old.shown[key] if isinstance(old.shown, Mapping) and key in old.shown else None)


def _old_items(new: list[Any], old: _Old) -> list[_Old]:
    """What was there before for each item of a list: by name and id, else by position."""
    if not isinstance(old.value, list) or not isinstance(old.shown, list):
        return [_NOTHING] * len(new)
    before = [_Old(*pair) for pair in zip(old.value, old.shown, strict=True)]
    if all(map(_has_name, (*new, *old.value))):
        named = {_name_of(item.value): item for item in before}
        return [named.get(_name_of(item), _NOTHING) for item in new]
    return [before[index] if _stands(new, old.shown, index) else _NOTHING for index in range(len(new))]


def _has_name(item: Any) -> bool:
    return isinstance(item, Mapping) and isinstance(item.get("name"), str)


def _name_of(item: Mapping[str, Any]) -> tuple[str, str]:
    return item["name"], str(item.get("id") or "")


def _stands(new: list[Any], shown: list[Any], index: int) -> bool:
    """Whether an item has its old place: nothing before it has changed, or nothing was added or taken away."""
    if index >= len(shown) or (new[index] == REDACTED and shown[index] != REDACTED):
        return False
    return len(new) == len(shown) or new[:index] == shown[:index]


def leaf_paths(patch: Any, path: Path = ()) -> Iterator[Path]:
    """The paths that a patch sets or removes."""
    if isinstance(patch, Mapping) and patch and not is_atomic(patch) and len(path) <= _DEEPEST:
        for key, value in patch.items():
            yield from leaf_paths(value, (*path, key))
    else:
        yield path
