"""What was, from the command line: history, versions, rollback, audit, earlier states, the log from a number on."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from livery.cli.times import at_ms
from tests.cli.conftest import MAIN, SOURCE, Run


@pytest.fixture
def kept(livery: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command line over a database with three versions of team/coder, by two people."""
    monkeypatch.setenv("LIVERY_SOURCES", f"builtin:,sqlite:{folder / 'team.db'}?optional=1")
    monkeypatch.setenv("USER", "ann")
    assert livery("registry", "create", "team").exit_code == 0
    assert livery("profile", "create", "team/coder", "--set", "chat.engine=one").exit_code == 0
    monkeypatch.setenv("USER", "bob")
    assert livery("profile", "set", "team/coder", "chat.engine=two").exit_code == 0
    assert livery("profile", "set", "team/coder", "description=Writes code").exit_code == 0
    return livery


def test_a_history_is_a_table_with_the_newest_first(kept: Run) -> None:
    lines = kept("profile", "history", "team/coder").stdout.splitlines()
    assert lines[0].split() == ["SEQ", "TIME", "ACTOR", "ACTION", "VERSION", "CHANGES"]
    assert [line.split()[3:5] for line in lines[1:]] == [["bob", "update"], ["bob", "update"], ["ann", "create"]]
    assert lines[2].endswith("1 -> 2   chat.engine")


def test_a_history_as_json_has_the_differences(kept: Run) -> None:
    (event,) = json.loads(kept("profile", "history", "team/coder", "-o", "json", "--limit", "1").stdout)
    assert (event["to_version"], event["actor"], event["seq"]) == (3, "bob", 4)
    assert event["diff"] == [{"path": "description", "kind": "added", "before": None, "after": "Writes code"}]


def test_a_version_is_shown_as_it_was(kept: Run) -> None:
    shown = json.loads(kept("profile", "show", "team/coder", "--version", "1", "-o", "json").stdout)
    assert shown["runtime"]["step_settings_patch"]["chat"]["engine"] == "one"
    missing = kept("profile", "show", "team/coder", "--version", "9")
    assert missing.exit_code == 3 and "there are the versions 1 to 3" in missing.stderr


def test_versions_are_compared(kept: Run) -> None:
    assert kept("profile", "diff", "team/coder", "--from", "1", "--to", "2").stdout == "~ chat.engine: one → two\n"
    assert kept("profile", "diff", "team/coder", "--from", "3").stderr == "no difference\n"
    assert kept("profile", "diff", "team/coder@1", "team/coder@2", "--exit-code").exit_code == 1
    assert kept("profile", "diff", "team/coder@x", "team/coder").exit_code == 2
    assert kept("profile", "diff", "team/coder", "--to", "2").exit_code == 2


def test_a_rollback_is_a_new_version(kept: Run) -> None:
    result = kept("profile", "rollback", "team/coder", "--to", "1")
    assert result.stdout.startswith("team/coder has the content of version 1, version 4")
    assert "create" in kept("profile", "history", "team/coder", "--limit", "9").stdout
    assert kept("profile", "diff", "team/coder", "--from", "1").stderr == "no difference\n"


def test_a_rollback_is_tried_first(kept: Run) -> None:
    result = kept("profile", "rollback", "team/coder", "--to", "2", "--dry-run")
    assert "- description: Writes code" in result.stdout and "nothing was written" in result.stderr
    assert kept("profile", "rollback", "team/coder", "--to", "2", "--if-version", "2").exit_code == 6


def test_a_deleted_profile_can_be_looked_at_and_comes_back(kept: Run) -> None:
    assert kept("profile", "delete", "team/coder", "--yes").exit_code == 0
    assert "3 -> gone" in kept("profile", "history", "team/coder").stdout
    assert kept("profile", "show", "team/coder", "--version", "3").exit_code == 0
    assert "version 4" in kept("profile", "rollback", "team/coder", "--to", "3").stdout


def test_a_registry_has_a_history_and_comes_back(kept: Run) -> None:
    assert kept("registry", "delete", "team", "--yes").exit_code == 0
    assert "1 -> gone" in kept("registry", "history", "team").stdout
    assert kept("registry", "rollback", "team", "--to", "1").stdout == "team has the fields of version 1, version 2\n"
    assert "engine: two" in kept("resolve", "team/coder").stdout


def test_a_registry_comes_back_without_what_another_program_has_spoilt(kept: Run, folder: Path) -> None:
    with sqlite3.connect(folder / "team.db") as database:
        database.execute("INSERT INTO profiles (registry_slug, slug, runtime_json) VALUES ('team', 'spoilt', '{')")
    database.close()
    assert kept("registry", "delete", "team", "--yes").exit_code == 0
    result = kept("registry", "rollback", "team", "--to", "1")
    assert (result.exit_code, len(result.stderr.splitlines())) == (0, 1)
    assert result.stderr.startswith("warning: profile 'team/spoilt' does not come back with its registry: version 1")


def test_the_audit_is_asked_by_who_what_and_when(kept: Run) -> None:
    def actions(*options: str) -> list[str]:
        events = json.loads(kept("audit", "-o", "json", "--oldest-first", *options).stdout)
        return [f"{event['actor']} {event['action']} {event['profile']}".strip() for event in events]

    assert actions() == ["ann create", "ann create coder", "bob update coder", "bob update coder"]
    assert actions("--actor", "ann", "--action", "create", "-p", "team/coder") == ["ann create coder"]
    assert actions("-r", "other") == actions("--until", "1h ago") == actions("--since", "2999-01-01") == []
    assert len(actions("--since", "1h ago", "--limit", "3")) == 3


def test_the_audit_is_a_table_that_says_when_there_is_more(kept: Run) -> None:
    result = kept("audit", "--limit", "1")
    assert result.stdout.splitlines()[1].endswith("team/coder  2 -> 3   description")
    assert result.stderr == "only 1 change shown (--limit)\n"


def test_secrets_are_in_no_history(kept: Run) -> None:
    assert kept("profile", "set", "team/coder", "api.api_keys.openai-api-key=sk-in-clear").exit_code == 0
    shown = [
        kept("audit", "-o", "json"),
        kept("profile", "history", "team/coder", "-o", "json"),
        kept("profile", "diff", "team/coder", "--from", "3"),
        kept("profile", "show", "team/coder", "--version", "4"),
    ]
    assert "sk-in-clear" not in "".join(result.output for result in shown)


def test_a_profile_resolves_as_it_did_at_a_time(kept: Run) -> None:
    (first,) = json.loads(kept("audit", "-o", "json", "-p", "team/coder", "--action", "create").stdout)
    result = kept("resolve", "team/coder", "--at", str(first["at_ms"]), "-o", "json")
    assert json.loads(result.stdout)["effective_step_settings"]["chat"]["engine"] == "one"
    assert "warning: builtin: keeps no history" in result.stderr
    assert kept("resolve", "team/coder", "--at", "1h ago").exit_code == 3
    assert "engine: two" in kept("resolve", "team/coder", "--at", "now", "--explain").stdout


def test_old_versions_are_dropped_once_they_are_an_hour_old(kept: Run, folder: Path) -> None:
    assert kept("history", "prune").exit_code == 2
    assert kept("history", "prune", "--keep", "2", "--older-than", "30d").stdout == "0 old versions dropped\n"
    assert kept("history", "prune", "--keep", "2", "--older-than", "0s").stdout == "0 old versions dropped\n"
    with sqlite3.connect(folder / "team.db") as database:
        database.execute("UPDATE profile_revisions SET at_ms = at_ms - 3600000")  # an hour goes by
    database.close()
    assert kept("history", "prune", "--keep", "2", "--older-than", "0s").stdout == "1 old version dropped\n"
    assert "no longer kept" in kept("profile", "show", "team/coder", "--version", "1").stderr


def test_what_is_configured_is_dropped_where_nothing_is_said(kept: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    result = kept("history", "prune")
    assert result.exit_code == 2 and "configure history_keep" in result.stderr
    monkeypatch.setenv("LIVERY_HISTORY_KEEP", "2")
    assert kept("history", "prune").stdout == "0 old versions dropped\n"  # they are younger than 30 days


def test_files_have_versions_but_no_history(livery: Run, team: Path) -> None:
    for command in (["profile", "history", "team/coder"], ["profile", "rollback", "team/coder", "--to", "1"]):
        result = livery(*command)
        assert result.exit_code == 4 and "sqlite: or postgresql:" in result.stderr
    assert livery("profile", "show", "team/coder", "--version", "1").exit_code == 0


def test_the_audit_holds_what_was_written_to_files(livery: Run, team: Path) -> None:
    assert livery("profile", "set", "team/coder", "description=new").exit_code == 0
    (event,) = json.loads(livery("audit", "-o", "json").stdout)
    assert (event["action"], event["profile"], event["to_version"]) == ("update", "coder", 2)


def test_a_list_of_sources_tells_size_schema_and_number(kept: Run) -> None:
    row = json.loads(kept("source", "list", "-o", "json").stdout)[1]
    assert (row["profile_count"], row["schema_version"], row["seq"], row["health"]) == (1, 1, 4, "ok")
    assert row["size_bytes"] > 4096
    assert kept("source", "list").stdout.splitlines()[0].split()[6:8] == ["SIZE", "SCHEMA"]


# The log from a number on

Watch = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def watch(kept: Run, compiled: Path) -> Iterator[Watch]:
    running: list[subprocess.Popen[str]] = []
    environ = {**os.environ, "PYTHONPATH": str(SOURCE), "PYTHONPYCACHEPREFIX": str(compiled)}

    def start(*args: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", MAIN, "watch", "-o", "json", *args]
        pipe = subprocess.PIPE
        running.append(subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environ))
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.communicate()


def told(process: subprocess.Popen[str]) -> dict[str, object]:
    assert process.stdout is not None
    found: dict[str, object] = json.loads(process.stdout.readline())
    return found


def test_a_watcher_that_was_away_misses_nothing(watch: Watch, kept: Run) -> None:
    process = watch("--since", "2")
    assert [told(process)["seq"], told(process)["seq"]] == [3, 4]
    assert kept("profile", "set", "team/coder", "chat.engine=three").exit_code == 0
    change = told(process)
    assert (change["seq"], change["kind"], change["from_version"], change["to_version"]) == (5, "updated", 3, 4)


def test_a_watcher_without_a_number_is_told_it(watch: Watch, kept: Run) -> None:
    process = watch("--count", "1")
    assert process.stderr is not None and "watching" in process.stderr.readline()
    assert kept("profile", "set", "team/coder", "chat.engine=three").exit_code == 0
    assert told(process)["seq"] == 5


def test_a_number_that_was_not_given_yet_is_an_error(kept: Run) -> None:
    result = kept("watch", "--since", "99")
    assert result.exit_code == 2 and "the last logged change, which is 4" in result.stderr


# Times


NOW = 1_800_000_000_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2h ago", NOW - 7_200_000),
        ("3 d ago", NOW - 259_200_000),
        ("now", NOW),
        ("1700000000000", 1_700_000_000_000),
        ("2026-01-31T10:00:00Z", 1_769_853_600_000),
        ("2026-01-31T10:00+01:00", 1_769_850_000_000),
        ("1960-01-01T00:00Z", 0),
    ],
)
def test_times_are_read_in_many_forms(text: str, expected: int) -> None:
    assert at_ms(text, NOW) == expected


def test_a_time_without_a_zone_is_local(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC-2")
    time.tzset()
    try:
        assert at_ms("2026-01-31", NOW) == at_ms("20260131", NOW) == at_ms("2026-01-30T22:00Z", NOW)
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize("text", ["", "soon", "1700000000", "2026-13-01", "99999999999999 w ago", "-5"])
def test_what_is_no_time_says_which_forms_there_are(kept: Run, text: str) -> None:
    result = kept("audit", f"--since={text}")
    assert result.exit_code == 2 and "write" in result.stderr


@pytest.mark.parametrize("text", ["", "30", "d", "-3d"])
def test_what_is_no_length_of_time_says_so(kept: Run, text: str) -> None:
    assert kept("history", "prune", f"--older-than={text}").exit_code == 2


def test_what_was_not_there_at_a_time_says_which_time(kept: Run) -> None:
    result = kept("resolve", "team/coder", "--at", "2020-01-31T10:00")
    assert result.exit_code == 3
    assert "this is what there was at 2020-01-31 10:00:00" in result.stderr


def test_where_nothing_keeps_a_history_no_warning_comes_first(livery: Run, team: Path) -> None:
    result = livery("resolve", "coder", "--at", "now", "--source", str(team))
    assert result.exit_code == 4 and "keeps no history" not in result.stderr


def test_no_actor_is_too_long_or_too_strange_for_a_table(kept: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVERY_ACTOR", "\u200f\u2028" + "A" * 10_000)
    kept("profile", "set", "team/coder", "chat.engine=three")
    newest = kept("audit", "--limit", "1").stdout.splitlines()[1]
    assert len(newest) < 200 and "\\x200f\\x2028AAA" in newest and "…" in newest


def test_nobody_has_a_name_that_no_database_holds(kept: Run) -> None:
    result = kept("audit", "--actor", "bad\udcff", "-o", "json")
    assert (result.exit_code, result.stdout) == (0, "[]\n")


def test_a_history_that_is_cut_says_so(kept: Run) -> None:
    assert kept("profile", "history", "team/coder", "--limit", "2").stderr == "only 2 changes shown (--limit)\n"
    assert kept("registry", "history", "team", "--limit", "1").stderr == "only 1 change shown (--limit)\n"


def test_no_number_is_too_long_for_a_time(kept: Run) -> None:
    assert kept("audit", "--since", "9" * 5_000, "-o", "json").stdout == "[]\n"
