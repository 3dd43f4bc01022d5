from __future__ import annotations

from pathlib import Path

from starlette.testclient import TestClient

from livery import open_registry
from livery.http import create_app


def test_a_process_that_answers_is_healthy(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}


def test_a_server_that_can_answer_for_registries_is_ready(client: TestClient) -> None:
    assert client.get("/readyz").json() == {"status": "ready", "generation": 1}


def test_a_server_whose_source_could_never_be_read_is_healthy_and_not_ready(tmp_path: Path) -> None:
    app = create_app(open_registry(f"yaml:{tmp_path}/absent.yaml"))
    with TestClient(app, base_url="http://localhost") as client:
        assert client.get("/healthz").status_code == 200
        answer = client.get("/readyz")
        assert answer.status_code == 503
        assert "absent.yaml" in answer.json()["detail"]


def test_a_server_is_ready_where_only_some_registries_are_missing(team: Path, tmp_path: Path) -> None:
    service = open_registry(f"yaml:{team}", f"yaml:{tmp_path}/absent.yaml?registries=other")
    with TestClient(create_app(service), base_url="http://localhost") as client:
        assert client.get("/readyz").status_code == 200
        assert client.get("/api/chat/profiles").status_code == 200
        assert client.get("/api/chat/profiles?registry=other").status_code >= 400
