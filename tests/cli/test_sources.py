"""``source list`` and ``validate``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

BAD = """\
slug: bad
default_profile_slug: nix
profiles:
  a:
    extends: [b]
    runtime: {step_settings_patch: {chat: {engine: 5, temprature: 1}}}
  b: {extends: [a]}
  c:
    policy: {allow: true}
  d:
    runtime: {middlewares: []}
"""


@pytest.fixture
def bad(folder: Path) -> Path:
    file = folder / "bad.yaml"
    file.write_text(BAD)
    return file


def test_sources_are_listed_with_what_lies_over_what(livery, team, folder: Path) -> None:
    (folder / "mine.yaml").write_text("slug: team\nprofiles:\n  coder: {description: mine}\n")
    args = ("source", "list", "--source", "team.yaml", "--source", "mine.yaml")
    lower, upper = json.loads(livery(*args, "-o", "json").stdout)
    assert upper["is_writer"] and upper["shadows"] == [{"profile": "team/coder", "source": "yaml:team.yaml"}]
    assert lower["shadowed_by"] == [{"profile": "team/coder", "source": "yaml:mine.yaml"}]
    assert (lower["health"], lower["profile_count"], lower["registries"]) == ("ok", 2, ["team"])
    assert "yaml:mine.yaml" in livery(*args).stdout


def test_a_source_that_cannot_be_read_is_listed_with_its_error(livery, folder: Path) -> None:
    (folder / "broken.yaml").write_text("a: [1\n")
    result = livery("source", "list", "--source", "broken.yaml", "--source", "missing.yaml")
    assert result.exit_code == 0 and "unavailable" in result.stdout
    assert "broken.yaml:" in result.stderr and "'missing.yaml' not found" in result.stderr


def test_an_unknown_kind_of_source_is_a_usage_error(livery, folder) -> None:
    result = livery("source", "list", "--source", "yml:x")
    assert result.exit_code == 2 and "did you mean 'yaml'?" in result.stderr


def test_sound_sources_pass(livery, team) -> None:
    result = livery("validate")
    assert (result.exit_code, result.stderr) == (0, "0 errors, 1 warning; 3 profiles in 2 sources\n")
    assert result.stdout.startswith("warning: team.yaml:")


def test_warnings_count_where_one_is_strict(livery, team) -> None:
    assert livery("validate", "team.yaml", "--strict").exit_code == 4
    assert livery("validate", "builtin:", "--strict").exit_code == 0


def test_every_fault_is_reported_with_its_line_from_top_to_bottom(livery, bad: Path) -> None:
    result = livery("validate", "bad.yaml")
    assert result.exit_code == 4
    errors = [line for line in result.stdout.splitlines() if line.startswith("error: bad.yaml:")]
    assert [int(line.split(":")[2]) for line in errors] == [2, 6, 6, 7, 9]
    assert "warning" in result.stdout and "5 errors, 1 warning; 4 profiles in 1 source" in result.stderr


def test_faults_as_json(livery, bad: Path) -> None:
    rows = json.loads(livery("validate", "bad.yaml", "-o", "json").stdout)
    assert {"level", "source", "place", "field", "reason"} == set(rows[0])


def test_faults_of_several_sources_are_found_at_once(livery, team, bad: Path, folder: Path) -> None:
    (folder / "broken.yaml").write_text("a: [1\n")
    stdout = livery("validate", "bad.yaml", "broken.yaml", "team.yaml").stdout
    assert "error: bad.yaml:2" in stdout and "error: broken.yaml:" in stdout


def test_a_source_that_is_not_there_is_not_found(livery, folder) -> None:
    result = livery("validate", "missing.yaml")
    assert result.exit_code == 3 and "'missing.yaml' not found" in result.stdout


def test_the_reason_of_a_source_names_it_once(livery, folder: Path) -> None:
    (folder / "text.db").write_text("no database")
    result = livery("source", "list", "--source", "sqlite:text.db")
    assert result.stderr.startswith("sqlite:text.db: it is no SQLite database")
