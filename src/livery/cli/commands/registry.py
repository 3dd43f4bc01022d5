"""``livery registry``: named sets of profiles."""

from __future__ import annotations

from typing import Any

import click

from livery.cli.asking import confirm
from livery.cli.changes import write
from livery.cli.command import Group
from livery.cli.completion import complete_registry
from livery.cli.documents import NOTHING, placed, read_document
from livery.cli.events import event_document, event_table, note_limit
from livery.cli.options import document_output, dry_run_option, list_output, writing_options, yes_option
from livery.cli.output import Table, counted, emit_document, emit_table
from livery.cli.session import Session, pass_session
from livery.cli.written import write_options
from livery.core.profile import Registry
from livery.core.redact import redact


@click.group("registry", cls=Group)
def registry_command() -> None:
    """List, show and change registries: named sets of profiles with a default, a policy and a caller map."""


@registry_command.command("list")
@list_output
@pass_session
def list_command(session: Session, form: str) -> None:
    """List the registries of all sources. A star marks the one that a name without a registry means."""
    registries = session.service.list_registries()
    if form != "table":
        emit_document([row._asdict() for row in registries], form)
        return
    rows = [
        ("★" if row.is_default else "", row.slug, row.default_profile, str(row.profile_count), str(row.version),
         ", ".join(row.sources), row.display_name)
        for row in registries
    ]  # fmt: skip
    columns = ("", "REGISTRY", "DEFAULT PROFILE", "PROFILES", "VERSION", "SOURCE", "DISPLAY NAME")
    emit_table(Table(columns, rows), session.color)


@registry_command.command("show")
@click.argument("name", required=False, shell_complete=complete_registry)
@document_output
@pass_session
def show_command(session: Session, name: str | None, form: str) -> None:
    """Show a registry with its profiles as they are stored, over all sources; without NAME the default one."""
    registry = session.service.get_registry(name or session.registry)
    schema = session.service.catalogue.view(registry.slug).schema
    emit_document({"id": registry.slug, **redact(registry.document(), schema)}, form)


@registry_command.command("history")
@click.argument("name", required=False, shell_complete=complete_registry)
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, metavar="N", help="At most N.")
@list_output
@pass_session
def history_command(session: Session, name: str | None, limit: int, form: str) -> None:
    """List the changes of a registry's own fields in the source that is written, newest first."""
    events = session.service.history(name or session.registry, limit=limit)
    if form != "table":
        emit_document([event_document(event) for event in events], form)
        return
    emit_table(event_table(events, with_item=False), session.color)
    note_limit(len(events), limit)


@registry_command.command("rollback")
@click.argument("name", shell_complete=complete_registry)
@click.option("--to", "to_version", type=click.IntRange(min=1), required=True, metavar="N", help="The version.")
@writing_options
@pass_session
def rollback_command(session: Session, name: str, to_version: int, if_version: int | None, dry_run: bool) -> None:
    """Give a registry the fields that it had in version N, as a new version; its profiles stay as they are.

    A deleted registry comes back, with the profiles that it had at its end.
    """
    from livery.cli.logged import logged_as_warnings

    with logged_as_warnings():
        old = session.service.registry_to_restore(name, to_version)
    write(
        session,
        lambda service: service.restore_registry(old, write_options(if_version)),
        lambda registry: f"{registry.slug} has the fields of version {to_version}, version {registry.version}",
        dry_run=dry_run,
    )


@registry_command.command("create")
@click.argument("name")
@click.option("--file", "-f", metavar="FILE", help="Begin with this document (YAML, JSON, TOML; - is standard input).")
@click.option("--display-name", metavar="TEXT", help="What people see.")
@click.option("--description", metavar="TEXT", help="What it is for.")
@click.option("--settings-schema", metavar="NAME", help="What its settings may hold: ai (the default) or free.")
@dry_run_option
@pass_session
def create_command(
    session: Session,
    name: str,
    file: str | None,
    display_name: str | None,
    description: str | None,
    settings_schema: str | None,
    dry_run: bool,
) -> None:
    """Create a registry in the source that is written; a document may bring profiles along."""
    given = read_document(file) if file else NOTHING
    document: dict[str, Any] = {key: value for key, value in given.fields.items() if key != "id"}
    fields = {"display_name": display_name, "description": description, "settings_schema": settings_schema}
    document |= {key: value for key, value in fields.items() if value is not None} | {"slug": name}
    with placed(given):
        write(
            session,
            lambda service: service.create_registry(document, write_options()),
            lambda registry: f"{registry.slug} created, version {registry.version}",
            dry_run=dry_run,
        )


@registry_command.command("delete")
@click.argument("name", shell_complete=complete_registry)
@yes_option
@writing_options
@pass_session
def delete_command(session: Session, name: str, yes: bool, if_version: int | None, dry_run: bool) -> None:
    """Delete a registry with its profiles from the source that is written."""
    registry: Registry = session.service.get_registry(name)
    if not dry_run:
        confirm(f"Delete the registry {registry.slug} with its {counted(len(registry.profiles), 'profile')}?", yes=yes)
    write(
        session,
        lambda service: service.delete_registry(name, write_options(if_version)),
        lambda _: f"{registry.slug} deleted",
        dry_run=dry_run,
    )
