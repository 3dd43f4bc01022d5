"""``profile list``, ``show``, ``check``, ``diff``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest


def test_without_any_file_there_is_a_profile(livery) -> None:
    result = livery("profile", "list")
    assert result.exit_code == 0
    assert "default" in result.stdout and "builtin:" in result.stdout and result.stderr == ""


def test_a_list_is_a_json_array_with_the_names_of_the_api(livery, team) -> None:
    (base, coder) = json.loads(livery("profile", "list", "-r", "team", "-o", "json").stdout)
    assert (base["slug"], coder["slug"], coder["is_default"], coder["tags"]) == ("base", "coder", True, ["dev"])
    assert {"registry", "display_name", "description", "read_only", "version", "source", "updated_at_ms"} <= set(base)


def test_default_and_active_profile_are_marked(livery, team) -> None:
    livery("use", "team/base")
    lines = livery("profile", "list", "-r", "team").stdout.splitlines()
    assert lines[1].strip().startswith("●") and lines[2].startswith("★")


def test_all_registries_are_listed_for_a_star(livery, team) -> None:
    stdout = livery("profile", "list", "--registry", "*").stdout
    assert "default/default" in stdout and "team/coder" in stdout


def test_a_tag_narrows_the_list(livery, team) -> None:
    rows = json.loads(livery("profile", "list", "-r", "team", "--tag", "dev", "-o", "json").stdout)
    assert [row["slug"] for row in rows] == ["coder"]


def test_all_sources_gives_a_line_for_each_layer(livery, team, folder: Path) -> None:
    (folder / "mine.yaml").write_text("slug: team\nprofiles:\n  coder: {description: mine}\n")
    sources = ("--source", "team.yaml", "--source", "mine.yaml")
    rows = json.loads(livery("profile", "list", *sources, "-r", "team", "--all-sources", "-o", "json").stdout)
    layers = [(row["profile"], row["source"], row["writer"]) for row in rows]
    assert ("team/coder", "yaml:team.yaml", False) in layers and ("team/coder", "yaml:mine.yaml", True) in layers
    assert "yaml:mine.yaml" in livery("profile", "list", *sources, "-r", "team", "--all-sources").stdout


def test_a_broken_profile_is_listed_with_its_error(livery, folder: Path) -> None:
    (folder / "bad.yaml").write_text("slug: bad\nprofiles:\n  a: {runtime: {tols: []}}\n  b: {}\n")
    result = livery("--source", "bad.yaml", "profile", "list")
    assert result.exit_code == 0
    assert "broken: bad.yaml:3" in result.stdout and "did you mean 'tools'?" in result.stdout


def test_an_unknown_registry_is_not_found(livery, team) -> None:
    result = livery("profile", "list", "-r", "tem")
    assert result.exit_code == 3
    assert result.stdout == "" and "did you mean 'team'?" in result.stderr


def test_show_gives_the_stored_document_without_secrets(livery, team) -> None:
    result = livery("profile", "show", "team/base", "-o", "json")
    document = json.loads(result.stdout)
    assert document["id"] == "team/base"
    keys = document["runtime"]["step_settings_patch"]["api"]["api_keys"]
    assert keys == {"openai-api-key": {"$secret": "env:TEAM_KEY"}, "claude-api-key": {"$redacted": True}}


@pytest.mark.parametrize("form", ["yaml", "json", "toml", "table"])
def test_show_has_no_form_that_leaks(livery, team, form: str) -> None:
    result = livery("profile", "show", "team/base", "-o", form)
    assert result.exit_code == 0 and "sk-in-clear" not in result.output


def test_show_finds_a_bare_name_in_other_registries(livery, team) -> None:
    assert "id: team/coder" in livery("profile", "show", "coder").stdout


def test_layers_are_shown_per_source(livery, team, folder: Path) -> None:
    (folder / "mine.yaml").write_text("slug: team\nprofiles:\n  coder: {description: mine}\n")
    args = ("--source", "team.yaml", "--source", "mine.yaml", "profile", "show", "team/coder", "--layers")
    assert "# yaml:team.yaml\n" in livery(*args).stdout and "# yaml:mine.yaml (written)\n" in livery(*args).stdout
    assert [row["source"] for row in json.loads(livery(*args, "-o", "json").stdout)][-1] == "yaml:mine.yaml"


def test_files_keep_no_earlier_versions(livery, team) -> None:
    assert livery("profile", "show", "coder", "--version", "1").exit_code == 0
    result = livery("profile", "show", "coder", "--version", "7")
    assert result.exit_code == 4 and "the present version only" in result.stderr


def test_a_profile_that_is_not_there_names_the_nearest(livery, team) -> None:
    result = livery("profile", "show", "team/codr")
    assert result.exit_code == 3 and "did you mean 'team/coder'?" in result.stderr


def test_check_says_what_is_missing(livery, team) -> None:
    ready = livery("profile", "check", "coder")
    assert (ready.exit_code, ready.stdout) == (0, "")
    livery("profile", "set", "team/coder", "chat.api_type=openai")
    result = livery("profile", "check", "coder", "-o", "json")
    assert result.exit_code == 4
    assert [problem["field"] for problem in json.loads(result.stdout)] == ["api.api_keys.openai-api-key"]


def test_diff_shows_what_two_profiles_say_differently(livery, team) -> None:
    result = livery("profile", "diff", "team/base", "team/coder")
    assert result.exit_code == 0
    assert "~ chat.engine: small → large\n" in result.stdout and "sk-in-clear" not in result.stdout


def test_diff_compares_runtimes_where_it_is_asked_to(livery, team) -> None:
    rows = json.loads(livery("profile", "diff", "team/base", "team/coder", "--resolved", "-o", "json").stdout)
    changed = {row["path"]: (row["before"], row["after"]) for row in rows}
    assert changed["tools"] == (["calculator"], ["calculator", "clock"])
    assert "extends" not in changed


def test_diff_gives_an_exit_code_where_it_is_asked_to(livery, team) -> None:
    assert livery("profile", "diff", "team/base", "team/coder", "--exit-code").exit_code == 1
    assert livery("profile", "diff", "team/base", "team/base", "--exit-code").exit_code == 0


def test_diff_of_secrets_sees_a_difference_and_shows_none(livery, team) -> None:
    livery("profile", "create", "team/other", "--from", "team/base", "--set", "api.api_keys.claude-api-key=sk-new")
    result = livery("profile", "diff", "team/base", "team/other")
    assert "api.api_keys.claude-api-key: (secret, not shown) → (secret, not shown)" in result.stdout


def test_diff_of_one_profile_is_what_the_writer_changes(livery, team, folder: Path) -> None:
    (folder / "mine.yaml").write_text(
        "slug: team\nprofiles:\n  coder:\n    description: mine\n    display_name: Mine\n"
        "    runtime: {tools: [], middlewares: [{name: retry}]}\n"
    )
    sources = ("--source", "team.yaml", "--source", "mine.yaml")
    assert sorted(livery("profile", "diff", "team/coder", *sources).stdout.splitlines()) == [
        "+ description: mine",
        "+ middlewares.retry.name: retry",
        "~ display_name: Coder → Mine",
        '~ tools: {"$append": ["clock"]} → []',
    ]
    assert livery("profile", "diff", "team/base", *sources).stderr == "no difference\n"
    assert livery("profile", "diff", "team/coder", "--resolved", *sources).exit_code == 2
