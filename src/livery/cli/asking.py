"""Questions to the person at the terminal."""

from __future__ import annotations

import sys

import click

from livery.cli.output import note
from livery.errors import UsageError


def confirm(question: str, *, yes: bool) -> None:
    """Go on if the person agrees or ``yes`` was given, else leave; where nobody can be asked, say what to give."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError(f"{question} Nobody can be asked here; give --yes")
    if not click.confirm(question, err=True):
        note("nothing was changed")
        raise click.exceptions.Exit(1)
