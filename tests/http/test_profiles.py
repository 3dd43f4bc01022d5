from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from livery import open_registry
from livery.http import create_app

PROFILES = "/api/chat/profiles"


def listed(client: TestClient, **query: Any) -> list[str]:
    answer = client.get(PROFILES, params=query)
    assert answer.status_code == 200, answer.text
    return [f"{item['registry']}/{item['slug']}" for item in answer.json()["items"]]


def test_the_list_without_a_registry_is_that_of_the_default_one(client: TestClient, team: Path) -> None:
    answer = client.get(PROFILES).json()
    assert answer["items"][1] == {
        "slug": "coder",
        "registry": "default",
        "display_name": "Coder",
        "description": "Writes code, and reviews it.",
        "read_only": False,
        "version": 3,
        "source": f"yaml:{team}",
        "tags": ["dev", "review"],
        "is_default": True,
        "updated_at_ms": 0,
    }
    assert (answer["registry"], answer["default_profile"], answer["next_cursor"]) == ("default", "coder", None)
    assert listed(client) == ["default/base", "default/coder", "default/reader"]


def test_a_star_is_every_registry(client: TestClient) -> None:
    assert listed(client, registry="*") == ["default/base", "default/coder", "default/reader", "research/local"]
    assert client.get(PROFILES, params={"registry": "*"}).json()["default_profile"] == "default/coder"


def test_a_registry_is_named_in_any_spelling_of_its_slug(client: TestClient) -> None:
    assert client.get(PROFILES, params={"registry": " Research "}).json()["registry"] == "research"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "CODE review"}, ["default/coder"]),
        ({"q": "code docs"}, []),
        ({"q": "research"}, ["research/local"]),
        ({"tag": "dev"}, ["default/coder", "research/local"]),
        ({"tag": ["dev", "review"]}, ["default/coder"]),
        ({"tag": "dev", "q": "local"}, ["research/local"]),
        ({"q": "  ", "tag": ""}, ["default/base", "default/coder", "default/reader", "research/local"]),
    ],
)
def test_a_search_narrows_the_list(client: TestClient, query: dict[str, Any], found: list[str]) -> None:
    assert listed(client, registry="*", **query) == found


def test_pages_follow_each_other_without_gap_or_repetition(client: TestClient) -> None:
    seen, cursor = [], ""
    while cursor is not None:
        page = client.get(PROFILES, params={"registry": "*", "limit": 1, "cursor": cursor}).json()
        seen += [item["slug"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert seen == ["base", "coder", "reader", "local"]


def test_a_page_survives_that_its_last_profile_is_gone(client: TestClient, team: Path) -> None:
    cursor = client.get(PROFILES, params={"limit": 2}).json()["next_cursor"]
    team.write_text(team.read_text().replace("coder:", "aaa:").replace("_slug: coder", "_slug: aaa"))
    client.app.state.reading.service.refresh()
    assert listed(client, cursor=cursor) == ["default/reader"]


@pytest.mark.parametrize(
    ("query", "status", "field"),
    [
        ({"limit": "many"}, 400, "limit"),
        ({"limit": 0}, 400, "limit"),
        ({"limit": 1001}, 400, "limit"),
        ({"cursor": "!"}, 400, "cursor"),
        ({"q": "x" * 201}, 400, "q"),
        ({"tag": ["x"] * 21}, 400, "tag"),
        ({"cursor": "bm90IGEgcmVmZXJlbmNl"}, 400, "cursor"),
        ({"registry": "übung"}, 400, "registry"),
        ({"registry": "nowhere"}, 404, None),
    ],
)
def test_a_list_that_cannot_be_given_says_why(
    client: TestClient, query: dict[str, Any], status: int, field: str | None
) -> None:
    answer = client.get(PROFILES, params=query)
    assert (answer.status_code, answer.json().get("field")) == (status, field)


def test_a_profile_is_its_stored_document_with_its_layers(client: TestClient, team: Path) -> None:
    answer = client.get(f"{PROFILES}/coder").json()
    stored = {
        "display_name": "Coder",
        "description": "Writes code, and reviews it.",
        "extends": ["base"],
        "runtime": {
            "step_settings_patch": {"chat": {"engine": "gpt-5"}},
            "system_prompt": "You are careful.",
            "tools": ["search"],
        },
        "policy": {"allow_overrides": True, "allowed_override_keys": ["chat.temperature"]},
        "metadata": {"source": "file", "tags": ["dev", "review"], "version": 3},
    }
    layers = answer.pop("layers")
    assert answer == {"registry": "default", "slug": "coder", **stored, "extensions": {}, "is_default": True}
    assert [(layer["source"], layer["version"], layer["writable"]) for layer in layers] == [(f"yaml:{team}", 3, True)]
    assert layers[0]["document"]["runtime"] == stored["runtime"]


def test_a_profile_of_two_sources_is_merged_and_both_layers_are_there(team: Path, tmp_path: Path) -> None:
    over = tmp_path / "over.yaml"
    over.write_text("slug: default\nprofiles: {coder: {runtime: {system_prompt: Be quick.}}}\n")
    app = create_app(open_registry(f"yaml:{team}?readonly=1", f"yaml:{over}"))
    with TestClient(app, base_url="http://localhost") as client:
        answer = client.get(f"{PROFILES}/coder").json()
    assert answer["runtime"]["system_prompt"] == "Be quick."
    assert answer["runtime"]["tools"] == ["search"]
    assert [layer["writable"] for layer in answer["layers"]] == [False, True]
    assert answer["layers"][1]["document"]["runtime"] == {"system_prompt": "Be quick."}


def test_a_profile_without_registry_is_searched_for(client: TestClient) -> None:
    assert client.get(f"{PROFILES}/local").json()["registry"] == "research"
    assert client.get(f"{PROFILES}/local", params={"registry": "default"}).status_code == 404


def test_only_the_present_version_can_be_had(client: TestClient) -> None:
    assert client.get(f"{PROFILES}/coder", params={"version": 3}).status_code == 200
    old = client.get(f"{PROFILES}/coder", params={"version": 2})
    assert old.status_code == 404
    assert "at version 3" in old.json()["detail"]


def test_a_profile_that_is_not_there_is_reported_with_its_nearest(client: TestClient) -> None:
    answer = client.get(f"{PROFILES}/codr", params={"registry": "default"})
    assert answer.status_code == 404
    assert answer.json()["code"] == "profile_not_found"
    assert answer.json()["nearest"] == ["default/coder"]


def test_a_broken_profile_is_listed_with_its_error_and_breaks_no_other(team: Path) -> None:
    team.write_text(team.read_text().replace("{engine: gpt-5}", "{enginee: gpt-5}"))
    with TestClient(create_app(open_registry(f"yaml:{team}")), base_url="http://localhost") as client:
        items = {item["slug"]: item for item in client.get(PROFILES).json()["items"]}
        assert "did you mean 'engine'?" in items["coder"]["error"]
        assert "error" not in items["reader"]
        broken = client.get(f"{PROFILES}/coder")
        assert (broken.status_code, broken.json()["code"]) == (400, "validation_error")
        assert client.get(f"{PROFILES}/reader").status_code == 200
