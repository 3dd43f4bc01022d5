"""What hypothesis draws in the tests of the core, and how much of it: ``LAWS=2000`` asks for more examples."""

from __future__ import annotations

import os
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

law = settings(
    max_examples=int(os.environ.get("LAWS", "40")),
    deadline=None,
    derandomize="CI" in os.environ,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

KEYS = st.sampled_from(["a", "b", "c", "d", "chat"])
TEXTS = st.sampled_from(["", "x", "y", "ä", "\U0001f600", "\ue000", 'q"\\\n'])
SCALARS = st.one_of(
    TEXTS,
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from([0.5, -0.0, 1.0, 1e-7, 1e16, 1e21]),
    st.builds(lambda name: {"$secret": f"env:{name}"}, st.sampled_from(["A", "B"])),
)
ITEMS = st.recursive(SCALARS, lambda below: st.lists(below, max_size=2), max_leaves=4)
LISTS = st.lists(ITEMS, max_size=3)

DIRECTIVES = st.one_of(
    st.none(),
    st.just({"$unset": True}),
    st.builds(lambda items: {"$append": items}, LISTS),
    st.builds(lambda items: {"$prepend": items}, LISTS),
    st.builds(lambda items: {"$remove": items}, LISTS),
    st.builds(lambda items: {"$replace": items}, LISTS),
    st.builds(lambda values: {"$replace": values}, st.dictionaries(KEYS, SCALARS, max_size=2)),
)


def documents(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Mappings of mappings of leaves, four deep at most."""
    below = st.dictionaries(KEYS, leaves, max_size=3)
    for _ in range(2):
        below = st.dictionaries(KEYS, st.one_of(leaves, below), max_size=3)
    return below


PLAIN = documents(st.one_of(SCALARS, LISTS))
DIRECTED = documents(st.one_of(SCALARS, LISTS, DIRECTIVES))


@st.composite
def typed_documents(draw: st.DrawFn, directed: bool = False) -> dict[str, Any]:
    """Documents whose paths always hold the same kind of value, so that any of them can be laid over any other."""
    scalar = st.one_of(SCALARS, st.none()) if directed else SCALARS
    items = st.one_of(LISTS, DIRECTIVES.filter(_suits_a_list)) if directed else LISTS
    leaves = {"s": scalar, "t": scalar, "l": items}
    inner = st.fixed_dictionaries({}, optional=leaves)
    mapping = st.one_of(inner, st.none(), st.builds(lambda x: {"$replace": x}, inner)) if directed else inner
    middle = st.fixed_dictionaries({}, optional={**leaves, "m": mapping, "n": mapping})
    return draw(st.fixed_dictionaries({}, optional={**leaves, "m": middle, "n": mapping}))


def _suits_a_list(directive: Any) -> bool:
    return not isinstance(directive, dict) or not isinstance(directive.get("$replace"), dict)


JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**53) + 1, 2**53 - 1),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(),
    ),
    lambda below: st.one_of(st.lists(below, max_size=4), st.dictionaries(st.text(), below, max_size=4)),
    max_leaves=12,
)
