"""Edits of TOML texts: exactly what was asked for, and nothing else."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livery.core.values import TypedText
from livery.errors import ValidationError
from livery.formats.edits import Drop, Put
from livery.formats.toml import read_toml_document
from livery.formats.toml_edit import changed, edit_toml
from livery.formats.toml_values import identical
from tests.formats.toml_texts import edits, texts

SERVER = """\
# licence

[server]   # the server
host = "x" # host
ports = [
  1, # one
  2, # two
]
env = { A = "1", b.c = 2 } # env

# last
[z]
d = 1979-05-27 # date
"""


@given(texts(), st.data())
def test_an_edited_text_has_exactly_the_value_that_was_asked_for(text: str, data: st.DataObject) -> None:
    before = read_toml_document(text, "")
    changes = data.draw(edits(before))
    after = edit_toml(text, changes)  # may refuse, but there is no text known for which it does
    assert identical(read_toml_document(after, ""), changed(before, changes))


@given(texts())
def test_an_edit_that_changes_nothing_gives_the_same_text(text: str) -> None:
    document = read_toml_document(text, "")
    assert edit_toml(text, [Put((key,), value) for key, value in document.items()]) == text
    assert edit_toml(text, [Drop(("no", "such"))]) == text


@given(texts(), st.data())
def test_what_an_older_reader_takes_it_takes_after_an_edit_too(text: str, data: st.DataObject) -> None:
    changes = data.draw(edits(read_toml_document(text, "")))
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    tomllib.loads(edit_toml(text, changes))


@given(texts())
def test_lines_that_no_edit_concerns_stay_in_their_order(text: str) -> None:
    rest = iter(edit_toml(text, [Put(("new",), {"x": 1}), Put(("plain",), 1)]).splitlines())
    assert all(line in rest for line in text.splitlines() if line.strip())


@pytest.mark.parametrize(
    ("text", "change", "expected"),
    [
        ("a.b = 1\nz = 2", Put(("a", "new", "x"), 1), "a.b = 1\na.new.x = 1\nz = 2"),
        ("[a]\nx = 1\n\n[c]\n", Put(("a", "b"), {"y": 2}), "[a]\nx = 1\n\n[a.b]\ny = 2\n\n[c]\n"),
        ("[a.b]\nx = 1\n", Put(("a", "y"), 2), "[a]\ny = 2\n\n[a.b]\nx = 1\n"),
        ("[a.b]\nx = 1\n", Drop(("a", "b")), "[a]\n"),
        ("a.b = 1\n", Drop(("a", "b")), "[a]\n"),
        ("# x\n[a]\ny = 1\n", Put(("z",), 1), "z = 1\n\n# x\n[a]\ny = 1\n"),
        ("[a]\r\nx = 1", Put(("a", "y"), "m\nn"), '[a]\r\nx = 1\r\ny = "m\\nn"'),
        ("[a]\nx = 1\n\n[b]\ny = 1\n\n[c]\n", Drop(("b",)), "[a]\nx = 1\n\n[c]\n"),
        ("x = {}\n", Put(("x", "y"), 1), "[x]\ny = 1\n"),
        ("x = { a = 1, b = 2 }\n", Drop(("x", "a")), "x = { b = 2 }\n"),
        ("x = 1979-05-27\n", Put(("x",), "1979-05-27"), 'x = "1979-05-27"\n'),
        ("x = 1\n", Put(("x",), True), "x = true\n"),
        ("x = 1\n", Put(("x",), 1.0), "x = 1.0\n"),
    ],
)
def test_an_edit_is_written_as_its_neighbours_are(text: str, change: Any, expected: str) -> None:
    assert edit_toml(text, [change]) == expected


def test_comments_stay_beside_the_items_and_keys_that_they_speak_of() -> None:
    edited = edit_toml(SERVER, [Put(("server", "ports"), [2, 3]), Drop(("server", "host")), Put(("server", "n"), 1)])
    assert edited == SERVER.replace('host = "x" # host\n', "").replace("  1, # one\n", "").replace(
        "  2, # two\n", "  2, # two\n  3,\n"
    ).replace("# env\n", "# env\nn = 1\n")


def test_a_list_of_tables_keeps_the_ones_that_stay_the_same() -> None:
    text = "[[w]]\nn = 1 # one\n\n[[w]]\nn = 2 # two\n\n[z]\n"
    edited = edit_toml(text, [Put(("w",), [{"n": 1}, {"n": 3, "deep": {"x": 1}}])])
    assert edited == "[[w]]\nn = 1 # one\n\n[[w]]\nn = 3\n\n[w.deep]\nx = 1\n\n[z]\n"


def test_a_new_text_is_laid_out_for_people() -> None:
    value = {"text": "one\ntwo\n", "ref": {"$secret": "env:X"}, "t": {"n": [1, 2], "deep": {"x": 1}}, "w": [{"n": 1}]}
    assert edit_toml("", [Put((), value)]) == (
        'text = """\none\ntwo\n"""\nref = { "$secret" = "env:X" }\n\n'
        "[t]\nn = [1, 2]\n\n[t.deep]\nx = 1\n\n[[w]]\nn = 1\n"
    )


def test_a_long_list_has_one_item_on_a_line() -> None:
    items = [f"{number:040}" for number in range(3)]
    assert edit_toml("x = 1\n", [Put(("x",), items)]).splitlines()[1] == f'    "{items[0]}",'


def test_byte_order_mark_line_endings_and_the_missing_end_of_line_stay() -> None:
    text = "\ufeffa = 1 # c\r\nb = 2"
    assert edit_toml(text, [Put(("a",), 5), Put(("c",), 3)]) == "\ufeffa = 5 # c\r\nb = 2\r\nc = 3"


def test_values_beyond_json_are_written_as_values() -> None:
    values = {"d": TypedText("1979-05-27T07:32:00.123456789-07:30"), "n": 2**60, "f": float("inf")}
    text = edit_toml("", [Put((), values)])
    assert text == "d = 1979-05-27T07:32:00.123456789-07:30\nn = 1152921504606846976\nf = inf\n"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (Put(("x", "y"), 1), "cannot be set in a number"),
        (Put(("l", 0), 1), "only be set as a whole"),
        (Put(("n",), None), "no form in TOML: null"),
        (Put(("n",), {"m": [1, None]}), "no form in TOML: null"),
        (Put(("n",), 2**64), "more than 64 bits"),
        (Put(("n",), TypedText("1\nother = 2")), "no text of a date"),
        (Put(("n\ud800",), 1), "surrogate"),
        (Put(tuple("a" * 70), 1), "nested deeper than 64"),
        (Put((), [1]), "a document is a table"),
        (Put(("n",), "x" * 2**20), "larger than"),
    ],
)
def test_what_cannot_be_written_is_refused_with_its_reason(change: Any, reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        edit_toml("x = 1\nl = [1]\n", [change])


def test_a_text_that_is_no_toml_is_not_edited() -> None:
    with pytest.raises(ValidationError) as caught:
        edit_toml("a = 1\nb = \n", [Put(("a",), 2)], "f.toml")
    assert str(caught.value.origin) == "f.toml:2:5"
