"""A page of another site can neither read nor write here, by whatever name it reaches this machine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from livery import RegistryService
from livery.errors import UsageError
from livery.http import create_app
from livery.http.access import access_of, is_loopback

RESOLVE = "/api/chat/resolve"


@pytest.fixture
def client(steady_client: TestClient) -> TestClient:
    return steady_client


@pytest.fixture
def service(steady_service: RegistryService) -> RegistryService:
    return steady_service


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:8420", "LOCALHOST:1", "[::1]:8420", "127.8.9.1", "localhost:80"]
)
def test_a_name_of_the_loopback_interface_is_answered(client: TestClient, host: str) -> None:
    assert client.get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:8420", "192.168.0.7", "0.0.0.0", "[::2]"],
)
@pytest.mark.parametrize("path", ["/", "/healthz", "/nowhere", "/static/livery.js", "/api/chat/profiles"])
def test_another_name_is_refused_on_every_path(client: TestClient, host: str, path: str) -> None:
    answer = client.get(path, headers={"Host": host})
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert answer.headers["livery-api"] == "1"


@pytest.mark.parametrize("host", ["", "a@localhost", "localhost/x", "localhost:port", "[::1", "local host"])
def test_a_host_that_is_none_is_refused(client: TestClient, host: str) -> None:
    assert client.get("/healthz", headers={"Host": host}).status_code in (400, 403)


def test_two_hosts_are_refused(client: TestClient) -> None:
    answer = client.get("/healthz", headers=[("Host", "localhost"), ("Host", "evil.example")])
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "http://127.0.0.1:3000", "http://localhost:8420", "file://", "", "127.0.0.1:8420"],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_request_of_another_sites_page_is_refused(client: TestClient, origin: str, method: str) -> None:
    answer = client.request(method, RESOLVE, headers={"Origin": origin})
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("127.0.0.1:8420", "http://127.0.0.1:8420"),
        ("localhost:8420", "http://LOCALHOST:8420"),
        ("localhost", "http://localhost:80"),
        ("localhost", "https://localhost"),
        ("[::1]:8420", "http://[::1]:8420"),
    ],
)
def test_a_request_of_our_own_page_is_answered(client: TestClient, host: str, origin: str) -> None:
    answer = client.post(RESOLVE, json={}, headers={"Host": host, "Origin": origin})
    assert answer.status_code == 200


def test_no_other_origin_is_allowed_to_read(client: TestClient) -> None:
    answer = client.get("/api/chat/profiles")
    assert "access-control-allow-origin" not in answer.headers
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"


@pytest.fixture
def open_client(service: RegistryService) -> Iterator[TestClient]:
    app = create_app(service, access=access_of("0.0.0.0", insecure=True))
    with TestClient(app, base_url="http://livery.internal:8420") as client:
        yield client


def test_an_insecure_server_answers_to_any_name(open_client: TestClient) -> None:
    assert open_client.get("/healthz").status_code == 200


def test_an_insecure_server_still_refuses_pages_of_other_sites(open_client: TestClient) -> None:
    assert open_client.post(RESOLVE, json={}, headers={"Origin": "http://evil.example"}).status_code == 403
    assert open_client.post(RESOLVE, json={}, headers={"Origin": "http://livery.internal:8420"}).status_code == 200


def test_a_server_behind_a_proxy_answers_to_the_name_of_the_proxy(service: RegistryService) -> None:
    app = create_app(service, access=access_of("127.0.0.1", hosts=["Livery.example"]))
    with TestClient(app, base_url="http://livery.example") as client:
        assert client.post(RESOLVE, json={}, headers={"Origin": "https://livery.example"}).status_code == 200
        assert client.get("/healthz", headers={"Host": "localhost"}).status_code == 200
        refused = client.get("/healthz", headers={"Host": "evil.example"})
        assert refused.status_code == 403
        assert "answers to localhost, 127.0.0.1, livery.example, and not to 'evil.example'" in refused.json()["detail"]


def test_a_socket_of_another_sites_page_is_refused(client: TestClient) -> None:
    with pytest.raises(WebSocketDisconnect) as refused:
        client.websocket_connect("/ws", headers={"Origin": "http://evil.example"}).__enter__()
    assert refused.value.code == 1008


@pytest.mark.parametrize("host", ["0.0.0.0", "", "::", "192.168.0.7", "livery.internal", "localhost.evil.example"])
def test_a_server_that_others_can_reach_has_to_be_meant(host: str) -> None:
    with pytest.raises(UsageError, match="--insecure"):
        access_of(host)
    assert access_of(host, insecure=True).any_host


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.1.2.3"])
def test_a_server_of_this_machine_checks_names(host: str) -> None:
    assert is_loopback(host)
    assert not access_of(host).any_host
