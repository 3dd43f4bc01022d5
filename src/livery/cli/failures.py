"""From errors to messages on standard error and exit codes. What an error means is asked of :mod:`livery.outcomes`."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from livery.cli.output import note, printable, style
from livery.cli.session import Session

if TYPE_CHECKING:
    from livery.errors import Fault

_TYPED = re.compile(r"^(?:registry\.profiles\[[^\]]*\]|profile)\.(?:runtime\.)?(?:step_settings_patch\.)?")


def exit_code_of(run: Callable[[], int], session: Session) -> int:
    """What ``run`` returns; where it raises, the exit code of the error, after its message."""
    try:
        code = run()
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        _forget_stdout()
        return 1
    except (KeyboardInterrupt, click.Abort) as error:
        at_prompt = isinstance(error, click.Abort) and error.__cause__ is None
        note("\ninterrupted" if at_prompt else "interrupted")
        return _told(KeyboardInterrupt(), [], session)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return error.exit_code
    except click.ClickException as error:
        return _told_usage(error, session)
    except Exception as error:
        return _told(error, list(messages_of(error)), session)


def _told(error: BaseException, messages: list[str], session: Session) -> int:
    from livery.outcomes import outcome_of

    _show_traceback(session)
    for message in messages:
        _say(message, session)
    return outcome_of(error).exit_code


def _told_usage(error: click.ClickException, session: Session) -> int:
    _show_traceback(session)
    _say(error.format_message(), session)
    ctx = getattr(error, "ctx", None)
    if ctx is not None:
        click.echo(f"{ctx.get_usage()}\nTry: {ctx.command_path} --help", err=True)
    return error.exit_code


def messages_of(error: Exception) -> Iterator[str]:
    """One message for each fault of an error; an error that nobody foresaw says so."""
    from livery.errors import LiveryError, PolicyViolation, ValidationError

    if isinstance(error, ValidationError):
        yield from dict.fromkeys(str(_short(fault)) for fault in error.faults)
    elif isinstance(error, PolicyViolation):
        for decision in error.decisions:
            if not decision.allowed:
                owner = f" ({decision.profile})" if decision.profile else ""
                yield f"{decision.key} may not be overridden: {decision.rule}{owner}"
    elif isinstance(error, LiveryError):
        yield str(error)
    else:
        what = f"{type(error).__name__}: {error}".rstrip(": ")
        yield f"unexpected {what} (this is a fault of Livery; --debug shows where)"


def _short(fault: Fault) -> Fault:
    """A fault of what was typed, under the name that it was typed with; one in a file keeps its whole path."""
    return fault if fault.place else fault._replace(field=_TYPED.sub("", fault.field))


def _say(message: str, session: Session) -> None:
    with suppress(BrokenPipeError):
        click.echo(f"{style('error:', session.color, err=True, fg='red', bold=True)} {printable(message)}", err=True)


def _show_traceback(session: Session) -> None:
    if session.debug:
        import traceback

        traceback.print_exc()


def _forget_stdout() -> None:
    """Nobody reads any more: what is still buffered goes nowhere, and Python does not complain at its exit."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
