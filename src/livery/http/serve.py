"""The server process: listens, says where, and stops cleanly."""

from __future__ import annotations

import errno
import socket
import sys
from collections.abc import Callable, Iterable, Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from livery.errors import Unavailable, UsageError
from livery.http.access import access_of
from livery.service import RegistryService

if TYPE_CHECKING:
    from livery.http.server import LiveryServer

_NEEDED = ("fastapi", "uvicorn", "httptools", "websockets")


def say(line: str) -> None:
    """Print a line where it does not mix with output."""
    print(line, file=sys.stderr, flush=True)


def serve(
    service: RegistryService,
    host: str = "127.0.0.1",
    port: int = 8420,
    *,
    insecure: bool = False,
    hosts: Iterable[str] = (),
    base_step_settings: Mapping[str, Any] | None = None,
    announce: Callable[[str], None] = say,
) -> None:
    """Serve the registries until SIGINT or SIGTERM; ``port`` 0 takes any free one, and the announced line has the URL.

    ``hosts`` are more names that the server is asked under, as behind a proxy that keeps the Host it was given.
    UsageError where the packages of the server are not installed, or where others could reach it and ``insecure`` does
    not say that this is meant; Unavailable where it cannot listen there.
    """
    server = open_server(service, host, port, insecure=insecure, hosts=hosts, base_step_settings=base_step_settings)
    server.when_ready = lambda: announce(f"Livery is ready at {server.url} (stop it with Ctrl-C)")
    server.serve_until_stopped()


def open_server(
    service: RegistryService,
    host: str = "127.0.0.1",
    port: int = 8420,
    *,
    insecure: bool = False,
    hosts: Iterable[str] = (),
    base_step_settings: Mapping[str, Any] | None = None,
) -> LiveryServer:
    """A server that listens and has yet to be run; errors as for :func:`serve`."""
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise UsageError(
            f"the server needs packages that are not installed ({', '.join(missing)}): pip install 'livery[server]'"
        )
    access = access_of(host, insecure=insecure, hosts=hosts)
    listener = listening(host, port)
    from livery.http.app import create_app
    from livery.http.server import LiveryServer

    return LiveryServer(create_app(service, access=access, base_step_settings=base_step_settings), listener)


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens; Unavailable, with the reason in plain words, where there can be none."""
    where = f"{host or 'every address'}, port {port}"
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        return socket.create_server(address[:2], family=family, backlog=2048)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            reason = "another program listens there already; choose another port (0 takes any that is free)"
        elif error.errno == errno.EACCES:
            reason = "this user may not; ports below 1024 belong to the system"
        else:
            reason = error.strerror or str(error)
        raise Unavailable(f"cannot listen on {where}: {reason}") from None
