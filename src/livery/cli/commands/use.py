"""``livery use``: the active profile."""

from __future__ import annotations

import click

from livery.cli.command import Command
from livery.cli.options import name_argument
from livery.cli.output import emit, note
from livery.cli.selection import named
from livery.cli.session import Session, pass_session
from livery.cli.written import write_options
from livery.core.names import Reference
from livery.core.selection import default_registry
from livery.errors import UsageError
from livery.service.registry_service import now_ms


def _used(session: Session, name: str) -> Reference:
    service = session.service
    profile = service.get_profile(*named(session, name))
    active = Reference(profile.registry, profile.slug)
    if not service.use_profile(active, write_options()):
        session.process.state.use(active, now_ms())
    elif active.registry != default_registry(service.catalogue):
        note(f"it is meant where the registry is: --registry {active.registry}")
    return active


def _back(session: Session) -> Reference | None:
    if session.service.keeps_active_profile(session.registry):
        active = session.service.use_previous_profile(session.registry, write_options())
        if active is None:
            raise click.ClickException("no earlier active profile is left to go back to")
        return active
    return session.process.state.use_previous()


@click.command("use", cls=Command)
@name_argument(required=False)
@click.option("--rollback", is_flag=True, help="Go back to the profile that was active before.")
@pass_session
def use_command(session: Session, name: str | None, rollback: bool) -> None:
    """Make a profile the active one: it is meant wherever none is named, on this machine, for this user.

    Config profiles keep their own pointer, in profiles/active.json. --profile, LIVERY_PROFILE and livery.toml go
    before it. The server ignores it.
    """
    if bool(name) == rollback:
        raise UsageError("give a NAME, or --rollback alone")
    active = _back(session) if rollback else _used(session, str(name))
    emit(f"{active} is active" if active else "no profile is active")
    configured = session.configured
    if configured.values.profile:
        note(f"{configured.origins['profile']} goes before it: {configured.values.profile}")
