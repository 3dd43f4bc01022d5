"""A home of its own for every test, a team's file in it, and the command line to call."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import livery as package
from livery.cli.root import livery as command

SOURCE = Path(package.__file__).parent.parent
MAIN = "from livery.cli.main import main; main()"

TEAM = """\
# the team's profiles
slug: team
display_name: The team
default_profile_slug: coder
defaults:
  step_settings_patch:
    client: {timeout: 30}
enforced:
  step_settings_patch:
    client: {user_agent: team/1}
callers: {vscode: coder}
profiles:
  base:
    description: What all share
    runtime:
      step_settings_patch:
        chat: {api_type: echo, engine: small, temperature: 0.2}   # cheap
        api:
          api_keys: {openai-api-key: {$secret: "env:TEAM_KEY"}, claude-api-key: sk-in-clear}
      system_prompt: |
        You are concise.
        You are kind.
      tools: [calculator]
    policy:
      allow_overrides: true
      allowed_override_keys: [system_prompt, chat.temperature]
  coder:
    display_name: Coder
    extends: [base]
    runtime:
      step_settings_patch:
        chat: {engine: large, stop: null}
      tools: {$append: [clock]}
      middlewares:
        - {name: logging, id: main, config: {level: debug}}
      servers:
        - {name: git, cmd: [mcp-server-git], env: {GIT_TOKEN: abc}}
    metadata: {tags: [dev]}
"""

Run = Callable[..., Result]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory of a user with an empty home; no variable of the outside counts."""
    for name in [*os.environ]:
        if name.startswith(("LIVERY_", "XDG_")) or name in ("VISUAL", "EDITOR", "NO_COLOR", "USER", "LOGNAME"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    work = tmp_path / "work"
    work.mkdir()
    (work / ".git").mkdir()
    monkeypatch.chdir(work)
    return work


@pytest.fixture
def livery(folder: Path) -> Run:
    """The command line, called in this process."""

    def run(*args: str, stdin: str = "") -> Result:
        return CliRunner().invoke(command, args, input=stdin)

    return run


@pytest.fixture
def team(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A team's registry, in the only source beside the built-in one; it is the writer."""
    file = folder / "team.yaml"
    file.write_text(TEAM)
    monkeypatch.setenv("LIVERY_SOURCES", "builtin:,team.yaml")
    return file


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the processes of all tests keep compiled modules, so that only the first one has to compile."""
    return tmp_path_factory.mktemp("compiled")


@pytest.fixture
def process(folder: Path, compiled: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """The command line as a process of its own."""

    def run(*args: str, code: str = MAIN, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        environ = {**os.environ, "PYTHONPATH": str(SOURCE), "PYTHONPYCACHEPREFIX": str(compiled), **(env or {})}
        environ.pop("PYTHONDONTWRITEBYTECODE", None)
        command = [sys.executable, "-c", code, *args]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, env=environ, check=False)

    return run
