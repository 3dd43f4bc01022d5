"""Options and arguments that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from livery.cli.completion import complete_profile

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def output_option(*forms: str) -> Decorator:
    """``--output``: the first form is the default."""
    return click.option(
        "--output", "-o", "form", type=click.Choice(forms), default=forms[0], show_default=True, help="The form."
    )


list_output = output_option("table", "json", "yaml")
document_output = output_option("yaml", "json", "toml", "table")


def name_argument(name: str = "name", **more: Any) -> Decorator:
    """A profile, as ``NAME`` or ``REGISTRY/NAME``."""
    return click.argument(name, shell_complete=complete_profile, **more)


if_version_option = click.option(
    "--if-version", type=click.IntRange(min=0), metavar="N", help="Only if it is at this version now."
)
dry_run_option = click.option("--dry-run", is_flag=True, help="Check everything, show the difference, write nothing.")
yes_option = click.option("--yes", "-y", is_flag=True, help="Do not ask.")
set_option = click.option(
    "--set", "assignments", multiple=True, metavar="KEY=VALUE", help="Set a value, read as YAML (repeatable)."
)


def writing_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """What every write takes."""
    return if_version_option(dry_run_option(function))
