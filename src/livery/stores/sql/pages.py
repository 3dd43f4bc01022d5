"""Lists of headings: the rows of a registry by slug, a few at a time, and those of them that are looked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

import msgspec

from livery.core.profile import Profile
from livery.errors import ValidationError
from livery.stores.protocols import BrokenItem
from livery.stores.sql.columns import HEADING_COLUMNS, selected
from livery.stores.sql.database import Row
from livery.stores.sql.rows import heading_of_row

HEADINGS: Final = f"""{selected(HEADING_COLUMNS, "p")} FROM profiles p
WHERE (p.registry_slug, p.slug) > (?, ?) ORDER BY p.registry_slug, p.slug LIMIT ?"""
"""What follows SELECT: the rows of a registry and what stands behind it. A planner that knows nothing yet of a table
reads it so by its key alone, from there on."""
_BATCH: Final = 500
_METADATA: Final = HEADING_COLUMNS.index("metadata_json")

Listed = Profile | BrokenItem
Read = Callable[[tuple[str, str, int]], list[Row]]
"""From the values of ``HEADINGS`` to its rows."""


class Query(NamedTuple):
    """What is looked for: a folded text in slug, names or a tag, and one of the tags; empty is anything."""

    text: str = ""
    tag: str = ""

    def matches_row(self, row: Row) -> bool:
        """Whether a row is looked for; only those that may be are decoded."""
        if not self.text and not self.tag:
            return True
        tags = _tags(row[_METADATA])
        if self.text and self.text not in "\n".join(map(str, (*row[1:4], *tags))).casefold():
            return False
        return not self.tag or self.tag in tags

    def matches(self, item: Listed) -> bool:
        if isinstance(item, BrokenItem):
            return not self.tag and self.text in item.profile
        tags = item.metadata.tags or ()
        if self.text and self.text not in "\n".join((item.slug, item.display_name, item.description, *tags)).casefold():
            return False
        return not self.tag or self.tag in tags

    def first_batch(self, limit: int) -> int:
        return _BATCH if self.text or self.tag else limit


def rows_of(read: Read, registry: str, after: str, batch: int) -> Iterator[Row]:
    """The rows of a registry by slug."""
    while True:
        rows = read((registry, after, batch))
        if rows and rows[-1][0] == registry:
            yield from rows
        else:
            yield from (row for row in rows if row[0] == registry)
            return
        if len(rows) < batch:
            return
        after = rows[-1][1]
        batch = max(batch, _BATCH)


def listed(row: Row) -> Listed:
    """The heading of a row."""
    try:
        return heading_of_row(row)
    except ValidationError as error:
        return BrokenItem(str(row[0]), str(row[1]), error)


def _tags(metadata: str) -> list[Any]:
    if "tags" not in metadata:
        return []
    try:
        tags = msgspec.json.decode(metadata)["tags"]
    except (ValueError, TypeError, LookupError, RecursionError):
        return []
    return tags if isinstance(tags, list) else []
