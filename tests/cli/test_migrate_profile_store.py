"""``migrate profile-store``: the command around the migration."""

from __future__ import annotations

from pathlib import Path

import pytest

OLD = """\
routeTimeoutSeconds: 30
servers:
  - {name: notes, cmd: [./notes], tags: [chat], env: {TOKEN: sk-in-clear}}  # private
  - {name: clock, cmd: [./clock]}
"""


@pytest.fixture
def old(folder: Path) -> Path:
    file = folder / "old.yaml"
    file.write_text(OLD)
    return file


def test_a_store_is_made_and_every_client_sees_what_it_saw(livery, old: Path) -> None:
    result = livery("migrate", "profile-store", "old.yaml", "store")
    assert result.exit_code == 0 and result.stdout == ""
    assert "proved equal for 3 clients" in result.stderr and "written: store; old.yaml stays" in result.stderr
    assert "notes" in livery("--source", "profile-store:store", "resolve", "--caller", "chat").stdout
    assert livery("validate", "profile-store:store").exit_code == 0


def test_a_trial_shows_the_tree_and_the_files_without_secrets(livery, old: Path, folder: Path) -> None:
    before = sorted(folder.iterdir())
    result = livery("migrate", "profile-store", "old.yaml", "store", "--dry-run")
    assert result.exit_code == 0 and sorted(folder.iterdir()) == before
    assert result.stdout.startswith("store/\n  runtime.yaml\n  callers.yaml\n  profiles/default.yaml\n")
    assert "# store/profiles/chat.yaml\nservers:\n  - {name: notes" in result.stdout and "# private" in result.stdout
    assert "sk-in-clear" not in result.output and "proved equal for 3 clients" in result.stderr


def test_a_second_run_says_that_there_is_nothing_to_do(livery, old: Path) -> None:
    livery("migrate", "profile-store", "old.yaml", "store")
    result = livery("migrate", "profile-store", "old.yaml", "store")
    assert result.exit_code == 0 and "nothing to change" in result.stderr


def test_a_directory_that_is_not_empty_is_replaced_by_force_alone(livery, old: Path, folder: Path) -> None:
    livery("migrate", "profile-store", "old.yaml", "store")
    old.write_text(OLD.replace("30", "31"))
    result = livery("migrate", "profile-store", "old.yaml", "store")
    assert result.exit_code == 6 and "--force replaces the store in it" in result.stderr
    assert "with --force" in livery("migrate", "profile-store", "old.yaml", "store", "--dry-run").stderr
    assert livery("migrate", "profile-store", "old.yaml", "store", "--force").exit_code == 0
    assert (folder / "store.bak-1/runtime.yaml").read_text() == "routeTimeoutSeconds: 30\n"


def test_clients_and_choices_are_taken_from_options(livery, old: Path, folder: Path) -> None:
    options = ["--client", "cursor=chat,web", "--default", "untagged"]
    result = livery("migrate", "profile-store", "old.yaml", "store", *options)
    assert result.exit_code == 0 and "no server has the tag 'web'" in result.stderr
    assert (folder / "store/profiles/default.yaml").read_text().count("name:") == 1
    assert (folder / "store/profiles/cursor.yaml").read_text().count("name:") == 2


@pytest.mark.parametrize(
    ("text", "options", "code", "message"),
    [
        ("servers:\n- {name: a, cmd: [x], fancy: 1}\n", [], 4, "old.yaml:2:23: servers[0].fancy"),
        ("subAgent: {model: m, provider: openai}\n" + OLD, [], 4, "--sub-agent all or --sub-agent none"),
        (OLD, ["--client", "x"], 2, "NAME=TAG,TAG"),
        (OLD, ["--default", "none"], 2, "untagged"),
    ],
)
def test_what_cannot_be_migrated_is_refused_and_nothing_written(
    livery, folder: Path, text: str, options: list[str], code: int, message: str
) -> None:
    (folder / "old.yaml").write_text(text)
    result = livery("migrate", "profile-store", "old.yaml", "store", *options)
    assert result.exit_code == code and message in result.stderr
    assert not (folder / "store").exists()


def test_a_missing_file_is_not_found(livery, folder: Path) -> None:
    assert livery("migrate", "profile-store", "old.yaml", "store").exit_code == 3
