"""What a machine remembers: trust and the active profile, on both engines."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from livery.core.names import Reference
from livery.errors import LiveryError, SchemaTooNew, SourceUnavailable
from livery.state import State
from livery.stores.sql import open_database

A, B = Reference("team", "a"), Reference("team", "b")
Opened = Callable[[], State]


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a state can be made."""
    if request.param == "sqlite":
        return f"sqlite:{tmp_path / 'data' / 'livery' / 'state.db'}"
    return str(request.getfixturevalue("postgresql_database_url"))


@pytest.fixture
def opened(address: str) -> Iterator[Opened]:
    """The same state as another process has it."""
    states: list[State] = []

    def another() -> State:
        states.append(State(open_database(address)))
        return states[-1]

    yield another
    for state in states:
        state.close()


@pytest.fixture
def state(opened: Opened) -> State:
    return opened()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file of a state that is not there yet."""
    return tmp_path / "data" / "livery" / "state.db"


@pytest.fixture
def in_file(path: Path) -> Iterator[State]:
    state = State(open_database(path))
    yield state
    state.close()


# Both engines


def test_a_state_that_nobody_has_made_is_empty(state: State, tmp_path: Path) -> None:
    assert state.active_profile() is None
    assert state.is_trusted(tmp_path / ".livery.yaml", "sha256:x") is False
    assert state.use_previous() is None
    assert list(tmp_path.iterdir()) == []


def test_another_process_sees_what_was_remembered(opened: Opened, tmp_path: Path) -> None:
    opened().use(A, 1)
    opened().trust(tmp_path / "x", "sha256:x", 1)
    assert opened().active_profile() == A
    assert opened().is_trusted(tmp_path / "x", "sha256:x")


def test_a_file_is_trusted_with_its_content(state: State, tmp_path: Path) -> None:
    path = tmp_path / ".livery.yaml"
    state.trust(path, "sha256:one", 1)
    assert state.is_trusted(path, "sha256:one")
    assert not state.is_trusted(path, "sha256:two")
    assert not state.is_trusted(tmp_path / "other" / ".livery.yaml", "sha256:one")
    state.trust(path, "sha256:two", 2)
    assert state.is_trusted(path, "sha256:two") and not state.is_trusted(path, "sha256:one")


def test_a_file_is_the_same_by_whatever_way_one_came(state: State, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    state.trust(tmp_path / "link" / ".livery.yaml", "sha256:x", 1)
    assert state.is_trusted(tmp_path / "real" / ".." / "real" / ".livery.yaml", "sha256:x")


@pytest.mark.parametrize("name", ["\udcff", "it's; --", "ü ?#%20"])
def test_a_file_of_any_name_can_be_trusted(state: State, tmp_path: Path, name: str) -> None:
    state.trust(tmp_path / name / ".livery.yaml", "sha256:x", 1)
    assert state.is_trusted(tmp_path / name / ".livery.yaml", "sha256:x")


def test_the_last_profile_used_is_the_active_one_and_a_step_back_is_the_one_before(state: State) -> None:
    state.use(A, 1)
    state.use(B, 2)
    assert state.active_profile() == B
    assert state.use_previous() == A
    assert state.active_profile() == A
    assert state.use_previous() is None
    assert state.active_profile() is None


def test_the_active_profile_once_more_is_no_step(state: State) -> None:
    for reference in (A, B, B, B):
        state.use(reference, 1)
    assert state.use_previous() == A


def test_the_last_ten_are_kept_whatever_steps_were_taken_back(state: State) -> None:
    references = [Reference("team", f"p{number}") for number in range(12)]
    for reference in references:
        state.use(reference, 1)
    for _ in range(15):
        state.use(A, 1)
        state.use_previous()
    found = [state.active_profile()]
    while found[-1] is not None:
        found.append(state.use_previous())
    assert found[:-1] == references[:2:-1]


def test_many_writers_at_once_lose_nothing(opened: Opened, tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.yaml" for number in range(8)]
    states = [opened() for _ in paths]
    threads = [
        threading.Thread(target=state.trust, args=(path, "sha256:x", 1))
        for state, path in zip(states, paths, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(opened().is_trusted(path, "sha256:x") for path in paths)


USING = """
import sys
from livery.core.names import Reference
from livery.state import State
from livery.stores.sql import open_database
state = State(open_database(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
for number in range(20):
    state.use(Reference("team", f"{sys.argv[2]}{number}"), number)
    state.trust(f"/x/{sys.argv[2]}{number}", "sha256:x", 1)
"""


def test_processes_that_use_and_trust_at_once_leave_one_order_and_every_trust(address: str, opened: Opened) -> None:
    command = [sys.executable, "-c", USING, address]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen([*command, name], **pipes) for name in ("p", "q")]  # type: ignore[call-overload]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        process.communicate()
    assert [process.returncode for process in processes] == [0, 0]
    state = opened()
    trusted = [state.is_trusted(Path(f"/x/{name}{number}"), "sha256:x") for name in "pq" for number in range(20)]
    assert all(trusted)
    steps = [state.active_profile()]
    while steps[-1] is not None:
        steps.append(state.use_previous())
    assert len(steps) == 11 and {"p19", "q19"} >= {steps[0].profile if steps[0] else ""}


def test_a_schema_of_a_later_version_is_refused_and_the_way_out_is_named(address: str, opened: Opened) -> None:
    opened().use(A, 1)
    database = open_database(address)
    row = ("state", 99, 1)
    sql = "INSERT INTO livery_schema (part, version, applied_at_ms) VALUES (?, ?, ?)"
    with database.writing("state") as connection:
        connection.execute(sql, row)
    database.close()
    for ask in (lambda: opened().active_profile(), lambda: opened().use(B, 2)):
        with pytest.raises(SchemaTooNew, match=r"schema 99.*update Livery.*LIVERY_STATE"):
            ask()


def test_the_database_of_the_profiles_can_hold_the_state_as_well(address: str, opened: Opened) -> None:
    database = open_database(address)
    with database.writing("profiles"):
        pass
    assert opened().active_profile() is None
    assert database.schema_version("state") == 0
    opened().use(A, 1)
    assert (opened().active_profile(), database.schema_version("state")) == (A, 1)
    database.close()


def test_what_others_have_written_into_it_is_plain_text_to_us(address: str, opened: Opened) -> None:
    hostile = Reference("'; DROP TABLE active_profiles; --", "ü\n\x1b[31m")
    opened().use(hostile, 1)
    assert opened().active_profile() == hostile


# A file


def test_the_first_write_makes_a_private_file_in_a_private_folder(in_file: State, path: Path) -> None:
    in_file.use(A, 1)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_after_reading_and_writing_only_the_database_is_there(in_file: State, path: Path) -> None:
    in_file.use(A, 1)
    assert in_file.active_profile() == A
    in_file.close()
    assert [path.name for path in path.parent.iterdir()] == ["state.db"]


def test_a_read_only_folder_can_be_read(in_file: State, path: Path) -> None:
    in_file.use(A, 1)
    in_file.close()
    path.chmod(0o400)
    path.parent.chmod(0o500)
    assert State(open_database(path)).active_profile() == A
    path.parent.chmod(0o700)


@pytest.mark.parametrize("way", ["garbage", "directory", "below a file", "loop"])
def test_what_is_no_database_is_unavailable_and_named(tmp_path: Path, way: str) -> None:
    path = tmp_path / "state.db"
    if way == "garbage":
        path.write_bytes(b"this is no database" * 100)
    elif way == "directory":
        path.mkdir()
    elif way == "loop":
        path.symlink_to(path)
    else:
        path.write_text("")
        path = path / "state.db"
    with pytest.raises(SourceUnavailable, match=r"state database .*state\.db"):
        State(open_database(path)).use(A, 1)


def test_an_empty_file_is_an_empty_state(in_file: State, path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(b"")
    assert in_file.active_profile() is None
    in_file.use(A, 1)
    assert in_file.active_profile() == A


def test_a_path_with_any_character_is_a_file(tmp_path: Path) -> None:
    state = State(open_database(tmp_path / "a ?#%20b" / "ü.db"))
    state.use(A, 1)
    assert state.active_profile() == A
    state.close()
    assert os.listdir(tmp_path) == ["a ?#%20b"]


FORMER = """
CREATE TABLE trusted_files (path TEXT PRIMARY KEY, digest TEXT NOT NULL, trusted_at_ms INTEGER NOT NULL) STRICT;
CREATE TABLE active_profiles (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, registry TEXT NOT NULL, profile TEXT NOT NULL, used_at_ms INTEGER NOT NULL
) STRICT;
INSERT INTO trusted_files VALUES ('/x/.livery.yaml', 'sha256:x', 1);
INSERT INTO active_profiles (registry, profile, used_at_ms) VALUES ('team', 'a', 1), ('team', 'b', 2);
PRAGMA user_version = 1;
"""


def test_a_file_of_the_time_before_numbered_schemas_goes_on_working(in_file: State, path: Path) -> None:
    path.parent.mkdir(parents=True)
    former = sqlite3.connect(path)
    former.executescript(FORMER)
    former.close()
    before = path.read_bytes()
    assert in_file.active_profile() == B and in_file.is_trusted(Path("/x/.livery.yaml"), "sha256:x")
    assert path.read_bytes() == before
    in_file.use(Reference("team", "c"), 3)
    assert [in_file.use_previous(), in_file.use_previous()] == [B, A]
    assert in_file.is_trusted(Path("/x/.livery.yaml"), "sha256:x")


# PostgreSQL


def test_no_message_holds_the_password(guarded_postgresql_url: str) -> None:
    from tests.support.postgresql import PASSWORD

    wrong = guarded_postgresql_url.replace("correct", "wrong")
    for url in (wrong, "postgresql://me:hunter2@127.0.0.1:1/none"):
        state = State(open_database(url))
        for ask in (state.active_profile, lambda s=state: s.use(A, 1)):
            with pytest.raises(LiveryError, match="state database postgresql") as caught:
                ask()
            assert not {"hunter2", "horse", PASSWORD} & set(str(caught.value).replace(":", " ").split())
            assert "hunter2" not in str(caught.value) and "horse" not in str(caught.value)
        assert "hunter2" not in state.label and "horse" not in state.label


def test_a_state_goes_on_after_its_connections_were_cut(
    postgresql_database_url: str, postgresql_database: str, shared_postgresql: object
) -> None:
    state = State(open_database(postgresql_database_url))
    state.use(A, 1)
    shared_postgresql.disconnect(postgresql_database)  # type: ignore[attr-defined]
    state.use(B, 2)
    assert state.active_profile() == B
    state.close()
