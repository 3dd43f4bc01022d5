"""``livery source``: where profiles come from."""

from __future__ import annotations

from typing import Any

import click

from livery.cli.command import Group
from livery.cli.options import list_output
from livery.cli.output import Table, emit_document, emit_table, note
from livery.cli.session import Session, pass_session

_MOST_NAMES = 20  # in a cell


@click.group("source", cls=Group)
def source_command() -> None:
    """Where profiles come from."""


@source_command.command("list")
@list_output
@pass_session
def list_command(session: Session, form: str) -> None:
    """List the sources, the lowest first: what each holds, how it is, and which profiles lie over one another."""
    rows = session.service.source_rows()
    if form != "table":
        emit_document(rows, form)
        return
    columns = (
        "SOURCE", "KIND", "ACCESS", "HEALTH", "REGISTRIES", "PROFILES", "SIZE", "SCHEMA", "SHADOWS", "SHADOWED BY",
    )  # fmt: skip
    emit_table(Table(columns, [_cells(row) for row in rows]), session.color)
    for row in rows:
        if row["error"]:
            note(f"{row['source']}: {_reason(row['error'], row['source'])}")


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    access = "written" if row["is_writer"] else "writable" if row["writable"] else "read-only"
    return (
        row["source"], row["kind"], access, row["health"], ", ".join(row["registries"]), str(row["profile_count"]),
        _size(row["size_bytes"]), "" if row["schema_version"] is None else str(row["schema_version"]),
        _brief([overlap["profile"] for overlap in row["shadows"]]),
        _brief([f"{overlap['profile']} ({overlap['source']})" for overlap in row["shadowed_by"]]),
    )  # fmt: skip


def _reason(error: str, source: str) -> str:
    """What is wrong with a source, without its name, which stands before it."""
    return error.removeprefix(f"source {source} is unavailable: ").removeprefix(source).lstrip(": ")


def _brief(names: list[str]) -> str:
    more = f", and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more


def _size(count: int | None) -> str:
    """Bytes for people: ``812 B``, ``4.1 kB``, ``23 MB``."""
    if count is None:
        return ""
    size, units = float(count), ["B", "kB", "MB", "GB", "TB"]
    while size >= 1000 and len(units) > 1:
        size /= 1000
        units.pop(0)
    return f"{size:.1f} {units[0]}" if size < 10 and units[0] != "B" else f"{size:.0f} {units[0]}"
