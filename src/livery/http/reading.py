"""How a route gets at the registries: never older than a moment, never on the event loop where it could take long."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request

from livery.changes import ChangeFeed
from livery.service import RegistryService

T = TypeVar("T")
_log = logging.getLogger("livery.http")


class Reading:
    """The service as the routes use it.

    While a ``feed`` follows the sources, reads answer from what stands. Where none does, as in an application that was
    mounted into another one, the sources are looked at before a read, at most every ``interval_s``: an edit shows
    within that time and the time that reading it takes. The request that looks waits for it; those that come meanwhile
    get what stands.
    """

    def __init__(
        self,
        service: RegistryService,
        *,
        base_step_settings: Mapping[str, Any] | None = None,
        interval_s: float = 0.2,
        most_threads: int = 8,
    ) -> None:
        self.service = service
        self.base_step_settings = base_step_settings
        self.feed: ChangeFeed | None = None
        self._interval_s = interval_s
        self._looking = threading.Lock()
        self._looked_at_s: float | None = None
        self._reported = ""
        self._limiter = CapacityLimiter(most_threads)

    async def look(self) -> None:
        """Take in what has changed in the sources, if nobody has looked for a while."""
        if self._is_due():
            await to_thread.run_sync(self._look, limiter=self._limiter)

    def _is_due(self) -> bool:
        if self._looked_at_s is None:
            return True
        is_followed = self.feed is not None and self.feed.is_notified
        return not is_followed and time.monotonic() - self._looked_at_s >= self._interval_s

    def _look(self) -> None:
        if self._looked_at_s is None:
            with self._looking:  # nothing can be answered before the first load, so everybody waits for it
                self.service.refresh()
                self._looked_at_s = time.monotonic()
        elif self._looking.acquire(blocking=False):
            self._looked_at_s = time.monotonic()
            try:
                self.service.refresh()
            except Exception as error:  # the state that stands is good; reads go on with it
                self._report(error)
            finally:
                self._looking.release()

    def _report(self, error: Exception) -> None:
        """Log what keeps the sources from being looked at, once and not with every look."""
        if repr(error) != self._reported:
            self._reported = repr(error)
            _log.error("the sources cannot be looked at; what was read before is served on", exc_info=error)

    async def at_once(self, make: Callable[[RegistryService], T]) -> T:
        """What ``make`` gives; for what only looks up things in memory."""
        await self.look()
        return of_one_generation(self.service, make)

    async def in_thread(self, make: Callable[[RegistryService], T]) -> T:
        """The same in a worker thread; for what merges, grows with the registry, or reads files."""
        await self.look()
        return await to_thread.run_sync(partial(of_one_generation, self.service, make), limiter=self._limiter)


def of_one_generation(service: RegistryService, make: Callable[[RegistryService], T]) -> T:
    """What ``make`` gives, made anew where the sources changed meanwhile: no answer mixes two states of the whole."""
    while True:
        catalogue = service.catalogue
        made = make(service)
        if service.catalogue is catalogue:
            return made


def reading_of(request: Request) -> Reading:
    """The reading of the application that a request came to."""
    reading: Reading = request.app.state.reading
    return reading
