"""``resolve``: the effective runtime, and why it is so."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest


def test_the_runtime_is_shown_by_section_without_defaults(livery, team) -> None:
    stdout = livery("resolve", "coder").stdout
    assert "team/coder\n  lv1:sha256:" in stdout
    assert "chat\n  engine: large\n" in stdout and "client\n  timeout: 30\n" in stdout
    assert "  You are concise.\n  You are kind.\n" in stdout
    assert "schema defaults not shown, --all shows them" in stdout and "top_p" not in stdout


def test_all_shows_the_defaults(livery, team) -> None:
    stdout = livery("resolve", "coder", "--all").stdout
    assert "  top_p: 1\n" in stdout and "not shown, --all" not in stdout


def test_json_is_the_resolution_itself(livery, team) -> None:
    document = json.loads(livery("resolve", "team/coder", "-o", "json").stdout)
    assert document["effective_step_settings"]["chat"]["engine"] == "large"
    assert document["effective_tools"] == ["calculator", "clock"]
    assert document["runtime_fingerprint"] == document["metadata"]["profile.runtime_fingerprint"]


@pytest.mark.parametrize("form", ["table", "json", "yaml", "toml", "env"])
@pytest.mark.parametrize("explain", [True, False])
def test_no_form_shows_a_secret(livery, team, form: str, explain: bool) -> None:
    result = livery("resolve", "coder", "--all", "-o", form, *(["--explain"] if explain else []))
    assert result.exit_code == (2 if explain and form == "env" else 0)
    assert "sk-in-clear" not in result.output and "abc" not in result.stdout
    assert "env:TEAM_KEY" in result.output or result.exit_code


def test_an_explanation_tells_who_gave_a_value_and_whom_it_won_against(livery, team) -> None:
    lines = livery("resolve", "coder", "--explain").stdout.splitlines()
    at = lines.index("  engine: large")
    assert [line.split() for line in lines[at + 1 : at + 4]] == [
        ["from", "profile", "team/coder", "team.yaml:32"],
        ["over", "base", "team/base", "small", "team.yaml:17"],
        ["over", "schema", "default", "gpt-4"],
    ]


def test_an_explanation_tells_of_unsets_edits_and_what_is_enforced(livery, team) -> None:
    stdout = livery("resolve", "coder", "--explain").stdout
    assert re.search(
        r"^    from   schema default.*\n    unset  profile team/coder +team.yaml:32$", stdout, re.MULTILINE
    )
    assert "    onto  base team/base" in stdout
    assert "enforced by team  (nothing may override it)" in stdout


def test_an_explanation_ends_with_how_to_read_it(livery, team) -> None:
    stdout = livery("resolve", "coder", "--explain").stdout
    assert "schema defaults not shown" in stdout and "How to read this." in stdout


def test_an_explanation_as_json_maps_paths(livery, team) -> None:
    rows = json.loads(livery("resolve", "coder", "--explain", "-o", "json").stdout)
    row = rows["chat.engine"]
    assert (row["value"], row["origin"]["profile"], row["rule"]) == ("large", "coder", "the highest layer that sets it")
    assert [entry["layer"] for entry in row["history"]] == ["schema", "extends", "profile"]
    assert row["history"][-1]["file"] == "team.yaml" and row["history"][-1]["line"] == 32


def test_an_override_is_decided_by_the_policy(livery, team) -> None:
    result = livery("resolve", "coder", "--set", "chat.temperature=0.9")
    assert "temperature: 0.9" in result.stdout
    assert "override of chat.temperature allowed: allowed_override_keys has 'chat.temperature'" in result.stdout


def test_every_denied_override_is_named(livery, team) -> None:
    result = livery("resolve", "coder", "--set", "chat.engine=x", "--set", "tools=[a]")
    assert result.exit_code == 5 and result.stdout == ""
    assert len(result.stderr.splitlines()) == 2 and "chat.engine may not be overridden" in result.stderr


def test_an_override_is_read_as_what_its_key_wants(livery, team) -> None:
    result = livery("resolve", "coder", "--set", "system_prompt=Be: brief", "-o", "json")
    assert json.loads(result.stdout)["effective_system_prompt"] == "Be: brief"


def test_an_unknown_override_names_the_nearest(livery, team) -> None:
    result = livery("resolve", "coder", "--set", "chat.temprature=1")
    assert result.exit_code == 4 and "did you mean 'temperature'?" in result.stderr


def test_warnings_go_to_standard_error(livery, team) -> None:
    result = livery("resolve", "coder", "-o", "json")
    assert result.stderr.startswith("warning: ") and "claude-api-key holds a secret in clear" in result.stderr
    json.loads(result.stdout)


def test_env_gives_lines_for_a_shell_with_references(livery, team) -> None:
    words = shlex.split(livery("resolve", "coder", "-o", "env").stdout)
    env = dict(word.split("=", 1) for word in words)
    assert env["LIVERY_CHAT_ENGINE"] == "large" and env["LIVERY_CHAT_STREAM"] == "true"
    assert env["LIVERY_TOOLS"] == '["calculator","clock"]'
    assert env["LIVERY_SYSTEM_PROMPT"] == "You are concise.\nYou are kind.\n"
    assert env["LIVERY_API_API_KEYS_OPENAI_API_KEY"] == '{"$secret":"env:TEAM_KEY"}'


def test_two_paths_that_would_be_one_variable_are_named(livery, folder: Path) -> None:
    file = folder / "free.yaml"
    file.write_text(
        "slug: f\nsettings_schema: free\nprofiles:\n  a: {runtime: {step_settings_patch: {x: {y-z: 1, y_z: 2}}}}\n"
    )
    result = livery("--source", "free.yaml", "resolve", "a", "-o", "env")
    assert result.exit_code == 4
    assert "x.y-z" in result.stderr and "x.y_z" in result.stderr and "LIVERY_X_Y_Z" in result.stderr


def test_a_caller_gets_what_the_registry_says(livery, team) -> None:
    document = json.loads(livery("resolve", "--caller", "vscode", "-r", "team", "-o", "json").stdout)
    assert (document["profile_slug"], document["selected_by"]) == ("coder", "caller")


def test_base_settings_of_the_configuration_lie_under_all(livery, team, folder: Path) -> None:
    (folder / "livery.toml").write_text("[base.openai]\nn = 3\n")
    assert "openai\n  n: 3\n" in livery("resolve", "coder").stdout
    assert "from  base settings" in livery("resolve", "coder", "--explain").stdout


def test_text_of_a_profile_cannot_drive_the_terminal(livery, folder: Path) -> None:
    (folder / "evil.yaml").write_text('slug: e\nprofiles:\n  a: {runtime: {system_prompt: "x\\x1b[2Jy"}}\n')
    assert "\x1b" not in livery("--source", "evil.yaml", "resolve", "a", "--explain").stdout
