"""The options that every command takes, before or after its name. The session collects what they say."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import click

from livery.cli.completion import complete_profile, complete_registry
from livery.cli.session import Session


def _collect(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    """Keep a value that was given; of two the one nearer to the command counts, of sources all."""
    if value and param.name:
        flags = ctx.find_root().ensure_object(Session).flags
        flags[param.name] = (*flags.get(param.name, ()), *value) if param.multiple else value


@cache
def global_options(*, hidden: bool) -> tuple[click.Option, ...]:
    """The options; ``hidden`` ones work just so and are left out of the help."""

    def option(*names: str, **more: Any) -> click.Option:
        return click.Option(list(names), expose_value=False, hidden=hidden, callback=_collect, **more)

    return (
        option(
            "--source", "sources", multiple=True, metavar="URL",
            help="Where profiles come from, later over earlier (repeatable): a path, yaml:FILE, profile-store:DIR,"
            " config-profiles:DIR, builtin:, memory:.",
        ),
        option(
            "--profile", "-p", metavar="NAME", shell_complete=complete_profile,
            help="The profile: NAME or REGISTRY/NAME.",
        ),
        option("--registry", "-r", metavar="NAME", shell_complete=complete_registry, help="The registry."),
        option("--writer", metavar="URL", help="Which of the sources is written."),
        option("--default-registry", metavar="NAME", help="The registry that a name without one means."),
        option(
            "--config", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
            help="Read this configuration file instead of livery.toml.",
        ),
        option("--verbose", "-v", is_flag=True, help="Say what is read and chosen."),
        option("--no-color", is_flag=True, help="No colours and no styles (also: NO_COLOR)."),
        option("--debug", is_flag=True, help="Show the traceback of an error."),
    )  # fmt: skip
