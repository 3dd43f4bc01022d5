"""Which database the state is in."""

from __future__ import annotations

from pathlib import Path

import pytest

from livery.errors import ValidationError
from livery.state import state_database
from livery.stores.urls import parse_source

ENVIRON = {"XDG_DATA_HOME": "/data", "HOME": "/h"}


@pytest.mark.parametrize(
    ("configured", "expected"),
    [
        ("", "sqlite:/data/livery/state.db"),
        ("sqlite:/x/y.db", "sqlite:/x/y.db"),
        ("sqlite:///x/y.db", "sqlite:/x/y.db"),
        ("/x/y.db", "sqlite:/x/y.db"),
        ("/x/state", "sqlite:/x/state"),
        ("y.db", "sqlite:y.db"),
        ("postgresql://me:hunter2@db/x", "postgresql://me:***@db/x"),
        ("postgres://me@db/x", "postgresql://me@db/x"),
    ],
)
def test_the_place_of_the_state_is_configured(configured: str, expected: str) -> None:
    assert state_database(configured, ENVIRON).label == expected


@pytest.mark.parametrize("configured", ["mysql://me:hunter2@db/x", "sqlite:", "postgresql:", "sqlite:/x?nonsense=1"])
def test_another_kind_of_database_is_refused(configured: str) -> None:
    with pytest.raises(ValidationError, match=r"give sqlite:PATH, postgresql://\.\.\. or a path") as caught:
        state_database(configured, ENVIRON)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("writer", "expected"),
    [
        ("sqlite:/x/team.db", "sqlite:/x/team.db"),
        ("postgresql://me@db/x", "postgresql://me@db/x"),
        ("yaml:/x/team.yaml", "sqlite:/data/livery/state.db"),
        ("memory:", "sqlite:/data/livery/state.db"),
    ],
)
def test_where_nobody_says_it_is_with_the_profiles_if_they_are_in_a_database(writer: str, expected: str) -> None:
    assert state_database("", ENVIRON, parse_source(writer)).label == expected
    assert state_database("/x/y.db", ENVIRON, parse_source(writer)).label == "sqlite:/x/y.db"


def test_a_folder_may_begin_with_a_tilde(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/h")
    assert Path(state_database("~/s.db", {}).label.removeprefix("sqlite:")) == Path("/h/s.db")
