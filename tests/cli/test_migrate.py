"""``migrate registry``: the command around the conversion."""

from __future__ import annotations

from pathlib import Path

import pytest

LEGACY = """\
default:
  ai-chat: {ai-engine: gpt-4o-mini}
  openai-chat: {openai-api-key: sk-in-clear}
agent:
  ai-chat: {ai-engine: gpt-4o}
"""


@pytest.fixture
def legacy(folder: Path) -> Path:
    file = folder / "old.yaml"
    file.write_text(LEGACY)
    return file


def test_the_new_document_is_shown_without_secrets(livery, legacy: Path) -> None:
    result = livery("migrate", "registry", "old.yaml")
    assert result.exit_code == 0 and result.stdout.startswith("slug: default\n")
    assert "2 profiles resolve to what they did before" in result.stderr
    assert "sk-in-clear" not in result.stdout and legacy.read_text() == LEGACY


def test_it_is_written_where_one_says(livery, legacy: Path, folder: Path) -> None:
    assert livery("migrate", "registry", "old.yaml", "-o", "new.yaml").exit_code == 0
    assert "sk-in-clear" in (folder / "new.yaml").read_text() and legacy.read_text() == LEGACY
    assert livery("validate", "new.yaml").exit_code == 0


def test_in_place_keeps_the_old_file_and_twice_is_once(livery, legacy: Path, folder: Path) -> None:
    assert livery("migrate", "registry", "old.yaml", "--in-place").exit_code == 0
    assert (folder / "old.yaml.bak").read_text() == LEGACY
    new = legacy.read_text()
    assert "nothing to change" in livery("migrate", "registry", "old.yaml", "--in-place").stderr
    assert legacy.read_text() == new


def test_a_trial_writes_nothing(livery, legacy: Path, folder: Path) -> None:
    before = sorted(folder.iterdir())
    assert livery("migrate", "registry", "old.yaml", "--in-place", "--dry-run").stdout.startswith("slug: default")
    assert sorted(folder.iterdir()) == before and legacy.read_text() == LEGACY


def test_wrong_uses_are_refused(livery, legacy: Path) -> None:
    assert livery("migrate", "registry", "missing.yaml").exit_code == 3
    assert livery("migrate", "registry", "old.yaml", "-o", "x", "--in-place").exit_code == 2


def test_a_legacy_map_is_read_and_says_how_to_write_it(livery, legacy: Path) -> None:
    assert "engine: gpt-4o\n" in livery("--source", "old.yaml", "resolve", "agent").stdout
    result = livery("--source", "old.yaml", "profile", "set", "agent", "chat.engine=x")
    assert result.exit_code == 5 and "livery migrate registry old.yaml --in-place" in result.stderr
