"""``livery run``: another program, with the settings of a profile as its environment."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

import click

from livery.cli.command import Command
from livery.cli.environment import live_runtime, provider_variables, variables
from livery.cli.options import set_option
from livery.cli.output import note, warn
from livery.cli.selection import choose
from livery.cli.session import Session, pass_session
from livery.core.paths import SETTINGS

_NOT_FOUND, _NOT_EXECUTABLE = 127, 126  # what shells answer


@click.command("run", cls=Command, context_settings={"allow_interspersed_args": False})
@set_option
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- COMMAND...")
@pass_session
@click.pass_context
def run_command(ctx: click.Context, session: Session, assignments: tuple[str, ...], command: tuple[str, ...]) -> None:
    """Run COMMAND in this environment and, over it, the settings of the profile of --profile or the active one.

    Every value of the runtime is LIVERY_ and its path (LIVERY_CHAT_ENGINE, LIVERY_SYSTEM_PROMPT, lists as JSON), keys
    and addresses are there under the provider's usual names too (OPENAI_API_KEY, OPENAI_BASE_URL). Secrets are read
    now; where one is missing nothing is started. The exit code is that of COMMAND.

    \b
    livery run -p coder -- python agent.py
    """
    resolved = session.service.resolve_effective_profile(choose(session, assignments=assignments).request)
    for warning in resolved.warnings:
        warn(warning)
    runtime = live_runtime(resolved, os.environ)
    environ = {**os.environ, **variables(runtime), **provider_variables(resolved, runtime[SETTINGS])}
    ctx.exit(_become(command, environ))


def _become(command: tuple[str, ...], environ: dict[str, str]) -> int:
    """Become the command; come back only where it cannot be started, with the exit code for that."""
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        _replace_process(command, environ)
    except (FileNotFoundError, NotADirectoryError):
        note(f"error: command not found: {command[0]}")
        return _NOT_FOUND
    except OSError as error:
        note(f"error: {command[0]} cannot be run: {error.strerror}")
        return _NOT_EXECUTABLE


def _replace_process(command: tuple[str, ...], environ: dict[str, str]) -> NoReturn:
    os.execvpe(command[0], command, environ)
