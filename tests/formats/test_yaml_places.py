"""Where in a text a value stands."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livery.errors import Place
from livery.formats import yaml_places
from livery.formats.yaml import locate, locate_all, read_yaml, write_yaml

TEXT = """\
# a registry
base: &base
  timeout: 17
  chat: {engine: gpt, "temperature": 0.2}
profiles:
  coder:
    <<: *base
    timeout: 5
    tools: [a, b]
    servers:
      - name: git
        cmd: [x,
              y]
      - &two
        name: two
  copy: *base
  both:
    <<: [{own: 1}, *base]
    'quoted key': |
      text
    list: [*two]
"""


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ((), "2:1"),
        (("profiles",), "5:1"),
        (("profiles", "coder"), "6:3"),
        (("profiles", "coder", "timeout"), "8:5"),
        (("profiles", "coder", "tools", 1), "9:16"),
        (("profiles", "coder", "servers", 0, "name"), "11:9"),
        (("profiles", "coder", "servers", 0, "cmd", 1), "13:15"),
        (("profiles", "coder", "servers", 1), "14:9"),
        (("profiles", "both", "quoted key"), "19:5"),
    ],
)
def test_a_key_or_item_has_its_line_and_column(path: Any, place: str) -> None:
    assert str(locate(TEXT, "f.yaml", path)) == f"f.yaml:{place}"


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (("profiles", "coder", "chat", "engine"), "4:10"),
        (("profiles", "copy", "timeout"), "3:3"),
        (("profiles", "copy"), "16:3"),
        (("profiles", "both", "own"), "18:11"),
        (("profiles", "both", "chat", "temperature"), "4:23"),
        (("profiles", "both", "list", 0, "name"), "15:9"),
    ],
)
def test_aliases_and_merge_keys_are_followed_to_where_the_value_stands(path: Any, place: str) -> None:
    assert str(locate(TEXT, "f.yaml", path)) == f"f.yaml:{place}"


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (("nothing",), "2:1"),
        (("profiles", "coder", "runtime", "chat"), "6:3"),
        (("profiles", "coder", "tools", 9), "9:5"),
        (("profiles", "coder", "tools", "x"), "9:5"),
        (("profiles", "coder", "timeout", "deeper"), "8:5"),
    ],
)
def test_of_a_missing_value_the_deepest_ancestor_is_placed(path: Any, place: str) -> None:
    assert str(locate(TEXT, "f.yaml", path)) == f"f.yaml:{place}"


@pytest.mark.parametrize("text", ["", "# nothing\n", "a: [1", "\ta"])
def test_a_text_without_content_has_no_places(text: str) -> None:
    assert locate(text, "f.yaml", ("a",)) is None


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_lines_count_alike_whatever_ends_them(newline: str) -> None:
    text = "\ufeff---\n# x\na:\n  b: 1\n".replace("\n", newline)
    assert locate(text, "f.yaml", ("a", "b")) == Place("f.yaml", 4, 3)


KEYS = st.sampled_from(["a", "b", "c d", "yes", "x.y", "ü", "k"])
DOCUMENTS = st.dictionaries(
    KEYS,
    st.recursive(
        st.one_of(st.integers(0, 99), st.text(max_size=6), st.just("x: y\nz: w\n")),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
        max_leaves=20,
    ),
    min_size=1,
)


def paths_of(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(deeper for part, item in parts for deeper in paths_of(item, (*path, part)))]


@given(DOCUMENTS)
def test_the_blocks_of_a_large_text_give_the_places_that_the_whole_gives(value: dict[str, Any]) -> None:
    text, paths = write_yaml(value), paths_of(value)
    whole = locate_all(text, "f.yaml", paths)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(yaml_places, "SLICED_ABOVE", 0)
        assert locate_all(text, "f.yaml", paths) == whole


# ---- large texts

PROFILE = """  team-{n}:
    # the team
    runtime:
      <<: *base
      system_prompt: |
        team-{n}:
          runtime: {n}
      tools:
      - a
      - b
    policy: {{read_only: false}}
"""


def large(count: int = 4000) -> str:
    head = "base: &base\n  chat:\n    engine: gpt\nprofiles:\n"
    return head + "".join(PROFILE.format(n=n) for n in range(count)) + "callers: {}\n"


def test_places_in_a_large_text_are_found() -> None:
    text = large()
    paths = [("profiles", "team-3000", "policy", "read_only"), ("profiles", "team-3000", "runtime", "tools", 1)]
    assert [str(place) for place in locate_all(text, "f.yaml", paths)] == ["f.yaml:33015:14", "f.yaml:33014:9"]


def test_from_a_block_of_a_large_text_an_anchor_outside_of_it_is_found() -> None:
    path = ("profiles", "team-3999", "runtime", "chat", "engine")
    assert str(locate(large(), "f.yaml", path)) == "f.yaml:3:5"


def test_in_a_large_text_a_missing_profile_is_placed_at_the_profiles() -> None:
    assert str(locate(large(), "f.yaml", ("profiles", "nobody", "runtime"))) == "f.yaml:4:1"
    assert str(locate(large(), "f.yaml", ("callers",))) == "f.yaml:44005:1"


def test_a_misleading_indentation_does_not_mislead() -> None:
    text = 'a:\n  x: "\n  y: 1\n  "\nb: 1\n' + "".join(f"k{n}: {n}\n" for n in range(3000))
    assert read_yaml(text, "f.yaml")["a"] == {"x": " y: 1 "}
    assert str(locate(text, "f.yaml", ("a", "y"))) == "f.yaml:1:1"
    assert str(locate(text, "f.yaml", ("k2999",))) == "f.yaml:3005:1"


def test_a_large_text_in_one_line_is_placed_as_a_whole() -> None:
    text = '{"profiles": {' + ", ".join(f'"p{n}": {{"a": {n}}}' for n in range(150_000)) + "}}"
    assert locate(text, "f.yaml", ("profiles", "p5", "a")) == Place("f.yaml", 1, 1)
