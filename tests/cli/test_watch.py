"""``watch``: changes as lines, from a real process."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Thread

import pytest

from livery.cli.commands.watch import _Log, _News, _Told
from livery.service import RegistryService
from tests.cli.conftest import MAIN, SOURCE
from tests.support.registries import ALICE, opened
from tests.support.waiting import until

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


# The log of a database, from a number on


@pytest.fixture
def profiles(folder: Path) -> Path:
    """A database with a registry, a profile, and one change of it: its log ends at 3."""
    path = folder / "db" / "own.db"
    path.parent.mkdir()
    with_profiles(path, "team")
    return path


def with_profiles(path: Path, slug: str) -> None:
    service = opened(f"sqlite:{path}?optional=1")
    service.create_registry({"slug": slug}, ALICE)
    service.create_profile(slug, {"slug": "coder"}, ALICE)
    service.update_profile(slug, "coder", {"description": "two"}, ALICE)
    service.close()


def described(path: Path, text: str, slug: str = "team") -> None:
    """A change by another process."""
    service = opened(f"sqlite:{path}")
    service.update_profile(slug, "coder", {"description": text}, ALICE)
    service.close()


@pytest.fixture
def follow(folder: Path, compiled: Path) -> Iterator[Watch]:
    """``watch -o json`` over some sources, as a process that has said what it watches."""
    environ = {**os.environ, "PYTHONPATH": str(SOURCE), "PYTHONPYCACHEPREFIX": str(compiled)}
    with ExitStack() as running:

        def start(sources: str, *args: str) -> subprocess.Popen[str]:
            command = [sys.executable, "-c", MAIN, "watch", "-o", "json", *args]
            pipe, settings = subprocess.PIPE, {**environ, "LIVERY_SOURCES": sources}
            process = subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=settings)
            running.callback(process.communicate)
            running.callback(process.kill)
            assert process.stderr is not None and process.stderr.readline().startswith("watching ")
            return process

        yield start


def told(process: subprocess.Popen[str]) -> dict[str, object]:
    assert process.stdout is not None
    found: dict[str, object] = json.loads(process.stdout.readline())
    return found


def lost(path: Path) -> Path:
    """The database is somewhere else for a time, and what is in its place cannot be used."""
    away = path.parent.with_name("away")
    path.parent.rename(away)
    path.mkdir(parents=True)
    return away / path.name


def found_again(path: Path, away: Path) -> None:
    path.rmdir()
    path.parent.rmdir()
    away.parent.rename(path.parent)


def test_a_watcher_goes_on_when_its_database_is_back(follow: Watch, profiles: Path) -> None:
    process = follow(f"sqlite:{profiles}", "--since", "2")
    assert told(process)["seq"] == 3
    away = lost(profiles)
    outage = told(process)
    assert (outage["kind"], outage["registry"], "seq" in outage) == ("broken", "team", False)
    described(away, "three")
    found_again(profiles, away)
    changes = [told(process), told(process)]
    assert sorted((str(change["kind"]), change.get("seq", 0)) for change in changes) == [
        ("repaired", 0),
        ("updated", 4),
    ]
    described(profiles, "four")
    assert told(process)["seq"] == 5


@pytest.fixture
def service(profiles: Path) -> Iterator[RegistryService]:
    service = opened(f"sqlite:{profiles}")
    yield service
    service.close()


def test_a_log_that_cannot_be_asked_is_waited_for(
    service: RegistryService, profiles: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log, found, said = _Log(service, 1), list[_Told](), list[str]()
    away = lost(profiles)
    news = _News(2, service.catalogue.seqs, [], 0)
    asking = Thread(target=lambda: found.extend(log.told(news)))
    asking.start()
    until(lambda: said.append(capsys.readouterr().err) or "".join(said))
    found_again(profiles, away)
    asking.join()
    assert [told.change.seq for told in found] == [2, 3]
    assert "is unavailable" in "".join(said) and "told when it is back" in "".join(said)
    assert len("".join([*said, capsys.readouterr().err]).splitlines()) == 1


def test_changes_of_a_database_that_is_only_read_are_told_too(follow: Watch, profiles: Path, folder: Path) -> None:
    other = folder / "other.db"
    with_profiles(other, "other")
    process = follow(f"sqlite:{other}?readonly=1,sqlite:{profiles}", "--since", "3")
    described(other, "three", "other")
    change = told(process)
    assert (change["registry"], change["seq"]) == ("other", 4) and "other.db" in str(change["source"])
    described(profiles, "three")
    change = told(process)
    assert (change["registry"], change["seq"]) == ("team", 4) and "own.db" in str(change["source"])


def test_a_profile_of_two_databases_is_told_once(follow: Watch, profiles: Path, folder: Path) -> None:
    other = folder / "other.db"
    with_profiles(other, "team")
    process = follow(f"sqlite:{other}?readonly=1,sqlite:{profiles}", "--since", "3")
    for text in ("three", "four"):
        described(profiles, text)
    assert [told(process)["seq"], told(process)["seq"]] == [4, 5]
    described(other, "three")
    assert "seq" not in told(process)


def test_an_older_database_in_its_place_is_followed_from_its_end(
    service: RegistryService, capsys: pytest.CaptureFixture[str]
) -> None:
    log = _Log(service, 3)
    label = service.sources[0].label
    assert list(log.told(_News(1, {label: 3}, [], 0))) == []
    assert list(log.told(_News(2, {label: 1}, [], 0))) == []
    assert "its log ends at 1" in capsys.readouterr().err
    assert [told.change.seq for told in log.told(_News(3, {label: 3}, [], 0))] == [2, 3]
