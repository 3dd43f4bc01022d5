"""``livery history``: how much of what was is kept."""

from __future__ import annotations

import click

from livery.cli.command import Group
from livery.cli.output import counted, emit
from livery.cli.session import Session, pass_session
from livery.cli.times import duration
from livery.errors import UsageError
from livery.stores.protocols import Retention

_FEWEST = 2


@click.group("history", cls=Group)
def history_command() -> None:
    """The old versions that the written source keeps; `livery profile history` shows them."""


@history_command.command("prune")
@click.option("--keep", type=click.IntRange(min=_FEWEST), metavar="N", help="Keep the newest N versions of each item.")
@click.option(
    "--older-than", metavar="DURATION", callback=duration, help="Drop only what was replaced longer ago: 12h."
)
@pass_session
def prune_command(session: Session, keep: int | None, older_than: int | None) -> None:
    """Drop the content of old versions. The present version and the one before it stay, and so does the audit.

    Without options what is configured counts: history_keep and history_days.
    """
    dropped = session.service.prune_history(_retention(session, keep, older_than))
    emit(f"{counted(dropped, 'old version')} dropped")


def _retention(session: Session, keep: int | None, older_than: int | None) -> Retention:
    if keep is None and older_than is None:
        configured = session.configured.values.retention
        if not configured.keep:
            raise UsageError("say what may go: --keep N, --older-than DURATION, or both; or configure history_keep")
        return configured
    age = {} if older_than is None else {"min_age_ms": older_than}
    return Retention(keep or _FEWEST, **age)
