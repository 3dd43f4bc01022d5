from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from livery import RegistryService
from livery.http import create_app

RESOLVE = "/api/chat/resolve"
RESOLVED = "/api/chat/profiles/coder/resolved"


def test_a_profile_resolves_the_same_by_every_route(client: TestClient) -> None:
    got, posted = client.get(RESOLVED), client.post(RESOLVE, json={"profile": "coder"})
    assert got.json() == posted.json()
    assert got.json()["effective_step_settings"]["chat"]["engine"] == "gpt-5"
    assert got.json()["effective_step_settings"]["chat"]["temperature"] == 0.2
    assert [entry["profile"] for entry in got.json()["lineage"]] == ["base", "coder"]


def test_the_fingerprint_is_in_the_headers(client: TestClient) -> None:
    for answer in (client.get(RESOLVED), client.post(RESOLVE, json={"profile": "coder"})):
        assert answer.headers["livery-fingerprint"] == answer.json()["runtime_fingerprint"]


@pytest.mark.parametrize(
    ("asked", "selected"),
    [
        ({}, ("default", "coder", "default")),
        ({"registry": "research"}, ("research", "local", "registry default")),
        ({"profile": "local"}, ("research", "local", "search")),
        ({"profile": "research/local"}, ("research", "local", "exact")),
        ({"caller": "vscode"}, ("default", "reader", "caller")),
        ({"registry": "", "profile": ""}, ("default", "coder", "default")),
    ],
)
def test_what_is_named_is_selected(client: TestClient, asked: dict[str, Any], selected: tuple[str, str, str]) -> None:
    answer = client.post(RESOLVE, json=asked).json()
    assert (answer["registry_slug"], answer["profile_slug"], answer["selected_by"]) == selected


def test_an_empty_body_asks_for_the_default(client: TestClient) -> None:
    assert client.post(RESOLVE).json()["profile_slug"] == "coder"


def test_an_explanation_gives_origin_losers_rule_and_line(client: TestClient, team: Path) -> None:
    answer = client.post(RESOLVE, json={"profile": "coder", "explain": True}).json()
    engine = answer["explain"]["chat.engine"]
    assert engine["value"] == "gpt-5"
    assert engine["origin"]["profile"] == "coder"
    assert [entry["layer"] for entry in engine["history"]] == ["schema", "extends", "profile"]
    assert (engine["history"][-1]["file"], engine["history"][-1]["line"]) == (str(team), 18)
    assert "explain" not in client.post(RESOLVE, json={"profile": "coder"}).json()


def test_an_allowed_override_is_laid_over_the_profile(client: TestClient) -> None:
    answer = client.post(RESOLVE, json={"profile": "coder", "overrides": {"chat.temperature": 0.9}}).json()
    assert answer["effective_step_settings"]["chat"]["temperature"] == 0.9
    assert answer["decisions"] == [
        {
            "key": "chat.temperature",
            "allowed": True,
            "rule": "allowed_override_keys has 'chat.temperature'",
            "profile": "default/coder",
            "version": 3,
        }
    ]


def test_denied_overrides_are_named_each_with_its_rule(client: TestClient) -> None:
    overrides = {"chat.engine": "gpt-6", "system_prompt": "Be rude.", "chat.temperature": 1}
    answer = client.post(RESOLVE, json={"profile": "coder", "overrides": overrides})
    assert (answer.status_code, answer.json()["code"]) == (403, "policy_violation")
    assert [(d["key"], d["allowed"]) for d in answer.json()["decisions"]] == [
        ("chat.engine", False),
        ("chat.temperature", True),
        ("system_prompt", False),
    ]


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"overrides": {"chat.temperature": "hot"}}, "overrides.step_settings_patch.chat.temperature"),
        ({"overrides": {"chat.temprature": 1}}, "overrides.step_settings_patch.chat.temprature"),
        ({"profile": "no such name!"}, "profile"),
        ({"registry": "ü"}, "registry"),
        ({"profile": 7}, "profile"),
        ({"explain": "yes"}, "explain"),
        ({"overrides": [1]}, "overrides"),
        ({"profil": "coder"}, "profil"),
    ],
)
def test_a_fault_names_the_field_of_the_request(client: TestClient, asked: dict[str, Any], field: str) -> None:
    answer = client.post(RESOLVE, json=asked)
    assert (answer.status_code, answer.json()["field"]) == (400, field)


def test_every_fault_of_a_body_is_reported(client: TestClient) -> None:
    errors = client.post(RESOLVE, json={"profile": 1, "registry": [], "profil": ""}).json()["errors"]
    assert {error["field"] for error in errors} == {"profile", "registry", "profil"}
    assert "did you mean 'profile'?" in errors[-1]["reason"]


def test_a_base_that_is_not_there_is_an_error_with_its_line(service: RegistryService, team: Path) -> None:
    team.write_text(team.read_text().replace("extends: [base]", "extends: [bass]", 1))
    with TestClient(create_app(service), base_url="http://localhost") as client:
        answer = client.get(RESOLVED)
    assert (answer.status_code, answer.json()["code"]) == (400, "lineage_error")
    assert f"{team}:" in answer.json()["detail"]
    assert "did you mean" in answer.json()["detail"]


def test_base_settings_of_the_server_lie_under_every_profile(service: RegistryService) -> None:
    app = create_app(service, base_step_settings={"chat": {"max_response_tokens": 77, "temperature": 1}})
    with TestClient(app, base_url="http://localhost") as client:
        for answer in (client.get(RESOLVED), client.post(RESOLVE, json={"profile": "coder"})):
            chat = answer.json()["effective_step_settings"]["chat"]
            assert (chat["max_response_tokens"], chat["temperature"]) == (77, 0.2)
