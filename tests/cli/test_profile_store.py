"""A profile store from the command line: what a client gets and why, and what a change says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run


@pytest.fixture
def store(folder: Path) -> Path:
    home = folder / "gate"
    (home / "profiles").mkdir(parents=True)
    (home / "runtime.yaml").write_text("pingIntervalSeconds: 5\n")
    (home / "callers.yaml").write_text("callers:\n  vscode: code\n")
    (home / "profiles/default.yaml").write_text("servers: []\nrouteTimeoutSeconds: 33\n")
    (home / "profiles/code.yaml").write_text("servers:\n  - name: git  # ours\n    cmd: [mcp-git]\n")
    return home


@pytest.fixture
def gate(livery: Run, store: Path) -> Run:
    return lambda *words, **more: livery("--source", str(store), *words, **more)


def test_a_client_is_told_why_it_gets_its_profile(gate: Run, store: Path) -> None:
    known, unknown = gate("resolve", "--caller", "vscode"), gate("resolve", "--caller", "zed")
    assert f"the caller 'vscode' is mapped to code ({store}/callers.yaml:2" in known.stderr
    assert "fallback: nobody has mapped the caller 'zed'" in unknown.stderr
    assert json.loads(gate("resolve", "--caller", "zed", "-o", "json").stdout)["fallback"] is True


def test_a_key_that_runtime_yaml_does_not_set_keeps_the_value_of_the_profile(gate: Run) -> None:
    settings = json.loads(gate("resolve", "default", "-o", "json").stdout)["effective_step_settings"]
    assert (settings["pingIntervalSeconds"], settings["routeTimeoutSeconds"]) == (5, 33)


def test_a_change_without_effect_says_so(gate: Run) -> None:
    result = gate("profile", "set", "code", "pingIntervalSeconds=9")
    assert result.exit_code == 0
    assert "is set by runtime.yaml (5) and has no effect here" in result.stderr
    assert "has no effect" not in gate("profile", "set", "code", "routeTimeoutSeconds=9").stderr


def test_a_copy_keeps_the_comments(gate: Run, store: Path) -> None:
    gate("profile", "copy", "code", "review")
    assert (store / "profiles/review.yaml").read_text() == (store / "profiles/code.yaml").read_text()


def test_a_rehearsed_change_is_refused_like_a_real_one(gate: Run) -> None:
    for more in ([], ["--dry-run"]):
        result = gate("profile", "set", "code", "system_prompt=hello", *more)
        assert result.exit_code == 4
        assert "cannot hold 'runtime.system_prompt'" in result.stderr


def test_variables_that_are_not_set_are_warned_of(
    gate: Run, livery: Run, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (store / "profiles/code.yaml").write_text(
        "servers:\n  - {name: git, cmd: [mcp-git], env: {Tok: '${GATE_TOKEN}'}}\n"
    )
    result = livery("validate", str(store))
    assert result.exit_code == 0
    assert "code.yaml:2:" in result.stdout and "'GATE_TOKEN' is not set (server 'git')" in result.stdout
    monkeypatch.setenv("GATE_TOKEN", "x")
    assert "GATE_TOKEN" not in livery("validate", str(store)).stdout


def test_an_old_single_file_is_an_error_that_names_the_migration(livery: Run, folder: Path) -> None:
    (folder / "old.yaml").write_text("servers:\n  - {name: git, cmd: [mcp-git]}\n")
    for source in ("old.yaml", "profile-store:old.yaml"):
        result = livery("validate", source)
        assert result.exit_code != 0
        assert "livery migrate profile-store" in result.stdout + result.stderr
