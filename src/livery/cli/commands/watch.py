"""``livery watch``: what happens to registries and profiles, as it happens."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from queue import SimpleQueue

import click

from livery.changes import ChangeFeed
from livery.cli.command import Command
from livery.cli.options import output_option
from livery.cli.output import emit, note, printable
from livery.cli.session import Session, pass_session
from livery.core.catalogue import Catalogue
from livery.core.changes import EVERY_REGISTRY, Change
from livery.core.names import registry_slug
from livery.service import RegistryService


@click.command("watch", cls=Command)
@click.option("--count", type=click.IntRange(min=1), metavar="N", help="Stop after N changes.")
@output_option("text", "json")
@pass_session
def watch_command(session: Session, count: int | None, form: str) -> None:
    """Print changes of registries and profiles as they happen, until Ctrl-C.

    A broken edit is a change too, with its reason: the last good version stays in use. --registry shows only what
    concerns that registry.
    """
    only = registry_slug(session.registry, "registry") if session.registry else EVERY_REGISTRY
    for change in _changes(session.service, only):
        emit(_as_json(change) if form == "json" else _as_text(change))
        count = count - 1 if count else None
        if count == 0:
            return


def _changes(service: RegistryService, only: str) -> Iterator[Change]:
    found: SimpleQueue[list[Change]] = SimpleQueue()

    def take(catalogue: Catalogue, changes: list[Change]) -> None:
        _read(catalogue)
        found.put(
            [change for change in changes if EVERY_REGISTRY in (only, change.registry) or change.registry == only]
        )

    _read(service.catalogue)
    unsubscribe = service.subscribe(take)
    with ChangeFeed(service):
        note(f"watching {', '.join(source.label for source in service.sources)} (stop with Ctrl-C)")
        try:
            while True:
                yield from found.get()
        finally:
            unsubscribe()


def _read(catalogue: Catalogue) -> None:
    """Read what is otherwise read when it is needed: nobody can tell a change of what was never looked at."""
    for view in catalogue.registries.values():
        for stack in view.profiles.values():
            _ = stack.fault


def _as_text(change: Change) -> str:
    name = f"{change.registry}/{change.profile}" if change.profile else change.registry
    clock = time.strftime("%H:%M:%S")
    if change.kind == "broken":
        return printable(f"{clock} broken {name}: {change.error}").replace("\n", " ")
    return f"{clock} {change.kind} {name} {change.from_version} -> {change.to_version} ({change.scope})"


def _as_json(change: Change) -> str:
    told = {"at_ms": time.time_ns() // 1_000_000, **change._asdict()}
    if not change.error:
        del told["error"]
    return json.dumps(told, ensure_ascii=False)
