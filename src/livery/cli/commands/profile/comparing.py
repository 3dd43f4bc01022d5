"""Comparing profiles: ``diff``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from livery.cli.changes import differences, drawn, written_fields
from livery.cli.command import Command
from livery.cli.options import list_output, name_argument
from livery.cli.output import emit, emit_document, note
from livery.cli.selection import choose, named
from livery.cli.session import Session, pass_session
from livery.core.catalogue import ProfileStack
from livery.core.diff import Difference
from livery.core.effective import runtime_document
from livery.errors import UsageError


@click.command("diff", cls=Command)
@name_argument("one")
@name_argument("other", required=False)
@click.option("--resolved", is_flag=True, help="Compare what they amount to, not what is stored.")
@click.option("--exit-code", is_flag=True, help="Exit with 1 if they differ.")
@list_output
@pass_session
@click.pass_context
def diff_command(
    ctx: click.Context, session: Session, one: str, other: str | None, resolved: bool, exit_code: bool, form: str
) -> None:
    """Show how profile OTHER differs from ONE; of one profile alone, what the written source changes in it."""
    if other is None:
        if resolved:
            raise UsageError("--resolved compares two profiles; name the other one")
        changes = _own_changes(session, one)
    elif resolved:
        changes = differences(_runtime(session, one), _runtime(session, other), _schema(session, other))
    else:
        changes = differences(_stored(session, one), _stored(session, other), _schema(session, other))
    if form == "table":
        for line in drawn(changes, session.color):
            emit(line)
        if not changes:
            note("no difference")
    else:
        emit_document([change._asdict() for change in changes], form)
    if changes and exit_code:
        ctx.exit(1)


def _stored(session: Session, name: str) -> Mapping[str, Any]:
    return written_fields(session.service.get_profile(*named(session, name)))


def _runtime(session: Session, name: str) -> Mapping[str, Any]:
    """The effective runtime in the shape of a profile's, so that its paths have their usual names."""
    resolved = session.service.resolve_effective_profile(choose(session, name).request)
    runtime = runtime_document(resolved.effective)
    return {"runtime": {"step_settings_patch": runtime.pop("settings"), **runtime}}


def _schema(session: Session, name: str) -> Any:
    profile = session.service.get_profile(*named(session, name))
    return session.service.catalogue.view(profile.registry).schema


def _own_changes(session: Session, name: str) -> list[Difference]:
    layers = session.service.profile_layers(*named(session, name))
    below = [layer for layer in layers if not layer.writer]
    both = ProfileStack(layers[0].profile.reference, layers).profile
    before = written_fields(ProfileStack(both.reference, below).profile) if below else {}
    return differences(before, written_fields(both), layers[0].schema)
