from __future__ import annotations

from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from livery import open_registry
from livery.http import create_app


def sources_of(*urls: str, then: Any = None) -> list[dict[str, Any]]:
    """The rows of some sources; ``then`` happens after they were read."""
    with TestClient(create_app(open_registry(*urls)), base_url="http://localhost") as client:
        if then:
            client.get("/readyz")
            then()
            client.app.state.reading.service.refresh()
        rows: list[dict[str, Any]] = client.get("/api/chat/sources").json()["items"]
        return rows


def test_sources_are_listed_with_what_they_hold(team: Path) -> None:
    builtin, file = sources_of("builtin:", f"yaml:{team}")
    assert (builtin["source"], builtin["kind"], builtin["writable"], builtin["is_writer"]) == (
        "builtin:",
        "builtin",
        False,
        False,
    )
    assert (file["source"], file["is_writer"], file["health"]) == (f"yaml:{team}", True, "ok")
    assert (file["registries"], file["profile_count"]) == (["default", "research"], 4)


def test_what_lies_over_what_is_said_on_both_sides(team: Path, tmp_path: Path) -> None:
    over = tmp_path / "over.yaml"
    over.write_text("slug: default\nprofiles: {coder: {}}\n")
    below, above = sources_of(f"yaml:{team}", f"yaml:{over}")
    assert below["shadowed_by"] == [{"profile": "default/coder", "source": f"yaml:{over}"}]
    assert above["shadows"] == [{"profile": "default/coder", "source": f"yaml:{team}"}]
    assert below["shadows"] == above["shadowed_by"] == []


def test_a_source_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    (row,) = sources_of(f"yaml:{tmp_path}/absent.yaml")
    assert (row["health"], row["stale_since_ms"]) == ("unavailable", None)
    assert "absent.yaml" in row["error"]


def test_a_source_that_was_broken_serves_its_last_good_state_and_says_so(team: Path) -> None:
    (row,) = sources_of(f"yaml:{team}", then=lambda: team.write_text("registries: ["))
    assert row["health"] == "stale"
    assert row["stale_since_ms"] > 0
    assert f"{team}:1:" in row["error"]
    assert row["profile_count"] == 4


def test_a_profile_that_is_broken_is_named_with_file_and_line(team: Path) -> None:
    team.write_text(team.read_text().replace("tools: [search]", "tools: 7"))
    (row,) = sources_of(f"yaml:{team}")
    said = [*row["broken"], *row["findings"]]
    assert [item["profile"] for item in said] == ["coder"]
    assert str(team) in str(said)


def test_credentials_in_the_url_of_a_source_are_masked() -> None:
    service = open_registry("memory:")
    service.sources[0].store.url = "https://***:***@example.org"  # type: ignore[union-attr]
    with TestClient(create_app(service), base_url="http://localhost") as client:
        assert client.get("/api/chat/sources").json()["items"][0]["source"] == "https://***@example.org"
