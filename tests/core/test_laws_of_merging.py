"""Laws that hold for any layers: how merges nest, what keeps order, what is shared, and who gave each leaf."""

from __future__ import annotations

import copy
from typing import Any

import orjson
from hypothesis import assume, given
from hypothesis import strategies as st

from livery.core.explain import explain
from livery.core.layers import Layer
from livery.core.merge import Merged, merge
from livery.core.paths import SETTINGS
from livery.core.schema import FREE
from livery.core.values import DIRECTIVES, UNSET, Atom, KeyedEdit, ListEdit, Replace, revealed
from livery.errors import MergeConflict
from tests.core.builders import SMALL, catalogue, layer, registry, run
from tests.core.strategies import DIRECTED, PLAIN, law, typed_documents

PLAINS = st.lists(typed_documents(), min_size=1, max_size=4)
DIRECTEDS = st.lists(typed_documents(directed=True), min_size=1, max_size=4)

NAMES = st.sampled_from(["a", "b", "a#1"])
ELEMENT = st.builds(
    lambda key, level: {"name": key.partition("#")[0], "id": key.partition("#")[2], "config": {"level": level}},
    NAMES,
    st.integers(0, 2),
)
ELEMENTS = st.lists(ELEMENT, max_size=3, unique_by=lambda element: (element["name"], element["id"]))
KEYED = st.one_of(
    ELEMENTS,
    st.none(),
    st.builds(lambda names: {"$remove": names}, st.lists(NAMES, max_size=2)),
    st.builds(lambda x: {"$replace": x}, ELEMENTS),
    st.builds(lambda x: {"$prepend": x}, ELEMENTS),
)
TOOLS = st.one_of(
    st.lists(st.sampled_from("xyz"), max_size=3, unique=True),
    st.none(),
    st.builds(lambda kind, x: {kind: x}, st.sampled_from(["$append", "$prepend", "$remove"]), st.just(["x", "y"])),
)
RUNTIMES = st.fixed_dictionaries(
    {},
    optional={
        SETTINGS: st.one_of(typed_documents(directed=True), st.none()),
        "system_prompt": st.sampled_from(["", "p", "q", None]),
        "middlewares": KEYED,
        "tools": TOOLS,
        "extensions": typed_documents(directed=True),
    },
)


def laid(documents: list[Any], *, runtimes: bool = False) -> Merged:
    return merge(layer(one if runtimes else {SETTINGS: one}, str(number)) for number, one in enumerate(documents))


def values(documents: list[Any]) -> Any:
    return revealed(laid(documents).values.get(SETTINGS, {}))


def same_text(one: Any, other: Any) -> bool:
    """Equal as JSON, where true is not 1 and the order of keys does not matter."""
    return orjson.dumps(one, option=orjson.OPT_SORT_KEYS) == orjson.dumps(other, option=orjson.OPT_SORT_KEYS)


@law
@given(DIRECTEDS)
def test_a_merge_of_layers_is_the_left_fold_of_their_values(documents: list[Any]) -> None:
    folded: Any = {}
    for document in documents:
        folded = values([folded, document])
    assert same_text(folded, values(documents))


@law
@given(st.lists(RUNTIMES, max_size=4), st.integers(0, 4))
def test_laying_layers_on_a_state_is_the_same_as_merging_them_at_once(runtimes: list[Any], at: int) -> None:
    layers = [layer(one, str(number)) for number, one in enumerate(runtimes)]
    state = merge(layers[:at])
    for one in layers[at:]:
        state.lay(one)
    whole = merge(layers)
    assert (state.values, state.trace, state.origins) == (whole.values, whole.trace, whole.origins)


@law
@given(PLAINS)
def test_a_layer_laid_twice_changes_nothing(documents: list[Any]) -> None:
    assert same_text(values([*documents, documents[-1]]), values(documents))
    assert same_text(values([documents[0], documents[0]]), values(documents[:1]))


@law
@given(typed_documents(), typed_documents(), typed_documents())
def test_documents_without_null_and_directives_merge_in_any_grouping(a: Any, b: Any, c: Any) -> None:
    assert same_text(values([values([a, b]), c]), values([a, values([b, c])]))


@law
@given(PLAIN, PLAIN, PLAIN)
def test_a_conflict_does_not_depend_on_the_grouping_either(a: Any, b: Any, c: Any) -> None:
    def outcome(make: Any) -> Any:
        try:
            return orjson.dumps(make(), option=orjson.OPT_SORT_KEYS)
        except MergeConflict:
            return "conflict"

    assert outcome(lambda: values([values([a, b]), c])) == outcome(lambda: values([a, values([b, c])]))


def backwards(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: backwards(value[key]) for key in reversed(value)}
    return value


@law
@given(st.lists(RUNTIMES, min_size=1, max_size=3))
def test_the_order_of_keys_changes_no_value_no_origin_and_no_identity(runtimes: list[Any]) -> None:
    def of(documents: list[Any]) -> Any:
        profiles = {f"p{n}": {"runtime": one, "extends": [f"p{n - 1}"] * (n > 0)} for n, one in enumerate(documents)}
        for profile in profiles.values():
            profile["extensions"] = {"a.b@v1": profile["runtime"].get("extensions", {})}
            profile["runtime"] = {key: value for key, value in profile["runtime"].items() if key != "extensions"}
        last = f"p{len(documents) - 1}"
        found = run(catalogue(registry(profiles, default_profile_slug=last), schema=FREE), free=FREE)
        told = sorted(
            (row.key, row.rule, str(row.origin), repr(row.value)) for row in explain(found) if not row.present
        )
        origins = sorted((row.key, row.rule, str(row.origin)) for row in explain(found) if row.present)
        return found.runtime_digest, found.runtime_fingerprint, origins, told

    assert of(runtimes) == of([backwards(one) for one in runtimes])


@law
@given(st.lists(RUNTIMES, max_size=3))
def test_layers_are_never_changed_and_share_nothing_with_the_result(runtimes: list[Any]) -> None:
    layers = [layer(one, str(number)) for number, one in enumerate(runtimes)]
    before = copy.deepcopy([one.values for one in layers])
    state = merge(layers)
    shared = containers(state.values) & set().union(*(containers(one.values) for one in layers))
    assert not shared
    spoil(state.values)
    assert [one.values for one in layers] == before


def containers(value: Any) -> set[int]:
    """The identities of all lists and mappings of a value that could be changed; references are never handed out."""
    if type(value) is dict:
        return {id(value)}.union(*map(containers, value.values()))
    if type(value) is list:
        return {id(value)}.union(*map(containers, value))
    if type(value) is Replace:
        return containers(value.value)
    return containers(list(value[1:])) - {0} if type(value) in (ListEdit, KeyedEdit) else set()


def spoil(value: Any) -> None:
    children = list(value.values()) if type(value) is dict else list(value)
    for child in children:
        if type(child) in (dict, list):
            spoil(child)
    value.clear()


@law
@given(st.lists(RUNTIMES, max_size=4))
def test_a_result_holds_neither_null_nor_directives(runtimes: list[Any]) -> None:
    assert not strays(laid(runtimes, runtimes=True).values)


def strays(value: Any) -> list[Any]:
    """Nulls and directives at places that layers merge; lists hold data."""
    if type(value) is dict:
        found = [key for key in value if key.startswith("$")]
        return found + [stray for child in value.values() for stray in strays(child)]
    return [value] if value is None or type(value) in DIRECTIVES else []


@law
@given(st.lists(RUNTIMES, max_size=4))
def test_a_result_survives_json_and_reads_back_to_itself(runtimes: list[Any]) -> None:
    found = laid(runtimes, runtimes=True).values
    again = {key: list(value.values()) if key == "middlewares" else value for key, value in found.items()}
    assert same_text(revealed(laid([again], runtimes=True).values), revealed(found)) or found.get("middlewares") == {}


# Who gave each leaf, found in the plainest way: layer by layer, for this one leaf alone.


def naive(layers: list[Layer], path: tuple[str, ...]) -> tuple[Any, int | None]:
    """The value at a path and the index of the layer that last said something of it."""
    value, winner = UNSET, None
    for index, one in enumerate(layers):
        for said in spoken(one.values, path):
            value, winner = said_over(value, said), index
    return value, winner


def spoken(values: Any, path: tuple[str, ...]) -> list[Any]:
    """What one layer says of a path, in order: unset by a replacement above, then what stands in it."""
    said: list[Any] = []
    for part in path:
        if type(values) is Replace:
            said, values = [UNSET], values.value
        if values is UNSET:
            return [UNSET]
        if type(values) is KeyedEdit and values.kind == "remove":
            gone = part in values.elements or part.partition("#")[0] in values.elements
            return [UNSET] if gone else []
        if type(values) is KeyedEdit:
            values = values.elements
        if type(values) is not dict or part not in values:
            return said
        values = values[part]
    if type(values) is Replace:
        return [UNSET, values.value]
    return said if type(values) is dict and values else [*said, values]


def said_over(value: Any, said: Any) -> Any:
    if type(said) is not ListEdit:
        return said
    below = [] if value is UNSET else value
    if said.kind == "remove":
        return [item for item in below if not any(same_text(item, gone) for gone in said.items)]
    new: list[Any] = []
    for item in said.items:
        if not any(same_text(item, known) for known in [*below, *new]):
            new.append(item)
    return [*below, *new] if said.kind == "append" else [*new, *below]


def leaves(value: Any, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    if type(value) is dict and value:
        return [leaf for key, child in value.items() for leaf in leaves(child, (*path, key))]
    return [(path, value)]


@law
@given(st.lists(RUNTIMES, max_size=4))
def test_every_leaf_has_the_value_of_the_layer_that_is_said_to_have_given_it(runtimes: list[Any]) -> None:
    layers = [layer(one, str(number)) for number, one in enumerate(runtimes)]
    state = merge(layers)
    for path, value in leaves(state.values):
        expected, winner = naive(layers, path)
        if value == {}:  # an emptied mapping is nobody's
            continue
        assert same_text(revealed(value), revealed(expected))
        assert state.steps(path)[-1][0] == winner


@law
@given(st.lists(RUNTIMES, min_size=1, max_size=3))
def test_every_step_of_a_leaf_is_what_its_layer_really_says(runtimes: list[Any]) -> None:
    layers = [layer(one, str(number)) for number, one in enumerate(runtimes)]
    state = merge(layers)
    for path, steps in state.leaves():
        if len(path) == 1 and path[0] == "middlewares":
            continue  # what was removed by name is kept at the list
        for index, said in steps:
            assert said in spoken(layers[index].values, path) or said is UNSET


@law
@given(DIRECTED, DIRECTED)
def test_whatever_is_merged_ends_in_a_result_or_in_a_conflict(one: Any, other: Any) -> None:
    try:
        found = laid([one, other])
    except MergeConflict as conflict:
        assert conflict.path and conflict.below == "operator layer 0" and conflict.above == "operator layer 1"
    else:
        assert not strays(found.values)


@law
@given(typed_documents(directed=True), typed_documents(directed=True))
def test_nothing_leaks_between_two_resolutions_of_the_same_documents(one: Any, other: Any) -> None:
    profiles = {"p": {"extends": ["b"], "runtime": {SETTINGS: one}}, "b": {"runtime": {SETTINGS: other}}}
    where = catalogue(registry(profiles), schema=FREE)
    first = run(where, free=FREE)
    before = first.document()
    settings = first.effective_step_settings
    assume(settings)
    spoil(settings)
    assert first.document() == before == run(where, free=FREE).document()


def test_references_inside_lists_are_the_only_values_that_layers_and_results_share() -> None:
    found = layer({SETTINGS: {"l": [{"$secret": "env:A"}]}}, schema=SMALL)
    state = merge([found])
    assert type(state.values[SETTINGS]["l"][0]) is Atom
    assert revealed(state.values[SETTINGS]["l"][0]) is not state.values[SETTINGS]["l"][0]
