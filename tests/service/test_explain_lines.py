"""The file and line of everything that an explanation says."""

from __future__ import annotations

from pathlib import Path

import pytest

from livery.core.profile import ResolveInput
from livery.errors import LineageError, Place
from livery.service import RegistryService
from tests.support.registries import opened, write

TEAM = """\
slug: team
default_profile_slug: coder
defaults:
  step_settings_patch:
    client: {timeout: 30}
enforced:
  middlewares:
  - name: audit
    config: {level: all}
profiles:
  base:
    runtime:
      system_prompt: |
        Be kind.
      middlewares:
        - {name: logging, id: main}
      servers: [{name: git, cmd: [mcp-git]}]
  coder:
    extends: [base]
    runtime:
      step_settings_patch:
        chat:
          engine: gpt-5-mini
          stop: {$append: [END]}
      middlewares:
        $prepend:
          - name: first
            config: {a: 1}
    extensions:
      webchat.starter_suggestions@v1: {items: [a]}
"""


def lines(service: RegistryService, key: str) -> list[int | None]:
    """The line of every step of a leaf that stands in a file, the lowest first."""
    (row,) = [row for row in service.explain(ResolveInput(profile_slug="coder")) if row.key == key]
    return [entry.place.line if entry.place else None for entry in row.history if entry.origin.source]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write(tmp_path / "team.yaml", TEAM)


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("client.timeout", 5),
        ("chat.engine", 23),
        ("chat.stop", 24),
        ("system_prompt", 13),
        ("middlewares.logging#main.id", 16),
        ("middlewares.audit.config.level", 9),
        ("middlewares.first.config.a", 28),
        ("servers.git.cmd", 17),
        ('extensions."webchat.starter_suggestions@v1".items', 30),
    ],
)
def test_a_value_is_told_with_the_line_it_stands_in(path: Path, key: str, line: int) -> None:
    assert lines(opened(path), key) == [line]


def test_every_step_has_the_line_of_its_own_file(path: Path, tmp_path: Path) -> None:
    upper = write(
        tmp_path / "upper.yaml",
        "# mine\nslug: team\nprofiles: {coder: {runtime: {step_settings_patch:\n  {chat: {engine: x}}}}}\n",
    )
    (row,) = [row for row in opened(path, upper).explain(ResolveInput()) if row.key == "chat.engine"]
    places = [entry.place for entry in row.history if entry.origin.source]
    assert [(Path(place.file).name, place.line) for place in places if place] == [("team.yaml", 23), ("upper.yaml", 4)]


def test_in_a_legacy_map_the_line_is_that_of_the_flag(tmp_path: Path) -> None:
    text = "coder:\n  ai-chat:\n    ai-engine: x\n    ai-temperature: 0.5\n  myapp:\n    verbose: true\n"
    service = opened(write(tmp_path / "old.yaml", text))
    assert (lines(service, "chat.engine"), lines(service, "chat.temperature")) == ([3], [4])
    assert lines(service, "myapp.verbose") == [6]


def test_in_inference_settings_the_line_is_that_of_the_block(tmp_path: Path) -> None:
    text = (
        "registries:\n  Team:\n    profiles:\n      Coder:\n        inference_settings:\n"
        "          chat:\n            engine: x\n          client:\n            timeout: 5\n"
    )
    service = opened(write(tmp_path / "old.yaml", text))
    assert (lines(service, "chat.engine"), lines(service, "client.timeout")) == ([7], [9])


def test_once_the_file_has_changed_no_line_is_told_until_it_is_read_again(path: Path) -> None:
    service = opened(path)
    assert lines(service, "chat.engine") == [23]
    path.write_text("# a remark\n" + TEAM)
    assert lines(service, "chat.engine") == [None]
    service.refresh()
    assert lines(service, "chat.engine") == [24]


def test_a_file_that_is_gone_gives_no_lines(path: Path) -> None:
    service = opened(path)
    service.refresh()
    path.unlink()
    assert lines(service, "chat.engine") == [None]


def test_what_stands_in_no_file_has_no_line() -> None:
    service = opened("memory:")
    service.create_registry({"slug": "team", "profiles": {"coder": {"runtime": {"system_prompt": "x"}}}})
    assert lines(service, "system_prompt") == [None]


@pytest.mark.parametrize("field", ["extends", "stack"])
def test_a_base_that_is_missing_is_told_with_its_line(tmp_path: Path, field: str) -> None:
    path = write(tmp_path / "t.yaml", f"slug: team\nprofiles:\n  coder:\n    {field}:\n    - bas\n  base: {{}}\n")
    with pytest.raises(LineageError) as caught:
        opened(path).resolve_effective_profile(ResolveInput(profile_slug="coder"))
    assert (
        str(caught.value) == f"{path}:5:7: profile 'team/coder' extends unknown 'team/bas'; did you mean 'team/base'?"
    )
    assert caught.value.origin == Place(str(path), 5, 7)


def test_an_explanation_is_of_the_same_generation_as_its_lines(path: Path) -> None:
    service = opened(path)
    request = ResolveInput(profile_slug="coder")
    service.resolve_effective_profile(request)
    write(path, "slug: team\nprofiles: {coder: {}}\n")
    service.refresh()
    assert all(entry.origin.profile != "base" for row in service.explain(request) for entry in row.history)
