"""``livery validate``: every fault of the sources."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple

import click

from livery.cli.command import Command
from livery.cli.options import list_output
from livery.cli.output import counted, emit, emit_document, note, printable, style
from livery.cli.session import Session, pass_session
from livery.errors import Fault, LiveryError, ValidationError
from livery.outcomes import outcome_of
from livery.service import RegistryService

_MOST_WARNINGS = 200  # in lines for people


class Problem(NamedTuple):
    """One thing to mend: an ``error`` or a ``warning``, in which source, and where in which file it stands."""

    level: str
    source: str
    fault: Fault

    def __str__(self) -> str:
        return str(self.fault) if self.fault.place else f"{self.source}: {self.fault}"

    def document(self) -> dict[str, str]:
        place = str(self.fault.place or "")
        return {"level": self.level, "source": self.source, "place": place, **_words(self.fault)}


def _words(fault: Fault) -> dict[str, str]:
    return {"field": fault.field, "reason": fault.reason}


@click.command("validate", cls=Command)
@click.argument("sources", nargs=-1, metavar="[SOURCE]...")
@click.option("--strict", is_flag=True, help="Let warnings count as errors.")
@list_output
@pass_session
@click.pass_context
def validate_command(ctx: click.Context, session: Session, sources: tuple[str, ...], strict: bool, form: str) -> None:
    """Find every fault of some sources, seen as one chain; without SOURCE of those that are configured.

    Exit code 4 if there is an error (with --strict also for a warning), 3 if a source is not there, 7 if one cannot be
    read.
    """
    session.silent = True  # what sources have to say of themselves is among the problems
    service = _service(session, sources)
    problems = sorted(dict.fromkeys(_problems(service)), key=_position)
    if form == "table":
        _emit_lines(problems, session.color)
    else:
        emit_document([problem.document() for problem in problems], form)
    errors = sum(problem.level == "error" for problem in problems)
    profiles = sum(len(view.profiles) for view in service.catalogue.registries.values())
    found = f"{counted(errors, 'error')}, {counted(len(problems) - errors, 'warning')}"
    note(f"{found}; {counted(profiles, 'profile')} in {counted(len(service.sources), 'source')}")
    if errors or (strict and problems):
        ctx.exit(outcome_of(_worst(service)).exit_code)


def _service(session: Session, sources: tuple[str, ...]) -> RegistryService:
    if not sources:
        return session.service
    from livery.library import open_registry

    return open_registry(*sources, default_registry=session.flags.get("default_registry"))


def _problems(service: RegistryService) -> Iterator[Problem]:
    """What the service finds in the whole, after what is wrong with single documents."""
    findings = [*service.located_findings(), *service.unset_variables(os.environ)]
    for source in service.sources:
        if source.skipped:
            yield Problem("warning", source.label, Fault("", source.skipped))
        if source.error is not None:
            yield from _of_error(source.error, source.label)
        for item in source.broken:
            yield from _of_error(item.error, source.label)
    for finding in findings:
        yield Problem("error" if finding.blocking else "warning", finding.source, finding.fault)


def _position(problem: Problem) -> tuple[str, str, int, int, str]:
    """From the top of each file to its end."""
    place = problem.fault.place
    if place is None:
        return (problem.source, "", 0, 0, str(problem))
    return (problem.source, place.file, place.line or 0, place.column or 0, str(problem))


def _of_error(error: LiveryError, source: str) -> Iterator[Problem]:
    if isinstance(error, ValidationError):
        yield from (Problem("error", source, fault) for fault in error.faults)
    else:
        yield Problem("error", source, Fault("", str(error)))


def _emit_lines(problems: list[Problem], color: bool) -> None:
    warned = 0
    for problem in problems:
        warned += problem.level == "warning"
        if problem.level == "warning" and warned > _MOST_WARNINGS:
            continue
        tone = "red" if problem.level == "error" else "yellow"
        emit(f"{style(problem.level, color, fg=tone)}: {printable(str(problem))}")
    if warned > _MOST_WARNINGS:
        note(f"{warned - _MOST_WARNINGS} more warnings: -o json has them all")


def _worst(service: RegistryService) -> LiveryError:
    """The error that says best why the sources are not in order."""
    errors = [source.error for source in service.sources if source.error is not None]
    return errors[0] if errors else ValidationError("", "")
