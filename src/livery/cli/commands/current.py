"""``livery current``: which profile is meant where none is named."""

from __future__ import annotations

import click

from livery.cli.command import Command
from livery.cli.options import output_option
from livery.cli.output import emit, emit_document, warn
from livery.cli.selection import choose
from livery.cli.session import Session, pass_session


@click.command("current", cls=Command)
@output_option("table", "json", "yaml")
@pass_session
def current_command(session: Session, form: str) -> None:
    """Show which profile is meant where none is named, and where that choice comes from."""
    choice = choose(session)
    selection = session.service.select(choice.request)
    for warning in selection.warnings:
        warn(warning)
    reference = selection.reference
    if form != "table":
        names = {"registry": reference.registry, "profile": reference.profile} if reference else {}
        emit_document({**names, "origin": choice.origin}, form)
    elif reference:
        emit(f"{reference}  ({choice.origin})")
    else:
        emit("no profile: no source holds any")
