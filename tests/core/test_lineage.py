"""The graph of bases: base before derived, each once, and the same verdict for one profile and for the whole."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livery.core.lineage import MAX_DEPTH, check_graph, expand
from livery.core.names import Reference
from livery.errors import LineageError
from tests.core.strategies import law

Graph = Mapping[Reference, Sequence[Reference]]


def graph(**bases: str) -> Graph:
    """``a="b c"``: profile a of registry r extends b and c."""
    return {Reference("r", name): [Reference("r", base) for base in names.split()] for name, names in bases.items()}


def names(selected: str, index: Graph, max_depth: int = MAX_DEPTH) -> list[str]:
    return [reference.profile for reference in expand(Reference("r", selected), index.get, max_depth)]


def test_bases_come_first_and_the_selected_profile_last() -> None:
    index = graph(agent="model", model="provider", provider="")
    assert names("agent", index) == ["provider", "model", "agent"]


def test_depth_first_in_declared_order_and_each_once() -> None:
    index = graph(agent="model_a model_b p", model_a="p", model_b="p", p="")
    assert names("agent", index) == ["p", "model_a", "model_b", "agent"]


def test_a_cycle_prints_its_chain_and_the_reference_that_closes_it() -> None:
    index = {
        Reference("default", "a"): [Reference("default", "b")],
        Reference("default", "b"): [Reference("default", "a")],
    }
    with pytest.raises(LineageError) as caught:
        expand(Reference("default", "a"), index.get)
    assert caught.value.kind == "cycle"
    assert caught.value.field == "registry.profiles[b].extends[0]"
    assert "default/a -> default/b -> default/a" in str(caught.value)


def test_a_profile_that_extends_itself_is_a_cycle() -> None:
    with pytest.raises(LineageError, match="r/default -> r/default"):
        names("default", graph(default="default"))


def test_a_cycle_below_the_selected_profile_prints_the_cycle_alone() -> None:
    with pytest.raises(LineageError, match=r"cycle: r/b -> r/c -> r/b$"):
        names("a", graph(a="b", b="c", c="b"))


def faults(index: Graph, max_depth: int = MAX_DEPTH) -> list[LineageError]:
    return check_graph(index, index.get, lambda missing: index, max_depth)


def test_a_cycle_across_registries_is_found() -> None:
    x, y = Reference("x", "default"), Reference("y", "default")
    (error,) = faults({x: [y], y: [x]})
    assert "x/default -> y/default -> x/default" in str(error)


def test_more_profiles_on_one_way_than_allowed_are_refused_at_the_reference() -> None:
    with pytest.raises(LineageError) as caught:
        names("a", graph(a="b", b="c", c=""), 2)
    assert caught.value.kind == "depth"
    assert caught.value.field == "registry.profiles[b].extends[0]"
    assert "max_depth=2" in str(caught.value)
    assert "r/a -> r/b -> r/c" in str(caught.value)


def chain(length: int) -> Graph:
    return graph(**{f"p{number}": f"p{number + 1}" for number in range(length - 1)}, **{f"p{length - 1}": ""})


def test_32_profiles_deep_is_the_most() -> None:
    assert len(names("p0", chain(32))) == 32
    assert not faults(chain(32))
    assert {error.kind for error in faults(chain(33))} == {"depth"}
    with pytest.raises(LineageError, match="max_depth=32"):
        names("p0", chain(33))


def test_depth_is_the_longest_way_whatever_was_seen_before() -> None:
    index = {**graph(top="short p0", short="p30"), **chain(32)}
    with pytest.raises(LineageError):
        names("top", index)


def test_an_unknown_base_is_named_with_the_nearest() -> None:
    (error,) = faults(graph(coder="bas", base=""))
    assert str(error) == "profile 'r/coder' extends unknown 'r/bas'; did you mean 'r/base'?"
    assert error.field == "registry.profiles[coder].extends[0]"


def test_every_fault_of_a_graph_is_found_once() -> None:
    index = graph(a="b", b="a", c="a", d="missing", e="d", f="f", g="")
    assert sorted((error.kind, error.chain[-2]) for error in faults(index)) == [
        ("cycle", "r/b"), ("cycle", "r/f"), ("missing", "r/d")
    ]  # fmt: skip


NAMES = [Reference("r", name) for name in "abcdef"]
GRAPHS = st.dictionaries(
    st.sampled_from(NAMES), st.lists(st.sampled_from([*NAMES, Reference("r", "gone")]), max_size=3, unique=True)
)


def fails(reference: Reference, index: Graph, depth: int) -> bool:
    try:
        expand(reference, index.get, depth)
    except LineageError:
        return True
    return False


@law
@given(GRAPHS, st.integers(1, 6))
def test_the_check_of_a_graph_and_the_expansion_of_its_profiles_agree(index: Graph, depth: int) -> None:
    assert any(fails(reference, index, depth) for reference in index) == bool(faults(index, depth))


@law
@given(GRAPHS)
def test_a_lineage_holds_each_profile_once_with_its_bases_before_it(index: Graph) -> None:
    for reference in index:
        if not fails(reference, index, MAX_DEPTH):
            found = expand(reference, index.get)
            assert found[-1] == reference
            assert len(set(found)) == len(found)
            for position, one in enumerate(found):
                assert set(index[one]) <= set(found[:position])


def height(reference: Reference, index: Graph, way: tuple[Reference, ...] = ()) -> float:
    """The number of profiles on the longest way down; endless where a way leads back or to nothing."""
    if reference in way or reference not in index:
        return float("inf")
    return 1 + max((height(base, index, (*way, reference)) for base in index[reference]), default=0)


@law
@given(GRAPHS, st.integers(1, 6))
def test_a_profile_is_refused_for_cycles_missing_bases_and_depth_and_for_nothing_else(index: Graph, depth: int) -> None:
    for reference in index:
        assert fails(reference, index, depth) == (height(reference, index) > depth)


def test_a_broad_graph_is_walked_once() -> None:
    rows = [[Reference("r", f"p{level}-{column}") for column in range(5)] for level in range(30)]
    index: dict[Reference, Sequence[Reference]] = {one: [] for one in rows[-1]}
    for above, below in itertools.pairwise(rows):
        index.update(dict.fromkeys(above, below))
    assert len(expand(rows[0][0], index.get)) == 29 * 5 + 1
