"""``registry`` and ``caller``."""

from __future__ import annotations

import json
from pathlib import Path


def test_registries_are_listed(livery, team) -> None:
    rows = json.loads(livery("registry", "list", "-o", "json").stdout)
    assert [(row["slug"], row["profile_count"], row["is_default"]) for row in rows] == [
        ("default", 1, True),
        ("team", 2, False),
    ]
    assert "team" in livery("registry", "list").stdout


def test_a_registry_is_shown_without_secrets(livery, team) -> None:
    result = livery("registry", "show", "team", "-o", "json")
    document = json.loads(result.stdout)
    assert document["id"] == "team" and set(document["profiles"]) == {"base", "coder"}
    assert "sk-in-clear" not in result.stdout and "abc" not in result.stdout
    assert livery("registry", "show").stdout.startswith("id: default\n")
    assert livery("registry", "show", "tem").exit_code == 3


def test_a_registry_is_created_from_options_or_a_document(livery, team, folder: Path) -> None:
    assert livery("registry", "create", "lab", "--display-name", "Lab", "--settings-schema", "free").exit_code == 0
    (folder / "two.yaml").write_text("slug: x\nprofiles: {a: {description: first}}\n")
    assert livery("registry", "create", "two", "--file", "two.yaml").exit_code == 0
    assert json.loads(livery("profile", "list", "-r", "two", "-o", "json").stdout)[0]["description"] == "first"
    assert livery("registry", "create", "two").exit_code == 6


def test_faults_of_a_registry_document_have_their_lines(livery, team, folder: Path) -> None:
    (folder / "two.yaml").write_text("slug: two\nfallback: dney\n")
    result = livery("registry", "create", "two", "--file", "two.yaml")
    assert result.exit_code == 4 and result.stderr.startswith("error: two.yaml:2")


def test_a_registry_can_be_tried_and_deleted(livery, team: Path) -> None:
    assert livery("registry", "create", "lab", "--display-name", "Lab", "--dry-run").stdout.startswith("+ lab\n")
    assert "lab" not in team.read_text()
    livery("registry", "create", "lab")
    assert livery("registry", "delete", "lab").exit_code == 2
    assert livery("registry", "delete", "lab", "--dry-run").stdout == "- lab\n"
    assert livery("registry", "delete", "lab", "--yes").stdout == "lab deleted\n"
    assert livery("registry", "delete", "lab", "--yes").exit_code == 3
    assert livery("registry", "delete", "default", "--yes").exit_code == 5


def test_callers_are_listed_set_and_unset(livery, team) -> None:
    assert livery("caller", "set", "cursor", "base", "-r", "team").stdout == "cursor gets team/base\n"
    rows = json.loads(livery("caller", "list", "-r", "team", "-o", "json").stdout)
    assert rows == [{"caller": "cursor", "profile": "base"}, {"caller": "vscode", "profile": "coder"}]
    assert "cursor  base" in livery("caller", "list", "-r", "team").stdout
    assert livery("caller", "unset", "cursor", "-r", "team").exit_code == 0
    assert "cursor" not in livery("caller", "list", "-r", "team").stdout


def test_a_caller_can_be_tried(livery, team: Path) -> None:
    before = team.read_text()
    assert "+ callers.x: base" in livery("caller", "set", "x", "base", "-r", "team", "--dry-run").stdout
    assert "- callers.vscode: coder" in livery("caller", "unset", "vscode", "-r", "team", "--dry-run").stdout
    assert team.read_text() == before


def test_wrong_callers_are_refused(livery, team, folder: Path) -> None:
    wrong = livery("caller", "set", "x", "bas", "-r", "team")
    assert wrong.exit_code == 4 and "did you mean 'base'?" in wrong.stderr
    unknown = livery("caller", "unset", "vscod", "-r", "team")
    assert unknown.exit_code == 4 and "did you mean 'vscode'?" in unknown.stderr
    assert livery("caller", "set", "x", "base", "-r", "team", "--if-version", "9").exit_code == 6
    (folder / "mine.yaml").write_text("slug: team\nprofiles: {}\n")
    sources = ("--source", "team.yaml", "--source", "mine.yaml")
    assert livery("caller", "unset", "vscode", "-r", "team", *sources).exit_code == 5
