"""``serve``: the command starts and stops the real server."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request

import pytest

from tests.cli.conftest import MAIN, SOURCE
from tests.support.waiting import until

pytest.importorskip("fastapi")


@pytest.fixture
def server(team):
    """A server on a free port, and where it is."""
    command = [sys.executable, "-c", MAIN, "serve", "--port", "0", "--read-only"]
    environ = {**os.environ, "PYTHONPATH": str(SOURCE)}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environ) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        found = re.search(r"http://\S+", line)
        assert found, line
        try:
            yield process, found[0]
        finally:
            process.kill()


def test_the_profiles_are_served_until_it_is_interrupted(server) -> None:
    process, url = server
    with urllib.request.urlopen(f"{url}/api/chat/profiles?registry=team") as answer:
        assert [item["slug"] for item in json.load(answer)["items"]] == ["base", "coder"]
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 0


def test_an_edit_is_served_without_a_restart(server, team) -> None:
    _, url = server

    def name() -> str:
        with urllib.request.urlopen(f"{url}/api/chat/profiles/coder?registry=team") as answer:
            return str(json.load(answer)["display_name"])

    assert name() == "Coder"
    team.write_text(team.read_text().replace("display_name: Coder", "display_name: Pilot"))
    until(lambda: name() == "Pilot")


def test_an_open_address_is_refused(livery, team) -> None:
    result = livery("serve", "--host", "0.0.0.0", "--port", "0")
    assert result.exit_code == 2 and "--insecure" in result.stderr


def test_a_port_that_is_no_port_is_refused(livery, folder) -> None:
    assert livery("serve", "--port", "99999").exit_code == 2
