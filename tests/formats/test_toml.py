"""Reading TOML with places, and writing it."""

from __future__ import annotations

import datetime
import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livery.errors import Place, ValidationError
from livery.formats.toml import read_toml, write_toml


def test_dates_numbers_and_tables_keep_their_types() -> None:
    text = "day = 1979-05-27\nbig = 9223372036854775807\nhalf = 0.5\n[a.b]\nc = [1, 'x']\n"
    assert read_toml(text, "f.toml") == {
        "day": datetime.date(1979, 5, 27),
        "big": 2**63 - 1,
        "half": 0.5,
        "a": {"b": {"c": [1, "x"]}},
    }


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [("a = 1\na = 2\n", 2, 1), ("a = ", 1, 5), ("\n[a\n", 2, 3), ("a = [1\n", 1, 7), ("a = 'éx\n", 1, 8)],
)
def test_a_fault_names_file_line_and_column(text: str, line: int, column: int) -> None:
    with pytest.raises(ValidationError) as caught:
        read_toml(text, "f.toml")
    assert caught.value.origin == Place("f.toml", line, column)
    assert "line" not in caught.value.reason


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
VALUES = st.recursive(
    st.one_of(st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False), TEXTS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(TEXTS, VALUES, max_size=4))
def test_what_is_written_reads_back(value: dict[str, Any]) -> None:
    assert read_toml(write_toml(value), "f.toml") == value
    assert tomllib.loads(write_toml(value)) == value


def test_what_is_none_is_left_out() -> None:
    assert write_toml({"a": None, "b": {"c": None, "d": [1, None]}}) == "[b]\nd = [1]\n"


def test_values_stand_before_tables() -> None:
    assert write_toml({"t": {"x": 1}, "a": "multi\nline\n"}) == 'a = """\nmulti\nline\n"""\n\n[t]\nx = 1\n'


@pytest.mark.parametrize("value", [{1: 2}, {"a": object()}, {"a": "\ud800"}])
def test_what_has_no_form_in_toml_is_refused(value: Any) -> None:
    with pytest.raises(ValidationError, match="no form in TOML"):
        write_toml(value)
