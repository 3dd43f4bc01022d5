"""``livery resolve``: the effective runtime of a profile, and why it is so."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from livery.cli.command import Command
from livery.cli.environment import shown_runtime, variables
from livery.cli.explanation import explained, heading, values
from livery.cli.options import name_argument, output_option, set_option
from livery.cli.output import emit, emit_document, note, warn
from livery.cli.selection import choose
from livery.cli.session import Session, pass_session
from livery.cli.times import moment, shown
from livery.core.explain import Explained
from livery.core.explain import explain as rows_of
from livery.core.paths import SETTINGS
from livery.core.resolved import ResolvedProfile
from livery.errors import NotFound, UsageError


@click.command("resolve", cls=Command)
@name_argument(required=False)
@click.option("--caller", metavar="NAME", help="Resolve what this client gets.")
@set_option
@click.option("--explain", is_flag=True, help="Show for each value where it comes from and what it won against.")
@click.option("--settings", "bare", is_flag=True, help="Show the settings alone, as a document of their own.")
@click.option("--at", "at_ms", metavar="TIME", callback=moment, help="As it was then: 2026-01-31T10:00, '2h ago', ...")
@click.option("--all", "everything", is_flag=True, help="Show the defaults of the schema too.")
@output_option("table", "json", "yaml", "toml", "env")
@pass_session
def resolve_command(
    session: Session,
    name: str | None,
    caller: str | None,
    assignments: tuple[str, ...],
    explain: bool,
    bare: bool,
    at_ms: int | None,
    everything: bool,
    form: str,
) -> None:
    """Show the effective runtime of a profile: its own settings over those of its bases, the registry and the defaults.

    Without NAME it is the profile of --profile, LIVERY_PROFILE, `livery use`, or the default. --set asks for an
    override as a request does, and the policy of the profile decides. Secrets are never shown. --at answers from what
    databases held at a time; other sources are taken as they are now.

    \b
    livery resolve coder --explain
    livery resolve coder -o json --set chat.temperature=0.9
    livery resolve incident --settings -o toml
    livery resolve coder --at '2h ago'
    """
    if bare and (explain or form == "env"):
        raise UsageError("--settings goes with table, json, yaml and toml, and not with --explain")
    if at_ms is not None:
        _go_back(session, at_ms)
    try:
        choice = choose(session, name, caller, assignments)
        resolved = session.service.resolve_effective_profile(choice.request)
    except NotFound:
        if at_ms is not None:
            note(f"this is what there was at {shown(at_ms)}; livery audit lists the changes since")
        raise
    for warning in resolved.warnings:
        warn(warning)
    if resolved.selection.fallback:
        note(f"fallback: nobody has mapped the caller {caller!r}, so it gets the default profile")
    elif resolved.selection.how == "caller":
        place = session.service.place_of_caller(resolved.registry_slug, (caller or "").strip())
        note(f"the caller {caller!r} is mapped to {resolved.profile_slug}" + (f" ({place})" if place else ""))
    if explain:
        _emit_explained(session, resolved, session.service.explain(choice.request), everything, form)
    elif bare:
        emit_document(_settings(resolved, form), form)
    elif form == "table":
        _emit_lines(heading(resolved, session.color))
        _emit_lines(values(rows_of(resolved), everything=everything, color=session.color))
    elif form == "env":
        for variable, value in variables(shown_runtime(resolved)).items():
            emit(f"{variable}={shlex.quote(value)}")
    else:
        emit_document({**resolved.document(), "effective_step_settings": _settings(resolved, form)}, form)


def _go_back(session: Session, at_ms: int) -> None:
    """Let everything be answered as it would have been at a time; say what is not known of it."""
    present = session.service
    session.service = present.as_of(at_ms)
    for warning in present.warnings_of_past():
        warn(warning)


def _settings(resolved: ResolvedProfile, form: str) -> Any:
    """The effective settings without secrets; where the form has dates and the like, those are such again."""
    settings = resolved.document()["effective_step_settings"]
    if form != "toml":
        return settings
    from livery.formats.toml import typed_like

    return typed_like(settings, resolved.effective[SETTINGS])


def _emit_explained(
    session: Session, resolved: ResolvedProfile, rows: list[Explained], everything: bool, form: str
) -> None:
    if form == "env":
        raise UsageError("an explanation has no form as environment; choose table, json, yaml or toml")
    if form == "table":
        _emit_lines(heading(resolved, session.color))
        _emit_lines(explained(rows, everything=everything, color=session.color, cwd=Path.cwd()))
    else:
        emit_document({row.key: row.document() for row in rows}, form)


def _emit_lines(lines: Iterator[str]) -> None:
    for line in lines:
        emit(line)
