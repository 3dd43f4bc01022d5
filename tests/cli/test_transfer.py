"""``export`` and ``import`` from the command line."""

from __future__ import annotations

import json
import sqlite3
import stat
from pathlib import Path

import pytest

from tests.cli.conftest import Run


@pytest.fixture
def database(folder: Path, team: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A database, yet to be made, in place of the team's file, which is beside it."""
    monkeypatch.setenv("LIVERY_SOURCES", "builtin:,sqlite:team.db?optional=1")
    return folder / "team.db"


def test_a_file_comes_in(livery: Run, database: Path) -> None:
    result = livery("import", "team.yaml")
    assert result.stdout == "+ team\n+ team/base\n+ team/coder\n"
    assert result.stderr == "3 created, 0 unchanged\nin sqlite:team.db\n"
    assert "engine: large" in livery("resolve", "team/coder").stdout


def test_twice_is_once(livery: Run, database: Path) -> None:
    livery("import", "team.yaml")
    again = livery("import", "team.yaml")
    assert (again.stdout, again.stderr.splitlines()[0]) == ("", "3 unchanged")


def test_a_dry_run_shows_every_difference_and_writes_nothing(livery: Run, database: Path) -> None:
    result = livery("import", "team.yaml", "--dry-run")
    assert "+ team/coder\n" in result.stdout and "    + chat.engine: large\n" in result.stdout
    assert "(secret, not shown)" in result.stdout and "sk-in-clear" not in result.output
    assert "nothing was written" in result.stderr and not database.exists()


def test_a_program_gets_the_differences_as_json(livery: Run, database: Path) -> None:
    rows = json.loads(livery("import", "team.yaml", "--dry-run", "-o", "json").stdout)
    assert [(row["kind"], row["profile"]) for row in rows] == [
        ("created", ""),
        ("created", "base"),
        ("created", "coder"),
    ]
    assert {"path": "display_name", "kind": "added", "before": None, "after": "Coder"} in rows[2]["diff"]


def test_standard_input_comes_in_under_another_name(livery: Run, database: Path, team: Path) -> None:
    result = livery("import", "-", "--registry", "team=crew", stdin=team.read_text())
    assert result.exit_code == 0 and "+ crew/coder" in result.stdout


def test_every_fault_has_its_line_and_nothing_is_written(livery: Run, database: Path, folder: Path) -> None:
    (folder / "bad.yaml").write_text(
        "slug: team\nprofiles:\n  a: {extends: [nowhere]}\n  b: {runtime: {step_settings_patch: {chat: {enigne: x}}}}\n"
    )
    result = livery("import", "bad.yaml")
    assert result.exit_code == 4 and not database.exists()
    assert "bad.yaml:3:" in result.stderr and "bad.yaml:4:" in result.stderr and "did you mean" in result.stderr


def test_what_is_exported_comes_in_again(livery: Run, database: Path) -> None:
    livery("import", "team.yaml")
    exported = livery("export", "--registry", "team")
    assert exported.stdout.startswith("registries:\n  team:\n") and "sk-in-clear" not in exported.stdout
    assert "2 secrets left out: team/base api.api_keys.claude-api-key, team/coder servers[0]" in exported.stderr
    assert livery("import", "-", stdin=exported.stdout).stderr.startswith("3 unchanged")


def test_an_export_to_a_file_is_whole_and_private(livery: Run, database: Path, folder: Path) -> None:
    livery("import", "team.yaml")
    result = livery("export", "--file", "out.json", "-o", "json")
    assert result.exit_code == 0 and "3 profiles of default, team in out.json" in result.stderr
    assert set(json.loads((folder / "out.json").read_text())["registries"]) == {"default", "team"}
    assert stat.S_IMODE((folder / "out.json").stat().st_mode) == 0o600


def test_an_export_replaces_no_file_by_itself(livery: Run, team: Path) -> None:
    before = team.read_text()
    result = livery("export", "--file", "team.yaml")
    assert result.exit_code == 6 and "--force replaces it" in result.stderr and team.read_text() == before
    assert livery("export", "--file", "team.yaml", "--force").exit_code == 0


def test_a_redacted_value_that_nobody_has_is_an_error(livery: Run, database: Path) -> None:
    exported = livery("export", "--registry", "team", "--source", "team.yaml").stdout
    result = livery("import", "-", stdin=exported)
    assert result.exit_code == 4 and result.stderr.count("can only stand where there is a value to keep") == 2
    assert "standard input:" in result.stderr


def test_secrets_come_along_from_the_source_itself(livery: Run, database: Path) -> None:
    livery("import", "team.yaml")
    assert livery("import", "sqlite:team.db", "--source", "yaml:copy.yaml?optional=1").exit_code == 0
    assert "sk-in-clear" in (database.parent / "copy.yaml").read_text()


def test_with_replace_the_rest_goes(livery: Run, database: Path, team: Path) -> None:
    livery("import", "team.yaml")
    result = livery("import", "-", "--replace", stdin="slug: team\nprofiles: {only: {}}\n")
    assert result.stderr.startswith("1 created, 2 deleted, 1 updated")
    assert livery("profile", "list", "-r", "team", "-o", "json").stdout.count('"slug"') == 1


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["import", "missing.yaml"], 3),
        (["import", "sqlite:missing.db"], 3),
        (["import", "team.yaml", "--registry", "teem"], 3),
        (["import", "ftp:nowhere"], 2),
        (["import", "team.yaml", "--source", "builtin:"], 5),
        (["export", "--registry", "teem"], 3),
    ],
)
def test_what_cannot_be_done_says_why(livery: Run, database: Path, arguments: list[str], code: int) -> None:
    result = livery(*arguments)
    assert (result.exit_code, result.stdout) == (code, "") and "error: " in result.stderr


def test_a_document_without_registries_says_so(livery: Run, database: Path) -> None:
    result = livery("import", "-", stdin="")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "warning: standard input holds no registry\n" and not database.exists()


def test_an_export_of_nothing_says_so(livery: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVERY_SOURCES", "sqlite:none.db?optional=1")
    assert livery("export", "--file", "none.yaml").stderr == "0 profiles of no registry in none.yaml\n"


def test_a_fault_of_what_is_there_has_its_own_place(livery: Run, database: Path) -> None:
    livery("import", "team.yaml")
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE profiles SET runtime_json = '{oops' WHERE slug = 'base'")
    connection.close()
    result = livery("import", "team.yaml")
    assert result.exit_code == 4 and "team.yaml" not in result.stderr
    assert result.stderr.startswith("error: sqlite:team.db: profiles[team/base].runtime_json: is not JSON")
