"""Changes of a log as people and programs see them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from livery.cli.output import Table, brief, counted, note
from livery.cli.times import shown
from livery.stores.protocols import Event

_MOST_PATHS = 6  # in a cell of a table
_LONGEST_NAME = 40  # of people and programs, in a cell


def event_document(event: Event) -> dict[str, Any]:
    """An event as JSON values, its differences as a list."""
    return {**event._asdict(), "diff": differences_of(event)}


def event_table(events: Iterable[Event], *, with_item: bool) -> Table:
    """One line for each event; ``with_item`` says what it is of too."""
    item = ("ITEM",) if with_item else ()
    rows = [
        (
            str(event.seq), shown(event.at_ms), brief(event.actor, _LONGEST_NAME) if event.actor else "", event.action,
            *([item_of(event)] if with_item else ()), _versions(event), _paths(event),
        )
        for event in events
    ]  # fmt: skip
    return Table(("SEQ", "TIME", "ACTOR", "ACTION", *item, "VERSION", "CHANGES"), rows)


def note_limit(count: int, limit: int) -> None:
    """Say on standard error that a list of changes may go on."""
    if count == limit:
        note(f"only {counted(limit, 'change')} shown (--limit)")


def item_of(event: Event) -> str:
    """The profile, or the registry, that was changed."""
    return f"{event.registry}/{event.profile}" if event.profile else event.registry


def differences_of(event: Event) -> list[dict[str, Any]]:
    """What was changed, as far as it was taken down."""
    try:
        found = json.loads(event.diff) if event.diff else []
    except ValueError:
        return []
    return [change for change in found if isinstance(change, dict)] if isinstance(found, list) else []


def _versions(event: Event) -> str:
    if event.from_version and event.to_version:
        return f"{event.from_version} -> {event.to_version}"
    return str(event.to_version) if event.to_version else f"{event.from_version} -> gone"


def _paths(event: Event) -> str:
    paths = list(_changed(event))
    more = f", and {len(paths) - _MOST_PATHS} more" if len(paths) > _MOST_PATHS else ""
    return ", ".join(paths[:_MOST_PATHS]) + more


def _changed(event: Event) -> Iterator[str]:
    for change in differences_of(event):
        yield str(change.get("path", ""))
