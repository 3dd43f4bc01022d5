"""uvicorn as Livery runs it: on a socket that listens already, silent but for faults, and returning when it stops."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable
from types import FrameType

import uvicorn
from fastapi import FastAPI

_GRACE_S = 5


class LiveryServer(uvicorn.Server):
    """One server on one socket; SIGINT and SIGTERM (in the main thread) let it finish what it answers and return."""

    def __init__(self, app: FastAPI, listener: socket.socket) -> None:
        config = uvicorn.Config(
            app,
            ws="websockets-sansio",
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=_GRACE_S,
        )
        super().__init__(config)
        self.listener = listener
        self.when_ready: Callable[[], None] = lambda: None

    @property
    def url(self) -> str:
        """Where a browser on this machine finds it."""
        host, port = self.listener.getsockname()[:2]
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def serve_until_stopped(self) -> None:
        """Run the event loop until a signal comes or :meth:`stop` is called."""
        self.run(sockets=[self.listener])

    def stop(self) -> None:
        """Let :meth:`serve_until_stopped` return soon; may be called from any thread."""
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start as uvicorn does, then say so."""
        await super().startup(sockets)
        if self.started:
            self.when_ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop; the second Ctrl-C stops at once. uvicorn would raise the signal again after a clean stop."""
        if self.should_exit and sig == signal.SIGINT:
            self.force_exit = True
        self.should_exit = True
