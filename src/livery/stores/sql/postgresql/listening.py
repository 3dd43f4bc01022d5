"""Notifications of changes, on a connection of their own: one may come at any time."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Final

from livery.errors import LiveryError
from livery.stores.sql.postgresql.errors import is_lost
from livery.stores.sql.postgresql.link import Link
from livery.stores.sql.postgresql.pool import Pool

CHANNEL: Final = "livery_profiles"
LOOK_S: Final = 0.2
"""How often it is asked whether to stop; those who stop it wait for twice as long."""
_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 2

Wake = Callable[[], None]
Stop = Callable[[float], bool]


def listen(pool: Pool, wake: Wake, stop: Stop) -> None:
    """Wake at each notification and each new connection until it is told to stop, or the pool is closed."""
    pause = _FIRST_PAUSE_S
    while not pool.is_closed and not stop(0):
        try:
            with closing(pool.connected()) as link:
                link.execute(f"LISTEN {CHANNEL}")
                wake()
                pause = _FIRST_PAUSE_S
                _pass_on(link, pool, wake, stop)
                return
        except Exception as error:
            if not isinstance(error, LiveryError) and not is_lost(error):
                raise
        if stop(pause):
            return
        pause = min(_LONGEST_PAUSE_S, pause * 2)


def _pass_on(link: Link, pool: Pool, wake: Wake, stop: Stop) -> None:
    while not pool.is_closed and not stop(0):
        if list(link.raw.notifies(timeout=LOOK_S, stop_after=1)):
            wake()
