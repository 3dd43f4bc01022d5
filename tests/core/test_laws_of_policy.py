"""Laws of overrides: more policies never allow more, and nothing changes that was not decided and allowed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from livery.core.effective import effective_values
from livery.core.layers import Origin
from livery.core.merge import Merged, merge
from livery.core.overrides import read_overrides
from livery.core.paths import Path, path_of
from livery.core.policy import Decision, OwnedPolicy, combine, decide, is_sensitive
from livery.core.profile import PolicySpec
from livery.core.values import revealed
from livery.errors import ValidationError
from tests.core.builders import SMALL, layer
from tests.core.strategies import law

ENGINE = st.sampled_from(["x", "y", None, {"$secret": "env:A"}])
CHAT = st.fixed_dictionaries(
    {},
    optional={
        "engine": ENGINE,
        "temperature": st.sampled_from([0, 1, None]),
        "stop": st.sampled_from([["a"], [], None, {"$append": ["b"]}, {"$replace": ["c"]}]),
    },
)
HEADERS = st.dictionaries(st.sampled_from("ab"), st.sampled_from(["1", "2", None]), max_size=2)


def whole(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(inner, st.none(), st.builds(lambda value: {"$replace": value}, inner))


SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "chat": whole(CHAT),
        "client": whole(
            st.fixed_dictionaries(
                {},
                optional={"timeout": st.sampled_from([1, None]), "base_url": st.just("u"), "headers": whole(HEADERS)},
            )
        ),
        "api": whole(st.fixed_dictionaries({}, optional={"keys": whole(HEADERS)})),
        "model_info": st.fixed_dictionaries(
            {}, optional={"cost": st.sampled_from([{"input": 1}, {"output": 2}, None])}
        ),
    },
)
ELEMENT = st.fixed_dictionaries(
    {"name": st.sampled_from("mn"), "id": st.sampled_from(["", "1"]), "enabled": st.booleans()}
)
ELEMENTS = st.lists(ELEMENT, max_size=2, unique_by=lambda element: (element["name"], element["id"]))
DOCUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "step_settings_patch": whole(SETTINGS),
        "system_prompt": st.sampled_from(["p", "q", "", None]),
        "tools": st.sampled_from([["search"], ["search", "x"], [], None, {"$append": ["x"]}, {"$remove": ["search"]}]),
        "middlewares": st.one_of(
            whole(ELEMENTS),
            st.builds(lambda x: {"$prepend": x}, ELEMENTS),
            st.builds(lambda names: {"$remove": names}, st.lists(st.sampled_from(["m", "m#1", "n"]), max_size=2)),
        ),
    },
)
PATTERNS = st.lists(
    st.sampled_from(
        ["*", "chat.*", "chat", "chat.engine", "chat.temperature", "client.*", "client.headers", "client.headers.a",
         "client.base_url", "api.*", "api.keys", "api.keys.a", "tools", "systemPrompt", "middlewares", "middlewares.m",
         "middlewares.*", "step_settings_patch", "model_info.cost.input"]
    ),
    max_size=4,
)  # fmt: skip
POLICIES = st.builds(
    lambda fields: PolicySpec(**{name: tuple(v) if isinstance(v, list) else v for name, v in fields.items()}),
    st.fixed_dictionaries(
        {},
        optional={
            "allow_overrides": st.booleans(),
            "allowed_override_keys": PATTERNS,
            "denied_override_keys": PATTERNS,
            "read_only": st.booleans(),
        },
    ),
)
OPEN = PolicySpec(allow_overrides=True)
EVERYTHING = PolicySpec(
    allow_overrides=True,
    allowed_override_keys=("*", "tools", "middlewares", "client.base_url", "api.keys", "api.keys.a", "api.keys.b"),
)


def ground(documents: Sequence[Any]) -> Merged:
    return merge(layer(one, str(number), SMALL) for number, one in enumerate(documents))


def decided(overrides: Any, below: Merged, policies: Sequence[PolicySpec]) -> list[Decision]:
    owned = [OwnedPolicy(str(number), number, policy) for number, policy in enumerate(policies)]
    return decide(read_overrides(overrides, SMALL).values, below, owned, SMALL)


def allowed(overrides: Any, below: Merged, policies: Sequence[PolicySpec]) -> dict[str, bool]:
    return {decision.key: decision.allowed for decision in decided(overrides, below, policies)}


BELOWS = st.lists(DOCUMENTS, max_size=2).map(ground)


@law
@given(DOCUMENTS, BELOWS, st.lists(POLICIES, max_size=3), POLICIES)
def test_one_more_policy_never_allows_more(
    overrides: Any, below: Merged, policies: list[PolicySpec], more: PolicySpec
) -> None:
    policies = [EVERYTHING, *policies]
    before, after = allowed(overrides, below, policies), allowed(overrides, below, [*policies, more])
    assert before.keys() == after.keys()
    assert all(before[key] for key in after if after[key])


@law
@given(DOCUMENTS, BELOWS, POLICIES)
def test_the_first_list_may_name_sensitive_keys_and_tools_and_allows_nothing_else(
    overrides: Any, below: Merged, more: PolicySpec
) -> None:
    before, after = allowed(overrides, below, [OPEN]), allowed(overrides, below, [OPEN, more])
    for key in after:
        if after[key] and not before[key]:
            assert key == "tools" or is_sensitive(path_of(key), SMALL)
            assert isinstance(more.allowed_override_keys, tuple)


@law
@given(DOCUMENTS, BELOWS, st.lists(POLICIES, max_size=3))
def test_deny_beats_allow_wherever_it_stands(overrides: Any, below: Merged, policies: list[PolicySpec]) -> None:
    for key in allowed(overrides, below, policies):
        shut = PolicySpec(denied_override_keys=(key,))
        for several in ([shut, EVERYTHING, *policies], [EVERYTHING, *policies, shut]):
            assert not allowed(overrides, below, several)[key]


@law
@given(DOCUMENTS, BELOWS, st.lists(POLICIES.filter(lambda policy: policy.allow_overrides is not True), max_size=3))
def test_nothing_is_allowed_where_nobody_says_so(overrides: Any, below: Merged, policies: list[PolicySpec]) -> None:
    assert not any(allowed(overrides, below, policies).values())


@law
@given(DOCUMENTS, BELOWS, st.lists(POLICIES, max_size=3))
def test_the_order_of_policies_changes_no_verdict(overrides: Any, below: Merged, policies: list[PolicySpec]) -> None:
    assert allowed(overrides, below, policies) == allowed(overrides, below, policies[::-1])


@law
@given(DOCUMENTS, BELOWS, st.lists(POLICIES, max_size=2))
def test_a_policy_asked_twice_says_the_same(overrides: Any, below: Merged, policies: list[PolicySpec]) -> None:
    assert allowed(overrides, below, policies) == allowed(overrides, below, policies * 2)


def leaves(value: Any, path: Path = ()) -> dict[Path, str]:
    if type(value) is dict and value:
        return {leaf: text for key, child in value.items() for leaf, text in leaves(child, (*path, key)).items()}
    return {path: repr(revealed(value))}


def changes(overrides: Any, documents: Sequence[Any]) -> set[Path]:
    """The leaves of the effective runtime that overrides add, remove or change, policies apart."""
    below, above = ground(documents), ground(documents)
    above.lay(read_overrides(overrides, SMALL))
    before, after = (leaves(effective_values(state.values, SMALL)) for state in (below, above))
    return {path for path in before.keys() | after.keys() if before.get(path) != after.get(path) and path}


def covers(decision: Decision, path: Path) -> bool:
    key = path_of(decision.key)
    shorter = min(len(key), len(path))
    return key[:shorter] == path[:shorter]


@law
@given(DOCUMENTS, st.lists(DOCUMENTS, max_size=2))
def test_a_decision_exists_for_every_leaf_that_changes(overrides: Any, documents: list[Any]) -> None:
    found = decided(overrides, ground(documents), [])
    for path in changes(overrides, documents):
        if len(path) > 1:
            assert any(covers(decision, path) for decision in found), path


@law
@given(DOCUMENTS, st.lists(DOCUMENTS, max_size=2), st.lists(POLICIES, max_size=3))
def test_an_allowed_override_changes_only_what_was_allowed(
    overrides: Any, documents: list[Any], policies: list[PolicySpec]
) -> None:
    found = decided(overrides, ground(documents), [EVERYTHING, *policies])
    if all(decision.allowed for decision in found):
        for path in changes(overrides, documents):
            assert any(decision.allowed and covers(decision, path) for decision in found), path


@law
@given(DOCUMENTS, st.lists(DOCUMENTS, max_size=2), DOCUMENTS)
def test_no_override_changes_what_is_enforced(overrides: Any, documents: list[Any], enforced: Any) -> None:
    below = ground(documents)
    below.lay(layer(enforced, Origin("enforced", "team"), SMALL))
    before = effective_values(below.values, SMALL)
    kept = {path: text for path, text in leaves(before).items() if below.enforcing(path) is not None and path[1:]}
    if all(decision.allowed for decision in decided(overrides, below, [EVERYTHING])):
        below.lay(read_overrides(overrides, SMALL))
        after = leaves(effective_values(below.values, SMALL))
        assert {path: after.get(path) for path in kept} == kept


# Combining


@law
@given(st.lists(POLICIES, max_size=3), st.lists(POLICIES, max_size=3), st.lists(POLICIES, max_size=3))
def test_policies_combine_in_any_grouping_and_order(
    a: list[PolicySpec], b: list[PolicySpec], c: list[PolicySpec]
) -> None:
    one = combine([combine([*a, *b]), *c])
    assert normal(one) == normal(combine([*a, combine([*b, *c])])) == normal(combine([*c, *b, *a]))
    assert combine([one, one]) == one == combine([one])


def normal(policy: PolicySpec) -> Any:
    def keys(found: Any) -> Any:
        return sorted(found) if isinstance(found, tuple) else found

    lists = keys(policy.allowed_override_keys), keys(policy.denied_override_keys)
    return policy.allow_overrides, policy.read_only, lists


@law
@given(st.lists(POLICIES, min_size=1, max_size=3))
def test_the_combined_policy_allows_no_more_than_each(policies: list[PolicySpec]) -> None:
    both = combine(policies)
    overrides = {"chat.engine": "z", "system_prompt": "z", "client.headers": {"a": "z"}, "chat.temperature": 2}
    together = allowed(overrides, ground([]), [both])
    for policy in policies:
        alone = allowed(overrides, ground([]), [OPEN, policy])
        assert all(alone[key] for key in together if together[key])


@law
@given(st.text(max_size=8))
def test_any_pattern_is_understood_or_refused(text: str) -> None:
    try:
        assert allowed(
            {"chat.engine": "x"}, ground([]), [PolicySpec(allow_overrides=True, allowed_override_keys=(text,))]
        )
    except ValidationError as error:
        assert repr(text.strip()) in error.reason or "is not a dotted path" in error.reason
