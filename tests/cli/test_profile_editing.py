"""``profile edit``: a person's editor is a program that changes a file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest


@pytest.fixture
def editor(folder: Path, monkeypatch: pytest.MonkeyPatch):
    """Make the editor a sed script; what it was given is kept in ``seen``."""

    def use(script: str) -> Path:
        program = folder / "editor"
        program.write_text(f'#!/bin/sh\ncp "$1" seen\nls -l "$1" >mode\nsed -i "{script}" "$1"\n')
        program.chmod(0o700)
        monkeypatch.setenv("EDITOR", str(program))
        return folder / "seen"

    return use


def kept(stderr: str) -> Path | None:
    """The file that a message says a text is kept in."""
    found = re.search(r"kept in (\S+)", stderr)
    return Path(found[1]) if found else None


def test_what_is_saved_in_the_editor_is_written(livery, team: Path, editor) -> None:
    seen = editor("s/engine: large/engine: huge/")
    result = livery("profile", "edit", "team/coder")
    assert result.exit_code == 0, result.output
    assert "engine: huge" in team.read_text() and "# cheap" in team.read_text()
    assert "engine: large" in seen.read_text()


def test_secrets_are_hidden_and_come_back_unharmed(livery, team: Path, editor) -> None:
    seen = editor("s/mcp-server-git/mcp-server-hg/")
    assert livery("profile", "edit", "team/coder").exit_code == 0
    assert "abc" not in seen.read_text() and "$redacted: true" in seen.read_text()
    assert "GIT_TOKEN: abc" in team.read_text() and "mcp-server-hg" in team.read_text()


def test_the_file_is_private(livery, team, editor, folder: Path) -> None:
    editor("")
    livery("profile", "edit", "team/coder")
    assert (folder / "mode").read_text().startswith("-rw-------")


@pytest.mark.parametrize("script", ["", "d", "s/^# .*/# other words/"], ids=["unchanged", "emptied", "comments only"])
def test_without_a_change_nothing_is_written(livery, team: Path, editor, script: str) -> None:
    before = team.read_text()
    editor(script)
    result = livery("profile", "edit", "team/coder")
    assert result.exit_code == 0 and "nothing was changed" in result.stderr
    assert team.read_text() == before and kept(result.stderr) is None


@pytest.mark.parametrize("script", ["s/engine:/engin:/", "s/runtime:/[/"], ids=["unknown field", "no YAML"])
def test_faults_are_shown_with_their_lines_and_the_text_is_kept(livery, team: Path, editor, script: str) -> None:
    before = team.read_text()
    editor(script)
    result = livery("profile", "edit", "team/coder")
    file = kept(result.stderr)
    assert result.exit_code == 4 and team.read_text() == before
    assert file is not None and f"error: {file}:" in result.stderr
    file.unlink()


def test_somebody_elses_change_is_not_overwritten(livery, team: Path, folder: Path, monkeypatch) -> None:
    program = folder / "editor"
    program.write_text('#!/bin/sh\nsed -i "s/large/huge/" "$1"\nsed -i "s/tags: \\[dev\\]/version: 9/" team.yaml\n')
    program.chmod(0o700)
    monkeypatch.setenv("VISUAL", str(program))
    result = livery("profile", "edit", "team/coder")
    file = kept(result.stderr)
    assert result.exit_code == 6 and "engine: large" in team.read_text()
    assert file is not None and "huge" in file.read_text()
    file.unlink()


def test_a_profile_of_a_lower_source_is_laid_over(livery, team, editor, folder: Path) -> None:
    (folder / "mine.yaml").write_text("slug: team\nprofiles: {}\n")
    seen = editor("$ a description: mine")
    sources = ("--source", "team.yaml", "--source", "mine.yaml")
    assert livery("profile", "edit", "team/coder", *sources).exit_code == 0
    assert "# yaml:team.yaml says" in seen.read_text()
    assert "description: mine" in (folder / "mine.yaml").read_text()
    assert "engine" not in (folder / "mine.yaml").read_text()


def test_an_edit_can_be_tried(livery, team: Path, editor) -> None:
    before = team.read_text()
    editor("s/engine: large/engine: huge/")
    assert "~ chat.engine: large → huge" in livery("profile", "edit", "team/coder", "--dry-run").stdout
    assert team.read_text() == before


@pytest.mark.parametrize("program", ["no-such-editor", "false"])
def test_an_editor_that_does_not_work_is_named(livery, team, monkeypatch, program: str) -> None:
    monkeypatch.setenv("EDITOR", program)
    result = livery("profile", "edit", "team/coder")
    assert result.exit_code == 2 and program in result.stderr and kept(result.stderr) is None
