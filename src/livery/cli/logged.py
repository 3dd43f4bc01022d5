"""What the service logs while a command runs, told like any other warning."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from livery.cli.output import warn


class _Warnings(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        warn(record.getMessage())


@contextmanager
def logged_as_warnings() -> Iterator[None]:
    """Warnings of the service go to standard error, with the word for it."""
    log, handler = logging.getLogger("livery.service"), _Warnings(logging.WARNING)
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)
