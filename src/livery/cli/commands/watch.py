"""``livery watch``: what happens to registries and profiles, as it happens."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from queue import SimpleQueue
from typing import NamedTuple

import click

from livery.changes import ChangeFeed
from livery.cli.command import Command
from livery.cli.options import output_option
from livery.cli.output import emit, note, printable
from livery.cli.session import Session, pass_session
from livery.core.catalogue import Catalogue
from livery.core.changes import EVERY_REGISTRY, Change
from livery.core.names import registry_slug
from livery.errors import SourceNotFound, Unavailable, UsageError
from livery.service import RegistryService
from livery.stores.generation import change_of
from livery.stores.protocols import Event, EventQuery, HistoryStore

_AT_ONCE = 1_000
_AGAIN_S = 0.5
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
    last one that was printed, and misses none. Of several databases that is the one that is written.
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


class _News(NamedTuple):
    """What is different in a generation, when that was told, and up to where the change logs are in it."""

    generation: int
    seqs: Mapping[str, int]
    changes: list[Change]
    at_ms: int


def _told(service: RegistryService, only: str, since: int | None) -> Iterator[_Told]:
    """The changes of all sources. With ``since`` those of one come from its log, each exactly once."""
    found: SimpleQueue[_News] = SimpleQueue()

    def take(catalogue: Catalogue, changes: list[Change]) -> None:
        _read(catalogue)
        found.put(_news(catalogue, changes))

    log = _Log(service, since) if since is not None else None
    _read(service.catalogue)
    unsubscribe = service.subscribe(take)
    news = first = _news(service.catalogue, [])
    with ChangeFeed(service):
        note(f"watching {', '.join(source.label for source in service.sources)} (stop with Ctrl-C)")
        try:
            while True:
                for told in log.told(news) if log is not None else _all_of(news):
                    if EVERY_REGISTRY in (only, told.change.registry) or told.change.registry == only:
                        yield told
                news = found.get()
                while news.generation <= first.generation:
                    news = found.get()  # from before anybody watched
        finally:
            unsubscribe()


def _news(catalogue: Catalogue, changes: list[Change]) -> _News:
    return _News(catalogue.generation, catalogue.seqs, changes, time.time_ns() // 1_000_000)


def _all_of(news: _News) -> Iterator[_Told]:
    return (_Told(change, news.at_ms) for change in news.changes)


class _Log:
    """The change log of one source from a number on: that of the written one, else of the topmost that has one."""

    def __init__(self, service: RegistryService, since: int) -> None:
        newest = service.seq_at(_END_OF_TIME_MS)
        if since > newest:
            raise UsageError(f"--since {since} is after the last logged change, which is {newest}")
        sources = [service.writer] if service.writer is not None else service.sources[::-1]
        self._source = next(source.label for source in sources if isinstance(source.store, HistoryStore))
        self._service = service
        self._last = since
        self._seen = 0

    def told(self, news: _News) -> Iterator[_Told]:
        """What was logged up to a generation, then what else is new in it."""
        seq = news.seqs.get(self._source, self._seen)
        if seq < self._seen:
            note(f"{self._source} is another database now, or an older one: its log ends at {seq}")
            self._seen = self._last = seq
            yield from _all_of(news)
            return
        self._seen = seq
        logged = set()
        for event in self._up_to(seq):
            logged.add((event.registry, event.profile))
            yield _Told(change_of(event, self._source), event.at_ms)
        for change in news.changes:
            is_of_log = change.source == self._source or (change.registry, change.profile) in logged
            if not is_of_log or change.kind in ("broken", "repaired"):
                yield _Told(change, news.at_ms)

    def _up_to(self, seq: int) -> Iterator[Event]:
        """What was logged since it was asked last; later changes come with the generation that has them."""
        while self._last < seq:
            query = EventQuery(after=self._last, before=seq + 1, limit=_AT_ONCE, newest_first=False)
            events = self._asked(query)
            if not events:
                self._last = seq
            for event in events:
                self._last = event.seq
                yield event

    def _asked(self, query: EventQuery) -> list[Event]:
        """The events, as soon as the database can be asked: what happens meanwhile waits."""
        is_lost = False
        while True:
            try:
                return self._service.events(query)
            except (SourceNotFound, Unavailable) as error:
                if not is_lost:
                    note(f"{error}; its changes are told when it is back")
                is_lost = True
                time.sleep(_AGAIN_S)


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
    for field in ("error", "seq", "source"):
        if not document[field]:
            del document[field]
    return json.dumps(document, ensure_ascii=False)
