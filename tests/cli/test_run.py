"""``run``: another program with the settings as its environment."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

DUMP = "import json, os; print(json.dumps(dict(os.environ)))"


@pytest.fixture
def environment_of(process, team, monkeypatch):
    """The environment that a command sees."""
    monkeypatch.setenv("TEAM_KEY", "sk-from-env")

    def run(*args: str) -> dict[str, str]:
        done = process("run", *args, "--", sys.executable, "-c", DUMP)
        assert done.returncode == 0, done.stderr
        seen: dict[str, str] = json.loads(done.stdout)
        return seen

    return run


def test_settings_and_keys_are_in_the_environment(environment_of) -> None:
    seen = environment_of("-p", "team/coder")
    assert seen["LIVERY_CHAT_ENGINE"] == "large" and seen["LIVERY_TOOLS"] == '["calculator","clock"]'
    assert seen["OPENAI_API_KEY"] == seen["LIVERY_API_API_KEYS_OPENAI_API_KEY"] == "sk-from-env"
    assert seen["ANTHROPIC_API_KEY"] == "sk-in-clear"
    assert json.loads(seen["LIVERY_SERVERS"])[0]["env"] == {"GIT_TOKEN": "abc"}
    assert "PATH" in seen


def test_an_address_that_nobody_set_is_left_to_the_sdk(environment_of) -> None:
    assert "OPENAI_BASE_URL" not in environment_of("-p", "team/coder")


def test_an_address_of_the_profile_has_its_usual_name(livery, environment_of) -> None:
    livery("profile", "set", "team/coder", "api.base_urls.openai-base-url=https://proxy.example/v1")
    assert environment_of("-p", "coder")["OPENAI_BASE_URL"] == "https://proxy.example/v1"


def test_overrides_count(environment_of) -> None:
    assert environment_of("-p", "coder", "--set", "chat.temperature=0.9")["LIVERY_CHAT_TEMPERATURE"] == "0.9"


def test_options_after_the_command_are_its_own(process, team, monkeypatch) -> None:
    monkeypatch.setenv("TEAM_KEY", "x")
    done = process("run", "-p", "coder", sys.executable, "-c", "import sys; print(sys.argv[1:])", "-p", "--debug")
    assert done.stdout.strip() == "['-p', '--debug']"


def test_the_exit_code_is_the_commands(process, team) -> None:
    assert process("run", "--", sys.executable, "-c", "raise SystemExit(42)").returncode == 42


def test_a_missing_secret_starts_nothing(process, team, folder: Path) -> None:
    done = process("run", "-p", "coder", "--", "touch", "started")
    assert done.returncode == 7 and "env:TEAM_KEY" in done.stderr
    assert not (folder / "started").exists()


def test_a_command_that_is_not_there_is_named(process, folder: Path) -> None:
    done = process("run", "--", "no-such-command")
    assert done.returncode == 127 and done.stderr == "error: command not found: no-such-command\n"
    (folder / "plain").write_text("x")
    assert process("run", "--", "./plain").returncode == 126


def test_run_needs_a_command(livery, folder) -> None:
    assert livery("run").exit_code == 2
