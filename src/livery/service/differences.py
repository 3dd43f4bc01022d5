"""What differs between two stored documents, as every output may show it: secrets count, and are hidden."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from livery.core.diff import Difference, diff
from livery.core.profile import Profile, Registry
from livery.core.redact import marked
from livery.core.schema import SettingsSchema
from livery.core.values import hidden


def written_fields(item: Profile | Registry) -> dict[str, Any]:
    """The document of a profile, or of a registry without its profiles, without what the store keeps beside it."""
    document = item.head() if isinstance(item, Registry) else item.document()
    document.pop("slug", None)
    tags = document.pop("metadata", {}).get("tags")
    return {**document, "tags": tags} if tags else document


def differences(before: Mapping[str, Any], after: Mapping[str, Any], schema: SettingsSchema) -> list[Difference]:
    """The differences of two documents with runtimes."""
    return [
        change._replace(before=hidden(change.before), after=hidden(change.after))
        for change in diff(marked((), before, schema), marked((), after, schema))
    ]


def differences_of(
    before: Profile | Registry | None, after: Profile | Registry | None, schema: SettingsSchema
) -> list[Difference]:
    """The same of two stored items; None is one that is not there."""
    return differences(written_fields(before) if before else {}, written_fields(after) if after else {}, schema)


def diff_text(before: Profile | Registry | None, after: Profile | Registry | None, schema: SettingsSchema) -> str:
    """Differences as the audit keeps them: a JSON array of ``{path, kind, before, after}``."""
    changes = [change._asdict() for change in differences_of(before, after, schema)]
    return orjson.dumps(changes, default=str).decode()
