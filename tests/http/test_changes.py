"""A server notices what happens to its files; nobody restarts it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest
from starlette.testclient import TestClient

from livery import RegistryService
from livery.http import create_app
from livery.http.reading import of_one_generation
from tests.http.live import served

RESOLVED = "/api/chat/profiles/coder/resolved"


def prompt(client: httpx2.Client) -> str:
    answer = client.get(RESOLVED)
    answer.raise_for_status()
    return str(answer.json()["effective_system_prompt"])


def test_an_edit_is_visible_within_a_quarter_of_a_second(service: RegistryService, team: Path) -> None:
    with served(service) as url, httpx2.Client(base_url=url) as client:
        assert prompt(client) == "You are careful."
        team.write_text(team.read_text().replace("You are careful.", "You are bold."))
        time.sleep(0.25)
        assert prompt(client) == "You are bold."


def test_an_edit_changes_etag_and_fingerprint(service: RegistryService, team: Path) -> None:
    with served(service) as url, httpx2.Client(base_url=url) as client:
        before = client.get(RESOLVED)
        team.write_text(team.read_text().replace("careful", "bold"))
        time.sleep(0.25)
        after = client.get(RESOLVED, headers={"If-None-Match": before.headers["etag"]})
    assert after.status_code == 200
    assert after.headers["livery-fingerprint"] != before.headers["livery-fingerprint"]


def test_a_broken_edit_keeps_the_last_good_state_and_is_shown(service: RegistryService, team: Path) -> None:
    with served(service) as url, httpx2.Client(base_url=url) as client:
        good = team.read_text()
        client.get("/readyz")
        team.write_text(good.replace("registries:", "registries: ["))
        time.sleep(0.25)
        assert prompt(client) == "You are careful."
        assert client.get("/api/chat/sources").json()["items"][0]["health"] == "stale"
        assert "its last good state is shown" in client.get("/").text
        team.write_text(good.replace("careful", "mended"))
        time.sleep(0.25)
        assert prompt(client) == "You are mended."
        assert client.get("/api/chat/sources").json()["items"][0]["health"] == "ok"


def test_a_new_file_is_found(service: RegistryService, team: Path) -> None:
    text = team.read_text()
    team.unlink()
    with served(service) as url, httpx2.Client(base_url=url) as client:
        assert client.get(RESOLVED).status_code >= 400
        team.write_text(text)
        time.sleep(0.25)
        assert prompt(client) == "You are careful."


def test_the_sources_are_looked_at_no_more_often_than_needed(
    client: TestClient, service: RegistryService, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = counted(service, monkeypatch)
    for _ in range(20):
        client.get("/api/chat/registries")
    assert len(looks) <= 2


def test_a_look_that_takes_long_holds_up_nobody_else(service: RegistryService, monkeypatch: pytest.MonkeyPatch) -> None:
    with served(service) as url, httpx2.Client(base_url=url) as client:
        client.get("/readyz")
        began, may_end = threading.Event(), threading.Event()
        counted(service, monkeypatch, before=lambda: (began.set(), may_end.wait(10)))
        time.sleep(0.25)
        waiting = threading.Thread(target=lambda: httpx2.get(f"{url}/readyz", timeout=20))
        waiting.start()
        try:
            assert began.wait(10)
            assert client.get(RESOLVED).status_code == 200
        finally:
            may_end.set()
            waiting.join(10)


def test_a_look_that_fails_leaves_the_last_state_and_is_logged_once(
    service: RegistryService, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise RuntimeError("the disk is on fire")

    with TestClient(create_app(service), base_url="http://localhost") as client:
        client.get("/readyz")
        counted(service, monkeypatch, before=fail)
        for _ in range(2):
            time.sleep(0.21)
            assert client.get(RESOLVED).status_code == 200
    assert caplog.text.count("RuntimeError: the disk is on fire") == 1


def test_an_answer_never_mixes_two_generations(service: RegistryService, team: Path) -> None:
    changes = iter(["bold", "brave"])

    def read_slowly(service: RegistryService) -> tuple[int, int]:
        first = service.catalogue.generation
        word = next(changes, None)
        if word:
            team.write_text(team.read_text() + f"# {word}\n")
            team.write_text(team.read_text().replace("search", word).replace("bold", word))
            service.refresh()
        return first, service.catalogue.generation

    first, last = of_one_generation(service, read_slowly)
    assert first == last


def counted(
    service: RegistryService, monkeypatch: pytest.MonkeyPatch, before: Callable[[], object] = lambda: None
) -> list[None]:
    """A list that grows with every look at the sources."""
    looks: list[None] = []
    refresh = service.refresh

    def look() -> bool:
        looks.append(None)
        before()
        return refresh()

    monkeypatch.setattr(service, "refresh", look)
    return looks
