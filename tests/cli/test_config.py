"""``config show``, and what configures a process."""

from __future__ import annotations

import json
from pathlib import Path

import pytest


def shown(livery, *args: str) -> dict[str, dict[str, object]]:
    document: dict[str, dict[str, object]] = json.loads(
        livery("config", "show", "--origin", "-o", "json", *args).stdout
    )
    return document


def test_options_go_before_variables_before_files_before_defaults(livery, folder: Path, monkeypatch) -> None:
    user = folder.parent / "home/.config/livery"
    user.mkdir(parents=True)
    (user / "livery.toml").write_text('profile = "user"\nwriter = "user"\nport = 1\n')
    (folder / "livery.toml").write_text('profile = "here"\nwriter = "here"\n')
    monkeypatch.setenv("LIVERY_PROFILE", "variable")
    values = shown(livery, "--default-registry", "team")
    assert values["default_registry"] == {"value": "team", "origin": "--default-registry"}
    assert values["profile"] == {"value": "variable", "origin": "LIVERY_PROFILE"}
    assert values["writer"] == {"value": "here", "origin": str(folder / "livery.toml")}
    assert values["port"] == {"value": 1, "origin": str(user / "livery.toml")}
    assert values["host"] == {"value": "127.0.0.1", "origin": "default"}


def test_sources_come_from_options_variables_and_files(livery, folder: Path, monkeypatch) -> None:
    assert shown(livery, "--source", "a", "--source", "b")["sources"] == {"value": ["a", "b"], "origin": "--source"}

    monkeypatch.setenv("LIVERY_SOURCES", "a, b")
    assert shown(livery)["sources"] == {"value": ["a", "b"], "origin": "LIVERY_SOURCES"}


def test_options_on_both_sides_of_the_command_add_up(livery, folder) -> None:
    result = livery("--source", "a", "config", "--source", "b", "show", "--source", "c", "-o", "json")
    assert json.loads(result.stdout)["sources"] == ["a", "b", "c"]


def test_another_file_can_be_named(livery, folder: Path) -> None:
    (folder / "livery.toml").write_text('profile = "here"\n')
    (folder / "other.toml").write_text("port = 9\n")
    values = shown(livery, "--config", "other.toml")
    assert values["port"]["value"] == 9 and values["profile"]["origin"] == "default"
    assert livery("config", "show", "--config", "missing.toml").exit_code == 3


def test_secrets_are_not_shown(livery, folder: Path) -> None:
    (folder / "livery.toml").write_text(
        'state = "postgresql://u:pass@h/d"\n[base.api.api_keys]\nopenai-api-key = "sk-1"\n'
    )
    output = livery("config", "show").output
    assert "sk-1" not in output and "pass" not in output


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("sourcs = []", "did you mean 'sources'?"),
        ("port = 'x'", "port"),
        ("port = 99999", "port"),
        ("sources = [1]", "sources"),
        ("profile = 1", "profile"),
        ("port = ", "livery.toml:1"),
    ],
)
def test_faults_of_the_file_are_named(livery, folder: Path, text: str, hint: str) -> None:
    (folder / "livery.toml").write_text(text)
    result = livery("config", "show")
    assert result.exit_code == 4 and hint in result.stderr and "livery.toml" in result.stderr


@pytest.mark.parametrize("value", ["x", "99999"])
def test_faults_of_variables_are_named(livery, folder, monkeypatch, value: str) -> None:
    monkeypatch.setenv("LIVERY_PORT", value)
    result = livery("config", "show")
    assert result.exit_code == 4 and "LIVERY_PORT" in result.stderr


def test_a_table_shows_every_setting(livery, folder) -> None:
    lines = [line.split() for line in livery("config", "show", "--origin").stdout.splitlines()]
    assert [line[0] for line in lines][:3] == ["SETTING", "sources", "writer"]
    assert ["history_keep", "0", "default"] in lines and ["actor", "default"] in lines


def test_a_number_out_of_range_says_what_is_expected(livery, folder) -> None:
    (folder / "livery.toml").write_text("history_days = -4\n")
    result = livery("config", "show")
    assert result.exit_code == 4
    assert "history_days: expected a number >= 1 (" in result.stderr and "livery.toml)" in result.stderr
