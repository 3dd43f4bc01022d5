"""The differences of two documents, leaf by leaf."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from livery.core.diff import diff
from livery.core.redact import marked
from livery.core.values import hidden
from tests.core.strategies import DIRECTED, law


def told(before: Any, after: Any) -> list[tuple[str, str, Any, Any]]:
    return [tuple(difference) for difference in diff(before, after)]


def test_leaves_are_added_removed_and_changed() -> None:
    before = {"chat": {"engine": "a", "stop": ["x"], "n": 1}, "gone": {"deep": {"x": 1}}}
    after = {"chat": {"engine": "b", "stop": ["x"], "top_p": 0}, "new": {"deep": {"y": False}}}
    assert told(before, after) == [
        ("chat.engine", "changed", "a", "b"),
        ("chat.n", "removed", 1, None),
        ("chat.top_p", "added", None, 0),
        ("gone.deep.x", "removed", 1, None),
        ("new.deep.y", "added", None, False),
    ]


@pytest.mark.parametrize(
    ("before", "after", "differs"),
    [(1, True, True), (0, False, True), (1, 1.0, False), ([1], [True], True), ([{"a": 0}], [{"a": False}], True),
     ("", None, True), ({}, None, True), ([], {}, True), ({"$secret": "env:A"}, {"$secret": "env:B"}, True),
     ({"$append": [1]}, {"$append": [1]}, False)],
)  # fmt: skip
def test_values_are_compared_as_json_has_them(before: Any, after: Any, differs: bool) -> None:
    assert bool(told({"a": before}, {"a": after})) is differs


def test_directives_and_references_are_compared_as_one_value() -> None:
    assert told({"tools": {"$append": ["a"]}}, {"tools": {"$append": ["b"]}}) == [
        ("tools", "changed", {"$append": ["a"]}, {"$append": ["b"]})
    ]


def test_elements_of_keyed_lists_are_compared_by_their_key() -> None:
    before = {"runtime": {"middlewares": [{"name": "log", "id": "a", "config": {"l": 1}}, {"name": "x"}]}}
    after = {"runtime": {"middlewares": [{"name": "log", "id": "a", "config": {"l": 2}}, {"name": "y"}]}}
    assert told(before, after) == [
        ("middlewares.log#a.config.l", "changed", 1, 2),
        ("middlewares.x.name", "removed", "x", None),
        ("middlewares.y.name", "added", None, "y"),
    ]


def test_elements_that_change_places_are_a_difference() -> None:
    before, after = ({"middlewares": [{"name": name} for name in names]} for names in ("abc", "cab"))
    assert told(before, after) == [("middlewares", "changed", ["a", "b", "c"], ["c", "a", "b"])]
    assert not told(before, before)


def test_secrets_that_differ_are_told_and_not_shown() -> None:
    before, after = ({"api": {"api_key": key}} for key in ("CANARY1", "CANARY2"))
    (difference,) = diff(marked((), before), marked((), after))
    assert (difference.path, difference.kind) == ("api.api_key", "changed")
    assert "CANARY" not in repr(difference) + repr(hidden(difference.before))


@law
@given(DIRECTED, DIRECTED)
def test_a_document_differs_from_itself_in_nothing_and_differences_go_both_ways(one: Any, other: Any) -> None:
    assert told(one, one) == []
    assert sorted(d.path for d in diff(one, other)) == sorted(d.path for d in diff(other, one))
