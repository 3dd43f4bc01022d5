"""What differs between two stored documents, as every output may show it: secrets count, and are hidden."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from livery.core.diff import Difference, diff
from livery.core.profile import Profile, Registry
from livery.core.redact import marked
from livery.core.schema import SettingsSchema
from livery.core.values import hidden, same


def written_fields(item: Profile | Registry) -> dict[str, Any]:
    """The document of a profile, or of a registry without its profiles, without what the store keeps beside it."""
    document = item.head() if isinstance(item, Registry) else item.document()
    document.pop("slug", None)
    tags = document.pop("metadata", {}).get("tags")
    return {**document, "tags": tags} if tags else document


def differences(before: Mapping[str, Any], after: Mapping[str, Any], schema: SettingsSchema) -> list[Difference]:
    """The differences of two documents with runtimes."""
    before, after = _without_same(before, after), _without_same(after, before)
    return [
        change._replace(before=hidden(change.before), after=hidden(change.after))
        for change in diff(marked((), before, schema), marked((), after, schema))
    ]


def _without_same(document: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """A document without the members that another has too: to look for secrets in them would be in vain."""
    return {
        key: _unlike(value, other.get(key))
        for key, value in document.items()
        if not (key in other and same(value, other[key]))
    }


def _unlike(value: Any, other: Any) -> Any:
    is_plain = isinstance(value, dict) and isinstance(other, dict) and not any(key[:1] == "$" for key in value)
    return _without_same(value, other) if is_plain else value


def differences_of(
    before: Profile | Registry | None, after: Profile | Registry | None, schema: SettingsSchema
) -> list[Difference]:
    """The same of two stored items; None is one that is not there."""
    return differences(written_fields(before) if before else {}, written_fields(after) if after else {}, schema)


def diff_text(before: Profile | Registry | None, after: Profile | Registry | None, schema: SettingsSchema) -> str:
    """Differences as the audit keeps them: a JSON array of ``{path, kind, before, after}``."""
    changes = [change._asdict() for change in differences_of(before, after, schema)]
    return orjson.dumps(changes, default=str).decode()
