"""Overlays: the table ``[_profile]`` read as directives, and settings written back into it."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from livery.core.values import TypedText, same
from livery.errors import Place, ValidationError
from livery.formats.edits import Put
from livery.formats.overlay import Overlay, read_base, read_overlay
from livery.formats.overlay_changes import overlay_changes
from livery.formats.toml_edit import edit_toml
from livery.formats.toml_text import dotted, string_text
from tests.formats.toml_texts import NAMES, texts, values

# Reading.


def read(text: str) -> Overlay:
    return read_overlay(text, "f.toml")


def test_without_the_table_a_file_is_its_settings() -> None:
    assert read("a.b = 1\nd = 1979-05-27\n")[:4] == (None, {"a": {"b": 1}, "d": "1979-05-27"}, [], [])


@pytest.mark.parametrize(
    ("text", "extends"), [("'ci'", ("ci",)), ("['ci', 'dev']", ("ci", "dev")), ("[]", ()), ("'team/ci'", ("team/ci",))]
)
def test_bases_are_one_name_or_a_list(text: str, extends: tuple[str, ...]) -> None:
    assert read(f"[_profile]\nextends = {text}\n").extends == extends


@pytest.mark.parametrize(
    ("plain", "profile", "settings"),
    [
        ("", "unset = ['a.b', 'c']", {"a": {"b": None}, "c": None}),
        ("", """unset = ['x."y.z"']""", {"x": {"y.z": None}}),
        ("t.c = 3", "unset = ['t']", {"t": {"$replace": {"c": 3}}}),
        ("t = {}", "unset = ['t']", {"t": {"$replace": {}}}),
        ("n = [1]", "unset = ['n']", {"n": {"$replace": [1]}}),
        ("t.a = 1", "unset = ['t', 't.a', 't.b.c']", {"t": {"$replace": {"a": 1}}}),
        ("", "append.n = ['c']", {"n": {"$append": ["c"]}}),
        (
            "",
            "append = {'a.b' = ['c']}\nremove.a.b = ['d']",
            {"a": {"b": {"$edits": [{"$remove": ["d"]}, {"$append": ["c"]}]}}},
        ),
        ("", "append.n = [1]\nprepend.n = [2]", {"n": {"$edits": [{"$prepend": [2]}, {"$append": [1]}]}}),
        ("n = ['a', 'b']", "remove.n = ['a']\nappend.n = ['c', 'b', 'c']", {"n": ["b", "c"]}),
        ("n = ['a']", "prepend.n = ['c', 'a']", {"n": ["c", "a"]}),
        ("n = [1]", "unset = ['n']\nappend.n = [true]", {"n": {"$replace": [1, True]}}),
        ("", "unset = ['n']\nappend.n = [1]", {"n": {"$replace": [1]}}),
        ("", "unset = ['t']\nappend = {'t.n' = [1]}", {"t": {"$replace": {"n": [1]}}}),
        ("x = {'$append' = [1]}", "", {"x": {"$append": [1]}}),
        ("['$append']\n'$unset' = [1]", "", {"$append": {"$unset": [1]}}),
    ],
)
def test_directives_stand_in_their_places(plain: str, profile: str, settings: dict[str, Any]) -> None:
    overlay = read(
        f"[_profile]\n{profile}\n" if not plain else f"_profile = {{ {profile.replace(chr(10), ', ')} }}\n{plain}\n"
    )
    assert (overlay.settings, overlay.faults, overlay.warnings) == (settings, [], [])


@pytest.mark.parametrize(
    ("lines", "field", "reason", "line"),
    [
        ("extend = 'x'", "_profile.extend", "did you mean 'extends'?", 4),
        ("extends = 1", "_profile.extends", "got a number", 4),
        ("extends = ['x', 1979-05-27]", "_profile.extends", "got a date, time or number", 4),
        ("unset = 'a'", "_profile.unset", "expected a list of dotted keys, got text", 4),
        ("unset = [\n'a..b',\n5]", "_profile.unset[0]", "'a..b' is no dotted key", 5),
        ("unset = [5]", "_profile.unset[0]", "expected a dotted key, got a number", 4),
        ("unset = ['k.x']", "_profile.unset[0]", "k.x is beneath k, which is a number in this file", 4),
        ("unset = ['d.x']", "_profile.unset[0]", "d.x is beneath d, which is changed as a whole in this file", 4),
        ("append = 1", "_profile.append", "expected a table of dotted keys and lists, got a number", 4),
        ("append.k = [1]", "_profile.append.k", "k is no list in this file", 4),
        ("append.k = 1", "_profile.append.k", "expected a list, got a number", 4),
        ("append.x = {}", "_profile.append.x", "expected a list, got a table", 4),
        ("append.'a b' = []", "_profile.append.a b", "'a b' is no dotted key", 4),
        ("append = {'a.b' = [], a.b = []}", "_profile.append.a.b", "a.b stands twice in append", 4),
        (f"unset = ['{'.'.join('a' * 70)}']", "_profile.unset[0]", "is no dotted key", 4),
    ],
)
def test_a_fault_of_the_table_has_its_field_and_line(lines: str, field: str, reason: str, line: int) -> None:
    faults = read(f"d.'$append' = []\nk = 1\n[_profile]\n{lines}\n").faults
    assert faults[0].field == field
    assert reason in faults[0].reason
    assert faults[0].place is not None and faults[0].place[:2] == ("f.toml", line)


def test_the_table_has_to_be_a_table() -> None:
    assert str(read("_profile = 1").faults[0]) == "f.toml:1:1: _profile: expected a table, got a number"


def test_a_value_that_is_unset_and_set_replaces_even_a_table() -> None:
    assert read("k = 1\n[_profile]\nunset = ['k']\n").settings == {"k": {"$replace": {"$literal": 1}}}


def test_what_is_unset_twice_is_a_warning() -> None:
    overlay = read("k = 1\n[_profile]\nunset = ['a', 'a']\n")
    assert overlay.faults == []
    assert [warning.place for warning in overlay.warnings] != []


def test_the_faults_of_one_file_are_bounded() -> None:
    assert len(read(f"[_profile]\nunset = [{'1, ' * 100_000}]").faults) == 100


def test_a_base_has_no_directives() -> None:
    base = read_base("k = 1\n[_profile]\nunset = ['k']\n", "base.toml")
    assert (base.settings, base.extends) == ({"k": 1}, None)
    assert base.faults[0].place == Place("base.toml", 2, 2)
    assert "belongs into a profile, not into the base" in base.faults[0].reason
    assert read_base("k = 1\n", "base.toml").faults == []


# Writing.


def written(text: str, settings: dict[str, Any], extends: tuple[str, ...] | None = None, like: Any = None) -> str:
    return edit_toml(text, overlay_changes(read(text), extends, settings, like))


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"a": {"b": None}}, '[_profile]\nunset = ["a.b"]\n'),
        ({"a": {"b.c": {"$unset": True}}}, "[_profile]\nunset = ['a.\"b.c\"']\n"),
        ({"t": {"$replace": {"c": 3}}}, '[_profile]\nunset = ["t"]\n\n[t]\nc = 3\n'),
        ({"n": {"$append": ["c"]}}, '[_profile.append]\nn = ["c"]\n'),
        (
            {"a": {"n": {"$edits": [{"$remove": [1]}, {"$append": [2]}]}}},
            '[_profile.remove]\n"a.n" = [1]\n\n[_profile.append]\n"a.n" = [2]\n',
        ),
        ({"x": {"$literal": [1]}}, "x = [1]\n"),
        ({"x": {"$literal": {"$append": 1}}}, 'x = { "$literal" = { "$append" = 1 } }\n'),
        (
            {"x": {"$edits": [{"$append": [1]}, {"$remove": [1]}]}},
            'x = { "$edits" = [{ "$append" = [1] }, { "$remove" = [1] }] }\n',
        ),
        ({"t": {"$replace": {"a": None}}}, '[_profile]\nunset = ["t"]\n\n[t]\na = { "$unset" = true }\n'),
        ({"key": {"$secret": "env:X"}}, 'key = { "$secret" = "env:X" }\n'),
    ],
)
def test_a_directive_is_written_as_people_write_it(settings: dict[str, Any], text: str) -> None:
    assert written("", settings) == text


def test_only_what_differs_is_touched() -> None:
    text = "# ours\nn = ['a', 'b']  # kept\n[_profile] # p\nunset = ['t', 'u']\nremove = { n = ['a'] }\n[t]\nc = 1\n"
    settings = read(text).settings
    assert written(text, {**settings, "t": {"$replace": {"c": 2}}}) == text.replace("c = 1", "c = 2")
    assert written(text, {key: value for key, value in settings.items() if key != "u"}) == text.replace(", 'u'", "")
    assert written(text, {**settings, "n": ["c"]}) == text.replace("'a', 'b'", '"c"').replace(
        "remove = { n = ['a'] }\n", ""
    )


@pytest.mark.parametrize(
    ("before", "extends", "after"),
    [
        ("'a'", ("b",), 'extends = "b"'),
        ("['a']", ("b",), 'extends = ["b"]'),
        ("'a'", ("b", "c"), 'extends = ["b", "c"]'),
        ("'a'", (), "extends = []"),
    ],
)
def test_bases_are_written_as_they_stood(before: str, extends: tuple[str, ...], after: str) -> None:
    assert written(f"[_profile]\nextends = {before} # why\n", {}, extends) == f"[_profile]\n{after} # why\n"


def test_a_table_without_directives_goes() -> None:
    assert written("a = 1\n\n[_profile]\nextends = 'x'\n", {"a": 1}) == "a = 1\n"


def test_true_in_a_list_edit_is_not_one() -> None:
    old = read("[_profile.remove]\na = [true]\n")
    assert list(overlay_changes(old, None, {"a": {"$remove": [1]}})) == [Put(("_profile", "remove", "a"), [1])]


def test_types_come_back_from_the_file_and_from_the_base() -> None:
    text = "day = 1979-05-27\nname = '1979-05-27'\n"
    like = {"at": TypedText("07:32:00"), "name": TypedText("1979-05-27"), "rate": 0.5}
    settings = {"day": "2001-01-01", "name": "2001-01-01", "at": "08:00:00", "rate": 2}
    expected = 'day = 2001-01-01\nname = "2001-01-01"\nat = 08:00:00\nrate = 2.0\n'
    assert written(text, settings, like=like) == expected


def test_a_setting_cannot_have_the_name_of_the_table() -> None:
    with pytest.raises(ValidationError, match="_profile"):
        overlay_changes(read(""), None, {"_profile": {"unset": ["a"]}})


KEYS = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3).map(dotted)
LISTS = st.lists(st.sampled_from((1, "x", True)), max_size=3)
REPLACED = LISTS | st.dictionaries(st.sampled_from(NAMES), values, max_size=2)
DIRECTIVES: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.just({"$unset": True}),
    st.builds(lambda kind, items: {kind: items}, st.sampled_from(("$append", "$prepend", "$remove")), LISTS),
    st.lists(st.sampled_from(("$remove", "$prepend", "$append")), unique=True).map(
        lambda kinds: {"$edits": [{kind: [1]} for kind in kinds]}
    ),
    st.builds(lambda payload: {"$replace": payload}, REPLACED),
    st.builds(lambda payload: {"$literal": payload}, values),
    st.just({"$secret": "env:X"}),
)
SETTINGS = st.recursive(
    values | DIRECTIVES, lambda inner: st.dictionaries(st.sampled_from(NAMES), inner, max_size=3), max_leaves=5
)


@st.composite
def overlays(draw: st.DrawFn) -> str:
    """The text of a sound overlay."""
    lines = ["[_profile]"]
    if draw(st.booleans()):
        lines.append(draw(st.sampled_from(("extends = 'x'", "extends = ['x', 'y'] # why"))))
    unset = draw(st.lists(KEYS, max_size=2))
    lines += [f"unset = [{', '.join(map(string_text, unset))}]"] if unset else []
    for kind in draw(st.lists(st.sampled_from(("append", "prepend", "remove")), unique=True)):
        lines.append(f"[_profile.{kind}]")
        lines += [f"{string_text(key)} = ['x']" for key in draw(st.lists(KEYS, max_size=2, unique=True))]
    plain = draw(texts())
    text = f"{plain}\n" + "\n".join(lines) + "\n"
    assume(not read(text).faults)
    return text


@st.composite
def changed_settings(draw: st.DrawFn, settings: dict[str, Any]) -> dict[str, Any]:
    result = {key: value for key, value in settings.items() if draw(st.integers(0, 3))}
    for key, value in list(result.items()):
        if isinstance(value, dict) and not any(name.startswith("$") for name in value) and draw(st.booleans()):
            result[key] = draw(changed_settings(value))
    return {**result, **draw(st.dictionaries(st.sampled_from(NAMES), SETTINGS, max_size=1))}


@given(overlays(), st.data())
def test_what_is_written_reads_as_the_settings_and_bases_that_were_wanted(text: str, data: st.DataObject) -> None:
    old = read(text)
    kept = copy.deepcopy(old)
    settings = data.draw(changed_settings(old.settings))
    extends = data.draw(st.sampled_from((old.extends, None, (), ("x",), ("q", "r"))))
    new = read(edit_toml(text, overlay_changes(old, extends, settings)))
    assert (new.extends, new.faults) == (extends, [])
    assert same(meaning(new.settings), meaning(settings))
    assert old == kept


@given(overlays())
def test_the_same_settings_are_no_change(text: str) -> None:
    overlay = read(text)
    assert overlay_changes(overlay, overlay.extends, overlay.settings) == []


def meaning(value: Any) -> Any:
    """Settings with one spelling for what has two."""
    if not isinstance(value, dict):
        return value
    if value == {"$unset": True}:
        return None
    inner = value.get("$literal") if set(value) == {"$literal"} else None
    if inner is not None and not (isinstance(inner, dict) and any(key.startswith("$") for key in inner)):
        return meaning(inner)
    return {key: meaning(child) for key, child in value.items()}
