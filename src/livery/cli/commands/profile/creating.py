"""New profiles: ``create``, ``copy``."""

from __future__ import annotations

from typing import Any

import click

from livery.cli.assignments import patch_of
from livery.cli.changes import write
from livery.cli.command import Command
from livery.cli.documents import NOTHING, placed, read_document
from livery.cli.options import dry_run_option, name_argument, set_option
from livery.cli.selection import Named, named
from livery.cli.session import Session, pass_session
from livery.cli.written import existing, told, view_of, write_options
from livery.core.patch import merge_patch
from livery.errors import UsageError

_TRIAL_NAME = "livery-create-from"  # of a copy that is never stored


@click.command("create", cls=Command)
@click.argument("name")
@click.option("--from", "origin", metavar="NAME", help="Begin with the content of this profile.")
@click.option("--file", "-f", metavar="FILE", help="Begin with this document (YAML, JSON, TOML; - is standard input).")
@click.option("--description", metavar="TEXT", help="What the profile is for.")
@set_option
@dry_run_option
@pass_session
def create_command(
    session: Session,
    name: str,
    origin: str | None,
    file: str | None,
    description: str | None,
    assignments: tuple[str, ...],
    dry_run: bool,
) -> None:
    """Create a profile in the source that is written.

    \b
    livery profile create coder --set chat.engine=gpt-5-mini --set extends='[base]'
    """
    if origin and file:
        raise UsageError("give --from or --file, not both")
    who = named(session, name)
    given = read_document(file) if file else NOTHING
    start = _content_of(session, origin, who) if origin else given.fields
    document = merge_patch(start, patch_of(assignments, view_of(session, who)))
    document |= {"slug": who.slug} | ({} if description is None else {"description": description})
    document.pop("id", None)
    with placed(given):
        write(
            session,
            lambda service: service.create_profile(who.registry, document, write_options()),
            lambda profile: told(session, profile, "created"),
            dry_run=dry_run,
        )


def _content_of(session: Session, name: str, target: Named) -> dict[str, Any]:
    """The content of another profile as a copy of it would have it."""
    profile = session.service.get_profile(*named(session, name))
    copied = session.service.rehearsal().copy_profile(profile.registry, profile.slug, _TRIAL_NAME)
    document = copied.document()
    if copied.bases and copied.registry != view_of(session, target).slug:
        document["extends"] = [str(base) for base in copied.bases]
    return document


@click.command("copy", cls=Command)
@name_argument("name")
@click.argument("new", metavar="NEW")
@dry_run_option
@pass_session
def copy_command(session: Session, name: str, new: str, dry_run: bool) -> None:
    """Create the profile NEW with the content of NAME, in the same registry."""
    who, other = existing(session, name), named(session, new)
    if other.registry not in (None, who.registry):
        raise UsageError(f"a copy stays in its registry; livery profile create {new} --from {name} crosses over")
    write(
        session,
        lambda service: service.copy_profile(who.registry, who.slug, other.slug, write_options()),
        lambda profile: told(session, profile, "created"),
        dry_run=dry_run,
    )
