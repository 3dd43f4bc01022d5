from __future__ import annotations

import hashlib

import pytest
from starlette.testclient import TestClient

GETS = [
    "/",
    "/healthz",
    "/readyz",
    "/openapi.json",
    "/static/livery.css",
    "/static/livery.js",
    "/static/livery.svg",
    "/api/chat/registries",
    "/api/chat/profiles",
    "/api/chat/profiles/coder",
    "/api/chat/profiles/coder/resolved",
    "/api/chat/sources",
]


@pytest.fixture
def client(steady_client: TestClient) -> TestClient:
    return steady_client


@pytest.mark.parametrize("path", GETS)
def test_the_etag_is_strong_and_a_digest_of_the_body(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["etag"] == f'"{hashlib.sha256(answer.content).hexdigest()[:32]}"'
    assert client.get(path).headers["etag"] == answer.headers["etag"]


@pytest.mark.parametrize("path", GETS)
@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', "*"])
def test_who_holds_the_body_gets_304_without_it(client: TestClient, path: str, form: str) -> None:
    etag = client.get(path).headers["etag"]
    answer = client.get(path, headers={"If-None-Match": form.format(etag)})
    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["etag"] == etag


def test_who_holds_another_body_gets_this_one(client: TestClient) -> None:
    assert client.get("/api/chat/profiles", headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_resolution_that_is_held_keeps_its_fingerprint(client: TestClient) -> None:
    first = client.get("/api/chat/profiles/coder/resolved")
    again = client.get("/api/chat/profiles/coder/resolved", headers={"If-None-Match": first.headers["etag"]})
    assert again.headers["livery-fingerprint"] == first.headers["livery-fingerprint"]


@pytest.mark.parametrize("path", [*GETS, "/nowhere", "/api/chat/profiles/nobody"])
def test_every_answer_carries_the_headers_of_the_api_and_of_safety(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["livery-api"] == "1"
    assert headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe-inline" not in headers["content-security-policy"]
    assert headers["x-request-id"]


@pytest.mark.parametrize("path", GETS)
def test_head_is_get_without_the_body(client: TestClient, path: str) -> None:
    got, head = client.get(path), client.head(path)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("etag", "content-length", "content-type"):
        assert head.headers[name] == got.headers[name]


def test_a_request_id_is_kept_if_it_is_a_plain_word(client: TestClient) -> None:
    assert client.get("/healthz", headers={"X-Request-ID": "a-1"}).headers["x-request-id"] == "a-1"
    assert client.get("/healthz", headers={"X-Request-ID": "a b<script>"}).headers["x-request-id"] != "a b<script>"
