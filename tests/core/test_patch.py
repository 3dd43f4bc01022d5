"""Changing stored documents: merge patches, and redacted values that come back."""

from __future__ import annotations

from typing import Any

import pytest

from livery.core.patch import keep_redacted, leaf_paths, merge_patch
from livery.core.redact import redact
from livery.errors import ValidationError
from tests.core.builders import runtime

HIDDEN = {"$redacted": True}


@pytest.mark.parametrize(
    ("document", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"a": "foo"}, None, None),
        ({"a": 1}, {"b": {"c": None, "d": 1}}, {"a": 1, "b": {"d": 1}}),
        ({"a": {"b": 1}}, {"a": {"$unset": True}}, {"a": {"$unset": True}}),
        ({"a": {"$append": [1]}}, {"a": {"$append": [2]}}, {"a": {"$append": [2]}}),
        ({"a": {"$secret": "env:A"}}, {"a": {"b": 1}}, {"a": {"b": 1}}),
    ],
)
def test_a_merge_patch_takes_directives_and_references_as_whole_values(document: Any, patch: Any, result: Any) -> None:
    assert merge_patch(document, patch) == result


def test_a_redacted_value_that_comes_back_keeps_the_old_one() -> None:
    old = {"runtime": {"step_settings_patch": {"api": {"key": "k", "n": 1}}}}
    assert keep_redacted(redact(old), old, "profile") == old


@pytest.mark.parametrize("new", [{"a": {"y": HIDDEN}}, {"b": HIDDEN}, {"a": [HIDDEN]}, {"a": {"x": {"z": HIDDEN}}}])
def test_where_there_is_nothing_to_keep_it_is_an_error(new: Any) -> None:
    with pytest.raises(ValidationError, match="where there is a value to keep"):
        keep_redacted(new, {"a": {"x": "s"}}, "profile")


def servers(*names: str) -> list[dict[str, Any]]:
    return [{"name": name, "env": {"TOKEN": f"secret of {name}"}} for name in names]


@pytest.mark.parametrize("order", ["ab", "ba", "b", "xb"])
def test_secrets_of_elements_stay_with_their_element(order: str) -> None:
    old = runtime(servers=servers("a", "b"))
    new = redact(runtime(servers=servers(*(name for name in order if name != "x"))))
    if "x" in order:
        new["runtime"]["servers"].insert(0, {"name": "x"})
    kept = keep_redacted(new, old, "profile")["runtime"]["servers"]
    assert {element["name"]: element["env"]["TOKEN"] for element in kept if "env" in element} == {
        name: f"secret of {name}" for name in order if name != "x"
    }


def test_a_new_element_cannot_take_the_secret_of_another() -> None:
    with pytest.raises(ValidationError):
        keep_redacted(redact(runtime(servers=servers("b"))), runtime(servers=servers("a")), "profile")


def command(*words: Any) -> dict[str, Any]:
    return runtime(servers=[{"name": "s", "cmd": list(words)}])


@pytest.mark.parametrize("words", [["--token", HIDDEN, "--x"], ["--token", HIDDEN], ["--token", HIDDEN, "--y", "z"]])
def test_a_word_of_a_command_is_kept_where_it_stood(words: list[Any]) -> None:
    old = command("--token", "sk-1", "--x")
    assert keep_redacted(command(*words), old, "profile")["runtime"]["servers"][0]["cmd"][:2] == ["--token", "sk-1"]


@pytest.mark.parametrize(
    "words", [["--v", "--token", HIDDEN], [HIDDEN, "a", "b"], ["--token", "x", HIDDEN], ["v", HIDDEN]]
)
def test_a_word_that_has_moved_is_not_mistaken_for_another(words: list[Any]) -> None:
    with pytest.raises(ValidationError):
        keep_redacted(command(*words), command("--token", "sk-1", "--x"), "profile")


def test_no_depth_crashes_a_patch() -> None:
    deep: Any = {}
    for _ in range(50_000):
        deep = {"a": deep}
    for change in (lambda: merge_patch({}, deep), lambda: keep_redacted(deep, {}, "profile")):
        with pytest.raises(ValidationError, match="nested too deep"):
            change()


def test_a_patch_names_the_leaves_that_it_sets() -> None:
    patch = {"a": {"b": 1, "c": None, "d": {}}, "e": {"$append": [1]}}
    assert list(leaf_paths(patch)) == [("a", "b"), ("a", "c"), ("a", "d"), ("e",)]
