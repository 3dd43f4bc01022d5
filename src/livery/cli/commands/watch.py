"""``livery watch``: what happens to registries and profiles, as it happens."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from queue import SimpleQueue
from typing import NamedTuple

import click

from livery.changes import ChangeFeed
from livery.cli.command import Command
from livery.cli.events import change_of
from livery.cli.options import output_option
from livery.cli.output import emit, note, printable
from livery.cli.session import Session, pass_session
from livery.core.catalogue import Catalogue
from livery.core.changes import EVERY_REGISTRY, Change
from livery.core.names import registry_slug
from livery.errors import UsageError
from livery.service import RegistryService
from livery.stores.protocols import EventQuery

_AT_ONCE = 1_000
_END_OF_TIME_MS = 2**62


@click.command("watch", cls=Command)
@click.option("--count", type=click.IntRange(min=1), metavar="N", help="Stop after N changes.")
@click.option("--since", type=click.IntRange(min=0), metavar="SEQ", help="Begin with what was logged after it.")
@output_option("text", "json")
@pass_session
def watch_command(session: Session, count: int | None, since: int | None, form: str) -> None:
    """Print changes of registries and profiles as they happen, until Ctrl-C.

    A broken edit is a change too, with its reason: the last good version stays in use. --registry shows only what
    concerns that registry. A database numbers its changes: whoever was away goes on with --since and the `seq` of the
    last one that was printed, and misses none.
    """
    only = registry_slug(session.registry, "registry") if session.registry else EVERY_REGISTRY
    for told in _told(session.service, only, since):
        emit(_as_json(told) if form == "json" else _as_text(told))
        count = count - 1 if count else None
        if count == 0:
            return


class _Told(NamedTuple):
    """A change and when it was; of one of the log its time is known, else it is that of the news of it."""

    change: Change
    at_ms: int


def _told(service: RegistryService, only: str, since: int | None) -> Iterator[_Told]:
    """The changes of all sources. With ``since`` those of the written one come from its log, each exactly once."""
    found: SimpleQueue[list[Change]] = SimpleQueue()

    def take(catalogue: Catalogue, changes: list[Change]) -> None:
        _read(catalogue)
        found.put(changes)

    log = _Log(service, since) if since is not None else None
    _read(service.catalogue)
    unsubscribe = service.subscribe(take)
    with ChangeFeed(service):
        note(f"watching {', '.join(source.label for source in service.sources)} (stop with Ctrl-C)")
        try:
            changes: list[Change] = []
            while True:
                now_ms = time.time_ns() // 1_000_000
                news = [_Told(change, now_ms) for change in changes if log is None or not change.seq]
                for told in [*(log.news() if log is not None else ()), *news]:
                    if EVERY_REGISTRY in (only, told.change.registry) or told.change.registry == only:
                        yield told
                changes = found.get()
        finally:
            unsubscribe()


class _Log:
    """The change log of the written source from a number on."""

    def __init__(self, service: RegistryService, since: int) -> None:
        self._service = service
        self._last = since
        newest = service.seq_at(_END_OF_TIME_MS)
        if since > newest:
            raise UsageError(f"--since {since} is after the last logged change, which is {newest}")

    def news(self) -> Iterator[_Told]:
        """What was logged since it was asked last."""
        while events := self._service.events(EventQuery(after=self._last, limit=_AT_ONCE, newest_first=False)):
            for event in events:
                self._last = event.seq
                yield _Told(change_of(event), event.at_ms)


def _read(catalogue: Catalogue) -> None:
    """Read what is otherwise read when it is needed: nobody can tell a change of what was never looked at."""
    for view in catalogue.registries.values():
        for stack in view.profiles.held:
            _ = stack.fault


def _as_text(told: _Told) -> str:
    change = told.change
    name = f"{change.registry}/{change.profile}" if change.profile else change.registry
    clock = time.strftime("%H:%M:%S", time.localtime(told.at_ms / 1000))
    if change.kind == "broken":
        return printable(f"{clock} broken {name}: {change.error}").replace("\n", " ")
    return f"{clock} {change.kind} {name} {change.from_version} -> {change.to_version} ({change.scope})"


def _as_json(told: _Told) -> str:
    document = {"at_ms": told.at_ms, **told.change._asdict()}
    for field in ("error", "seq"):
        if not document[field]:
            del document[field]
    return json.dumps(document, ensure_ascii=False)
