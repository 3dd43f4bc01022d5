"""``livery store init``."""

from __future__ import annotations

from pathlib import Path

import pytest


def contents(directory: Path) -> dict[str, str]:
    return {str(path.relative_to(directory)): path.read_text() for path in directory.rglob("*") if path.is_file()}


def test_a_store_is_made_that_is_sound(livery, folder: Path) -> None:
    result = livery("store", "init", "mcp")
    assert (result.exit_code, result.stdout) == (0, "made mcp/profiles/default.yaml\nmade mcp/callers.yaml\n")
    assert sorted(contents(folder / "mcp")) == ["callers.yaml", "profiles/default.yaml"]
    checked = livery("validate", "profile-store:mcp", "--strict")
    assert (checked.exit_code, checked.stderr) == (0, "0 errors, 0 warnings; 1 profile in 1 source\n")


def test_doing_it_twice_changes_nothing(livery, folder: Path) -> None:
    livery("store", "init", "mcp")
    before = contents(folder / "mcp")
    result = livery("store", "init", "mcp")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "nothing was changed" in result.stderr
    assert contents(folder / "mcp") == before


def test_what_is_there_stays_as_it_is(livery, folder: Path) -> None:
    files = {"mcp/runtime.yaml": "routeTimeoutSeconds: 5\n", "mcp/callers.yml": "", "mcp/profiles/Default.yml": "x"}
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    livery("store", "init", "mcp")
    assert {f"mcp/{name}": text for name, text in contents(folder / "mcp").items()} == files


def test_gaps_are_filled(livery, folder: Path) -> None:
    (folder / "mcp/profiles").mkdir(parents=True)
    (folder / "mcp/profiles/chat.yaml").write_text("servers: []\n")
    assert livery("store", "init", "mcp").exit_code == 0
    assert sorted(contents(folder / "mcp")) == ["callers.yaml", "profiles/chat.yaml", "profiles/default.yaml"]


@pytest.mark.parametrize("text", ["hello", "servers: []\n"])
def test_a_file_is_not_made_a_directory(livery, folder: Path, text: str) -> None:
    (folder / "mcp").write_text(text)
    result = livery("store", "init", "mcp")
    assert result.exit_code == 4 and result.stderr.startswith("error: mcp:")
    assert (folder / "mcp").read_text() == text


def test_a_directory_with_an_old_single_file_is_left_alone(livery, folder: Path) -> None:
    (folder / "runtime.yaml").write_text("servers: []\n")
    result = livery("store", "init", ".")
    assert result.exit_code == 4 and "livery migrate profile-store runtime.yaml DIR" in result.stderr
    assert not (folder / "profiles").exists()
