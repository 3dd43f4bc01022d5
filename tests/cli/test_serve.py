"""``serve``: the command starts and stops the real server."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from livery.errors import ProfileNotFound
from livery.service import RegistryService
from tests.cli.conftest import MAIN, SOURCE
from tests.support.registries import ALICE, BOB, opened
from tests.support.waiting import until

pytest.importorskip("fastapi")


@contextmanager
def started(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server on a free port, and where it is."""
    command = [sys.executable, "-c", MAIN, "serve", "--port", "0", *options]
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


@pytest.fixture
def server(team):
    with started("--read-only") as server:
        yield server


@pytest.fixture
def old_versions(folder: Path, monkeypatch: pytest.MonkeyPatch) -> RegistryService:
    """Three versions of a profile that are years old, in the database that is written; two are to be kept."""
    url = f"sqlite:{folder / 'team.db'}"
    monkeypatch.setenv("LIVERY_SOURCES", url)
    monkeypatch.setenv("LIVERY_HISTORY_KEEP", "2")
    service = opened(url)
    service.create_registry({"slug": "team"}, ALICE)
    service.create_profile("team", {"slug": "coder"}, ALICE)
    service.update_profile("team", "coder", {"description": "two"}, BOB)
    service.update_profile("team", "coder", {"description": "three"}, BOB)
    return service


def is_kept(service: RegistryService, version: int) -> bool:
    try:
        return service.profile_revision("team", "coder", version).version == version
    except ProfileNotFound:
        return False


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


def test_old_versions_go_as_configured(old_versions: RegistryService) -> None:
    with started() as (process, _):
        until(lambda: not is_kept(old_versions, 1))
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert is_kept(old_versions, 2) and is_kept(old_versions, 3)


def test_a_server_that_writes_nothing_drops_nothing(old_versions: RegistryService) -> None:
    with started("--read-only") as (process, _):
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert process.stderr is not None and process.stderr.read() == ""
    assert is_kept(old_versions, 1)


def test_an_open_address_is_refused(livery, team) -> None:
    result = livery("serve", "--host", "0.0.0.0", "--port", "0")
    assert result.exit_code == 2 and "--insecure" in result.stderr


def test_a_port_that_is_no_port_is_refused(livery, folder) -> None:
    assert livery("serve", "--port", "99999").exit_code == 2
