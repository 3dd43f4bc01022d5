"""Reading YAML: every case holds for the fast reader and for the exact one that replaces it where it is missing."""

from __future__ import annotations

import gc
import math
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from livery.errors import Place, ValidationError
from livery.formats import yaml
from livery.formats.yaml import read_yaml
from livery.formats.yaml_fast import read_fast
from livery.formats.yaml_values import read_nodes

Read = Callable[[str | bytes], Any]


@pytest.fixture(params=[read_fast, read_nodes], ids=["fast", "exact"])
def read(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Read:
    monkeypatch.setattr(yaml, "_read", request.param)
    return lambda text: read_yaml(text, "f.yaml")


def fault(read: Read, text: str | bytes) -> str:
    with pytest.raises(ValidationError) as caught:
        read(text)
    return str(caught.value)


@pytest.mark.parametrize("text", ["", "\n", "# only\n# comments\n", "---\n", "\ufeff", "null", "~"])
def test_a_text_without_content_is_none(read: Read, text: str) -> None:
    assert read(text) is None


SCALARS = {
    # the words that YAML 1.1 takes for something else stay text
    "no": "no", "Yes": "Yes", "on": "on", "017": "017", "1_000": "1_000", "2001-01-01": "2001-01-01",
    "2001-01-01T10:00:00Z": "2001-01-01T10:00:00Z", "1:30": "1:30", "nan": "nan", "0.1e400": "0.1e400",
    # numbers
    "1": 1, "-0": 0, "+7": 7, "0o17": 15, "0x1F": 31, "-0x1F": -31, "0b11": 3, "1e3": 1000.0, "1.": 1.0, ".5": 0.5,
    "-.5": -0.5, "0123.5": 123.5, "18446744073709551615": 2**64 - 1, "-9223372036854775808": -(2**63),
    ".inf": math.inf, "-.INF": -math.inf, "+.inf": math.inf,
    # the rest
    "true": True, "FALSE": False, "tRue": "tRue", "null": None, "~": None, "": None, "Null": None,
    "'1'": "1", '"\\x41\\n"': "A\n", "!!str 12": "12", "!!int '3'": 3, "!!float 3": 3.0, "!!null ~": None,
    "b\tc": "b\tc", "\tb\t# c": "b", "a b # c": "a b", "http://x:80/a#b": "http://x:80/a#b",
    "|\n  x\n\n  y\n": "x\n\ny\n", ">-\n  x\n  y\n": "x y", "x\n  y": "x y",
}  # fmt: skip


@pytest.mark.parametrize("text", SCALARS)
def test_scalars_have_the_values_of_yaml_1_2(read: Read, text: str) -> None:
    value = read(f"a: {text}")["a"]
    assert (value, type(value)) == (SCALARS[text], type(SCALARS[text]))


def test_not_a_number_passes_as_a_float(read: Read) -> None:
    assert math.isnan(read("a: .nan")["a"])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("- 1\n-\n- [a, {b: 2}]\n", [1, None, ["a", {"b": 2}]]),
        ("a:\n- b\nc: d", {"a": ["b"], "c": "d"}),
        ('{"a":[1,{"b":null}]}', {"a": [1, {"b": None}]}),
        ("? a\n? b\n: c", {"a": None, "b": "c"}),
        ("\ufeffa: 1\r\nb: 2\r\n", {"a": 1, "b": 2}),
        ("%YAML 1.1\n---\na: no\n...\n", {"a": "no"}),
        ("a: [b: 1, c]", {"a": [{"b": 1}, "c"]}),
        ("'1': a\n!!str 2: b\n\"null\": c", {"1": "a", "2": "b", "null": "c"}),
        ("a: 1 !x\nb: '!y'\nc: |\n  !z\n\"!k\": v", {"a": "1 !x", "b": "!y", "c": "!z\n", "!k": "v"}),
        ("a: '" + "9" * 50 + "'", {"a": "9" * 50}),
    ],
)
def test_documents_are_plain_values(read: Read, text: str, value: Any) -> None:
    assert read(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: &x [1]\nb: *x", {"a": [1], "b": [1]}),
        ("a: &x 1\nb: &x 2\nc: *x", {"a": 1, "b": 2, "c": 2}),
        ("a: &a {x: 1, y: 1}\nb: {y: 2, <<: *a}", {"a": {"x": 1, "y": 1}, "b": {"x": 1, "y": 2}}),
        ("b:\n  <<: [{x: 1}, {x: 2, y: 2}]\n  z: 3", {"b": {"x": 1, "y": 2, "z": 3}}),
        (
            "a: &a {x: 1}\nb: &b {<<: *a, y: 2}\nc: {<<: *b}",
            {"a": {"x": 1}, "b": {"x": 1, "y": 2}, "c": {"x": 1, "y": 2}},
        ),
    ],
)
def test_aliases_and_merge_keys_are_resolved(read: Read, text: str, value: Any) -> None:
    assert read(text) == value


def test_what_aliases_bring_is_shared_by_nothing(read: Read) -> None:
    value = read("a: &x {l: [1]}\nb: *x\nc: {<<: *x}")
    value["a"]["l"].append(2)
    assert value["b"] == value["c"] == {"l": [1]}


FAULTS = {
    "a: [1, 2": ("1:9", "expected ',' or ']'"),
    "a: 1\n b: 2": ("2:3", "mapping values are not allowed here"),
    "a: 'x": ("1:6", "unexpected end"),
    "\ta: b": ("1:1", "cannot start any token"),
    "p:\n  q:\n    a: 1\n    b: 2\n    a: 3\n": ("5:5", "duplicate key 'a', first in line 3"),
    "p: {a: 1, 'a': 2}": ("1:11", "duplicate key 'a'"),
    "a: 1\n---\nb: 2": ("2:1", "a second document"),
    "a: 1\n...\n---\n": ("3:1", "a second document"),
    "a: !x 1": ("1:4", "a tag (!)"),
    "a:\n  - {b: !!python/object:os.system ls}": ("2:9", "python/object"),
    "a: !!set {b}": ("1:4", "set"),
    "a: !!binary aGk=": ("1:4", "binary"),
    "a: ! b": ("1:4", "a tag (!)"),
    "a: !!int x": ("1:4", "not a value of !!int"),
    "1: a": ("1:1", 'the key 1 is a number, not text; write it in quotes: "1"'),
    "a: {true: 1}": ("1:5", 'write it in quotes: "true"'),
    "x: 1\nnull: y": ("2:1", "the key null is null"),
    "1.0: b\n1: c": ("1:1", "the key 1.0"),
    "? [a]\n: b": ("1:3", "a list cannot be a key"),
    "{}: 1": ("1:1", "a mapping cannot be a key"),
    "a: 18446744073709551616": ("1:4", "more than 64 bits"),
    "a:\n  b: -9223372036854775809": ("2:6", "more than 64 bits"),
    "a: " + "9" * 60: ("1:4", "more than 64 bits"),
    "a: 0x10000000000000000": ("1:4", "more than 64 bits"),
    'a: "\\ud800"': ("1:4", "half a character"),
    'a: "\\ud83d\\ude00"': ("1:4", "half a character"),
    'a: "\\U00110000"': ("1:5", "beyond the last character"),
    "é: 1\n\nb: \x00": ("3:4", 'U+0000 cannot stand here as it is; in double quotes it is written "\\x00"'),
    "a: x\x1bx": ("1:5", "U+001B"),
    "a: |\n  x\u2028y": ("2:4", "U+2028"),
    "a: x\x85y": ("1:5", "U+0085"),
    "a: *x": ("1:4", "an alias (*) of no anchor"),
    "a: &x [1, *x]": ("1:11", "anchor 'x' contains itself"),
    "<<: 3\na: 1": ("1:5", "'<<' takes a mapping or a list of mappings"),
    "x: {<<: [1]}": ("1:9", "'<<' takes"),
    "a: " + "[" * 128 + "]" * 128: ("1:131", "nested deeper than 128 levels"),
}


@pytest.mark.parametrize("text", FAULTS)
def test_a_fault_names_file_line_and_column(read: Read, text: str) -> None:
    place, reason = FAULTS[text]
    said = fault(read, text)
    assert said.startswith(f"f.yaml:{place}: ") and reason in said


def test_bytes_that_are_not_utf_8_are_placed(read: Read) -> None:
    assert fault(read, b"a: 1\nb: \xff\n") == "f.yaml:2: not UTF-8: byte 0xff at offset 8"


def bomb(width: int, depth: int) -> str:
    levels = ["l0: &l0 [x]\n"]
    levels += [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * width)}]\n" for n in range(1, depth)]
    return "".join(levels)


@pytest.mark.parametrize(
    "text",
    [
        bomb(9, 9),
        bomb(3, 40),
        "a: &a ["
        + "x," * 2000
        + "]\nb: &b ["
        + "*a," * 400
        + "]\nc: ["
        + "*b," * 400
        + "]\n",  # few jumps, huge result
        "a: &a '" + "x" * 1_000_000 + "'\nb: [" + "*a, " * 80 + "]\n",
        "a: &a '" + "x" * 1_000_000 + "'\nb: [" + "{*a : 1}, " * 80 + "]\n",
        bomb(9, 9).replace("&l0 [", "&l0[") + "x: [&z, *z]",
    ],
    ids=["wide", "deep", "flat", "long", "keys", "odd"],
)
def test_an_alias_bomb_is_refused_before_it_expands(read: Read, text: str) -> None:
    assert "aliases expand to more than 64 MiB" in fault(read, text)


@pytest.mark.parametrize("unit", ["{a: [", "[", "- ", "? "])
def test_endless_nesting_is_refused(read: Read, unit: str) -> None:
    assert "nested deeper than 128 levels" in fault(read, unit * 60_000)


def test_aliases_may_not_nest_without_end(read: Read) -> None:
    text = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 300))
    assert "nested deeper than 128 levels" in fault(read, text)


def test_many_uses_of_a_small_anchor_are_no_bomb(read: Read) -> None:
    text = "base: &b {timeout: 17, tags: [a, b]}\n" + "".join(f"p{n}: {{<<: *b, n: {n}}}\n" for n in range(200))
    assert read(text)["p199"] == {"timeout": 17, "tags": ["a", "b"], "n": 199}


def test_without_the_compiled_library_the_exact_reader_reads() -> None:
    code = """
import sys
sys.modules["ryaml"] = None
from livery.formats.yaml import read_yaml
from livery.formats.yaml_values import read_nodes
from livery.formats import yaml
assert yaml._read is read_nodes
assert read_yaml("a: &x {b: 1}\\nc: {<<: *x}", "f") == {"a": {"b": 1}, "c": {"b": 1}}
"""
    subprocess.run([sys.executable, "-c", code], check=True)


# ---- large texts

PROFILE = """  team-{n}:
    display_name: Assistant {n}
    description: General help for team {n}! Nothing special.
    runtime:
      step_settings_patch:
        chat: {{api_type: openai, engine: gpt-5-mini, temperature: 0.5}}
        client:
          timeout: {n}
      system_prompt: |
        You are concise & kind, and *never* rude.
        You answer in {n} words.
      tools: [calculator, inventory.get]
"""


def large(count: int = 1000) -> str:
    return "slug: default\nprofiles:\n" + "".join(PROFILE.format(n=n) for n in range(count))


def test_large_texts_are_read_whole() -> None:
    text = large(5000)
    assert len(read_yaml(text, "f.yaml")["profiles"]) == 5000


@pytest.mark.parametrize("enabled", [True, False])
def test_garbage_collection_is_left_as_it_was(enabled: bool) -> None:
    was = gc.isenabled()
    try:
        (gc.enable if enabled else gc.disable)()
        read_yaml("a: 1", "f.yaml")
        with pytest.raises(ValidationError):
            read_yaml("a: [", "f.yaml")
        assert gc.isenabled() is enabled
    finally:
        (gc.enable if was else gc.disable)()


@pytest.mark.parametrize(
    ("old", "new", "at", "reason"),
    [
        ("  team-900:", "  team-899:  # here", "team-899:  # here", "duplicate key 'team-899', first in line 10791"),
        ("timeout: 700", "timeout: 7\n          timeout: here", "timeout: here", "duplicate key 'timeout', first"),
        ("timeout: 700", "timeout: !here 700", "!here", "a tag (!)"),
        ("timeout: 700", "700: here", "700: here", "the key 700 is a number"),
        ("timeout: 700", "timeout: 71" + "0" * 60, "71" + "0" * 60, "more than 64 bits"),
        ("in 700 words", "in 700 \x07 words", "\x07", "U+0007"),
        ("timeout: 700", "timeout: @", "@", "found character '@' that cannot start any token"),
    ],
)
def test_a_fault_in_a_large_text_has_its_place(old: str, new: str, at: str, reason: str) -> None:
    text = large().replace(old, new, 1)
    before = text[: text.index(at)]
    with pytest.raises(ValidationError) as caught:
        read_yaml(text, "f.yaml")
    assert reason in str(caught.value)
    assert caught.value.origin == Place("f.yaml", before.count("\n") + 1, len(before) - before.rfind("\n"))


def test_a_merge_key_of_a_large_text_that_cannot_be_resolved_is_named() -> None:
    with pytest.raises(ValidationError, match=r"profiles\.team-7\.runtime: '<<' takes"):
        read_yaml(large().replace("    runtime:", "    runtime:\n      <<: 3", 8).replace("<<: 3", "x: 3", 7), "f.yaml")


def test_core_tags_do_no_harm_in_a_large_text() -> None:
    assert read_yaml(large().replace("timeout: 700", "timeout: !!int '700'"), "f.yaml") == read_yaml(large(), "f.yaml")


def test_an_error_is_placed_in_the_file_it_names() -> None:
    with pytest.raises(ValidationError) as caught:
        read_yaml("a: 1\na: 2", "team.yaml")
    assert caught.value.origin == Place("team.yaml", 2, 1)
