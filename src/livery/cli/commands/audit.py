"""``livery audit``: who has changed what, and when."""

from __future__ import annotations

import click

from livery.cli.command import Command
from livery.cli.completion import complete_profile, complete_registry
from livery.cli.events import event_document, event_table, note_limit
from livery.cli.options import list_output
from livery.cli.output import emit_document, emit_table
from livery.cli.selection import named
from livery.cli.session import Session, pass_session
from livery.cli.times import moment
from livery.core.names import registry_slug
from livery.stores.protocols import EventQuery


@click.command("audit", cls=Command)
@click.option("--registry", "-r", "registry", metavar="NAME", shell_complete=complete_registry, help="Of a registry.")
@click.option("--profile", "-p", "profile", metavar="NAME", shell_complete=complete_profile, help="Of a profile.")
@click.option("--actor", metavar="NAME", help="By whom.")
@click.option("--action", metavar="NAME", help="What was done: create, update, delete, rollback, import, ...")
@click.option("--since", metavar="TIME", callback=moment, help="From this time on: 2026-01-31T10:00, '2h ago', ...")
@click.option("--until", metavar="TIME", callback=moment, help="Before this time.")
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True, metavar="N", help="At most N.")
@click.option("--oldest-first", is_flag=True, help="Begin with the oldest.")
@list_output
@pass_session
def audit_command(
    session: Session,
    registry: str | None,
    profile: str | None,
    actor: str | None,
    action: str | None,
    since: int | None,
    until: int | None,
    limit: int,
    oldest_first: bool,
    form: str,
) -> None:
    """Show the changes of registries and profiles, newest first: who, what, when, which versions, what is different.

    A database keeps all of them; of files those are known that were written by Livery. Secrets are hidden.
    """
    slug, name = _item(session, registry, profile)
    query = EventQuery(
        registry=slug,
        profile=name,
        actor=actor or "",
        action=action or "",
        since_ms=since or 0,
        until_ms=until or 0,
        limit=limit,
        newest_first=not oldest_first,
    )
    events = session.service.events(query)
    if form != "table":
        emit_document([event_document(event) for event in events], form)
        return
    emit_table(event_table(events, with_item=True), session.color)
    note_limit(len(events), limit)


def _item(session: Session, registry: str | None, profile: str | None) -> tuple[str, str | None]:
    """The registry and the profile that are asked for; an empty registry is any, and so is no profile."""
    if registry:
        session.flags["registry"] = registry
    profile = profile or session.flags.get("profile")
    if profile is not None:
        who = named(session, profile)
        return who.registry or "", who.slug
    return registry_slug(session.registry, "--registry") if session.registry else "", None
