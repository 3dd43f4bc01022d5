"""What was: ``history``, ``rollback``."""

from __future__ import annotations

import click

from livery.cli.changes import write
from livery.cli.command import Command
from livery.cli.events import event_document, event_table, note_limit
from livery.cli.options import list_output, name_argument, writing_options
from livery.cli.output import emit_document, emit_table, note
from livery.cli.selection import named
from livery.cli.session import Session, pass_session
from livery.cli.written import told, write_options


@click.command("history", cls=Command)
@name_argument()
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, metavar="N", help="At most N.")
@list_output
@pass_session
def history_command(session: Session, name: str, limit: int, form: str) -> None:
    """List the changes of a profile in the source that is written, newest first; of a deleted one too."""
    events = session.service.history(*named(session, name), limit=limit)
    if form != "table":
        emit_document([event_document(event) for event in events], form)
        return
    emit_table(event_table(events, with_item=False), session.color)
    note_limit(len(events), limit)
    if not events:
        note("the source that is written holds nothing of it")


@click.command("rollback", cls=Command)
@name_argument()
@click.option("--to", "to_version", type=click.IntRange(min=1), required=True, metavar="N", help="The version.")
@writing_options
@pass_session
def rollback_command(session: Session, name: str, to_version: int, if_version: int | None, dry_run: bool) -> None:
    """Give a profile the content that it had in version N, as a new version; a deleted profile comes back."""
    old = session.service.profile_revision(*named(session, name), to_version)
    write(
        session,
        lambda service: service.restore_profile(old, write_options(if_version)),
        lambda profile: told(session, profile, f"has the content of version {to_version}"),
        dry_run=dry_run,
    )
