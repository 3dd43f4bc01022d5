"""``livery use``: the active profile."""

from __future__ import annotations

import click

from livery.cli.command import Command
from livery.cli.options import name_argument
from livery.cli.output import emit, note
from livery.cli.selection import named
from livery.cli.session import Session, pass_session
from livery.core.names import Reference
from livery.errors import UsageError
from livery.service.registry_service import now_ms


@click.command("use", cls=Command)
@name_argument(required=False)
@click.option("--rollback", is_flag=True, help="Go back to the profile that was active before.")
@pass_session
def use_command(session: Session, name: str | None, rollback: bool) -> None:
    """Make a profile the active one: it is meant wherever none is named, on this machine, for this user.

    --profile, LIVERY_PROFILE and livery.toml go before it. The server ignores it.
    """
    if bool(name) == rollback:
        raise UsageError("give a NAME, or --rollback alone")
    state = session.process.state
    if rollback:
        active = state.use_previous()
        emit(f"{active} is active" if active else "no profile is active")
    else:
        profile = session.service.get_profile(*named(session, str(name)))
        active = Reference(profile.registry, profile.slug)
        state.use(active, now_ms())
        emit(f"{active} is active")
    configured = session.configured
    if configured.values.profile:
        note(f"{configured.origins['profile']} goes before it: {configured.values.profile}")
