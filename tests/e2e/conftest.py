"""One browser for all tests, and a real server over a team's registry."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from livery import open_registry
from tests.http.conftest import TEAM
from tests.http.live import served
from tests.support.browser import Browser


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    browser = Browser(tmp_path_factory.mktemp("browser"))
    yield browser
    browser.close()


@pytest.fixture
def team(tmp_path: Path) -> Path:
    path = tmp_path / "team.yaml"
    path.write_text(TEAM)
    return path


@pytest.fixture
def url(team: Path) -> Iterator[str]:
    service = open_registry(f"yaml:{team}", default_registry="default")
    with served(service) as url:
        yield url
    service.close()
