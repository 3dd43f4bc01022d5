"""Several layers of one document told as one: laid over any bases it does what they do."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livery.core.composed import composed
from livery.core.paths import SETTINGS
from livery.core.profile import RuntimeSpec
from livery.core.values import revealed
from tests.core.builders import layer, merged
from tests.core.strategies import LISTS, SCALARS, law


def together(*runtimes: Any) -> dict[str, Any]:
    layers = (layer(runtime, str(number)) for number, runtime in enumerate(runtimes))
    written = [RuntimeSpec(**{key: value for key, value in one.items() if key != "extensions"}) for one in runtimes]
    spec, extensions = composed(layers, written)
    return {**spec.given(), **({"extensions": extensions} if extensions else {})}


def of_settings(*patches: Any) -> Any:
    return together(*({SETTINGS: patch} for patch in patches)).get(SETTINGS)


@pytest.mark.parametrize(
    ("low", "high", "both"),
    [
        ({"a": {"x": 1}}, {"a": {"y": 2}}, {"a": {"x": 1, "y": 2}}),
        ({"a": {"x": 1}}, {"a": {"x": None}}, {"a": {"x": None}}),
        ({"a": {"x": 1}}, {"a": None}, {"a": None}),
        ({"a": None}, {"a": {"x": 1}}, {"a": {"$replace": {"x": 1}}}),
        ({"a": {"x": 1}}, {"a": {"$replace": {"y": 2}}}, {"a": {"$replace": {"y": 2}}}),
        ({"a": {"$append": [1]}}, {"b": 1}, {"a": {"$append": [1]}, "b": 1}),
        ({"a": {"$append": [1, 2]}}, {"a": {"$append": [2, 3]}}, {"a": {"$append": [1, 2, 3]}}),
        ({"a": {"$prepend": [1, 2]}}, {"a": {"$prepend": [3, 2]}}, {"a": {"$prepend": [3, 1, 2]}}),
        ({"a": [1]}, {"a": {"$append": [2]}}, {"a": [1, 2]}),
        ({"a": {"$edits": [{"$append": [1]}]}}, {"b": 1}, {"a": {"$edits": [{"$append": [1]}]}, "b": 1}),
        ({"a": {"$literal": {"$append": [1]}}}, {}, {"a": {"$literal": {"$append": [1]}}}),
        ({"a": {"$literal": None}}, {}, {"a": {"$literal": None}}),
        ({}, {"a": {"$replace": {}}}, {"a": {"$replace": {}}}),
        ({"a": "sk"}, {"b": {"$secret": "env:A"}}, {"a": "sk", "b": {"$secret": "env:A"}}),
        (None, {"a": 1}, {"$replace": {"a": 1}}),
    ],
)  # fmt: skip
def test_settings_keep_what_acts_on_bases(low: Any, high: Any, both: Any) -> None:
    assert of_settings(low, high) == both


def test_a_field_that_one_layer_gives_is_told_as_it_was_written() -> None:
    low = {"tools": {"$append": ["a"]}, "middlewares": {"$remove": ["m"]}}
    assert together(low, {"system_prompt": None}) == {**low, "system_prompt": None}


def test_fields_that_several_layers_give_are_merged() -> None:
    low = {"tools": ["a"], "middlewares": [{"name": "m"}], "system_prompt": "p"}
    high = {
        "tools": {"$append": ["b"]},
        "middlewares": [{"name": "m", "enabled": False}, {"name": "n"}],
        "system_prompt": None,
    }
    assert together(low, high) == {
        "tools": ["a", "b"], "middlewares": [{"name": "m", "enabled": False}, {"name": "n"}], "system_prompt": None
    }  # fmt: skip


def test_extensions_keep_what_acts_on_bases_too() -> None:
    found = together({"extensions": {"a.b@v1": {"x": 1}}}, {"extensions": {"a.b@v1": {"x": None, "y": [1]}}})
    assert found["extensions"] == {"a.b@v1": {"x": None, "y": [1]}}


APPENDS = st.one_of(LISTS, st.none(), st.builds(lambda items: {"$append": items}, LISTS))
LEAVES = st.fixed_dictionaries({}, optional={"s": st.one_of(SCALARS, st.none()), "l": APPENDS})
MAPPINGS = st.one_of(LEAVES, st.none(), st.builds(lambda value: {"$replace": value}, LEAVES))
PATCHES = st.fixed_dictionaries({}, optional={"s": st.one_of(SCALARS, st.none()), "m": MAPPINGS, "n": MAPPINGS})


@law
@given(PATCHES, st.lists(PATCHES, min_size=2, max_size=3))
def test_over_any_base_the_one_document_does_what_the_layers_do(base: Any, patches: list[Any]) -> None:
    def over(*above: Any) -> Any:
        found = merged({SETTINGS: base}, *({SETTINGS: patch} for patch in above)).values.get(SETTINGS, {})
        return without_empty(revealed(found))

    assert over(of_settings(*patches)) == over(*patches)


def without_empty(value: Any) -> Any:
    """The same without mappings of which nothing is left, which are no leaves."""
    if not isinstance(value, dict) or any(key.startswith("$") for key in value):
        return value
    found = {key: without_empty(child) for key, child in value.items()}
    return {key: child for key, child in found.items() if child != {}}
