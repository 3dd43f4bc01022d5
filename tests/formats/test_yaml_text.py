"""Writing YAML: what is written reads back to the same value, in this reader and in those of YAML 1.1."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livery.errors import ValidationError
from livery.formats.yaml import read_yaml, write_yaml
from livery.formats.yaml_nodes import Source
from livery.formats.yaml_values import read_nodes

TEXTS = st.one_of(
    st.text(),
    st.text(alphabet="ab \n\t:#-'\"\\,[]{}&*!|>%@`?0._~=é\r\x00\x85\u2028\ufeff\U0001f600", max_size=12),
    st.sampled_from(
        ["no", "Y", "off", "~", "null", "017", "1_000", "1:30", "2001-01-01", "0x1F", "1e3", ".5", "<<", "="]
    ),
)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.floats(allow_nan=False), TEXTS
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(TEXTS.filter(lambda key: key != "<<"), inner, max_size=4)
    ),
    max_leaves=12,
)


def same(one: Any, other: Any) -> bool:
    return repr(one) == repr(other)  # 1 is not 1.0 and not true; keys in order


@given(VALUES)
def test_every_value_reads_back_as_it_was(value: Any) -> None:
    assert same(read_yaml(write_yaml(value), "f.yaml"), value)


@given(VALUES)
def test_the_exact_reader_reads_the_same(value: Any) -> None:
    assert same(read_nodes(Source(write_yaml(value), "f.yaml")), value)


@given(VALUES)
def test_readers_of_yaml_1_1_read_the_same(value: Any) -> None:
    pyyaml = pytest.importorskip("yaml")
    assert same(pyyaml.safe_load(write_yaml(value)), value)


@pytest.mark.parametrize(
    "text", ["no", "YES", "on", "y", "N", "017", "1_000", "1:30", "2001-01-01", "0o7", ".5", "1e3", "~"]
)
def test_words_that_yaml_1_1_reads_otherwise_are_quoted(text: str) -> None:
    assert write_yaml({"a": text}) == f'a: "{text}"\n'


@pytest.mark.parametrize(
    "text",
    [
        "gpt-5-mini",
        "You are concise.",
        "http://host:80/path?a=b#c",
        "/etc/x",
        "$HOME/x",
        "it's",
        "a, b [c] {d}",
        "naïve",
    ],
)
def test_ordinary_text_is_not_quoted(text: str) -> None:
    assert write_yaml({"a": text}) == f"a: {text}\n"


def test_a_document_looks_as_a_person_would_write_it() -> None:
    value = {
        "slug": "default",
        "profiles": {
            "assistant": {
                "runtime": {
                    "step_settings_patch": {"chat": {"engine": "gpt-5-mini", "temperature": 0.2, "stop": None}},
                    "system_prompt": "You are concise.\n\n  Indented: yes\n",
                    "middlewares": [{"name": "logging", "config": {}}, {"name": "x", "tags": []}],
                    "tools": ["calculator", "no"],
                },
            }
        },
        "note": "one\ntwo",
    }
    assert write_yaml(value) == (
        "slug: default\n"
        "profiles:\n"
        "  assistant:\n"
        "    runtime:\n"
        "      step_settings_patch:\n"
        "        chat:\n"
        "          engine: gpt-5-mini\n"
        "          temperature: 0.2\n"
        "          stop: null\n"
        "      system_prompt: |\n"
        "        You are concise.\n"
        "\n"
        "          Indented: yes\n"
        "      middlewares:\n"
        "        - name: logging\n"
        "          config: {}\n"
        "        - name: x\n"
        "          tags: []\n"
        "      tools:\n"
        "        - calculator\n"
        '        - "no"\n'
        "note: |-\n"
        "  one\n"
        "  two\n"
    )


@pytest.mark.parametrize(
    ("number", "text"), [(1e16, "1.0e+16"), (1e-7, "1.0e-07"), (1.5, "1.5"), (math.inf, ".inf"), (2.0, "2.0")]
)
def test_numbers_are_written_as_every_reader_knows_them(number: float, text: str) -> None:
    assert write_yaml({"a": number}) == f"a: {text}\n"


def test_not_a_number_is_written() -> None:
    assert write_yaml([math.nan]) == "- .nan\n"


@pytest.mark.parametrize("value", [{1: "a"}, {"a": 2**64}, {"a": {1, 2}}, {"a": "\ud800"}, {"a": b"x"}])
def test_what_has_no_form_in_yaml_is_refused(value: Any) -> None:
    with pytest.raises(ValidationError):
        write_yaml(value)


def test_marks_that_hide_text_are_written_as_escapes() -> None:
    assert write_yaml({"a": "x\u202ey\ufeff"}) == 'a: "x\\u202ey\\ufeff"\n'


def test_a_key_too_long_for_one_line_reads_back() -> None:
    value = {"k" * 3000: {"a": 1}, "b": [2]}
    assert read_yaml(write_yaml(value), "f.yaml") == value
