"""What a machine remembers: trust and the active profile."""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
from pathlib import Path

import pytest

from livery.core.names import Reference
from livery.errors import SchemaTooNew, SourceUnavailable, Unsupported, ValidationError
from livery.state import State, state_path

A, B = Reference("team", "a"), Reference("team", "b")


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path / "data" / "livery" / "state.db")


def test_reading_makes_nothing(state: State, tmp_path: Path) -> None:
    assert state.active_profile() is None
    assert state.is_trusted(tmp_path / ".livery.yaml", "sha256:x") is False
    assert state.use_previous() is None
    assert list(tmp_path.iterdir()) == []


def test_the_first_write_makes_a_private_file_in_a_private_folder(state: State) -> None:
    state.use(A, 1)
    assert stat.S_IMODE(state.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(state.path.parent.stat().st_mode) == 0o700


def test_after_reading_and_writing_only_the_database_is_there(state: State) -> None:
    state.use(A, 1)
    assert state.active_profile() == A
    assert [path.name for path in state.path.parent.iterdir()] == ["state.db"]


def test_a_read_only_folder_can_be_read(state: State) -> None:
    state.use(A, 1)
    state.path.chmod(0o400)
    state.path.parent.chmod(0o500)
    assert State(state.path).active_profile() == A
    state.path.parent.chmod(0o700)


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


def test_a_database_of_a_later_version_is_refused_and_left_alone(state: State) -> None:
    state.use(A, 1)
    with sqlite3.connect(state.path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    before = state.path.read_bytes()
    for ask in (state.active_profile, lambda: state.use(B, 2), lambda: state.trust(state.path, "x", 1)):
        with pytest.raises(SchemaTooNew, match=r"state\.db.*schema 99.*update Livery"):
            ask()
    assert state.path.read_bytes() == before


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
        State(path).use(A, 1)


def test_an_empty_file_is_an_empty_state(state: State) -> None:
    state.path.parent.mkdir(parents=True)
    state.path.write_bytes(b"")
    assert state.active_profile() is None
    state.use(A, 1)
    assert state.active_profile() == A


def test_many_writers_at_once_lose_nothing(state: State, tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.yaml" for number in range(8)]
    threads = [threading.Thread(target=state.trust, args=(path, "sha256:x", 1)) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(state.is_trusted(path, "sha256:x") for path in paths)


def test_a_path_with_any_character_is_a_file(tmp_path: Path) -> None:
    state = State(tmp_path / "a ?#%20b" / "ü.db")
    state.use(A, 1)
    assert state.active_profile() == A
    assert os.listdir(tmp_path) == ["a ?#%20b"]


@pytest.mark.parametrize(
    ("configured", "expected"),
    [
        ("", "/data/livery/state.db"),
        ("sqlite:/x/y.db", "/x/y.db"),
        ("sqlite:///x/y.db", "/x/y.db"),
        ("/x/y.db", "/x/y.db"),
        ("y.db", "y.db"),
    ],
)
def test_the_place_of_the_state_is_configured(configured: str, expected: str) -> None:
    assert state_path(configured, {"XDG_DATA_HOME": "/data", "HOME": "/h"}) == Path(expected)


def test_another_kind_of_database_is_refused() -> None:
    with pytest.raises(Unsupported, match="give sqlite:PATH"):
        state_path("postgresql://me:hunter2@db/x", {})
    for configured in ("mysql://me:hunter2@db/x", "sqlite:"):
        with pytest.raises(ValidationError, match="give sqlite:PATH") as caught:
            state_path(configured, {})
        assert "hunter2" not in str(caught.value)
