"""A server notices what happens to its files; nobody restarts it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

from livery import RegistryService
from livery.http import create_app
from livery.http.reading import of_one_generation
from tests.http.live import served
from tests.support.waiting import until

RESOLVED = "/api/chat/profiles/coder/resolved"


def prompt(client: httpx2.Client | TestClient) -> str:
    answer = client.get(RESOLVED)
    answer.raise_for_status()
    return str(answer.json()["effective_system_prompt"])


def health(client: httpx2.Client) -> str:
    return str(client.get("/api/chat/sources").json()["items"][0]["health"])


def test_an_edit_is_served(service: RegistryService, team: Path) -> None:
    with served(service) as url, httpx2.Client(base_url=url) as client:
        assert prompt(client) == "You are careful."
        team.write_text(team.read_text().replace("You are careful.", "You are bold."))
        until(lambda: prompt(client) == "You are bold.")


def test_an_edit_changes_etag_and_fingerprint(service: RegistryService, team: Path) -> None:
    with served(service) as url, httpx2.Client(base_url=url) as client:
        before = client.get(RESOLVED)
        team.write_text(team.read_text().replace("careful", "bold"))
        unless_same = {"If-None-Match": before.headers["etag"]}
        until(lambda: client.get(RESOLVED, headers=unless_same).status_code == 200)
        assert client.get(RESOLVED).headers["livery-fingerprint"] != before.headers["livery-fingerprint"]


def test_a_broken_edit_keeps_the_last_good_state_and_is_shown(service: RegistryService, team: Path) -> None:
    with served(service) as url, httpx2.Client(base_url=url) as client:
        good = team.read_text()
        assert health(client) == "ok"
        team.write_text(good.replace("registries:", "registries: ["))
        until(lambda: health(client) == "stale")
        assert prompt(client) == "You are careful."
        assert "its last good state is shown" in client.get("/").text
        team.write_text(good.replace("careful", "mended"))
        until(lambda: prompt(client) == "You are mended.")
        assert health(client) == "ok"


def test_a_new_file_is_found(service: RegistryService, team: Path) -> None:
    text = team.read_text()
    team.unlink()
    with served(service) as url, httpx2.Client(base_url=url) as client:
        assert client.get(RESOLVED).status_code >= 400
        team.write_text(text)
        until(lambda: client.get(RESOLVED).status_code == 200)
        assert prompt(client) == "You are careful."


def test_requests_look_at_no_source_as_long_as_they_are_followed(
    client: TestClient, service: RegistryService, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading = client.app.state.reading
    client.get("/readyz")
    until(lambda: reading.feed.is_notified)
    monkeypatch.setattr(reading, "_look", lambda: pytest.fail("a request looked at the sources"))
    time.sleep(0.25)
    assert client.get(RESOLVED).status_code == 200


def test_requests_look_themselves_where_the_system_does_not_tell_of_changes(
    service: RegistryService, team: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object) -> None:
        raise OSError(24, "too many open files")

    monkeypatch.setattr("watchfiles._rust_notify.RustNotify", fail)
    with TestClient(create_app(service), base_url="http://localhost") as client:
        assert prompt(client) == "You are careful."
        team.write_text(team.read_text().replace("careful", "bold"))
        until(lambda: prompt(client) == "You are bold.")
        assert not client.app.state.reading.feed.is_notified


def test_an_application_that_has_ended_follows_nothing(service: RegistryService) -> None:
    app = create_app(service)
    with TestClient(app, base_url="http://localhost"):
        feed = app.state.reading.feed
        assert feed.is_alive
    until(lambda: not feed.is_alive)
    assert app.state.reading.feed is None


# Mounted into an application that runs no lifespan of others, so that nobody follows


@pytest.fixture
def mounted(service: RegistryService) -> Iterator[TestClient]:
    with TestClient(Starlette(routes=[Mount("/", create_app(service))]), base_url="http://localhost") as client:
        yield client


def test_an_edit_is_served_by_a_mounted_application(mounted: TestClient, team: Path) -> None:
    assert prompt(mounted) == "You are careful."
    team.write_text(team.read_text().replace("careful", "bold"))
    until(lambda: prompt(mounted) == "You are bold.")


def test_the_sources_are_looked_at_no_more_often_than_needed(
    mounted: TestClient, service: RegistryService, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = counted(service, monkeypatch)
    for _ in range(20):
        mounted.get("/api/chat/registries")
    assert 1 <= len(looks) < 20


def test_a_look_that_takes_long_holds_up_nobody_else(
    mounted: TestClient, service: RegistryService, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounted.get("/readyz")
    began, may_end = threading.Event(), threading.Event()
    counted(service, monkeypatch, before=lambda: (began.set(), may_end.wait(30)))
    time.sleep(0.25)
    waiting = threading.Thread(target=lambda: mounted.get("/readyz"))
    waiting.start()
    try:
        assert began.wait(30)
        assert mounted.get(RESOLVED).status_code == 200
    finally:
        may_end.set()
        waiting.join(30)


def test_a_look_that_fails_leaves_the_last_state_and_is_logged_once(
    mounted: TestClient, service: RegistryService, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise RuntimeError("the disk is on fire")

    mounted.get("/readyz")
    looks = counted(service, monkeypatch, before=fail)
    until(lambda: mounted.get(RESOLVED).status_code == 200 and len(looks) > 1)
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
