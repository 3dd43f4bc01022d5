"""``livery migrate``: older files become today's."""

from __future__ import annotations

from pathlib import Path

import click

from livery.cli.command import Group
from livery.cli.output import emit, note
from livery.cli.session import Session, pass_session
from livery.errors import UsageError


@click.group("migrate", cls=Group)
def migrate_command() -> None:
    """Convert older files; nothing is written unless every profile resolves to what it did before."""


@migrate_command.command("registry")
@click.argument("legacy", type=click.Path(path_type=Path), metavar="LEGACY.yaml")
@click.option("--output", "-o", type=click.Path(path_type=Path), metavar="OUT", help="Write the new document here.")
@click.option("--in-place", is_flag=True, help="Replace the file; the old one is kept beside it as .bak.")
@click.option("--dry-run", is_flag=True, help="Show the new document, write nothing.")
@pass_session
def registry_command(session: Session, legacy: Path, output: Path | None, in_place: bool, dry_run: bool) -> None:
    """Convert a legacy profile map, or an older registry document, to a registry document.

    Without -o and --in-place the new document is shown, with secrets hidden, and nothing is written.
    """
    from livery.migrate.registry import migrate_registry

    if output is not None and in_place:
        raise UsageError("give --output or --in-place, not both")
    report = migrate_registry(legacy, output=output, in_place=in_place, dry_run=dry_run)
    for line in report.lines:
        note(line)
    if dry_run or not (output or in_place):
        emit(_without_secrets(report.text).rstrip("\n"))


def _without_secrets(text: str) -> str:
    """The text itself where it holds no secrets, else the same document with them hidden."""
    from livery.core.redact import redact
    from livery.formats.yaml import read_yaml, write_yaml
    from livery.settings import ai_schema

    document = read_yaml(text, "the new document")
    shown = redact(document, ai_schema())
    return text if shown == document else write_yaml(shown)
