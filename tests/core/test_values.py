"""Values as JSON has them, and what stands beside them in a prepared runtime."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
from hypothesis import given

from livery.core.values import (
    UNSET,
    Atom,
    KeyedEdit,
    ListEdit,
    Replace,
    SecretLiteral,
    has_surrogate,
    hidden,
    number_fault,
    plain_number,
    revealed,
    same,
    written,
)
from tests.core.strategies import JSON, law


@pytest.mark.parametrize(("number", "form"), [(1.0, 1), (-0.0, 0), (0.5, 0.5), (1e16, 1e16), (2.0**53 - 1, 2**53 - 1)])
def test_a_number_has_one_form(number: float, form: float) -> None:
    assert repr(plain_number(number)) == repr(form)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), 2**53, -(2**53), 10**100])
def test_a_number_outside_json_is_a_fault(number: float) -> None:
    assert number_fault(number)


@pytest.mark.parametrize("number", [0, 2**53 - 1, -(2**53) + 1, 1e300, 5e-324])
def test_other_numbers_are_none(number: float) -> None:
    assert number_fault(number) is None


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [(1, 1.0, True), (1, True, False), (0, False, False), ([1], [True], False), ({"a": [0]}, {"a": [False]}, False),
     ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True), ([1, 2], [2, 1], False), ("1", 1, False), (None, False, False),
     ([], {}, False), (Atom({"a": 1}), {"a": 1}, True)],
)  # fmt: skip
def test_values_are_the_same_as_json_has_it(one: Any, other: Any, equal: bool) -> None:
    assert same(one, other) is same(other, one) is equal


@pytest.mark.parametrize(
    ("value", "form"),
    [
        (UNSET, None),
        (Replace({"a": UNSET}), {"$replace": {"a": None}}),
        (ListEdit("append", [1]), {"$append": [1]}),
        (KeyedEdit("remove", {"a": None}), {"$remove": ["a"]}),
        (KeyedEdit("prepend", {"a": {"name": "a"}}), {"$prepend": [{"name": "a"}]}),
    ],
)
def test_a_directive_has_the_json_form_in_which_it_is_written(value: Any, form: Any) -> None:
    assert hidden(written(value)) == form


def test_secrets_are_revealed_or_hidden_and_never_printed() -> None:
    value = {"a": SecretLiteral("CANARY"), "l": [SecretLiteral("CANARY")], "r": Atom({"$secret": "env:A"})}
    assert revealed(value) == {"a": "CANARY", "l": ["CANARY"], "r": {"$secret": "env:A"}}
    assert hidden(value) == {"a": {"$redacted": True}, "l": [{"$redacted": True}], "r": {"$secret": "env:A"}}
    assert "CANARY" not in f"{value} {value!r} {SecretLiteral('CANARY')}"


def test_there_is_one_unset_also_after_copying() -> None:
    assert copy.deepcopy(UNSET) is copy.copy(UNSET) is pickle.loads(pickle.dumps(UNSET)) is UNSET


@law
@given(JSON)
def test_a_plain_value_is_revealed_as_an_equal_copy(value: Any) -> None:
    assert revealed(value) == hidden(value) == value
    assert not isinstance(value, list | dict) or revealed(value) is not value


def test_halves_of_surrogate_pairs_are_found() -> None:
    assert has_surrogate("a\ud800")
    assert not has_surrogate("\U0001f600\ue000")
