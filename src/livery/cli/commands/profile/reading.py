"""Reading profiles: ``list``, ``show``, ``check``."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any

import click

from livery.cli.command import Command
from livery.cli.options import document_output, list_output, name_argument
from livery.cli.output import Table, emit, emit_document, emit_table, note, warn
from livery.cli.selection import Named, choose, named
from livery.cli.session import Session, pass_session
from livery.core.profile import Profile
from livery.core.redact import redact
from livery.core.stack import ProfileLayer
from livery.errors import (
    LiveryError,
    ProfileNotFound,
    RegistryNotFound,
    SourceReadOnly,
    Unsupported,
    ValidationError,
)
from livery.outcomes import OUTCOMES
from livery.service import ProfileSummary
from livery.settings import schema_named

_LONGEST = 160  # characters of an error in a table


@click.command("list", cls=Command)
@click.option("--tag", metavar="TAG", help="Only profiles with this tag.")
@click.option("--all-sources", is_flag=True, help="One line for each source that holds a profile.")
@list_output
@pass_session
def list_command(session: Session, tag: str | None, all_sources: bool, form: str) -> None:
    """List the profiles of the default registry, of --registry NAME, or of all with --registry '*'.

    A star marks the default of the registry, a dot the active profile. Broken profiles are listed with their error.
    """
    service = session.service
    profiles = [row for row in service.list_profiles(session.registry) if tag is None or tag in row.tags]
    active = _active(session)
    if all_sources:
        rows = [_layer_row(layer) for profile in profiles for layer in _layers(session, profile)]
        _emit_rows(rows, form, session.color)
    elif form == "table":
        emit_table(_table(profiles, active, with_registry=session.registry == "*"), session.color)
        _mention_others(session)
    else:
        emit_document([{**row._asdict(), "is_active": _name(row) == active} for row in profiles], form)


def _active(session: Session) -> str:
    """The active profile, if there is one; a list is no place to complain of a lost one."""
    registry = None if session.registry == "*" else session.registry
    if session.process.configuration.profile:
        return ""
    try:
        if session.service.keeps_active_profile(registry):
            return str(session.service.pointed_profile(registry) or "")
        return str(session.process.state.active_profile() or "")
    except LiveryError:
        return ""


def _name(row: ProfileSummary) -> str:
    return f"{row.registry}/{row.slug}"


def _table(profiles: list[ProfileSummary], active: str, with_registry: bool) -> Table:
    applied = any(row.last_applied_at_ms for row in profiles)
    rows = [
        (
            ("★" if row.is_default else " ") + ("●" if _name(row) == active else ""),
            _name(row) if with_registry else row.slug,
            str(row.version) if row.version else "",
            "read-only" if row.read_only else "",
            row.source,
            *([_time(row.last_applied_at_ms)] if applied else ()),
            f"broken: {_brief(row.error)}" if row.error else row.description or row.display_name,
        )
        for row in profiles
    ]
    used = ("LAST USED",) if applied else ()
    return Table(("", "PROFILE", "VERSION", "ACCESS", "SOURCE", *used, "DESCRIPTION"), rows)


def _brief(error: str) -> str:
    return error if len(error) <= _LONGEST else f"{error[:_LONGEST]}… (all of it: livery validate)"


def _time(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000).isoformat(" ", "minutes") if at_ms else ""


def _mention_others(session: Session) -> None:
    if session.registry is None and sys.stderr.isatty():
        others = [row.slug for row in session.service.list_registries() if not row.is_default]
        if others:
            note(f"there are more registries: {', '.join(others)} (--registry NAME, or --registry '*')")


def _layers(session: Session, row: ProfileSummary) -> tuple[ProfileLayer, ...]:
    return () if row.error else session.service.profile_layers(row.registry, row.slug)


def _layer_row(layer: ProfileLayer) -> dict[str, Any]:
    profile = layer.heading
    return {
        "profile": str(profile.reference),
        "source": layer.source,
        "version": profile.version,
        "writer": layer.writer,
        "read_only": profile.policy.read_only,
        "description": profile.description or profile.display_name,
    }


def _emit_rows(rows: list[dict[str, Any]], form: str, color: bool) -> None:
    if form != "table":
        emit_document(rows, form)
        return
    marks = [[_cell(value) for value in row.values()] for row in rows]
    emit_table(Table(("PROFILE", "SOURCE", "VERSION", "WRITTEN", "READ-ONLY", "DESCRIPTION"), marks), color)


def _cell(value: Any) -> str:
    return ("yes" if value else "") if isinstance(value, bool) else str(value)


@click.command("show", cls=Command)
@name_argument()
@click.option(
    "--version",
    "version",
    type=click.IntRange(min=1),
    metavar="N",
    help="An earlier version, as the written source had it.",
)
@click.option("--layers", is_flag=True, help="What each source says, the lowest first.")
@document_output
@pass_session
def show_command(session: Session, name: str, version: int | None, layers: bool, form: str) -> None:
    """Show a profile as it is stored, over all sources, with secrets hidden.

    `livery resolve` shows what it amounts to, with its bases and defaults.
    """
    who = named(session, name)
    if layers:
        _show_layers(session, who, form)
    else:
        profile = session.service.get_profile(*who) if version is None else _revision(session, who, version)
        emit_document(_document(session, profile), form)


def _revision(session: Session, who: Named, version: int) -> Profile:
    """A profile in a version: as the written source had it, or the present one of a source without history."""
    service = session.service
    try:
        return service.profile_revision(*who, version)
    except ProfileNotFound:
        with suppress(ProfileNotFound, RegistryNotFound):
            present = service.get_profile(*who)
            if present.version == version:  # only other sources hold it
                return present
        raise
    except (Unsupported, SourceReadOnly):
        present = service.get_profile(*who)
        if present.version == version:
            return present
        held = service.profile_layers(*who)[-1].source
        advice = "files keep the present version only"
        raise Unsupported(f"version {version} of {present.reference}", held, advice) from None


def _document(session: Session, profile: Profile) -> dict[str, Any]:
    view = session.service.catalogue.registries.get(profile.registry)
    schema = view.schema if view is not None else schema_named("ai")  # of an earlier version: the registry may be gone
    document: dict[str, Any] = redact(profile.document(), schema)
    return {"id": str(profile.reference), "slug": profile.slug, **document}


def _show_layers(session: Session, who: Named, form: str) -> None:
    rows = [
        {"source": layer.source, "writer": layer.writer, "document": _document(session, layer.profile)}
        for layer in session.service.profile_layers(*who)
    ]
    if form == "json":
        emit_document(rows, form)
        return
    for row in rows:
        emit(f"# {row['source']}{' (written)' if row['writer'] else ''}")
        emit_document(row["document"], form)


@click.command("check", cls=Command)
@name_argument(required=False)
@click.option(
    "--for", "uses", type=click.Choice(("chat", "embeddings", "rerank")), multiple=True, default=("chat",),
    show_default=True, help="What it is to be used for (repeatable).",
)  # fmt: skip
@list_output
@pass_session
@click.pass_context
def check_command(ctx: click.Context, session: Session, name: str | None, uses: tuple[Any, ...], form: str) -> None:
    """Say what a profile lacks before it can be used: engine, key, address, secrets. Exit code 4 if anything does."""
    resolved = session.service.resolve_effective_profile(choose(session, name).request)
    for warning in resolved.warnings:
        warn(warning)
    problems = list(_problems(resolved, uses))
    if form == "table":
        for problem in problems:
            emit(f"{problem['field']}: {problem['reason']}")
        reference = f"{resolved.registry_slug}/{resolved.profile_slug}"
        note(f"{reference}: {'not ready' if problems else 'ready'} for {', '.join(uses)}")
    else:
        emit_document(problems, form)
    if problems:
        ctx.exit(OUTCOMES[ValidationError].exit_code)


def _problems(resolved: Any, uses: tuple[Any, ...]) -> Iterator[dict[str, str]]:
    from livery.secrets import secret_available
    from livery.settings import readiness

    settings = resolved.effective_step_settings
    for problem in readiness(settings, uses=uses, secret_available=lambda name: secret_available(name, os.environ)):
        yield {"field": problem.field, "reason": problem.reason}
