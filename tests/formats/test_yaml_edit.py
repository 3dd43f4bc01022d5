"""Edits of YAML text: the value that was asked for, and every other line as it was."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livery.errors import ValidationError
from livery.formats import yaml_edit, yaml_splice
from livery.formats.edits import Change, Drop, Put
from livery.formats.yaml import read_yaml, write_yaml
from livery.formats.yaml_edit import changed, edit_yaml

TEAM = """\
# the team's registry
slug: default   # never change

profiles:
  # most people
  assistant:
    display_name: 'Assistant'
    runtime:
      step_settings_patch: { chat: {engine: "gpt",temperature: 0.2} }   # tuned
      system_prompt: |
        You are concise.

          - no lists
      tools: [a,  b]
      middlewares:
      - name: logging   # first
        id: main
      # then
      - name: trace
    # policy: {read_only: true}

  coder: {extends: [assistant]}
callers:
    vscode: coder
# end
"""


def diff(before: str, after: str) -> list[str]:
    lines = difflib.unified_diff(before.splitlines(True), after.splitlines(True), n=0)
    return [line.rstrip("\n") for line in lines if not line.startswith(("---", "+++", "@@"))]


def edit(text: str, *changes: Change) -> list[str]:
    after = edit_yaml(text, changes)
    assert read_yaml(after, "f.yaml") == changed(read_yaml(text, "f.yaml"), changes)
    return diff(text, after)


ASSISTANT = ("profiles", "assistant")
RUNTIME = (*ASSISTANT, "runtime")
CASES: dict[str, tuple[list[Change], list[str]]] = {
    "a scalar is replaced in its place, with its comment and quotes": (
        [Put(("slug",), "team"), Put((*ASSISTANT, "display_name"), "It's me")],
        ["-slug: default   # never change", "+slug: team   # never change",
         "-    display_name: 'Assistant'", "+    display_name: 'It''s me'"],
    ),
    "a value in braces keeps the spacing around it": (
        [Put((*RUNTIME, "step_settings_patch", "chat", "temperature"), 1)],
        ['-      step_settings_patch: { chat: {engine: "gpt",temperature: 0.2} }   # tuned',
         '+      step_settings_patch: { chat: {engine: "gpt",temperature: 1} }   # tuned'],
    ),
    "a key in braces is added and dropped": (
        [Put((*RUNTIME, "step_settings_patch", "client"), {"timeout": 3}),
         Drop((*RUNTIME, "step_settings_patch", "chat", "engine"))],
        ['-      step_settings_patch: { chat: {engine: "gpt",temperature: 0.2} }   # tuned',
         "+      step_settings_patch: { chat: {temperature: 0.2}, client: {timeout: 3} }   # tuned"],
    ),
    "a list in brackets grows in brackets": (
        [Put((*RUNTIME, "tools", 2), "c: d")],
        ["-      tools: [a,  b]", '+      tools: [a,  b, "c: d"]'],
    ),
    "a text of several lines stays a block": (
        [Put((*RUNTIME, "system_prompt"), "You are kind.\n")],
        ["-        You are concise.", "-", "-          - no lists", "+        You are kind."],
    ),
    "a block becomes a word": (
        [Put((*RUNTIME, "system_prompt"), "short")],
        ["-      system_prompt: |", "-        You are concise.", "-", "-          - no lists",
         "+      system_prompt: short"],
    ),
    "a mapping becomes a word": (
        [Put(("callers",), None)],
        ["-callers:", "-    vscode: coder", "+callers: null"],
    ),
    "a word becomes a mapping below its comment": (
        [Put(("slug",), {"a": [1]})],
        ["-slug: default   # never change", "+slug:   # never change", "+  a:", "+  - 1"],
    ),
    "an item is added with the dashes of its list": (
        [Put((*RUNTIME, "middlewares", 2), {"name": "x", "config": {"a": [1]}})],
        ["+      - name: x", "+        config:", "+          a:", "+          - 1"],
    ),
    "an item is dropped with its own comment only": (
        [Drop((*RUNTIME, "middlewares", 0))],
        ["-      - name: logging   # first", "-        id: main"],
    ),
    "the first key of an item is dropped": (
        [Drop((*RUNTIME, "middlewares", 0, "name"))],
        ["-      - name: logging   # first", "-        id: main", "+      - id: main"],
    ),
    "a key is added at the end of its mapping": (
        [Put((*ASSISTANT, "metadata", "tags"), ["no"])],
        ["+    metadata:", "+      tags:", '+      - "no"'],
    ),
    "a profile is added behind the last": (
        [Put(("profiles", "new"), {"runtime": {"system_prompt": "a\nb\n"}})],
        ["+  new:", "+    runtime:", "+      system_prompt: |", "+        a", "+        b"],
    ),
    "a key is added to a mapping in braces": (
        [Put(("profiles", "coder", "description"), "x")],
        ["-  coder: {extends: [assistant]}", "+  coder: {extends: [assistant], description: x}"],
    ),
    "a profile is dropped, the comment above it is not": (
        [Drop(ASSISTANT)],
        ["-" + line for line in TEAM.splitlines()[5:20]],
    ),
    "the last key of a mapping leaves braces": (
        [Drop(("callers", "vscode"))],
        ["-callers:", "-    vscode: coder", "+callers: {}"],
    ),
    "an equal value is no edit": (
        [Put(("callers",), {"vscode": "coder"}), Drop(("x", "y")), Drop(("profiles", 7))],
        [],
    ),
    "a mapping over a mapping touches what differs": (
        [Put((*RUNTIME, "middlewares"), [{"name": "logging", "id": "other"}, {"name": "trace"}])],
        ["-        id: main", "+        id: other"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_an_edit_touches_its_own_lines_only(case: str) -> None:
    changes, lines = CASES[case]
    assert edit(TEAM, *changes) == lines


@pytest.mark.parametrize("case", CASES)
def test_the_same_holds_in_a_text_that_is_cut_block_by_block(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_splice, "_SLICED_ABOVE", 0)
    changes, lines = CASES[case]
    assert edit(TEAM, *changes) == lines


def test_windows_line_endings_stay() -> None:
    after = edit_yaml(
        TEAM.replace("\n", "\r\n"), [change for changes, _ in CASES.values() for change in changes[:1]][:4]
    )
    assert after.count("\n") == after.count("\r\n")


@pytest.mark.parametrize("change", [Put(("b",), 2), Put(("c",), {"d": 1}), Put(("a", "x"), 1)])
def test_the_absence_of_a_last_line_ending_stays(change: Change) -> None:
    assert not edit_yaml("a:\n  y: 1\nb: 1", [change]).endswith("\n")


def test_a_document_marker_and_a_byte_order_mark_stay() -> None:
    assert edit_yaml("\ufeff---\na: 1\n...\n", [Put(("b",), 2)]) == "\ufeff---\na: 1\nb: 2\n...\n"


def test_indentation_follows_that_of_the_text() -> None:
    text = "a:\n    b:\n        - 1\n"
    assert edit(text, Put(("c",), {"d": {"e": [1]}})) == ["+c:", "+    d:", "+        e:", "+            - 1"]


def test_long_lines_are_not_wrapped() -> None:
    text = f"a: {'word ' * 100}end\nb: 1\n"
    assert edit(text, Put(("b",), "x " * 100 + "x")) == ["-b: 1", "+b: " + "x " * 100 + "x"]


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n", "# comment\n{}\n", "null\n"])
def test_a_text_without_content_gets_some(text: str) -> None:
    after = edit_yaml(text, [Put(("a", "b"), 1)])
    assert after.endswith("a:\n  b: 1\n") and ("#" in after) == ("#" in text)


def test_json_stays_json() -> None:
    text = '{\n  "a": {"b": "x"},\n  "c": [1]\n}\n'
    after = edit_yaml(text, [Put(("a", "b"), "yes"), Put(("d",), {"e": "f"}), Put(("c", 1), "z")])
    assert after == '{\n  "a": {"b": "yes"},\n  "c": [1, "z"],\n  "d": {"e": "f"}\n}\n'


# ---- anchors

SHARED = """\
base: &base   # shared
  timeout: 17
  chat: {engine: gpt}
one:
  <<: *base   # merged
  own: 1
two: *base   # the same
three: [*base]
"""


def test_an_edit_beneath_a_merge_key_adds_a_key_in_the_place_itself() -> None:
    assert edit(SHARED, Put(("one", "timeout"), 5)) == ["+  timeout: 5"]


def test_an_edit_beneath_an_alias_adds_a_key_in_the_place_itself() -> None:
    lines = ["-two: *base   # the same", "+two:   # the same", "+  <<: *base", "+  timeout: 5"]
    assert edit(SHARED, Put(("two", "timeout"), 5)) == lines


def test_an_edit_beneath_an_alias_in_brackets_stays_in_brackets() -> None:
    assert edit(SHARED, Put(("three", 0, "x"), 5)) == ["-three: [*base]", "+three: [{<<: *base, x: 5}]"]


def test_a_merged_key_is_dropped_by_writing_out_the_others() -> None:
    lines = ["-  <<: *base   # merged", "+  chat:", "+    engine: gpt"]
    assert edit(SHARED, Drop(("one", "timeout"))) == lines


def test_an_edit_of_an_anchored_value_is_not_passed_on() -> None:
    after = edit(SHARED, Put(("base", "timeout"), 1))
    assert after[:2] == ["-  timeout: 17", "+  timeout: 1"]
    assert "+  timeout: 17" in after


def test_the_owner_of_an_anchor_can_be_dropped() -> None:
    after = edit_yaml(SHARED, [Drop(("base",))])
    assert read_yaml(after, "f.yaml")["two"] == {"timeout": 17, "chat": {"engine": "gpt"}}


# ---- what cannot be cut

ODD = "? a   # odd\n: 1\nb:\n  - - x  # inner\n    - y\nc: !!str 5\n"


@pytest.mark.parametrize(
    "change", [Put(("a",), 2), Put(("c",), "6"), Drop(("b", 0, 0)), Put(("b", 0, 2), "z"), Drop(("a",))]
)
def test_unusual_text_is_edited_too(change: Change) -> None:
    assert edit(ODD, change)


def test_what_cannot_be_edited_without_loss_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_edit, "_cut", lambda *_: None)
    monkeypatch.setattr(yaml_edit, "_round_trip", lambda *_: None)
    with pytest.raises(ValidationError, match=r"f\.yaml: cannot be edited without loss"):
        edit_yaml("a: 1", [Put(("a",), 2)], "f.yaml")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (Put(("slug", "x"), 1), "slug.x: 'x' cannot be set in text"),
        (Put((*RUNTIME, "tools", 5), 1), "profiles.assistant.runtime.tools.5: there is no item 5 in a list of 2"),
        (Put((*RUNTIME, "tools", "a"), 1), "'a' cannot be set in a list"),
        (Put(("callers", 0), 1), "there is no item 0 in a mapping"),
        (Put(("a",), {1: 2}), "the key 1"),
    ],
)
def test_a_change_that_makes_no_sense_is_refused(change: Change, said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        edit_yaml(TEAM, [change])
    assert said in str(caught.value)


def test_a_broken_text_is_not_edited() -> None:
    with pytest.raises(ValidationError, match=r"f\.yaml:2:1: duplicate key"):
        edit_yaml("a: 1\na: 2\n", [Put(("b",), 1)], "f.yaml")


def test_the_value_that_was_given_is_not_changed() -> None:
    value = {"a": {"b": [1, {"c": 2}]}}
    changed(value, [Put(("a", "b", 1, "c"), 3), Drop(("a", "b", 0)), Put(("x",), 1)])
    assert value == {"a": {"b": [1, {"c": 2}]}}


# ---- laws

KEYS = st.sampled_from(["a", "b", "c d", "yes", "x.y", "k"])
SCALARS = st.one_of(
    st.integers(0, 9), st.sampled_from(["", "no", "a: b", "x\ny\n", "x\n\n y", "z\n\n", "plain", "# x"])
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=10
)
DOCUMENTS = st.dictionaries(KEYS, VALUES, min_size=1, max_size=4)


def paths_of(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(deeper for part, item in parts for deeper in paths_of(item, (*path, part)))]


def commented(text: str) -> str:
    """The text with a comment of its own at every line that can bear one, and above every key of the top."""
    lines = []
    for number, line in enumerate(text.splitlines()):
        if re.match(r"[a-z\"]", line):
            lines.append(f"# above {number}")
        is_plain = line.endswith((":", "{}", "[]")) or re.search(r"(?:: |- )(?:\d|plain|\"[^\\]*\")$", line)
        lines.append(f"{line}  # beside {number}" if is_plain else line)
    return "\n".join(lines) + "\n"


def comments(text: str) -> set[str]:
    return set(re.findall(r"# (?:above|beside) \d+", text))


@st.composite
def edits(draw: st.DrawFn) -> tuple[str, list[Change], Any]:
    text = commented(write_yaml(draw(DOCUMENTS)))
    value = read_yaml(text, "f.yaml")
    changes: list[Change] = []
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(paths_of(value)[1:] or [("a",)]))
        change: Change = draw(st.one_of(st.just(Drop(path)), st.builds(Put, st.just(path), VALUES)))
        changes.append(change)
        value = changed(value, [change])
    return text, changes, value


@given(edits())
def test_every_edit_gives_the_value_that_was_asked_for(case: tuple[str, Sequence[Change], Any]) -> None:
    text, changes, value = case
    assert read_yaml(edit_yaml(text, changes), "f.yaml") == value


@given(DOCUMENTS, st.data())
def test_comments_and_lines_that_are_not_concerned_survive(value: dict[str, Any], data: st.DataObject) -> None:
    text = commented(write_yaml(value))
    leaves = [path for path in paths_of(value) if path and not isinstance(at(value, path), (dict, list))]
    path = data.draw(st.sampled_from(leaves or [("new",)]))
    change = data.draw(st.sampled_from([Put(path, 7), Put(path, "x: y"), Put(("new",), {"n": [1]})]))
    after = edit_yaml(text, [change])
    assert comments(after) == comments(text)
    old = str(at(value, path)) if leaves else ""
    gone = [line for line in diff(text, after) if line.startswith("-")]
    assert len(gone) <= 2 + old.count("\n")


def at(value: Any, path: Sequence[str | int]) -> Any:
    for part in path:
        value = value[part]
    return value


# ---- large texts

PROFILE = "  team-{n}:\n    # about {n}\n    runtime: {{tools: [a]}}   # short\n    description: Team {n}\n"


def large(count: int = 3000) -> str:
    return "slug: default\nprofiles:\n" + "".join(PROFILE.format(n=n) for n in range(count))


def test_one_profile_of_a_large_text_is_edited_alone() -> None:
    lines = edit(
        large(),
        Put(("profiles", "team-2000", "runtime", "tools", 1), "b"),
        Drop(("profiles", "team-2001")),
        Put(("profiles", "zed"), {"description": "last"}),
        Put(("callers", "x"), "zed"),
    )
    assert lines == [
        "-    runtime: {tools: [a]}   # short",
        "+    runtime: {tools: [a, b]}   # short",
        *("-" + line for line in PROFILE.format(n=2001).splitlines()),
        "+  zed:",
        "+    description: last",
        "+callers:",
        "+  x: zed",
    ]


def test_many_profiles_are_added_at_once() -> None:
    assert len(edit(large(), *(Put(("profiles", f"n{n}"), {"description": "x"}) for n in range(1000)))) == 2000
