"""A set of files as it stands: one consistent look, a token of the content alone, rest while files are written."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from livery.errors import SourceNotFound, SourceUnavailable
from livery.stores.directory_state import DirectoryState, token_of
from livery.stores.files import atomic_write


@pytest.fixture
def state(tmp_path: Path) -> DirectoryState:
    (tmp_path / "a").write_text("one")
    (tmp_path / "b").write_text("two")
    return DirectoryState("test:", lambda: sorted(tmp_path.iterdir()))


def test_the_contents_are_those_of_all_files(state: DirectoryState, tmp_path: Path) -> None:
    assert state.contents() == {tmp_path / "a": b"one", tmp_path / "b": b"two"}
    assert token_of(state.contents()) == state.token()


def test_a_file_that_cannot_be_read_is_there_with_its_error(state: DirectoryState, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "c")
    (tmp_path / "d").symlink_to("nowhere")
    contents = state.contents()
    assert isinstance(contents[tmp_path / "c"], SourceUnavailable)
    assert isinstance(contents[tmp_path / "d"], SourceNotFound)
    assert token_of(contents) == state.token()


def test_the_token_tells_content_and_not_times(state: DirectoryState, tmp_path: Path) -> None:
    before = state.token()
    os.utime(tmp_path / "a", (1, 1))
    assert state.token(before) == before
    (tmp_path / "a").write_text("eno")
    after = state.token(before)
    assert after != before
    (tmp_path / "a").write_text("one")
    assert state.token(after) == before


def test_new_and_removed_files_change_the_token(state: DirectoryState, tmp_path: Path) -> None:
    before = state.token()
    (tmp_path / "c").write_text("")
    more = state.token(before)
    (tmp_path / "c").unlink()
    assert more != before
    assert state.token(more) == before


def test_what_moves_from_one_file_to_another_changes_the_token(state: DirectoryState, tmp_path: Path) -> None:
    before = state.token()
    (tmp_path / "b").rename(tmp_path / "c")
    assert state.token(before) != before


def test_files_written_one_after_another_are_told_together(state: DirectoryState, tmp_path: Path) -> None:
    before = state.token()
    (tmp_path / "a").write_text("first")
    later = threading.Timer(0.02, lambda: (tmp_path / "b").write_text("second"))
    later.start()
    told = state.token(before)
    later.join()
    assert told == state.token()


def test_what_was_written_from_here_is_told_too(state: DirectoryState, tmp_path: Path) -> None:
    before = state.token()
    atomic_write(tmp_path / "a", b"new")
    state.wrote(tmp_path / "a", b"new")
    (tmp_path / "b").unlink()
    state.wrote(tmp_path / "b", None)
    assert state.token(before) == token_of({tmp_path / "a": b"new"})


def test_a_directory_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    def missing() -> list[Path]:
        raise SourceNotFound(str(tmp_path / "x"))

    state = DirectoryState("test:", missing)
    for ask in (state.contents, state.token, lambda: state.token("before")):
        with pytest.raises(SourceNotFound):
            ask()
