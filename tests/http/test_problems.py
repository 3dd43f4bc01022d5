"""Errors have one shape on every route, and hostile input gets nothing else."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from starlette.testclient import TestClient

from livery import RegistryService, SourceUnavailable
from livery.errors import LiveryError
from livery.http import create_app
from livery.http.models import ProblemDocument
from livery.outcomes import OUTCOMES, outcome_of

RESOLVE = "/api/chat/resolve"
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def client(steady_client: TestClient) -> TestClient:
    return steady_client


@pytest.fixture
def service(steady_service: RegistryService) -> RegistryService:
    return steady_service


def problem(answer: Any, status: int, code: str) -> dict[str, Any]:
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    document: dict[str, Any] = answer.json()
    ProblemDocument.model_validate(document)
    assert (document["status"], document["code"]) == (status, code)
    assert document["request_id"] == answer.headers["x-request-id"]
    assert document["type"] == f"urn:livery:problem:{code}"
    assert answer.headers["livery-api"] == "1"
    return document


@pytest.mark.parametrize(
    "path",
    ["/nowhere", "/api/chat/profiles/", "/api/chat/profiles/a/b/c", "/static/..%2fapp.py", "/static/app.py", "/docs"],
)
def test_an_unknown_path_is_a_problem(client: TestClient, path: str) -> None:
    problem(client.get(path), 404, "not_found")


@pytest.mark.parametrize(("method", "path"), [("DELETE", "/"), ("POST", "/healthz"), ("GET", RESOLVE)])
def test_a_method_that_the_path_does_not_take_is_a_problem(client: TestClient, method: str, path: str) -> None:
    answer = client.request(method, path)
    problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"]


@pytest.mark.parametrize(
    "body",
    [b"{", b"[1", b'{"profile": NaN}', b'{"profile": "\xff"}', b'{"profile": "\\ud800"}', b"\x00", b"[" * 5000],
)
def test_malformed_json_is_a_problem(client: TestClient, body: bytes) -> None:
    document = problem(client.post(RESOLVE, content=body, headers=JSON), 400, "validation_error")
    assert "not JSON" in document["detail"]


@pytest.mark.parametrize("body", [b"[]", b"1", b'"coder"', b"null", b"true"])
def test_a_body_that_is_no_mapping_is_a_problem(client: TestClient, body: bytes) -> None:
    problem(client.post(RESOLVE, content=body, headers=JSON), 400, "validation_error")


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_a_body_that_does_not_say_it_is_json_is_a_problem(client: TestClient, content_type: str) -> None:
    answer = client.post(RESOLVE, content=b"{}", headers={"Content-Type": content_type})
    problem(answer, 415, "unsupported_media_type")


def test_a_body_over_the_limit_is_a_problem(client: TestClient) -> None:
    body = b'{"profile": "' + b"a" * 1024 * 1024 + b'"}'
    problem(client.post(RESOLVE, content=body, headers=JSON), 413, "payload_too_large")


def test_a_body_over_the_limit_in_pieces_is_a_problem(client: TestClient) -> None:
    pieces = (b" " * 65536 for _ in range(17))
    problem(client.post(RESOLVE, content=pieces, headers=JSON), 413, "payload_too_large")


def test_a_body_at_the_limit_is_read(client: TestClient) -> None:
    body = b'{"profile": "coder"}'.ljust(1024 * 1024)
    assert client.post(RESOLVE, content=body, headers=JSON).status_code == 200


@pytest.mark.parametrize(
    "overrides",
    [
        {"chat.temperature": 1e400},
        {"chat.temperature": 10**400},
        {"": 1},
        {".": 1},
        {"chat": {"temperature": {"$append": [1]}}},
        {"chat.temperature": {"$secret": "file:/etc/passwd"}},
        {"__proto__": {"x": 1}},
        {"chat.temperature": None, "chat": {"temperature": 1}},
        {"system_prompt": "\u0000\ud7ff"},
        {"x" * 10000: 1},
    ],
)
def test_odd_overrides_are_refused_without_a_fault_of_ours(client: TestClient, overrides: dict[str, Any]) -> None:
    import json

    answer = client.post(RESOLVE, content=json.dumps({"overrides": overrides}), headers=JSON)
    assert answer.status_code in (400, 403)


def test_a_problem_with_very_many_faults_is_cut_and_says_so(client: TestClient) -> None:
    odd = {f"k{number}": {"$append": [], "beside": 1} for number in range(1500)}
    answer = client.post(RESOLVE, json={"overrides": {"step_settings_patch": {"chat": odd}}})
    document = problem(answer, 400, "validation_error")
    assert (len(document["errors"]), document["omitted"]) == (1000, 500)
    assert len(document["detail"]) < 5000


def test_overrides_as_deep_as_json_may_be_are_refused(client: TestClient) -> None:
    body = b'{"overrides": {"chat": ' + b'{"a":' * 900 + b"1" + b"}" * 900 + b"}}"
    problem(client.post(RESOLVE, content=body, headers=JSON), 400, "validation_error")


@pytest.mark.parametrize(
    "path", ["/api/chat/profiles/%00", "/api/chat/profiles/%ff", "/api/chat/profiles/" + "a" * 9000]
)
def test_odd_names_are_refused_without_a_fault_of_ours(client: TestClient, path: str) -> None:
    problem(client.get(path), 400, "validation_error")


def test_an_unexpected_fault_says_nothing_of_itself(
    client: TestClient, service: RegistryService, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("sk-CANARY in /etc/secret")

    monkeypatch.setattr(service, "list_registries", fail)
    with caplog.at_level(logging.ERROR, "livery.http"):
        answer = client.get("/api/chat/registries")
    document = problem(answer, 500, "unexpected")
    assert "CANARY" not in answer.text
    assert "Traceback" not in answer.text
    assert document["request_id"] in caplog.text


@pytest.mark.parametrize(
    "error", [cls for cls in OUTCOMES if issubclass(cls, LiveryError)], ids=lambda cls: cls.__name__
)
def test_every_error_has_its_status_and_fields(
    client: TestClient, service: RegistryService, monkeypatch: pytest.MonkeyPatch, error: type[LiveryError]
) -> None:
    raised = error.__new__(error)
    raised.args = ("words",)
    monkeypatch.setattr(error, "__str__", lambda self: "words")
    monkeypatch.setattr(error, "details", lambda self: {"extra": 1})

    def fail(*_: object) -> None:
        raise raised

    monkeypatch.setattr(service, "list_registries", fail)
    outcome = outcome_of(raised)
    document = problem(client.get("/api/chat/registries"), outcome.status or 500, error.code)
    assert (document["title"], document["detail"], document["extra"]) == (outcome.title, "words", 1)


def test_an_error_that_is_kept_collects_no_frames(
    client: TestClient, service: RegistryService, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = SourceUnavailable("here", "gone")

    def fail(*_: object) -> None:
        raise kept

    monkeypatch.setattr(service, "list_registries", fail)
    for _ in range(3):
        assert client.get("/api/chat/registries").status_code == 503
    assert kept.__traceback__ is None


def test_a_problem_shows_no_user_info_of_a_url(
    client: TestClient, service: RegistryService, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise SourceUnavailable("https://ada:CANARY@example.org/x", "no answer from https://CANARY@example.org")

    monkeypatch.setattr(service, "list_registries", fail)
    answer = client.get("/api/chat/registries")
    assert "CANARY" not in answer.text
    assert answer.json()["source"] == "https://***@example.org/x"


def test_the_application_can_be_mounted_into_another(service: RegistryService) -> None:
    from starlette.applications import Starlette
    from starlette.routing import Mount

    host = Starlette(routes=[Mount("/livery", create_app(service))])
    with TestClient(host, base_url="http://localhost") as client:
        assert client.get("/livery/api/chat/registries").status_code == 200
        problem(client.get("/livery/nowhere"), 404, "not_found")
        assert 'href="/livery/static/livery.css"' in client.get("/livery/").text
        assert client.get("/livery/openapi.json").json()["servers"] == [{"url": "/livery"}]
