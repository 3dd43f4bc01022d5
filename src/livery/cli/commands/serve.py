"""``livery serve``: the HTTP service and its pages."""

from __future__ import annotations

from typing import Any

import click

from livery.cli.command import Command
from livery.cli.session import Session, pass_session


def _configure(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    """Keep a flag of the configuration that was given."""
    if value is not None and param.name:
        ctx.find_root().ensure_object(Session).flags[param.name] = value


@click.command("serve", cls=Command)
@click.option(
    "--host",
    metavar="ADDRESS",
    expose_value=False,
    callback=_configure,
    help="Listen on this address (127.0.0.1; configured as host).",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    metavar="PORT",
    expose_value=False,
    callback=_configure,
    help="Listen on this port (8420; configured as port); 0 takes a free one.",
)
@click.option("--read-only", is_flag=True, help="Write to no source, whoever asks.")
@click.option("--insecure", is_flag=True, help="Listen where other machines can reach it, though nobody signs in.")
@pass_session
def serve_command(session: Session, read_only: bool, insecure: bool) -> None:
    """Start the HTTP service and its pages; Ctrl-C stops it."""
    from livery.http.serve import serve
    from livery.service.retention import pruning

    session.read_only = read_only
    values = session.configured.values
    with pruning(session.service, values.retention):
        serve(session.service, values.host, values.port, insecure=insecure, base_step_settings=values.base or None)
