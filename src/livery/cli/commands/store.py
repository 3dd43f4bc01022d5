"""``livery store``: profile stores, directories with a file a profile."""

from __future__ import annotations

from pathlib import Path

import click

from livery.cli.command import Group
from livery.cli.output import emit, note


@click.group("store", cls=Group)
def store_command() -> None:
    """Profile stores: directories with a file for each profile."""


@store_command.command("init")
@click.argument("directory", type=click.Path(path_type=Path), metavar="DIR")
def init_command(directory: Path) -> None:
    """Make what a profile store must have where it is missing: profiles/default.yaml and callers.yaml.

    Files that are there stay as they are; runtime.yaml, the settings for all profiles, is not made.
    """
    from livery.stores.profile_store import init_store

    made = init_store(directory)
    for path in made:
        emit(f"made {path}")
    if not made:
        note(f"{directory} is a profile store already; nothing was changed")
