"""The server as a process: where it listens, what it says, how it stops."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from livery import RegistryService
from livery.errors import Unavailable, UsageError
from livery.http.serve import listening, open_server
from tests.http.live import served

PROGRAM = """
import sys
from livery import open_registry
from livery.http.serve import serve
serve(open_registry(sys.argv[1]), port=0)
"""


@contextmanager
def process(team: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server of its own, and the line it says."""
    command = [sys.executable, "-c", PROGRAM, f"yaml:{team}"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        assert running.stderr
        try:
            yield running, running.stderr.readline()
        finally:
            running.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_server_says_one_line_with_its_url_and_stops_cleanly(team: Path, number: signal.Signals) -> None:
    with process(team) as (running, line):
        url = line.split()[4]
        assert line == f"Livery is ready at {url} (stop it with Ctrl-C)\n"
        with httpx2.Client(base_url=url) as client:  # an open connection does not keep it from stopping
            assert client.get("/healthz").status_code == 200
            running.send_signal(number)
            output, errors = running.communicate(timeout=10)
    assert (running.returncode, output, errors) == (0, "", "")


def test_a_port_that_is_taken_is_said_plainly() -> None:
    with listening("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Unavailable, match=f"port {port}: another program listens there already"):
            listening("127.0.0.1", port)


def test_an_address_that_is_not_ours_is_said_plainly() -> None:
    with pytest.raises(Unavailable, match=r"cannot listen on 192\.0\.2\.1, port 0"):
        listening("192.0.2.1", 0)
    with pytest.raises(Unavailable, match="cannot listen on no such host"):
        listening("no such host", 0)


def test_a_server_that_others_could_reach_does_not_start_by_accident(service: RegistryService) -> None:
    with pytest.raises(UsageError, match=r"0\.0\.0\.0 can be reached from other machines.*--insecure"):
        open_server(service, "0.0.0.0", 0)


def test_a_server_that_is_meant_to_be_reached_starts(service: RegistryService) -> None:
    server = open_server(service, "0.0.0.0", 0, insecure=True)
    assert server.url.startswith("http://127.0.0.1:")
    server.listener.close()


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
def test_a_server_on_ipv6_has_a_url_that_works(service: RegistryService) -> None:
    with served(service, "::1") as url:
        assert url.startswith("http://[::1]:")
        assert httpx2.get(f"{url}/readyz").status_code == 200


@pytest.mark.parametrize("missing", ["fastapi", "uvicorn"])
def test_missing_packages_are_said_plainly(team: Path, missing: str) -> None:
    script = f"""
import sys, importlib.util
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == {missing!r} else find(name, *rest)
sys.modules[{missing!r}] = None
from livery import open_registry
from livery.errors import UsageError
from livery.http.serve import serve
try:
    serve(open_registry("memory:"), port=0)
except UsageError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert f"not installed ({missing}): pip install 'livery[server]'" in done.stdout


def test_raw_nonsense_gets_400_and_the_server_lives(service: RegistryService) -> None:
    with served(service) as url:
        host, port = url.removeprefix("http://").split(":")
        for nonsense in (b"\x16\x03\x01\x02\x00\r\n\r\n", b"GET / HTTP/9\r\n\r\n", b"GET /\x00 HTTP/1.1\r\n\r\n"):
            with socket.create_connection((host, int(port)), timeout=5) as connection:
                connection.sendall(nonsense)
                assert b" 400 " in connection.recv(4096)
        assert httpx2.get(f"{url}/healthz").status_code == 200


def test_a_body_over_the_limit_ends_the_connection(service: RegistryService) -> None:
    with served(service) as url:
        host, port = url.removeprefix("http://").split(":")
        head = b"POST /api/chat/resolve HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        with socket.create_connection((host, int(port)), timeout=5) as connection:
            connection.sendall(head + b"Content-Length: 99999999999\r\n\r\n{")
            answer = b""
            while piece := connection.recv(65536):
                answer += piece
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b'"code":"payload_too_large"' in answer
