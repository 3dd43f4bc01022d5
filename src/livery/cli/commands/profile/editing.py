"""Editing a profile in an editor: ``edit``."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from livery.cli.changes import write
from livery.cli.command import Command
from livery.cli.documents import Given, given_yaml, placed
from livery.cli.editor import EditedFile, edited_file
from livery.cli.failures import messages_of
from livery.cli.options import name_argument, writing_options
from livery.cli.output import note
from livery.cli.selection import Named
from livery.cli.session import Session, pass_session
from livery.cli.written import existing, layers_of, told, view_of, write_options
from livery.core.catalogue import RegistryView
from livery.core.profile import Profile
from livery.core.redact import redact
from livery.core.stack import ProfileLayer
from livery.errors import Invalid
from livery.formats.yaml import write_yaml
from livery.outcomes import outcome_of
from livery.service.differences import written_fields


@click.command("edit", cls=Command)
@name_argument()
@writing_options
@pass_session
def edit_command(session: Session, name: str, if_version: int | None, dry_run: bool) -> None:
    """Edit a profile with $VISUAL or $EDITOR, as it stands in the source that is written.

    Hidden secrets stay as they are. The document is checked when it is saved; where it has faults, or somebody else
    has changed the profile in the meantime, nothing is written and the text is kept.
    """
    who = existing(session, name)
    view = view_of(session, who)
    layers = layers_of(view, who.slug)
    own = next((layer for layer in layers if layer.writer), None)
    version = if_version if if_version is not None else (own or layers[-1]).profile.version
    with edited_file(who.slug, _text(session, layers, own, view)) as file:
        while not _taken(session, who, file, version, dry_run):
            pass


def _taken(session: Session, who: Named, file: EditedFile, version: int, dry_run: bool) -> bool:
    """Let the person edit, and save; False where there are faults and the person wants to go on."""
    text = file.edit(os.environ)
    try:
        given = given_yaml(text, str(file.path))
        if given.fields == given_yaml(file.before, "").fields or not text.strip():
            note("nothing was changed")
        else:
            _save(session, who, given, version, dry_run)
        return True
    except Invalid as error:
        if not sys.stdin.isatty():
            raise
        for message in messages_of(error):
            note(f"error: {message}")
        if not click.confirm("Edit again?", default=True, err=True):
            raise click.exceptions.Exit(outcome_of(error).exit_code) from None
        return False


def _text(session: Session, layers: tuple[ProfileLayer, ...], own: ProfileLayer | None, view: RegistryView) -> str:
    """The document to edit, under a comment that says what it is; what lies below it stands there as a comment."""
    reference = layers[0].profile.reference
    writer = session.service.writer
    lines = [f"# {reference} in {writer.label if writer else 'no source'}. An unchanged or empty file changes nothing."]
    for layer in layers:
        if layer is not own:
            lines += ["#", f"# {layer.source} says (what you write here is laid over it):"]
            lines += [f"#   {line}" for line in write_yaml(_shown(layer.profile, view)).splitlines()]
    body = write_yaml(_shown(own.profile, view)) if own else ""
    return "\n".join([*lines, "", body])


def _shown(profile: Profile, view: RegistryView) -> dict[str, Any]:
    fields = written_fields(profile)
    tags = fields.pop("tags", None)
    shown: dict[str, Any] = redact({**fields, "metadata": {"tags": tags}} if tags else fields, view.schema)
    return shown


def _save(session: Session, who: Named, given: Given, version: int, dry_run: bool) -> None:
    with placed(given):
        write(
            session,
            lambda service: service.replace_profile(who.registry, who.slug, given.fields, write_options(version)),
            lambda profile: told(session, profile, "saved"),
            dry_run=dry_run,
        )
