"""``profile create``, ``copy``, ``set``, ``unset``, ``rename``, ``delete``, ``default``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

WRITES = [
    ("create", "team/new", "--set", "chat.engine=x"),
    ("copy", "team/base", "new"),
    ("set", "team/coder", "chat.engine=x"),
    ("unset", "team/coder", "chat.engine"),
    ("rename", "team/base", "new"),
    ("delete", "team/new", "--yes"),
    ("default", "team/base"),
]


@pytest.fixture
def new(livery, team) -> None:
    """A profile that nothing needs."""
    if "new" not in team.read_text():
        livery("profile", "create", "team/new")


@pytest.mark.parametrize("args", [write for write in WRITES if write[0] != "delete"], ids=lambda args: args[0])
def test_a_write_changes_the_file_and_says_so(livery, team: Path, args: tuple[str, ...]) -> None:
    before = team.read_text()
    result = livery("profile", *args)
    assert result.exit_code == 0 and result.stdout.startswith("team/"), result.output
    assert team.read_text() != before and "# the team's profiles" in team.read_text()


@pytest.mark.parametrize("args", [write for write in WRITES if write[0] != "delete"], ids=lambda args: args[0])
def test_a_dry_run_shows_the_difference_and_writes_nothing(livery, team: Path, args: tuple[str, ...]) -> None:
    before = team.read_bytes()
    result = livery("profile", *args, "--dry-run")
    assert result.exit_code == 0 and result.stdout.splitlines()[0][0] in "+-~", result.output
    assert "nothing was written" in result.stderr
    assert team.read_bytes() == before


@pytest.mark.parametrize(
    "args",
    [
        ("create", "team/coder"),
        ("create", "new", "--set", "chat.temperature=hot"),
        ("copy", "team/base", "coder"),
        ("set", "team/coder", "extends=[coder]"),
        ("set", "team/coder", "chat.engine=x", "--if-version", "7"),
        ("rename", "team/base", "coder"),
        ("delete", "team/base", "--yes"),
        ("default", "team/nothing"),
    ],
    ids=" ".join,
)
def test_a_dry_run_is_refused_for_the_same_reason_as_the_write(livery, team: Path, args: tuple[str, ...]) -> None:
    trial, write = livery("profile", *args, "--dry-run"), livery("profile", *args)
    assert trial.exit_code == write.exit_code != 0
    assert trial.stderr == write.stderr != ""


def test_a_write_goes_to_the_default_registry_and_suggests_others(livery, team) -> None:
    result = livery("profile", "set", "coder", "chat.engine=x")
    assert result.exit_code == 3 and "did you mean 'team/coder'?" in result.stderr
    assert livery("profile", "set", "coder", "chat.engine=x", "-r", "team").exit_code == 0


def test_create_takes_a_document(livery, team, folder: Path) -> None:
    (folder / "new.yaml").write_text("id: other/x\nslug: x\nruntime:\n  system_prompt: hello\n")
    result = livery("profile", "create", "team/new", "--file", "new.yaml", "--description", "for x")
    assert result.exit_code == 0, result.output
    document = json.loads(livery("profile", "show", "team/new", "-o", "json").stdout)
    assert (document["runtime"]["system_prompt"], document["description"]) == ("hello", "for x")


def test_what_show_prints_create_takes(livery, team) -> None:
    livery("profile", "set", "team/base", "api.api_keys.claude-api-key={$secret: env:CLAUDE}")
    document = livery("profile", "show", "team/base", "-o", "yaml").stdout
    result = livery("profile", "create", "team/again", "--file", "-", stdin=document)
    assert result.exit_code == 0, result.output
    assert "no difference" in livery("profile", "diff", "team/base", "team/again").stderr


def test_faults_of_a_document_have_their_lines(livery, team, folder: Path) -> None:
    (folder / "new.yaml").write_text("runtime:\n  step_settings_patch:\n    chat: {temprature: 1, engine: 2}\n")
    result = livery("profile", "create", "team/new", "--file", "new.yaml")
    assert result.exit_code == 4
    assert all(line.startswith("error: new.yaml:3") for line in result.stderr.splitlines())
    assert len(result.stderr.splitlines()) == 2 and "did you mean 'temperature'?" in result.stderr


def test_create_from_another_registry_keeps_its_bases(livery, team) -> None:
    result = livery("profile", "create", "mine", "--from", "team/coder")
    assert result.exit_code == 0, result.output
    assert json.loads(livery("profile", "show", "mine", "-o", "json").stdout)["extends"] == ["team/base"]


def test_create_from_a_profile_of_two_sources_takes_both(livery, team, folder: Path) -> None:
    (folder / "mine.yaml").write_text("slug: team\nprofiles:\n  coder: {description: mine}\n")
    sources = ("--source", "team.yaml", "--source", "mine.yaml")
    result = livery("profile", "create", "team/new", "--from", "team/coder", *sources)
    assert result.exit_code == 0
    document = json.loads(livery("profile", "show", "team/new", "-o", "json", *sources).stdout)
    assert document["description"] == "mine" and document["runtime"]


def test_create_needs_one_origin(livery, team) -> None:
    assert livery("profile", "create", "team/new", "--from", "team/base", "--file", "x").exit_code == 2
    assert livery("profile", "create", "team/new", "--file", "missing.yaml").exit_code == 3


def test_set_names_the_nearest_key(livery, team) -> None:
    result = livery("profile", "set", "team/coder", "chat.engin=x")
    assert result.exit_code == 4 and "did you mean 'chat.engine'?" in result.stderr


def test_set_reports_every_fault_under_the_key_that_was_typed(livery, team) -> None:
    result = livery("profile", "set", "team/coder", "chat.temperature=hot", "client.timeout=[]")
    assert result.exit_code == 4
    assert [line.split(":")[1].strip() for line in result.stderr.splitlines()] == ["chat.temperature", "client.timeout"]


def test_set_checks_the_version(livery, team) -> None:
    assert livery("profile", "set", "team/coder", "chat.engine=x", "--if-version", "1").exit_code == 0
    assert livery("profile", "set", "team/coder", "chat.engine=y", "--if-version", "1").exit_code == 6


def test_a_read_only_profile_is_refused(livery, team) -> None:
    livery("profile", "set", "team/coder", "policy.read_only=true")
    assert livery("profile", "set", "team/coder", "chat.engine=x").exit_code == 5


def test_unset_warns_of_what_stays_set(livery, team, folder: Path) -> None:
    (folder / "mine.yaml").write_text("slug: team\nprofiles:\n  coder:\n    display_name: Mine\n")
    sources = ("--source", "team.yaml", "--source", "mine.yaml")
    result = livery("profile", "unset", "team/coder", "display_name", "chat.top_p", *sources)
    assert "display_name is still set by yaml:team.yaml" in result.stderr
    assert "chat.top_p is not set there" in result.stderr


def test_rename_takes_along_what_names_it(livery, team) -> None:
    livery("profile", "rename", "team/base", "ground")
    assert json.loads(livery("profile", "show", "team/coder", "-o", "json").stdout)["extends"] == ["ground"]


def test_copy_stays_in_its_registry(livery, team) -> None:
    assert livery("profile", "copy", "team/base", "default/x").exit_code == 2


def test_delete_asks_unless_told_not_to(livery, team, new) -> None:
    assert livery("profile", "delete", "team/new").exit_code == 2
    assert livery("profile", "delete", "team/new", "--dry-run").stdout == "- team/new\n"
    assert livery("profile", "delete", "team/new", "--yes").exit_code == 0
    assert livery("profile", "show", "team/new").exit_code == 3


def test_delete_names_what_needs_it(livery, team) -> None:
    result = livery("profile", "delete", "team/base", "--yes")
    assert result.exit_code == 6 and "'team/coder'" in result.stderr


def test_delete_reverts_to_the_lower_source(livery, team, folder: Path) -> None:
    (folder / "mine.yaml").write_text("slug: team\nprofiles:\n  coder: {display_name: Mine}\n")
    args = ("profile", "delete", "team/coder", "--yes", "--source", "team.yaml", "--source", "mine.yaml")
    assert livery(*args).exit_code == 5
    assert "reverted" in livery(*args, "--revert").stdout
    assert "coder" not in (folder / "mine.yaml").read_text().replace("coder: 1", "")


def test_nothing_is_written_where_no_source_can_be(livery, folder: Path) -> None:
    result = livery("--source", "builtin:", "profile", "set", "default", "description=x")
    assert result.exit_code == 5 and "builtin:" in result.stderr


def test_the_first_write_makes_the_database(livery, folder: Path) -> None:
    file = folder.parent / "home/.local/share/livery/livery.db"
    assert livery("profile", "list").exit_code == 0 and not file.parent.exists()
    assert livery("profile", "set", "default", "description=mine").exit_code == 0
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert "mine" in livery("profile", "list").stdout
    assert not (folder.parent / "home/.config").exists()


def test_a_profile_with_faults_can_be_mended(livery, folder: Path) -> None:
    (folder / "bad.yaml").write_text(
        "slug: bad\nprofiles:\n  a: {runtime: {step_settings_patch: {chat: {engine: 5, top_p: 1}}}}\n"
    )
    assert livery("--source", "bad.yaml", "resolve", "a").exit_code == 4
    result = livery("--source", "bad.yaml", "profile", "unset", "a", "chat.engine")
    assert result.exit_code == 0, result.output
    assert livery("--source", "bad.yaml", "resolve", "a").exit_code == 0


def test_a_deletion_says_of_which_registry(livery, team: Path) -> None:
    assert livery("profile", "create", "spare", "--registry", "team").exit_code == 0
    assert livery("profile", "delete", "spare", "--registry", "team", "--yes").stdout == "team/spare deleted\n"
