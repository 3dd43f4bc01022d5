"""The page about HTTP is true: every route is on it, and every example works."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from starlette.testclient import TestClient

from livery import open_registry
from livery.http import create_app

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/reference/http.md").read_text()
EXAMPLES = re.findall(r"^\$ (curl .*)\n(\{.*)?", PAGE, re.MULTILINE)


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    app = create_app(open_registry(f"yaml:{ROOT}/docs/examples/team.yaml"))
    with TestClient(app, base_url="http://127.0.0.1:8420") as client:
        yield client


@pytest.mark.parametrize(("command", "shown"), EXAMPLES, ids=[command for command, _ in EXAMPLES])
def test_an_example_works(client: TestClient, command: str, shown: str) -> None:
    words = iter(shlex.split(command)[1:])
    url, headers, body = "", {}, None
    for word in words:
        if word == "-H":
            name, _, value = next(words).partition(": ")
            headers[name] = value
        elif word == "-d":
            body = next(words)
        else:
            url = word
    answer = client.request("GET" if body is None else "POST", url, headers=headers, content=body)
    assert answer.status_code == (403 if shown else 200), answer.text
    assert answer.text.startswith(shown.rstrip("…"))


def test_every_route_is_on_the_page(client: TestClient) -> None:
    asked = {urlsplit(word).path for command, _ in EXAMPLES for word in shlex.split(command) if "://" in word}
    routes = {path.replace("{slug}", "coder") for path in client.get("/openapi.json").json()["paths"]}
    assert routes - asked == set()
