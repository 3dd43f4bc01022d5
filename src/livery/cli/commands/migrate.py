"""``livery migrate``: older files become today's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import click

from livery.cli.command import Group
from livery.cli.output import emit, note, printable
from livery.cli.session import Session, pass_session
from livery.errors import AlreadyExists, UsageError


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


@migrate_command.command("profile-store")
@click.argument("monolith", type=click.Path(path_type=Path), metavar="MONOLITH.yaml")
@click.argument("directory", type=click.Path(path_type=Path), metavar="DIR")
@click.option(
    "--client",
    "clients",
    multiple=True,
    metavar="NAME=TAG,TAG",
    help="A client that was started with these tags: it gets a profile of its own. Repeatable.",
)
@click.option(
    "--default",
    type=click.Choice(["all", "untagged"]),
    default="all",
    show_default=True,
    help="What clients without a profile get: all servers, as before, or those without tags.",
)
@click.option(
    "--sub-agent",
    type=click.Choice(["all", "none"]),
    help="Which clients have the sub-agent, where the file leaves that open.",
)
@click.option("--dry-run", is_flag=True, help="Show the new files, secrets hidden, and the proof; write nothing.")
@click.option("--force", is_flag=True, help="Replace the store in DIR; the old one is kept beside it as DIR.bak-1.")
@pass_session
def profile_store_command(
    session: Session,
    monolith: Path,
    directory: Path,
    clients: tuple[str, ...],
    default: Literal["all", "untagged"],
    sub_agent: Literal["all", "none"] | None,
    dry_run: bool,
    force: bool,
) -> None:
    """Make a profile store of one old file with servers and tags: a profile for every tag.

    Written only if every client sees what it saw before; the old file stays as it is.
    """
    from livery.migrate.profile_store import Choices, migrate_profile_store, parse_client

    choices = Choices(tuple(map(parse_client, clients)), default, sub_agent or "")
    try:
        done = migrate_profile_store(monolith, directory, choices, dry_run=dry_run, force=force)
    except AlreadyExists as error:
        if error.resource == "directory":
            note(f"{directory} is not empty; --force replaces the store in it and keeps the old one beside it")
        raise
    if dry_run and done.changed:
        emit(_store_as_text(directory, done.files))
    for line in done.lines:
        note(line)


def _store_as_text(directory: Path, files: Mapping[str, str]) -> str:
    """The tree of a store, then every file under its path."""
    tree = [f"{directory}/", *(f"  {path}" for path in files)]
    texts = [f"\n# {directory / path}\n{text.rstrip()}" for path, text in files.items()]
    return printable("\n".join([*tree, *texts]))


def _without_secrets(text: str) -> str:
    """The text itself where it holds no secrets, else the same document with them hidden."""
    from livery.core.redact import redact
    from livery.formats.yaml import read_yaml, write_yaml
    from livery.settings import ai_schema

    document = read_yaml(text, "the new document")
    shown = redact(document, ai_schema())
    return text if shown == document else write_yaml(shown)
