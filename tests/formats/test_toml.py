"""Reading TOML with places, and writing it."""

from __future__ import annotations

import copy
import datetime
import tomllib
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livery.core.fingerprint import digest
from livery.core.layers import Origin, layer_of
from livery.core.merge import merge
from livery.core.schema import FREE
from livery.core.values import TypedText
from livery.errors import Place, ValidationError
from livery.formats.toml import MAX_TOML_BYTES, read_toml, read_toml_document, typed_like, write_toml
from livery.formats.toml_values import identical
from tests.formats.toml_texts import texts, values


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


# Documents: JSON values, and text where JSON has no type.


@pytest.mark.parametrize(
    "text",
    [
        "1979-05-27T07:32:00.123456789-07:30",
        "1979-05-27 07:32:00z",
        "1979-05-27",
        "07:32:00.5",
        "+inf",
        "-nan",
        "9007199254740992",
        "0x7fff_ffff_ffff_ffff",
    ],
)
def test_what_json_has_no_type_for_is_held_as_it_was_written(text: str) -> None:
    document = read_toml_document(f"a.b = [{{ c = {text} }}]", "f.toml")
    value = document["a"]["b"][0]["c"]
    assert (type(value), value) == (TypedText, text)
    assert read_toml_document(write_toml(document), "f.toml") == document


def test_numbers_that_json_has_stay_numbers() -> None:
    assert read_toml_document("a = 9007199254740991\nb = 1.0\nc = 0xff", "f") == {"a": 2**53 - 1, "b": 1.0, "c": 255}


def test_a_text_may_begin_with_a_mark_and_end_its_lines_as_it_likes() -> None:
    assert read_toml_document("\ufeffa = 1\r\nb = 2\r\n".encode(), "f") == {"a": 1, "b": 2}
    assert read_toml_document("\ufeffa = 1", "f") == {"a": 1}


@pytest.mark.parametrize(
    ("text", "reason", "place"),
    [
        (b"a = 1\n\xff = 1", "not UTF-8: byte 0xff", "f:2"),
        (b"a = '\x00'", "literal string", "f:1:6"),
        (b"x = 1\nb = [{ c = 9223372036854775808 }]", "more than 64 bits", "f:2:8"),
        (b"x = -9223372036854775809", "more than 64 bits", "f:1:1"),
        (b"x = " + b"[" * 65 + b"]" * 65, "nested deeper than 64", "f:1:69"),
        (b"x = " + b"[" * 1_000_000, "nested deeper than 64", "f:1:85"),
        (b"y = 1\n" + b".".join([b"a"] * 1000) + b" = 1", "nested deeper than 64", "f:2:1"),
        (b"[" * 10_000_000, "larger than", "f"),
        (b"a = '" + b"x" * MAX_TOML_BYTES + b"'", "larger than", "f"),
        ("é" * MAX_TOML_BYTES, "larger than", "f"),
        ("a = '\ud800'", "surrogates", "f"),
        (b"d = 1979-02-30", "invalid date", "f:1:5"),
    ],
)
def test_a_document_that_cannot_be_held_is_refused_with_its_place(text: Any, reason: str, place: str) -> None:
    with pytest.raises(ValidationError, match=reason) as caught:
        read_toml_document(text, "f")
    assert str(caught.value.origin) == place


@given(st.one_of(st.text(), st.binary(), st.text(alphabet="ab.=[]{}\"'#\n ,1-:T")))
def test_any_text_is_read_or_refused(text: str | bytes) -> None:
    try:
        read_toml_document(text, "f")
    except ValidationError as error:
        assert error.origin is not None


@given(st.dictionaries(TEXTS, values, max_size=3))
def test_what_is_written_of_a_document_reads_back_with_its_types(value: dict[str, Any]) -> None:
    assert identical(read_toml_document(write_toml(value), "f"), value)


@given(texts())
def test_a_whole_document_written_anew_has_the_same_values(text: str) -> None:
    document = read_toml_document(text, "f")
    assert identical(read_toml_document(write_toml(document), "f"), document)


def test_a_text_of_a_value_is_plain_text_to_everything_else() -> None:
    value = TypedText("1979-05-27")
    assert value == "1979-05-27" and hash(value) == hash("1979-05-27")
    assert orjson.dumps([value]) == b'["1979-05-27"]'
    assert type(copy.deepcopy(value)) is TypedText


def test_a_merge_keeps_the_type_and_a_fingerprint_takes_the_text() -> None:
    layers = [
        layer_of(Origin("profile"), {"step_settings_patch": patch}, FREE, "runtime")
        for patch in ({"l": ["a"]}, {"d": TypedText("1979-05-27"), "l": {"$append": [TypedText("07:32:00")]}})
    ]
    merged = merge(layers).values
    settings = merged["step_settings_patch"]
    assert identical(settings, {"l": ["a", TypedText("07:32:00")], "d": TypedText("1979-05-27")})
    assert digest(merged) == digest(orjson.loads(orjson.dumps(merged)))


DATE, MOMENT = TypedText("1979-05-27"), TypedText("1979-05-27T07:32:00Z")


@pytest.mark.parametrize(
    ("values", "like", "expected"),
    [
        ("2001-01-01", DATE, TypedText("2001-01-01")),
        ("2001-01-01", "text", "2001-01-01"),
        ("2001-01-01", MOMENT, "2001-01-01"),
        ("2001-02-30", DATE, "2001-02-30"),
        ("2001-01-01\n", DATE, "2001-01-01\n"),
        ("5", TypedText("9007199254740993"), TypedText("5")),
        ("-inf", TypedText("nan"), TypedText("-inf")),
        (
            {"a": {"b": "07:00:00"}, "c": 1},
            {"a": {"b": TypedText("08:00:00")}},
            {"a": {"b": TypedText("07:00:00")}, "c": 1},
        ),
        (["2001-01-01", "x", "2001-01-02"], [DATE], [TypedText("2001-01-01"), "x", TypedText("2001-01-02")]),
        ({"$append": ["2001-01-01"]}, [DATE], {"$append": [TypedText("2001-01-01")]}),
        (["2001-01-01"], {"$edits": [{"$remove": [DATE]}]}, [TypedText("2001-01-01")]),
        (2, 1.5, 2.0),
        (True, 1.5, True),
        (None, DATE, None),
    ],
)
def test_what_went_through_json_gets_its_types_back(values: Any, like: Any, expected: Any) -> None:
    assert identical(typed_like({"x": values}, {"x": like}), {"x": expected})


def test_of_several_examples_the_first_that_holds_a_string_decides() -> None:
    values = {"x": "2001-01-01", "y": "2001-01-01"}
    typed = typed_like(values, {"x": "text"}, {"x": DATE, "y": DATE})
    assert identical(typed, {"x": "2001-01-01", "y": TypedText("2001-01-01")})
