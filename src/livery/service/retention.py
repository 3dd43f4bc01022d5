"""The content of old versions goes by itself, as configured, for as long as a server runs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from livery.errors import LiveryError, SourceNotFound, SourceReadOnly, Unsupported
from livery.stores.protocols import Retention

HOUR_S = 3600.0
_CLOSE_S = 5.0
_log = logging.getLogger("livery.service")


class Pruned(Protocol):
    """What is needed of a service."""

    def prune_history(self, retention: Retention) -> int: ...


@contextmanager
def pruning(service: Pruned, retention: Retention, *, every_s: float = HOUR_S) -> Iterator[None]:
    """Drop what nobody has to keep, at once and then every hour, in a thread of its own until the block ends.

    Where the written source keeps no history, is not there or may not be written, nothing happens. Nothing that
    fails ends it; it is logged once. Other processes may do the same at the same time.
    """
    if not retention.keep:
        yield
        return
    stop = threading.Event()
    thread = threading.Thread(target=_prune_on, args=(service, retention, stop, every_s), name="livery-retention")
    thread.daemon = True
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(_CLOSE_S)


def _prune_on(service: Pruned, retention: Retention, stop: threading.Event, every_s: float) -> None:
    reported = ""
    while True:
        reported = _pruned(service, retention, reported)
        if stop.wait(every_s):
            return


def _pruned(service: Pruned, retention: Retention, reported: str) -> str:
    """Prune once; what went wrong, empty where nothing did, and logged unless it has been ``reported`` before."""
    try:
        service.prune_history(retention)
    except (Unsupported, SourceReadOnly, SourceNotFound):  # there is nothing to prune here
        return reported
    except Exception as error:
        if repr(error) != reported:
            details = None if isinstance(error, LiveryError) else error
            _log.warning("old versions cannot be dropped now: %s", error, exc_info=details)
        return repr(error)
    return ""
