"""The start page without its script."""

from __future__ import annotations

import html
import os
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from livery import open_registry
from livery.http import create_app
from livery.http.markup import Markup, element

VOID = {"meta", "link", "input"}


class Outline(HTMLParser):
    """Elements with their attributes, and the text; fails where an element is not closed in its place."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))

    def named(self, tag: str, **attributes: str) -> list[dict[str, str | None]]:
        return [found for name, found in self.elements if name == tag and attributes.items() <= found.items()]


def page(client: TestClient, query: str = "", status: int = 200) -> Outline:
    answer = client.get(f"/{query}")
    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")
    return Outline(answer.text)


def names(found: Outline) -> list[str]:
    return [f"{link['data-registry']}/{link['data-profile']}" for link in found.named("a", **{"class": "name"})]


def test_the_page_shows_every_profile_with_what_matters(client: TestClient, team: Path) -> None:
    found = page(client)
    assert names(found) == ["default/base", "default/coder", "default/reader", "research/local"]
    for text in ("Writes code, and reviews it.", "openai · gpt-5", "ollama · llama3.3", "v3", f"yaml:{team}", "review"):
        assert text in found.text
    assert len(found.named("span", **{"class": "badge default"})) == 2
    assert len(found.named("span", **{"class": "badge read-only"})) == 1


def test_a_registry_a_search_and_a_tag_narrow_the_page(client: TestClient) -> None:
    assert names(page(client, "?registry=research")) == ["research/local"]
    assert names(page(client, "?q=review")) == ["default/coder"]
    assert names(page(client, "?tag=dev")) == ["default/coder", "research/local"]
    assert names(page(client, "?tag=dev&registry=research")) == ["research/local"]


def test_the_form_keeps_what_was_chosen(client: TestClient) -> None:
    found = page(client, "?registry=default&tag=dev&q=co&profile=default/coder")
    kept = {field["name"]: field["value"] for field in found.named("input")}
    assert kept == {"q": "co", "registry": "default", "tag": "dev", "profile": "default/coder"}


def test_the_chosen_profile_is_marked_and_can_be_seen_without_a_script(client: TestClient) -> None:
    found = page(client, "?profile=default/coder")
    marked = found.named("a", **{"aria-current": "true"})
    assert [link["data-profile"] for link in marked] == ["coder"]
    assert found.named("a", href="/api/chat/profiles/coder/resolved?registry=default")


def test_nothing_found_says_so_and_leads_back(client: TestClient) -> None:
    found = page(client, "?q=zzz")
    assert "Nothing here matches" in found.text
    assert "Show all profiles" in found.text


def test_a_server_without_profiles_says_what_to_do() -> None:
    with TestClient(create_app(open_registry("memory:")), base_url="http://localhost") as client:
        assert "livery serve --source" in page(client).text


def test_an_unknown_registry_is_said_in_place_of_the_list(client: TestClient) -> None:
    assert "'nowhere' not found" in page(client, "?registry=nowhere", status=404).text


def test_a_broken_profile_shows_its_error_and_the_others_stay(team: Path) -> None:
    team.write_text(team.read_text().replace("{engine: gpt-5}", "{enginee: gpt-5}"))
    with TestClient(create_app(open_registry(f"yaml:{team}")), base_url="http://localhost") as client:
        found = page(client)
    assert "did you mean 'engine'?" in found.text
    assert len(names(found)) == 4


def test_a_profile_whose_base_is_broken_shows_why(team: Path) -> None:
    team.write_text(team.read_text().replace("temperature: 0.2", "temperature: much"))
    with TestClient(create_app(open_registry(f"yaml:{team}")), base_url="http://localhost") as client:
        found = page(client)
    assert len(found.named("p", **{"class": "error"})) == 5  # four profiles and their source


def test_a_source_in_trouble_is_told_above_the_list(tmp_path: Path, team: Path) -> None:
    service = open_registry(f"yaml:{team}", f"yaml:{tmp_path}/absent.yaml?registries=x")
    with TestClient(create_app(service), base_url="http://localhost") as client:
        found = page(client)
    assert "absent.yaml cannot be read; what it holds is missing here" in found.text
    assert found.named("details", id="sources")[0].get("open", "closed") is None


def test_the_page_has_no_inline_script_or_style(client: TestClient) -> None:
    found = page(client)
    assert all("src" in script for script in found.named("script"))
    assert found.named("style") == []
    assert not any(name.startswith("on") or name == "style" for _, attributes in found.elements for name in attributes)


def test_everything_the_page_loads_is_here(client: TestClient) -> None:
    found = page(client)
    loaded = [link["href"] for link in found.named("link")] + [script["src"] for script in found.named("script")]
    assert [client.get(str(path)).status_code for path in loaded] == [200] * 3


def test_no_name_becomes_markup(team: Path, client: TestClient) -> None:
    hostile = "<script>alert(1)</script>\"'&"
    team.write_text(team.read_text().replace("Writes code, and reviews it.", f'"{hostile.replace(chr(34), "")}"'))
    answer = client.get("/", params={"q": hostile, "tag": hostile, "profile": hostile})
    assert "<script>alert" not in answer.text
    assert html.escape(hostile) in answer.text
    Outline(answer.text)


@pytest.mark.parametrize(
    "query", ["?cursor=%00", "?registry=%ff", "?profile=/", "?profile=///", "?profile=a", "?q=" + "x" * 5000]
)
def test_an_odd_address_gives_a_page(client: TestClient, query: str) -> None:
    answer = client.get(f"/{query}")
    assert answer.status_code in (200, 400, 404)
    Outline(answer.text)


def test_a_file_with_an_odd_name_is_shown(tmp_path: Path) -> None:
    file = tmp_path / os.fsdecode(b"odd-\xff.yaml")
    file.write_text("slug: default\nprofiles: {one: {}}\n")
    with TestClient(create_app(open_registry(f"yaml:{file}")), base_url="http://localhost") as client:
        assert names(page(client)) == ["default/one"]
        for path in ("/api/chat/profiles", "/api/chat/profiles/one", "/api/chat/sources", "/api/chat/registries"):
            assert "odd-" in client.get(path).text
        assert client.post("/api/chat/resolve", json={"explain": True}).status_code == 200


def test_many_profiles_come_page_by_page(tmp_path: Path) -> None:
    file = tmp_path / "many.yaml"
    file.write_text("slug: many\nprofiles:\n" + "".join(f"  p{number:03}: {{}}\n" for number in range(130)))
    with TestClient(create_app(open_registry(f"yaml:{file}")), base_url="http://localhost") as client:
        first = page(client)
        more = [link["href"] for link in first.named("a") if "cursor=" in str(link["href"])]
        assert len(names(first)) == 100
        assert len(names(page(client, str(more[-1])))) == 30


def test_markup_escapes_what_is_no_markup() -> None:
    made = element(
        "a", "<b>", Markup("<i></i>"), ["&", None], 7, href='"', data_x="1", class_="c", hidden=True, id=None
    )
    assert made == '<a href="&quot;" data-x="1" class="c" hidden>&lt;b&gt;<i></i>&amp;7</a>'
