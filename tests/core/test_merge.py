"""Laying layers over one another: the rules of values, and what the merge remembers of who said what."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from livery.core.layers import Origin
from livery.core.merge import edited, merge
from livery.core.paths import path_of
from livery.core.values import UNSET, ListEdit, revealed
from livery.errors import MergeConflict
from tests.core.builders import SMALL, layer, merged, merged_settings


@pytest.mark.parametrize(
    ("base", "over", "result"),
    [
        ({"a": {"x": 1, "y": 2}}, {"a": {"y": 3, "z": 4}}, {"a": {"x": 1, "y": 3, "z": 4}}),
        ({"a": 1}, {"a": "x"}, {"a": "x"}),
        ({"a": 1}, {"a": [1]}, {"a": [1]}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({"a": [1]}, {"a": "x"}, {"a": "x"}),
        ({"a": True}, {"a": False}, {"a": False}),
        ({"a": 1}, {"a": 0}, {"a": 0}),
        ({"a": "x"}, {"a": ""}, {"a": ""}),
        ({"a": [1]}, {"a": []}, {"a": []}),
        ({"a": {"x": 1}}, {"a": {}}, {"a": {"x": 1}}),
        ({}, {"a": {}}, {"a": {}}),
        ({"a": {"x": 1}}, {"a": None}, {}),
        ({"a": {"x": 1, "y": 2}}, {"a": {"x": None}}, {"a": {"y": 2}}),
        ({"a": {"x": 1}}, {"a": {"$unset": True}}, {}),
        ({}, {"a": None}, {}),
        ({"a": {"x": 1}}, {"a": {"$replace": {"y": 2}}}, {"a": {"y": 2}}),
        ({"a": {"x": 1}}, {"a": {"$replace": [1]}}, {"a": [1]}),
        ({"a": 5}, {"a": {"$replace": {"y": None, "z": 1}}}, {"a": {"z": 1}}),
        ({"a": [1, 2]}, {"a": {"$append": [2, 3, 3]}}, {"a": [1, 2, 3]}),
        ({"a": [1, 2]}, {"a": {"$prepend": [3, 2, 4]}}, {"a": [3, 4, 1, 2]}),
        ({"a": [1, 2, 1]}, {"a": {"$remove": [1, 9]}}, {"a": [2]}),
        ({}, {"a": {"$append": [1]}}, {"a": [1]}),
        ({"a": ["x", "y"]}, {"a": {"$edits": [{"$remove": ["x"]}, {"$append": ["z"]}]}}, {"a": ["y", "z"]}),
        ({}, {"a": {"$edits": [{"$append": [1]}, {"$prepend": [2]}]}}, {"a": [2, 1]}),
        ({"a": [1]}, {"a": {"$edits": []}}, {"a": [1]}),
        ({}, {"a": {"$remove": [1]}}, {"a": []}),
        ({"a": [1]}, {"a": {"$append": [True, 1.0, "1"]}}, {"a": [1, True, "1"]}),
        ({"a": [[1], {"x": 1}]}, {"a": {"$append": [[True], [1], {"x": 1}]}}, {"a": [[1], {"x": 1}, [True]]}),
        ({"a": {"$secret": "env:A"}}, {"a": {"$secret": "env:B"}}, {"a": {"$secret": "env:B"}}),
        ({"a": {"$secret": "env:A"}}, {"a": "x"}, {"a": "x"}),
        ({"a": "x"}, {"a": {"$literal": None}}, {"a": None}),
        ({"a": {"x": 1}}, {"a": {"$literal": {"$append": [1]}}}, {"a": {"x": 1, "$append": [1]}}),
    ],
)
def test_a_layer_is_laid_over_another(base: Any, over: Any, result: Any) -> None:
    found = merged_settings(base, over)
    assert repr(revealed(found)) == repr(result)


def test_unset_and_set_again_is_set() -> None:
    assert merged_settings({"a": {"x": 1}}, {"a": None}, {"a": {"y": 2}}) == {"a": {"y": 2}}
    assert merged_settings({"a": {"x": 1}}, {"a": None}, {"a": 5}) == {"a": 5}
    assert merged_settings({"a": 5}, {"a": None}, {"a": {"y": 2}}) == {"a": {"y": 2}}
    assert merged_settings({"a": [1]}, {"a": None}, {"a": {"$append": [2]}}) == {"a": [2]}


@pytest.mark.parametrize(
    ("base", "over"),
    [
        ({"a": {"x": 1}}, {"a": 5}),
        ({"a": {"x": 1}}, {"a": []}),
        ({"a": {}}, {"a": 5}),
        ({"a": 5}, {"a": {"x": 1}}),
        ({"a": [1]}, {"a": {}}),
        ({"a": {"x": 1}}, {"a": {"$secret": "env:A"}}),
        ({"a": {"$secret": "env:A"}}, {"a": {"x": 1}}),
        ({"a": {"x": 1}}, {"a": {"$append": [1]}}),
        ({"a": "x"}, {"a": {"$append": [1]}}),
        ({"a": 0}, {"a": {"$remove": [1]}}),
    ],
)
def test_a_mapping_never_silently_becomes_something_else(base: Any, over: Any) -> None:
    with pytest.raises(MergeConflict) as caught:
        merged_settings({"b": 1}, {"s": base}, {"s": {"c": 1}}, {"s": over})
    error = caught.value
    assert (error.path, error.below, error.above) == ("s.a", "operator layer 2", "operator layer 4")


def test_a_conflict_names_the_highest_layer_that_gave_what_is_there() -> None:
    with pytest.raises(
        MergeConflict, match=r"a: a value meets a mapping; .* \(operator layer 2 against operator layer 3\)"
    ):
        merged_settings({"a": {"x": 1}}, {"a": {"y": {"z": 1}}}, {"a": 5})


def test_a_unit_is_replaced_as_a_whole_and_its_neighbours_are_merged() -> None:
    base = {"name": "m", "cost": {"input": 0.15, "output": 0.6}, "metadata": {"a": 1}}
    over = {"cost": {"input": 2.5}, "metadata": {"b": 2}}
    found = merged_settings({"model_info": base}, {"model_info": over}, schema=SMALL)
    assert found == {"model_info": {"name": "m", "cost": {"input": 2.5}, "metadata": {"a": 1, "b": 2}}}


def elements(*layers: Any) -> list[Any]:
    found = merged(*({"middlewares": one} for one in layers)).values.get("middlewares", {})
    return [(key, element.get("config"), element.get("enabled", True)) for key, element in found.items()]


def test_middlewares_merge_by_name_and_id_and_new_ones_are_appended() -> None:
    base = [
        {"name": "agentmode", "id": "planner", "config": {"mode": "plan"}},
        {"name": "logger", "config": {"l": "info"}},
    ]
    leaf = [
        {"name": "agentmode", "id": "planner", "config": {"mode": "act"}},
        {"name": "logger", "config": {"l": "debug"}},
        {"name": "telemetry", "id": "trace"},
    ]
    assert elements(base, leaf) == [
        ("agentmode#planner", {"mode": "act"}, True), ("logger", {"l": "debug"}, True), ("telemetry#trace", None, True)
    ]  # fmt: skip


A, B, A2 = {"name": "a", "config": {"x": 1}}, {"name": "b"}, {"name": "a", "id": "2"}


@pytest.mark.parametrize(
    ("layers", "result"),
    [
        (([A, B], [{"name": "a", "enabled": False}]), [("a", {"x": 1}, False), ("b", None, True)]),
        (([A], [A2]), [("a", {"x": 1}, True), ("a#2", None, True)]),
        (([A, B], []), [("a", {"x": 1}, True), ("b", None, True)]),
        (([A, B], None), []),
        (([A, B], None, [A2]), [("a#2", None, True)]),
        (([A, B], {"$replace": [A2]}), [("a#2", None, True)]),
        (([A, B], {"$replace": []}), []),
        (([A, B, A2], {"$remove": ["a"]}), [("b", None, True)]),
        (([A, B, A2], {"$remove": ["a#2", "missing"]}), [("a", {"x": 1}, True), ("b", None, True)]),
        (([A, B], {"$remove": ["a"]}, [A]), [("b", None, True), ("a", {"x": 1}, True)]),
        (([B], {"$prepend": [A, A2]}), [("a", {"x": 1}, True), ("a#2", None, True), ("b", None, True)]),
        (([A, B], {"$prepend": [A2, {"name": "b", "enabled": False}]}),
         [("a#2", None, True), ("a", {"x": 1}, True), ("b", None, False)]),
        (([A], {"$append": [B]}), [("a", {"x": 1}, True), ("b", None, True)]),
        (([A], [{"name": "a", "config": {"$replace": {"y": 2}}}]), [("a", {"y": 2}, True)]),
        (([A], [{"name": "a", "config": None}]), [("a", None, True)]),
        (({"$remove": ["a"]},), []),
        (({"$prepend": [A]},), [("a", {"x": 1}, True)]),
    ],
)  # fmt: skip
def test_keyed_lists_keep_order_and_take_directives(layers: Any, result: Any) -> None:
    assert elements(*layers) == result


def test_servers_merge_by_name() -> None:
    found = merged(
        {"servers": [{"name": "git", "cmd": ["git"], "env": {"A": "1"}}, {"name": "fs", "cmd": ["fs"]}]},
        {"servers": [{"name": "git", "env": {"B": "2"}}, {"name": "web"}]},
    ).values["servers"]
    assert list(found) == ["git", "fs", "web"]
    assert revealed(found["git"]) == {"name": "git", "cmd": ["git"], "env": {"A": "1", "B": "2"}}


def test_tools_replace_and_an_empty_prompt_keeps_the_base() -> None:
    found = merged({"tools": ["a", "b"], "system_prompt": "base"}, {"tools": ["c"], "system_prompt": ""}).values
    assert found == {"tools": ["c"], "system_prompt": "base"}
    assert merged({"system_prompt": "base"}, {"system_prompt": None}).values == {}


def test_extensions_merge_like_settings() -> None:
    base = {"scalar": "base", "nested": {"foo": "base", "bar": "keep"}, "items": ["a", "b"]}
    leaf = {"nested": {"foo": "leaf"}, "items": ["replaced"], "scalar": "leaf"}
    found = merged({"extensions": {"app.x@v1": base}}, {"extensions": {"app.x@v1": leaf}}).values
    assert found["extensions"]["app.x@v1"] == {
        "scalar": "leaf", "nested": {"foo": "leaf", "bar": "keep"}, "items": ["replaced"]
    }  # fmt: skip


def test_the_layers_are_not_changed_and_share_nothing_with_the_result() -> None:
    layers = [layer({"step_settings_patch": {"a": {"x": [[1]]}}, "tools": ["t"]}), layer({"tools": {"$append": ["u"]}})]
    before = copy.deepcopy([one.values for one in layers])
    found = merge(layers)
    found.values["step_settings_patch"]["a"]["x"][0].append(2)
    found.values["tools"].append("v")
    assert [one.values for one in layers] == before


@pytest.mark.parametrize(
    ("below", "kind", "items", "result"),
    [([1, 1], "append", [], [1, 1]), ([], "prepend", [2, 2], [2]), ([1, True], "remove", [True], [1])],
)
def test_edits_of_lists_keep_what_they_do_not_name(below: Any, kind: Any, items: Any, result: Any) -> None:
    assert repr(edited(below, ListEdit(kind, items))) == repr(result)


def said(layers: list[Any], key: str) -> list[Any]:
    return merged(*({"step_settings_patch": one} for one in layers)).steps(path_of(key))


def test_every_layer_that_speaks_of_a_leaf_is_remembered_in_order() -> None:
    assert said([{"a": {"x": 1}}, {}, {"a": {"x": 2}}, {"a": {"x": 3}}], "a.x") == [(0, 1), (2, 2), (3, 3)]
    assert said([{"a": {"x": 1}}], "a.y") == []


def test_unsetting_a_mapping_is_remembered_at_every_leaf_beneath_it() -> None:
    layers = [{"a": {"x": {"y": 1}}}, {"a": None}]
    assert said(layers, "a.x.y") == [(0, 1), (1, UNSET)]
    assert said(layers, "a") == [(1, UNSET)]


@pytest.mark.parametrize(
    "layers",
    [
        [{"a": None}],
        [{"a": {"x": 1}}, {"a": None}],
        [{"a": None}, {"a": {"y": 1}}],
        [{"a": {"b": {"x": 1}}}, {"a": None}],
    ],
)
def test_a_leaf_that_no_layer_names_is_unset_where_a_mapping_above_it_is(layers: Any) -> None:
    assert [step for _, step in said(layers, "a.b.z")] == [UNSET]


def test_unsetting_all_settings_reaches_sections_that_came_later() -> None:
    documents = [{"step_settings_patch": None}, {"step_settings_patch": {"a": {"x": 1}}}]
    assert merged(*documents).steps(path_of("a.y")) == [(0, UNSET)]


def enforcing(documents: list[Any], key: str) -> Origin | None:
    enforced = Origin("enforced", "team")
    layers = [layer(documents[0]), *(layer(document, enforced) for document in documents[1:])]
    return merge(layers).enforcing(path_of(key))


@pytest.mark.parametrize(
    ("enforced", "key", "protected"),
    [
        ({"step_settings_patch": {"a": {"x": 1}}}, "a.x", True),
        ({"step_settings_patch": {"a": {"x": 1}}}, "a", True),
        ({"step_settings_patch": {"a": {"x": 1}}}, "step_settings_patch", True),
        ({"step_settings_patch": {"a": {"x": 1}}}, "a.y", False),
        ({"step_settings_patch": {"a": {"x": None}}}, "a.x", True),
        ({"step_settings_patch": {"b": None}}, "b.z", True),
        ({"step_settings_patch": {"a": {"$replace": {}}}}, "a.anything", True),
        ({"tools": {"$remove": ["shell"]}}, "tools", True),
        ({"middlewares": [{"name": "audit"}]}, "middlewares.audit", True),
        ({"middlewares": [{"name": "audit"}]}, "middlewares.audit#2", False),
        ({"middlewares": [{"name": "audit"}]}, "middlewares", True),
        ({"middlewares": {"$remove": ["shell"]}}, "middlewares.shell", True),
        ({"middlewares": {"$remove": ["shell"]}}, "middlewares.shell#2", True),
        ({"middlewares": {"$remove": ["shell"]}}, "middlewares.other", False),
        ({"middlewares": {"$remove": ["log"]}}, "middlewares.log#a", True),
        ({"middlewares": None}, "middlewares.anything", True),
        ({"middlewares": {"$replace": []}}, "middlewares.anything", True),
        ({"middlewares": {"$prepend": [{"name": "audit"}]}}, "middlewares.audit", True),
    ],
)
def test_what_is_enforced_is_known_by_its_path(enforced: Any, key: str, protected: bool) -> None:
    base = {"step_settings_patch": {"a": {"x": 0}}, "tools": ["shell"], "middlewares": [{"name": "log", "id": "a"}]}
    assert (enforcing([base, enforced], key) is not None) is protected


def test_the_winner_of_a_place_is_the_highest_layer_that_speaks_of_it() -> None:
    found = merged(*({"step_settings_patch": one} for one in [{"a": {"x": 1}}, {"a": {"y": [1]}}, {"b": 1}]))
    assert str(found.winner(path_of("a.x"))) == "operator layer 1"
    assert str(found.winner(path_of("a"))) == "operator layer 2"
    assert str(found.winner(path_of("a.y.0"))) == "operator layer 2"
    assert found.winner(("tools",)) is None
