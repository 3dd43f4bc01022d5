"""No answer shows a secret, wherever in a profile it stands and whatever else is wrong with the profile."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from livery import open_registry
from livery.core.schema import SettingsSchema
from livery.http import create_app
from livery.settings import schema_named

CANARY = "sk-CANARY-7f3a"
WITH_PASSWORD = f"https://ada:{CANARY}@example.org/v1"
WITH_TOKEN = f"https://{CANARY}@example.org/v1"


def secret_fields(node: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = [path] if node.get("x-secret") else []
    for name, child in (node.get("properties") or {}).items():
        found += secret_fields(child, (*path, name))
    return found


def planted(schema: SettingsSchema) -> dict[str, Any]:
    """Settings with the canary in every field that the schema marks."""
    settings: dict[str, Any] = {}
    for path in secret_fields(schema.plain):
        place = settings
        for part in path[:-1]:
            place = place.setdefault(part, {})
        place[path[-1]] = CANARY
    return settings


SETTINGS = planted(schema_named("ai"))
SETTINGS["api"]["base_urls"] = {"openai-base-url": WITH_PASSWORD, "claude-base-url": WITH_TOKEN}
SETTINGS["client"] = {"proxy_url": WITH_PASSWORD}

RUNTIME = {
    "step_settings_patch": SETTINGS,
    "system_prompt": f"Look it up at {WITH_PASSWORD}",
    "middlewares": [
        {
            "name": "log",
            "config": {"token": CANARY, "apiKey": CANARY, "deep": [{"client_secret": CANARY}], "to": WITH_TOKEN},
        }
    ],
    "servers": [
        {
            "name": "git",
            "cmd": ["git-server", f"--token={CANARY}", "--password", CANARY, f"API_KEY={CANARY}", WITH_PASSWORD],
            "env": {"ANY": CANARY, "GIT_TOKEN": CANARY},
        },
        {"name": "web", "http": {"url": WITH_TOKEN, "headers": {"Authorization": f"Bearer {CANARY}", "X-Any": CANARY}}},
    ],
}
PROFILE = {
    "display_name": f"At {WITH_PASSWORD}",
    "description": f"See {WITH_TOKEN}",
    "runtime": RUNTIME,
    "policy": {"allow_overrides": True, "allowed_override_keys": ["chat.temperature", "api.api_keys.openai-api-key"]},
    "metadata": {"tags": [f"from {WITH_PASSWORD}"]},
    "extensions": {"app.thing@v1": {"key": CANARY, "items": [{"credential": CANARY}], "url": WITH_PASSWORD}},
}
REGISTRY = {
    "slug": "default",
    "display_name": f"At {WITH_TOKEN}",
    "description": f"See {WITH_PASSWORD}",
    "defaults": RUNTIME,
    "enforced": {"step_settings_patch": {"api": {"api_keys": {"claude-api-key": CANARY}}}},
    "default_profile_slug": "sound",
    "profiles": {"sound": PROFILE, "derived": {"extends": ["sound"]}},
}
OVERRIDES: list[dict[str, Any] | None] = [
    None,
    {"chat.temperature": 0.5},
    {"chat.temperature": "hot"},
    {"api.api_keys.openai-api-key": "another"},
    {"api.api_keys": {"openai-api-key": {"a": 1}}},
    {"client.proxy_url": "http://elsewhere"},
    {"nowhere.at_all": 1},
]


def answers(document: dict[str, Any], folder: Path) -> dict[str, str]:
    """What was asked, and the answer with its headers."""
    file = folder / "team.yaml"
    file.write_text(json.dumps(document))
    given: dict[str, str] = {}
    with TestClient(create_app(open_registry("builtin:", f"yaml:{file}")), base_url="http://localhost") as client:
        paths = ["/", "/readyz", "/api/chat/registries", "/api/chat/profiles", "/api/chat/sources"]
        for slug in document["profiles"]:
            paths += [f"/api/chat/profiles/{slug}", f"/api/chat/profiles/{slug}/resolved", f"/?profile=default/{slug}"]
            for overrides in OVERRIDES:
                body = {"profile": slug, "overrides": overrides, "explain": True}
                answer = client.post("/api/chat/resolve", json=body)
                given[f"resolve {slug} {overrides}"] = f"{answer.headers}\n{answer.text}"
        for path in paths:
            answer = client.get(path)
            given[path] = f"{answer.headers}\n{answer.text}"
    return given


def test_the_fields_that_are_secret_are_known() -> None:
    assert ("api", "api_keys", "openai-api-key") in secret_fields(schema_named("ai").plain)


def test_no_answer_shows_a_secret(tmp_path: Path) -> None:
    given = answers(REGISTRY, tmp_path)
    assert [asked for asked, answer in given.items() if CANARY in answer] == []
    assert '"$redacted":true' in given["/api/chat/profiles/sound"]
    assert '"$redacted":true' in given["resolve sound None"]


@pytest.mark.parametrize(
    "settings",
    [
        {"api": {"api_keys": {"openai-api-key": {"deeper": CANARY}}}},
        {"api": {"api_keys": CANARY}},
        {"api": {"api_key": CANARY}},
        {"chat": {"api_key": CANARY}},
        {"chat": {"api_type": WITH_PASSWORD}},
        {"chat": {"temperature": {"token": CANARY}}},
        {"api": {"base_urls": {"openai-base-url": [WITH_PASSWORD]}}},
        {"api": {"base_urls": {"openai-base-url": f"ftp://ada:{CANARY}@example.org"}}},
    ],
    ids=str,
)
def test_no_error_of_a_broken_profile_shows_a_secret(tmp_path: Path, settings: dict[str, Any]) -> None:
    profiles = {"sound": {}, "broken": {"runtime": {"step_settings_patch": settings}}}
    given = answers({"slug": "default", "profiles": profiles}, tmp_path)
    assert [asked for asked, answer in given.items() if CANARY in answer] == []


def test_no_error_of_a_broken_document_shows_a_secret(tmp_path: Path) -> None:
    broken = {
        "servers": {"runtime": {"servers": CANARY}},
        "prompt": {"runtime": {"system_prompt": {"token": CANARY}}},
        "middlewares": {"runtime": {"middlewares": [{"name": "m", "token": CANARY}]}},
        "tools": {"runtime": {"tools": [{"token": CANARY}]}},
        "policy": {"policy": {"token": CANARY}},
        "metadata": {"metadata": {"token": CANARY}},
    }
    given = answers({"slug": "default", "token": CANARY, "profiles": broken}, tmp_path)
    assert [asked for asked, answer in given.items() if CANARY in answer] == []


def test_a_secret_of_free_settings_is_known_by_its_name(tmp_path: Path) -> None:
    settings = {"mine": {"token": CANARY, "privateKey": CANARY, "Authorization": CANARY, "url": WITH_TOKEN, "n": 1}}
    document = {
        "slug": "default",
        "settings_schema": "free",
        "profiles": {"free": {"runtime": {"step_settings_patch": settings}}},
    }
    given = answers(document, tmp_path)
    assert [asked for asked, answer in given.items() if CANARY in answer] == []
    assert '"n":1' in given["/api/chat/profiles/free"]
