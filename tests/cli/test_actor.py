"""Who writes: every write from the command line names somebody, in the audit and in what is stored."""

from __future__ import annotations

import json
import os
import pwd
from pathlib import Path

import pytest

from livery.cli.written import login_name
from tests.cli.conftest import Run

IMPORTED = "slug: crew\nprofiles: {cook: {}}\n"
WRITES = [
    "registry create team",
    "profile create team/base --set chat.engine=one",
    "profile create team/coder --set extends=[base]",
    "profile set team/coder chat.temperature=0.1",
    "profile unset team/coder chat.temperature",
    "profile edit team/coder",
    "profile rollback team/coder --to 2",
    "profile copy team/coder team/pilot",
    "profile rename team/base ground",
    "profile default team/coder",
    "profile delete team/pilot --yes",
    "caller set vscode coder -r team",
    "caller unset vscode -r team",
    "registry rollback team --to 1",
    "import crew.yaml",
    "import crew.yaml -r crew=other",
    "registry delete other --yes",
    "registry rollback other --to 1",
]


@pytest.fixture
def kept(livery: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command line of ann, over a database."""
    monkeypatch.setenv("LIVERY_SOURCES", f"sqlite:{folder / 'team.db'}?optional=1")
    monkeypatch.setenv("LOGNAME", "ann")
    return livery


def actors(livery: Run) -> list[str]:
    return [event["actor"] for event in json.loads(livery("audit", "-o", "json", "--limit", "1000").stdout)]


def test_every_command_that_writes_says_who_does(kept: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "crew.yaml").write_text(IMPORTED)
    editor = folder / "editor"
    editor.write_text('#!/bin/sh\necho "description: edited" >>"$1"\n')
    editor.chmod(0o700)
    monkeypatch.setenv("EDITOR", str(editor))
    for count, line in enumerate(WRITES):
        result = kept(*line.split())
        assert result.exit_code == 0, f"{line}: {result.output}"
        found = actors(kept)
        assert len(found) > count and set(found) == {"ann"}, line


def test_what_is_written_to_a_file_says_who_did(livery: Run, team: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVERY_ACTOR", "bob")
    assert livery("profile", "set", "team/coder", "description=new").exit_code == 0
    assert actors(livery) == ["bob"]


def test_a_configured_actor_goes_before_the_login_name(
    kept: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "livery.toml").write_text('actor = "from the file"\n')
    assert kept("registry", "create", "one").exit_code == 0
    monkeypatch.setenv("LIVERY_ACTOR", "release job")
    assert kept("registry", "create", "two").exit_code == 0
    assert actors(kept) == ["release job", "from the file"]


def test_the_login_name_is_logname_then_user_then_the_account() -> None:
    account = pwd.getpwuid(os.geteuid()).pw_name
    assert login_name({"LOGNAME": "ann", "USER": "bob"}) == "ann"
    assert login_name({"LOGNAME": " ", "USER": "bob"}) == "bob"
    assert login_name({"LOGNAME": ""}) == account
