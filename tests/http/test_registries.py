from __future__ import annotations

from pathlib import Path

from starlette.testclient import TestClient

from livery import open_registry
from livery.http import create_app


def test_registries_are_listed_by_slug(client: TestClient, team: Path) -> None:
    source = f"yaml:{team}"
    assert client.get("/api/chat/registries").json() == {
        "items": [
            {
                "slug": "default",
                "display_name": "Team",
                "default_profile": "coder",
                "profile_count": 3,
                "sources": [source],
                "writable": True,
            },
            {
                "slug": "research",
                "display_name": "Research",
                "default_profile": "local",
                "profile_count": 1,
                "sources": [source],
                "writable": True,
            },
        ]
    }


def test_a_server_without_registries_lists_none() -> None:
    with TestClient(create_app(open_registry("memory:")), base_url="http://localhost") as client:
        assert client.get("/api/chat/registries").json() == {"items": []}


def test_a_registry_of_read_only_sources_is_not_writable() -> None:
    with TestClient(create_app(open_registry("builtin:")), base_url="http://localhost") as client:
        assert [item["writable"] for item in client.get("/api/chat/registries").json()["items"]] == [False]
