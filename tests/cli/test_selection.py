"""Which profile is meant: ``use``, ``current``, ``trust``, --profile, LIVERY_PROFILE, livery.toml."""

from __future__ import annotations

import json
from pathlib import Path

import pytest


@pytest.fixture
def current(livery, team):
    def ask(*args: str) -> str:
        result = livery("current", *args)
        return result.stdout.strip() or result.stderr.strip()

    return ask


def test_nothing_chosen_is_the_default(current) -> None:
    assert current() == "default/default  (the default of the registry)"
    assert current("-r", "team") == "team/coder  (the default of the registry)"


def test_use_goes_before_the_default(livery, current) -> None:
    assert livery("use", "base", "-r", "team").stdout == "team/base is active\n"
    assert current() == "team/base  (the active profile, chosen with livery use)"


def test_a_file_goes_before_use_a_variable_before_the_file_an_option_before_all(
    livery, current, folder: Path, monkeypatch
) -> None:
    livery("use", "team/base")
    (folder / "livery.toml").write_text('profile = "team/coder"\n')
    assert current() == f"team/coder  ({folder / 'livery.toml'})"
    monkeypatch.setenv("LIVERY_PROFILE", "default")
    assert current() == "default/default  (LIVERY_PROFILE)"
    assert current("-p", "team/base") == "team/base  (--profile)"


def test_an_empty_variable_is_as_good_as_none(current, monkeypatch) -> None:
    monkeypatch.setenv("LIVERY_PROFILE", "")
    assert current() == "default/default  (the default of the registry)"


def test_a_registry_narrows_a_choice_that_was_made_elsewhere(livery, current, monkeypatch) -> None:
    livery("use", "team/base")
    assert current("-r", "team").startswith("team/base")
    assert current("-r", "default").startswith("default/default")
    monkeypatch.setenv("LIVERY_PROFILE", "team/coder")
    assert current("-r", "default").startswith("default/default")


def test_a_name_and_a_registry_must_agree(livery, team) -> None:
    assert livery("resolve", "team/coder", "-r", "team").exit_code == 0
    assert livery("resolve", "team/coder", "-r", "default").exit_code == 2


def test_options_work_before_and_after_the_command(livery, team) -> None:
    assert livery("-p", "team/base", "current").stdout == livery("current", "-p", "team/base").stdout
    assert livery("-p", "team/base", "current", "-p", "coder").stdout.startswith("team/coder")


def test_current_as_json(livery, team) -> None:
    document = json.loads(livery("current", "-p", "coder", "-o", "json").stdout)
    assert document == {"registry": "team", "profile": "coder", "origin": "--profile"}


def test_rollback_goes_back(livery, current) -> None:
    livery("use", "team/base")
    livery("use", "team/coder")
    assert livery("use", "--rollback").stdout == "team/base is active\n"
    assert current().startswith("team/base")
    assert livery("use", "--rollback").stdout == "no profile is active\n"


def test_use_says_what_goes_before_it(livery, team, monkeypatch) -> None:
    monkeypatch.setenv("LIVERY_PROFILE", "team/base")
    assert "LIVERY_PROFILE goes before it" in livery("use", "team/coder").stderr


@pytest.mark.parametrize(("args", "code"), [((), 2), (("nope",), 3), (("coder", "--rollback"), 2)])
def test_use_refuses_what_it_cannot_do(livery, team, args: tuple[str, ...], code: int) -> None:
    assert livery("use", *args).exit_code == code


def test_an_active_profile_that_is_gone_is_an_error(livery, team: Path, current) -> None:
    livery("use", "team/coder")
    team.unlink()
    team.write_text("slug: team\nprofiles: {other: {}}\n")
    result = livery("resolve")
    assert result.exit_code == 3 and "livery use NAME" in result.stderr
    assert livery("profile", "list", "-r", "team").exit_code == 0


def test_a_projects_file_is_used_once_it_is_trusted(livery, folder: Path) -> None:
    project = folder / ".livery.yaml"
    project.write_text("slug: default\nprofiles:\n  default: {description: of the project}\n")
    before = livery("profile", "list")
    assert "of the project" not in before.stdout
    assert before.stderr.count("warning:") == 1 and f"livery trust {project}" in before.stderr
    assert livery("trust", ".").exit_code == 0
    after = livery("profile", "list")
    assert "of the project" in after.stdout and after.stderr == ""
    project.write_text(project.read_text() + "# changed\n")
    assert "not trusted" in livery("profile", "list").stderr


def test_trust_needs_a_file(livery, folder: Path) -> None:
    assert livery("trust", "nowhere.yaml").exit_code == 3
