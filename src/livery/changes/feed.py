"""A thread that takes in what happens to the sources of a service, as soon as it has happened."""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self

from livery.changes.directories import Directories
from livery.stores.protocols import HistoryStore, history_of
from livery.stores.source import Source

if TYPE_CHECKING:
    from watchfiles._rust_notify import RustNotify

POLL_S = 2.0
"""How often the sources are looked at where the system says nothing."""

DATABASE_POLL_S = 0.5
"""How often where one of them is a database: its word may be lost on the way, and a look costs little."""

_QUIET_S, _LONGEST_S = 0.05, 0.15  # of quiet after a change, and the most that it is waited for
_STEP_MS = 20
_CLOSE_S = 0.4
_NOT_LOOKED_AT = "the sources cannot be looked at; what was read before stays"
_NOT_TOLD = "the system does not tell of changes of files; they show when the sources are looked at now and then"
_NOT_TOLD_BY_STORE = "a database does not tell of its changes; they show when it is looked at now and then"
_log = logging.getLogger("livery.changes")


class Followed(Protocol):
    """What a feed needs of a service."""

    @property
    def sources(self) -> Sequence[Source]: ...

    def refresh(self) -> bool: ...


class ChangeFeed:
    """Refreshes a service when its sources change, from :meth:`start` to :meth:`close`, once.

    The system tells of changes of files; a burst of them is one refresh, after 50 ms of quiet and at most 150 ms after
    the first (of a database, whose state is always whole, there is one at once too). Beside that the sources are looked
    at every two seconds: where the system cannot tell, and for sources that are no files. A database tells of its
    changes itself, and is looked at twice a second. Nothing that fails ends the feed; it is logged once.
    """

    def __init__(self, service: Followed, *, poll_s: float | None = None) -> None:
        self._service = service
        has_database = any(history_of(source.store) is not None for source in service.sources)
        self._poll_s = poll_s if poll_s is not None else DATABASE_POLL_S if has_database else POLL_S
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._listeners: list[threading.Thread] = []
        self._databases: set[str] = set()
        self._reported: dict[str, str] = {}
        self.is_notified = False
        """Whether the system tells of changes now; without that they show after the next look."""

    @property
    def is_alive(self) -> bool:
        """Whether anybody follows."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> Self:
        """Begin to follow, with a look at the sources."""
        self._thread = threading.Thread(target=self._run, name="livery-changes", daemon=True)
        self._thread.start()
        for source in self._service.sources:
            keeper = history_of(source.store)
            if keeper is not None:
                self._begin_to_listen(keeper)
        atexit.register(self.close)  # a thread must not be in foreign code when the interpreter goes
        return self

    def _begin_to_listen(self, store: HistoryStore) -> None:
        thread = threading.Thread(target=self._listen, args=(store,), name="livery-listener", daemon=True)
        thread.start()
        self._listeners.append(thread)

    def _listen(self, store: HistoryStore) -> None:
        """Refresh when a database says that there is something new; the looks now and then make it certain."""
        while not self._stop.is_set():
            try:
                store.listen(self._refresh, self._stop.wait)
                return  # it has nothing to listen to, or the feed has ended
            except Exception as error:
                self._report(_NOT_TOLD_BY_STORE, error)
                self._stop.wait(self._poll_s)

    def close(self) -> None:
        """Stop following; a refresh that is under way ends by itself."""
        self._stop.set()
        for thread in (*self._listeners, self._thread):
            if thread is not None and thread is not threading.current_thread():
                thread.join(_CLOSE_S)
        atexit.unregister(self.close)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *error: object) -> None:
        self.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._follow()
                self._stop.wait(_QUIET_S)  # directories that never rest must not keep the processor busy
            except Exception as error:
                self._report("changes of the sources cannot be followed now", error)
                self._stop.wait(self._poll_s)

    def _follow(self) -> None:
        """Follow until a directory is no longer the one that is watched, or there are others to watch."""
        directories = Directories(self._paths())
        with self._notified(directories) as notify:
            changed: set[str] = set()
            while True:
                self._refresh()  # after the watch began, so that nothing falls between
                present = Directories(self._paths())
                if directories.are_replaced(changed) or present.identities != directories.identities:
                    return
                directories = present
                changed = self._changed(notify, directories)
                if notify is None or self._stop.is_set():
                    return

    def _paths(self) -> list[Path]:
        stores = [source.store for source in self._service.sources if source.store is not None]
        paths: list[Path] = []
        databases: set[str] = set()
        for store in stores:
            try:
                watched = store.watched()
            except Exception as error:  # its changes show when it is looked at
                self._report(_NOT_TOLD, error)
                continue
            paths += watched
            databases |= {path.name for path in watched} if history_of(store) is not None else set()
        self._databases = databases
        return paths

    @contextmanager
    def _notified(self, directories: Directories) -> Iterator[RustNotify | None]:
        """The system's word on some directories; None where it gives none."""
        try:
            from watchfiles._rust_notify import RustNotify

            notify = RustNotify(list(directories.identities), False, False, 0, False, True)
        except (ImportError, OSError, RuntimeError) as error:
            self._report(_NOT_TOLD, error)
            yield None
            return
        try:
            self.is_notified = True
            yield notify
        finally:
            self.is_notified = False
            notify.close()

    def _changed(self, notify: RustNotify | None, directories: Directories) -> set[str]:
        """The paths that have changed, once it is quiet; none when it is time for a look."""
        changed: set[str] = set()
        if notify is None:
            self._stop.wait(self._poll_s)
            return changed
        until = time.monotonic() + self._poll_s
        while (left_s := until - time.monotonic()) > 0:
            timeout_ms = max(1, int(1000 * (min(left_s, _QUIET_S) if changed else left_s)))
            batch = notify.watch(_STEP_MS, _STEP_MS, timeout_ms, self._stop)
            if isinstance(batch, str):  # quiet, or told to stop
                break
            news = directories.concerned(path for _, path in batch)
            if news and not changed:
                until = time.monotonic() + _LONGEST_S
            changed |= news
            if any(os.path.basename(path) in self._databases for path in news):
                self._refresh()  # a database need not rest to be read; the look after the quiet makes it certain
        return changed

    def _refresh(self) -> None:
        try:
            self._service.refresh()
            self._reported.pop(_NOT_LOOKED_AT, None)
        except Exception as error:  # the state that stands is good; it is served on
            self._report(_NOT_LOOKED_AT, error)

    def _report(self, what: str, error: Exception) -> None:
        """Log what goes wrong, once and not with every try."""
        if self._reported.get(what) != repr(error):
            self._reported[what] = repr(error)
            _log.warning(what, exc_info=error)
