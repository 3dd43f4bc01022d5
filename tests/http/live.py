"""A real server on a free port of this machine, for as long as a test needs it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from livery import RegistryService
from livery.http.serve import open_server


@contextmanager
def served(service: RegistryService, host: str = "127.0.0.1") -> Iterator[str]:
    """The URL of a server that answers by now; it is stopped at the end."""
    server = open_server(service, host, 0)
    ready = threading.Event()
    server.when_ready = ready.set
    thread = threading.Thread(target=server.serve_until_stopped)
    thread.start()
    try:
        assert ready.wait(10), "the server did not start"
        yield server.url
    finally:
        server.stop()
        thread.join(10)
        assert not thread.is_alive(), "the server did not stop"
