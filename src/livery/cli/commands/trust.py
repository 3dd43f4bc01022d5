"""``livery trust``: a project's profile file is used once somebody has looked at it."""

from __future__ import annotations

from pathlib import Path

import click

from livery.cli.command import Command
from livery.cli.output import emit
from livery.cli.session import Session, pass_session


@click.command("trust", cls=Command)
@click.argument("path", type=click.Path(path_type=Path))
@pass_session
def trust_command(session: Session, path: Path) -> None:
    """Trust a project's .livery.yaml as it is now; after a change it has to be trusted again.

    PATH is the file, or the folder that it stands in. Look at it first: profiles name the servers that are started.
    """
    from livery.service.registry_service import now_ms
    from livery.startup import PROJECT_FILE
    from livery.stores.files import digest, read_file

    named = path / PROJECT_FILE if path.is_dir() else path
    file = named.parent.resolve() / named.name  # as it is found from a working directory
    content = digest(read_file(file))
    session.process.state.trust(file, content, now_ms())
    emit(f"{file} is trusted as it is now ({content[:19]}…)")
