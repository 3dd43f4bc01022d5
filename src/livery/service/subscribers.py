"""Who is told of each new generation, and how: in order, each one once, and outside every lock."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from livery.core.catalogue import Catalogue
from livery.stores.chain import Chain, Source

if TYPE_CHECKING:  # loaded when somebody subscribes: most processes have nobody who does
    from queue import SimpleQueue

    from livery.core.changes import Change, Stale

Callback = Callable[[Catalogue, "list[Change]"], None]


class _Standing(NamedTuple):
    """A generation with the items in it that are served as they were before."""

    catalogue: Catalogue
    stale: Stale


class _Step(NamedTuple):
    """From one generation to the next, and who has subscribed by then."""

    before: _Standing | None
    after: _Standing
    callbacks: tuple[Callback, ...]


class Subscribers:
    """Those who want to know of every generation of a chain.

    They are told by a thread of their own, so that they may read, write and wait as they like: whoever made the
    generation holds locks. It runs as long as anybody is subscribed.
    """

    def __init__(self, chain: Chain) -> None:
        self._sources = chain.sources
        self._lock = threading.RLock()
        self._standing: _Standing | None = None
        self._callbacks: tuple[Callback, ...] = ()
        self._steps: SimpleQueue[_Step | None]
        chain.when_new = self._note

    def add(self, callback: Callback) -> Callable[[], None]:
        """Tell the callback of every generation from the next one on; what is given back ends that."""

        def call(catalogue: Catalogue, changes: list[Change]) -> None:
            callback(catalogue, changes)

        with self._lock:
            if not self._callbacks:
                self._begin()
            self._callbacks = (*self._callbacks, call)
        return lambda: self._remove(call)

    def close(self) -> None:
        """Tell nobody any more, but for what has happened by now."""
        with self._lock:
            if self._callbacks:
                self._callbacks = ()
                self._steps.put(None)

    def _begin(self) -> None:
        from queue import SimpleQueue

        self._standing = _standing(self._standing.catalogue, self._sources) if self._standing else None
        self._steps = SimpleQueue()
        threading.Thread(target=_tell, args=(self._steps,), name="livery-subscribers", daemon=True).start()

    def _remove(self, callback: Callback) -> None:
        with self._lock:
            rest = tuple(known for known in self._callbacks if known is not callback)
            if self._callbacks and not rest:
                self._steps.put(None)
            self._callbacks = rest

    def _note(self, catalogue: Catalogue) -> None:
        """Remember a generation that has just been made; those who are told of it are told later."""
        with self._lock:
            before = self._standing
            self._standing = _standing(catalogue, self._sources if self._callbacks else ())
            if self._callbacks:
                self._steps.put(_Step(before, self._standing, self._callbacks))


def _standing(catalogue: Catalogue, sources: Sequence[Source]) -> _Standing:
    return _Standing(catalogue, dict(_stale(sources)))


def _stale(sources: Sequence[Source]) -> Iterator[tuple[tuple[str, str], str]]:
    """The items of which an older state than that of their source is served, and why."""
    for source in sources:
        if source.error is not None and source.ever_loaded:
            yield from (((registry.slug, ""), str(source.error)) for registry in source.loaded.registries)
        for item in source.broken:
            if (item.registry, item.profile) in source.stale_items:
                yield (item.registry, item.profile), str(item.error)


def _tell(steps: SimpleQueue[_Step | None]) -> None:
    import logging

    log = logging.getLogger("livery.service")
    while (step := steps.get()) is not None:
        try:
            changes = _changes(step)
        except Exception:
            log.exception("generation %s cannot be compared with the one before", step.after.catalogue.generation)
            continue
        for callback in step.callbacks:
            try:
                callback(step.after.catalogue, list(changes))
            except Exception:
                log.exception("a subscriber failed; it is told of the next change all the same")


def _changes(step: _Step) -> list[Change]:
    from livery.core.changes import NOTHING_STALE, changes_between

    catalogue, stale = step.before or (None, NOTHING_STALE)
    return changes_between(catalogue, step.after.catalogue, stale, step.after.stale)
