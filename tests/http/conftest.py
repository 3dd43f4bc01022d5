"""A team's registry in a file, and the application over it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from livery import RegistryService, open_registry
from livery.http import create_app

TEAM = """\
registries:
  default:
    display_name: Team
    default_profile_slug: coder
    callers: {vscode: reader}
    profiles:
      base:
        description: What every assistant has in common.
        runtime:
          step_settings_patch:
            chat: {api_type: openai, engine: gpt-5-mini, temperature: 0.2}
      coder:
        display_name: Coder
        description: Writes code, and reviews it.
        extends: [base]
        runtime:
          step_settings_patch:
            chat: {engine: gpt-5}
          system_prompt: You are careful.
          tools: [search]
        policy: {allow_overrides: true, allowed_override_keys: [chat.temperature]}
        metadata: {tags: [dev, review], version: 3}
      reader:
        display_name: Reader
        extends: [base]
        policy: {read_only: true}
        metadata: {tags: [docs]}
  research:
    display_name: Research
    default_profile_slug: local
    profiles:
      local:
        extends: [default/base]
        runtime: {step_settings_patch: {chat: {api_type: ollama, engine: llama3.3}}}
        metadata: {tags: [dev]}
"""


@pytest.fixture
def team(tmp_path: Path) -> Path:
    path = tmp_path / "team.yaml"
    path.write_text(TEAM)
    return path


@pytest.fixture
def service(team: Path) -> Iterator[RegistryService]:
    service = open_registry(f"yaml:{team}", default_registry="default")
    yield service
    service.close()


@pytest.fixture
def client(service: RegistryService) -> Iterator[TestClient]:
    with TestClient(create_app(service), base_url="http://127.0.0.1:8420") as client:
        yield client


@pytest.fixture(scope="session")
def steady_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RegistryService]:
    """The same team for tests that leave its file alone."""
    path = tmp_path_factory.mktemp("team") / "team.yaml"
    path.write_text(TEAM)
    service = open_registry(f"yaml:{path}", default_registry="default")
    yield service
    service.close()


@pytest.fixture(scope="session")
def steady_client(steady_service: RegistryService) -> Iterator[TestClient]:
    with TestClient(create_app(steady_service), base_url="http://127.0.0.1:8420") as client:
        yield client
