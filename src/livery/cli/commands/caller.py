"""``livery caller``: the map from clients to profiles."""

from __future__ import annotations

import click

from livery.cli.changes import write
from livery.cli.command import Group
from livery.cli.completion import complete_profile
from livery.cli.options import list_output, writing_options
from livery.cli.output import Table, emit_document, emit_table, note
from livery.cli.session import Session, pass_session
from livery.cli.written import write_options
from livery.core.names import nearest
from livery.errors import SourceReadOnly, ValidationError


@click.group("caller", cls=Group)
def caller_command() -> None:
    """Which profile of a registry a client gets (--registry NAME; without it the default one)."""


@caller_command.command("list")
@list_output
@pass_session
def list_command(session: Session, form: str) -> None:
    """List the clients of a registry and their profiles."""
    registry = session.service.get_registry(session.registry)
    callers = sorted(registry.callers.items())
    if form == "table":
        emit_table(Table(("CALLER", "PROFILE"), callers), session.color)
        note(f"unknown callers: {'denied' if registry.fallback == 'deny' else 'the default profile'}")
    else:
        emit_document([{"caller": caller, "profile": slug} for caller, slug in callers], form)


@caller_command.command("set")
@click.argument("caller")
@click.argument("profile", shell_complete=complete_profile)
@writing_options
@pass_session
def set_command(session: Session, caller: str, profile: str, if_version: int | None, dry_run: bool) -> None:
    """Let CALLER get PROFILE. --if-version is the registry's version."""
    slug = session.service.get_registry(session.registry).slug
    write(
        session,
        lambda service: service.update_registry(slug, {"callers": {caller: profile}}, write_options(if_version)),
        lambda registry: f"{caller} gets {registry.slug}/{profile}",
        dry_run=dry_run,
    )


@caller_command.command("unset")
@click.argument("caller")
@writing_options
@pass_session
def unset_command(session: Session, caller: str, if_version: int | None, dry_run: bool) -> None:
    """Forget CALLER; from then on it is an unknown one. --if-version is the registry's version."""
    view = session.service.catalogue.view(session.service.get_registry(session.registry).slug)
    _demand_known(caller, list(view.head.callers))
    for layer in view.layers:
        if caller in layer.head.callers and not layer.writer:
            raise SourceReadOnly(f"caller {caller!r} of registry '{view.slug}'", layer.source)
    write(
        session,
        lambda service: service.update_registry(view.slug, {"callers": {caller: None}}, write_options(if_version)),
        lambda registry: f"{caller} is no caller of {registry.slug}",
        dry_run=dry_run,
    )


def _demand_known(caller: str, known: list[str]) -> None:
    if caller not in known:
        close = nearest(caller, known, 1)
        raise ValidationError(caller, "is no known caller" + (f"; did you mean {close[0]!r}?" if close else ""))
