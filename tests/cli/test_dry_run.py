"""``--dry-run`` on a database: the same words as on a file, and only what changes is read."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.support.asked_rows import note_asked_rows

WRITES = [
    ("profile", "set", "team/coder", "chat.engine=new", "tags=[a, b]"),
    ("profile", "set", "team/base", 'api.api_keys.claude-api-key="sk-other"'),
    ("profile", "set", "team/coder", "chat.engine=large"),
    ("profile", "unset", "team/coder", "chat.stop"),
    ("profile", "create", "team/next", "--set", "extends=[base]"),
    ("profile", "create", "team/next", "--from", "team/coder"),
    ("profile", "copy", "team/coder", "next"),
    ("profile", "rename", "team/base", "ground"),
    ("profile", "default", "team/base"),
    ("caller", "set", "zed", "base", "-r", "team"),
    ("caller", "unset", "vscode", "-r", "team"),
    ("registry", "create", "more", "--display-name", "More"),
    ("registry", "create", "more", "--settings-schema", "free"),
    ("registry", "delete", "team", "--yes"),
]
REFUSED = [
    ("profile", "create", "team/coder"),
    ("profile", "create", "nowhere/coder"),
    ("profile", "set", "team/coder", "extends=[coder]"),
    ("profile", "set", "team/coder", "chat.engine=x", "--if-version", "7"),
    ("profile", "rename", "team/base", "coder"),
    ("profile", "delete", "team/base", "--yes"),
    ("profile", "default", "team/nothing"),
    ("registry", "create", "team"),
]


@pytest.fixture
def database(livery: Run, team: Path, folder: Path) -> Path:
    """The team's registry in a database too."""
    path = folder / "team.db"
    assert livery("import", str(team), "--source", f"sqlite:{path}").exit_code == 0
    return path


@pytest.mark.parametrize("args", WRITES, ids=" ".join)
def test_a_database_and_a_file_tell_the_same(livery: Run, team: Path, database: Path, args: tuple[str, ...]) -> None:
    on_file = livery(*args, "--dry-run", "--source", str(team))
    on_database = livery(*args, "--dry-run", "--source", f"sqlite:{database}")
    assert on_file.exit_code == on_database.exit_code == 0, on_database.output
    assert on_database.output == on_file.output
    assert "nothing was written" in on_database.stderr


@pytest.mark.parametrize("args", WRITES, ids=" ".join)
def test_a_dry_run_leaves_the_database_as_it_is(livery: Run, database: Path, args: tuple[str, ...]) -> None:
    with sqlite3.connect(database) as db:
        before = list(db.iterdump())
        assert livery(*args, "--dry-run", "--source", f"sqlite:{database}").exit_code == 0
        assert list(db.iterdump()) == before
    db.close()


@pytest.mark.parametrize("args", REFUSED, ids=" ".join)
def test_a_dry_run_is_refused_for_the_same_reason_as_the_write(
    livery: Run, database: Path, args: tuple[str, ...]
) -> None:
    trial, write = (livery(*args, *more, "--source", f"sqlite:{database}") for more in (("--dry-run",), ()))
    assert trial.exit_code == write.exit_code != 0
    assert trial.stderr == write.stderr != ""


def test_a_rollback_shows_its_way_back(livery: Run, database: Path) -> None:
    source = ("--source", f"sqlite:{database}")
    livery("profile", "set", "team/coder", "chat.engine=new", *source)
    trial = livery("profile", "rollback", "team/coder", "--to", "1", "--dry-run", *source)
    assert trial.stdout == "~ team/coder\n    ~ chat.engine: new → large\n"
    livery("registry", "delete", "team", "--yes", *source)
    trial = livery("registry", "rollback", "team", "--to", "1", "--dry-run", *source)
    assert [line for line in trial.stdout.splitlines() if line[0] == "+"] == ["+ team", "+ team/base", "+ team/coder"]


@pytest.mark.parametrize("args", [args for args in WRITES if args[0] == "profile"], ids=" ".join)
def test_a_dry_run_reads_little_of_a_large_database(
    livery: Run, database: Path, args: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    with sqlite3.connect(database) as db:
        rows = [(f"p{number:05}",) for number in range(20_000)]
        db.executemany("INSERT INTO profiles (registry_slug, slug, runtime_json) VALUES ('team', ?, '{}')", rows)
    db.close()
    asked = note_asked_rows(monkeypatch)
    assert livery(*args, "--dry-run", "--source", f"sqlite:{database}").exit_code == 0
    assert 0 < len(asked) < 60
