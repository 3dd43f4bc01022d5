"""``livery export``: registries as one document."""

from __future__ import annotations

from pathlib import Path

import click

from livery.cli.command import Command
from livery.cli.completion import complete_registry
from livery.cli.options import output_option
from livery.cli.output import counted, emit, note, warn
from livery.cli.progress import progress_bar
from livery.cli.session import Session, pass_session
from livery.errors import AlreadyExists

_MOST_NAMED = 20


@click.command("export", cls=Command)
@click.option(
    "--registry", "-r", "registries", multiple=True, metavar="NAME", shell_complete=complete_registry,
    help="Only this registry (repeatable).",
)  # fmt: skip
@click.option("--file", "-f", type=click.Path(path_type=Path), metavar="FILE", help="Write it to a new file.")
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
@output_option("yaml", "json")
@pass_session
def export_command(session: Session, registries: tuple[str, ...], file: Path | None, force: bool, form: str) -> None:
    """Write registries with their profiles as one document, as they are seen over all sources.

    Secrets are not in it: where one was, it says {"$redacted": true}, and an import keeps what is there. To copy
    secrets too, import from the source itself: livery import SOURCE.
    """
    if file is not None and file.exists() and not force:
        note("--force replaces it")
        raise AlreadyExists("file", str(file))
    chosen = registries or ((session.registry,) if session.registry else ())
    with progress_bar(session.color) as told:
        found = session.service.export_registries(chosen, told=told)
    text = _text(found.document, form)
    if file is None:
        emit(text.rstrip("\n"))
    else:
        _write(file, text)
        registries_found = found.document["registries"]
        profiles = sum(len(registry["profiles"]) for registry in registries_found.values())
        note(f"{counted(profiles, 'profile')} of {', '.join(registries_found) or 'no registry'} in {file}")
    if found.hidden:
        warn(f"{counted(len(found.hidden), 'secret')} left out: {_named(found.hidden)}")
    for problem in found.left_out:
        warn(f"not exported: {problem}")


def _text(document: object, form: str) -> str:
    if form == "json":
        import orjson

        return orjson.dumps(document, option=orjson.OPT_INDENT_2).decode() + "\n"
    from livery.formats.yaml import write_yaml

    return write_yaml(document)


def _write(file: Path, text: str) -> None:
    from livery.stores.files import atomic_write, locked

    with locked(file):
        atomic_write(file, text.encode())


def _named(fields: list[str]) -> str:
    more = f", and {len(fields) - _MOST_NAMED} more" if len(fields) > _MOST_NAMED else ""
    return ", ".join(fields[:_MOST_NAMED]) + more
