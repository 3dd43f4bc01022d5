"""``watch``: changes as lines, from a real process."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import MAIN, SOURCE

Watch = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def watch(team: Path, compiled: Path) -> Iterator[Watch]:
    """The command as a process that has said what it watches."""
    running: list[subprocess.Popen[str]] = []
    environ = {**os.environ, "PYTHONPATH": str(SOURCE), "PYTHONPYCACHEPREFIX": str(compiled)}

    def start(*args: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", MAIN, "watch", *args]
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environ)
        running.append(process)
        assert process.stderr is not None
        assert process.stderr.readline() == "watching builtin:, yaml:team.yaml (stop with Ctrl-C)\n"
        return process

    yield start
    for process in running:
        process.kill()
        process.communicate()


def edit(team: Path, old: str, new: str) -> None:
    """What an editor does: a new file in place of the old one."""
    beside = team.with_name("team.yaml.new")
    beside.write_text(team.read_text().replace(old, new))
    beside.replace(team)


def line(process: subprocess.Popen[str]) -> str:
    """The next line, which has to come by itself: nothing is held back until the end."""
    assert process.stdout is not None
    text = process.stdout.readline()
    assert re.match(r"\d\d:\d\d:\d\d ", text), text
    return text[9:].rstrip("\n")


def test_each_change_is_a_line_as_soon_as_it_happens(watch: Watch, team: Path) -> None:
    process = watch()
    edit(team, "engine: large", "engine: huge")
    assert line(process) == "updated team/coder 1 -> 1 (runtime)"
    edit(team, "display_name: Coder", "display_name: Pilot")
    assert line(process) == "updated team/coder 1 -> 1 (presentation)"
    edit(team, "callers: {vscode: coder}", "callers: {vscode: base}")
    assert line(process) == "updated team 1 -> 1 (runtime)"


def test_a_write_of_another_command_is_a_line_with_its_versions(watch: Watch, livery, team: Path) -> None:
    process = watch()
    assert livery("profile", "set", "team/coder", "description=new").exit_code == 0
    assert line(process) == "updated team/coder 1 -> 2 (presentation)"
    assert livery("profile", "delete", "team/coder", "--yes").exit_code != 0  # a caller uses it: no line
    assert livery("profile", "create", "team/new").exit_code == 0
    assert line(process) == "created team/new 0 -> 1 (runtime)"


def test_a_broken_profile_and_its_repair_are_lines(watch: Watch, team: Path) -> None:
    process = watch()
    edit(team, "tools: [calculator]", "tools: 7")
    assert re.match(r"broken team/base: team\.yaml:\d+:\d+: .*tools", line(process))
    edit(team, "tools: 7", "tools: [calculator]")
    assert line(process) == "repaired team/base 1 -> 1 (runtime)"


def test_as_json_each_line_is_an_object(watch: Watch, team: Path) -> None:
    process = watch("-o", "json", "--count", "2")
    edit(team, "engine: large", "engine: huge")
    edit(team, "tools: [calculator]", "tools: 7")
    output, _ = process.communicate(timeout=60)
    first, second = sorted((json.loads(text) for text in output.splitlines()), key=lambda told: told["kind"])
    assert (first["kind"], first["profile"], "tools" in first["error"]) == ("broken", "base", True)
    assert second.pop("at_ms") > 1_600_000_000_000
    assert second == {
        "registry": "team", "profile": "coder", "kind": "updated", "from_version": 1, "to_version": 1,
        "scope": "runtime",
    }  # fmt: skip


def test_after_as_many_changes_as_were_asked_for_it_ends_well(watch: Watch, team: Path) -> None:
    process = watch("--count", "1")
    edit(team, "engine: large", "engine: huge")
    assert process.wait(60) == 0


def test_changes_of_another_registry_are_left_out_where_one_is_named(watch: Watch, team: Path, livery) -> None:
    process = watch("--registry", "other", "--count", "1")
    edit(team, "engine: large", "engine: huge")
    assert livery("registry", "create", "other").exit_code == 0
    output, _ = process.communicate(timeout=60)
    assert output[9:] == "created other 0 -> 1 (runtime)\n"


def test_it_ends_when_it_is_interrupted(watch: Watch) -> None:
    process = watch()
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, output, errors.strip()) == (130, "", "interrupted")


def test_it_ends_when_nobody_reads_any_more(watch: Watch, team: Path) -> None:
    process = watch()
    assert process.stdout is not None
    process.stdout.close()
    edit(team, "engine: large", "engine: huge")
    assert process.wait(60) == 1
    process.stdout = None


@pytest.mark.parametrize("count", ["0", "-1", "many"])
def test_a_count_that_is_none_is_refused(livery, team: Path, count: str) -> None:
    assert livery("watch", "--count", count).exit_code == 2
