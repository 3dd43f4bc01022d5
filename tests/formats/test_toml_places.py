"""Lines and columns of what stands in a TOML text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given

from livery.errors import Place
from livery.formats.toml import read_toml_document
from livery.formats.toml_nodes import read_key
from livery.formats.toml_places import Finder, locate_toml
from livery.formats.toml_text import value_text
from livery.formats.toml_values import identical
from tests.formats.toml_texts import texts, value_at

TEXT = """\
top = 1
a.b."c d" = { x = 1, y.z = [
  1, # one
  { k = "}" },
] }
[s.t]
n = '''
[not.a.table]'''
[[w.q]]
k = 1
[[w.q]]
  k = 2
[w.q.deep]
v = "é" # =
"""


@pytest.mark.parametrize(
    ("path", "line", "column"),
    [
        (("top",), 1, 1),
        (("a", "b"), 2, 3),
        (("a", "b", "c d"), 2, 5),
        (("a", "b", "c d", "y", "z"), 2, 24),
        (("a", "b", "c d", "y", "z", 1), 4, 3),
        (("a", "b", "c d", "y", "z", 1, "k"), 4, 5),
        (("s",), 6, 2),
        (("s", "t", "n"), 7, 1),
        (("w", "q", 1), 11, 5),
        (("w", "q", 1, "k"), 12, 3),
        (("w", "q", 1, "deep", "v"), 14, 1),
        (("s", "t", "missing", "x"), 6, 4),
        (("w", "q", 7, "k"), 9, 5),
    ],
)
def test_a_path_leads_to_the_line_and_column_of_its_key(path: tuple[str | int, ...], line: int, column: int) -> None:
    assert locate_toml(TEXT, "f.toml", [path]) == [Place("f.toml", line, column)]


def test_what_is_nowhere_has_no_place() -> None:
    assert locate_toml(TEXT, "f.toml", [("missing", "x"), (), (0,)]) == [None, None, None]


def test_a_byte_order_mark_takes_no_column() -> None:
    assert locate_toml("\ufeffa = 1\r\nb = 2\r\n", "f", [("a",), ("b",)]) == [Place("f", 1, 1), Place("f", 2, 1)]


def test_of_a_broken_text_the_sound_beginning_has_places() -> None:
    assert locate_toml("a = 1\nb = [\nc = 2\n", "f", [("a",), ("c",)]) == [Place("f", 1, 1), None]


@pytest.mark.parametrize("text", ["[" * 100_000, "a = " + "[" * 100_000, "a = " + "{b=" * 100_000, "\x00"])
def test_hostile_texts_have_no_places(text: str) -> None:
    assert locate_toml(text, "f", [("a",)]) == [None]


@given(texts())
def test_every_value_of_a_sound_text_is_found_as_it_is_written(text: str) -> None:
    document, finder = read_toml_document(text, ""), Finder(text, "")
    for path in _all_paths(document, ()):
        written = finder.value_text(path)
        value = value_at(document, path)
        assert finder.place(path) is not None
        if written is None:
            assert isinstance(value, dict | list), path
        else:
            assert identical(read_toml_document(f"x = {written}", "")["x"], value)


def _all_paths(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield (*path, key)
        yield from _all_paths(child, (*path, key))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a.b", ("a", "b")),
        (""" a . "x.\\u0079" . 'z"' """, ("a", "x.y", 'z"')),
        ("1.2", ("1", "2")),
        ('""', ("",)),
        ("a..b", None),
        ("", None),
        ("a.", None),
        ("a b", None),
        ("é", None),
        ('"\\q"', None),
        ("a = 1", None),
        ("a\nb", None),
    ],
)
def test_a_dotted_key_is_read_into_its_parts(text: str, names: tuple[str, ...] | None) -> None:
    assert read_key(text) == names


def test_a_key_written_anew_reads_back() -> None:
    assert read_toml_document(value_text({'q"\\': {"": 1, "\x00é": 2}}).join(("x = ", "")), "")["x"] == {
        'q"\\': {"": 1, "\x00é": 2}
    }
