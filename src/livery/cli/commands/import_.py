"""``livery import``: registries from a document or from another source."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click

from livery.cli.changes import drawn
from livery.cli.command import Command
from livery.cli.options import dry_run_option, list_output
from livery.cli.output import emit, emit_document, note, printable, style, warn
from livery.cli.progress import progress_bar
from livery.cli.session import Session, pass_session
from livery.cli.written import write_options
from livery.service.importing import Step
from livery.service.incoming import Bundle, Chosen, SourceBundle, TextBundle
from livery.service.transfer import Imported
from livery.settings import schema_named
from livery.stores.files import read_file
from livery.stores.urls import parse_source

_MOST_LINES = 200  # of what was written; a dry run shows everything
_SIGNS = {"created": ("+", "green"), "deleted": ("-", "red"), "updated": ("~", "yellow")}


@click.command("import", cls=Command)
@click.argument("source", metavar="SOURCE")
@click.option(
    "--registry", "-r", "registries", multiple=True, metavar="NAME[=NEW]",
    help="Only this registry, under a new name if one is given (repeatable).",
)  # fmt: skip
@click.option("--replace", "replace_all", is_flag=True, help="Delete profiles of these registries that SOURCE has not.")
@dry_run_option
@list_output
@pass_session
def import_command(
    session: Session, source: str, registries: tuple[str, ...], replace_all: bool, dry_run: bool, form: str
) -> None:
    """Bring registries into the source that is written.

    SOURCE is a document (YAML or JSON, - is standard input) as `livery export` writes it, or any source: a path or a
    URL. What is new is created, what differs is updated, what is equal stays as it is; importing twice changes nothing.
    Everything is checked first. A database takes all of it or nothing.

    \b
    livery import team.yaml --dry-run
    livery import sqlite:old.db --registry team=crew
    """
    bundle = _bundle(source, Chosen(registries))
    service = session.service
    try:
        with progress_bar(session.color) as told:
            result = service.import_registries(
                bundle, write_options(), replace_all=replace_all, dry_run=dry_run, told=told
            )
    except BaseException as error:
        for line in getattr(error, "__notes__", ()):
            note(line)
        raise
    if form == "table":
        _emit_lines(result, session.color, in_full=dry_run)
    else:
        emit_document([_document(step, result) for step in result.steps], form)
    if not result.steps and not result.unchanged:
        warn(f"{bundle.name} holds no registry")
        return
    note(_summary(result))
    note("nothing was written (--dry-run)" if dry_run else _where(session))


def _bundle(source: str, chosen: Chosen) -> Bundle:
    """What comes in; a document is read as text, so that its faults have lines."""
    if source == "-":
        return TextBundle(sys.stdin.buffer.read(), "standard input", chosen)
    url = parse_source(source)
    if url.kind == "yaml":
        path = Path(os.path.expanduser(url.location))
        return TextBundle(read_file(path), str(path), chosen)
    return SourceBundle(url, schema_named, chosen)


def _emit_lines(result: Imported, color: bool, *, in_full: bool) -> None:
    for step in result.steps if in_full else result.steps[:_MOST_LINES]:
        sign, tone = _SIGNS[step.kind]
        emit(style(f"{sign} {printable(step.name)}", color, fg=tone))
        for line in drawn(step.differences(result.after), color) if in_full else ():
            emit(f"    {line}")
    if not in_full and len(result.steps) > _MOST_LINES:
        emit(f"… and {len(result.steps) - _MOST_LINES} more")


def _document(step: Step, result: Imported) -> dict[str, Any]:
    return {
        "kind": step.kind,
        "registry": step.registry,
        "profile": step.profile,
        "from_version": step.from_version,
        "diff": [change._asdict() for change in step.differences(result.after)],
    }


def _summary(result: Imported) -> str:
    counts = {kind: sum(step.kind == kind for step in result.steps) for kind in _SIGNS}
    told = [f"{count} {kind}" for kind, count in counts.items() if count]
    return ", ".join([*told, f"{result.unchanged} unchanged"])


def _where(session: Session) -> str:
    writer = session.service.writer
    return f"in {writer.label}" if writer else ""
