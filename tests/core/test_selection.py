"""Which profile a request means, and how the answer says so."""

from __future__ import annotations

from typing import Any

import pytest

from livery.core.catalogue import Catalogue
from livery.core.names import Reference
from livery.core.profile import ResolveInput
from livery.core.selection import Selection, default_registry, select
from livery.errors import (
    CallerDenied,
    ProfileNotFound,
    RegistryNotFound,
    SourceUnavailable,
    ValidationError,
)
from tests.core.builders import catalogue, registry


def selected(where: Catalogue, **request: Any) -> Selection:
    return select(ResolveInput(**request), where)


SHARED = registry({"default": {}, "analyst": {}}, slug="shared")
PRIVATE = registry({"default": {}, "analyst": {}}, slug="private")
TWO = catalogue(sources=[("shared.db", [SHARED]), ("private.yaml", [PRIVATE])])


@pytest.mark.parametrize(
    ("request_", "reference", "how"),
    [
        ({"registry_slug": "shared", "profile_slug": "analyst"}, Reference("shared", "analyst"), "exact"),
        ({"profile_slug": "shared/analyst"}, Reference("shared", "analyst"), "exact"),
        ({"registry_slug": " Shared ", "profile_slug": "ANALYST"}, Reference("shared", "analyst"), "exact"),
        ({"profile_slug": "analyst"}, Reference("private", "analyst"), "exact"),
        ({"registry_slug": "shared"}, Reference("shared", "default"), "registry default"),
        ({}, Reference("private", "default"), "default"),
        ({"registry_slug": "", "profile_slug": "", "caller": "  "}, Reference("private", "default"), "default"),
    ],
)
def test_a_request_means_one_profile_and_the_answer_says_how(request_: Any, reference: Reference, how: str) -> None:
    found = selected(TWO, **request_)
    assert (found.reference, found.how, found.fallback) == (reference, how, False)


def test_a_profile_is_searched_from_the_top_of_the_chain_after_the_default_registry() -> None:
    where = catalogue(sources=[
        ("a", [registry({"x": {}}, slug="low")]),
        ("b", [registry({"default": {}, "y": {}}), registry({"x": {}, "y": {}}, slug="mid")]),
        ("c", [registry({"x": {}, "y": {}}, slug="top")]),
    ])  # fmt: skip
    assert selected(where, profile_slug="x")[:2] == (Reference("top", "x"), "search")
    assert selected(where, profile_slug="y")[:2] == (Reference("default", "y"), "exact")


def test_nothing_named_means_the_default_of_the_topmost_source() -> None:
    private = registry({"assistant": {}}, slug="private")
    where = catalogue(sources=[("a", [registry({"default": {}}, slug="shared")]), ("b", [private])])
    assert selected(where).reference == Reference("private", "assistant")
    assert selected(where, profile_slug="default")[:2] == (Reference("shared", "default"), "search")


def test_the_default_registry_is_the_configured_one_then_the_one_named_default() -> None:
    documents = [registry({"a": {}}, slug="zeta"), registry({"a": {}}), registry({"a": {}}, slug="alpha")]
    assert default_registry(catalogue(*documents)) == "default"
    assert default_registry(catalogue(*documents, default_registry="zeta")) == "zeta"
    assert default_registry(catalogue(documents[0], documents[2])) == "alpha"
    assert default_registry(catalogue()) is None


@pytest.mark.parametrize(
    ("request_", "error", "nearest"),
    [
        ({"registry_slug": "sharde"}, RegistryNotFound, "shared"),
        ({"registry_slug": "shared", "profile_slug": "analist"}, ProfileNotFound, "shared/analyst"),
        ({"profile_slug": "analist"}, ProfileNotFound, "analyst"),
        ({"profile_slug": "sharde/analyst"}, RegistryNotFound, "shared"),
    ],
)
def test_what_is_not_there_is_said_with_the_nearest_names(request_: Any, error: type, nearest: str) -> None:
    with pytest.raises(error) as caught:
        reference = selected(TWO, **request_).reference
        assert reference is not None
        TWO.stack(reference)
    assert nearest in caught.value.nearest  # type: ignore[attr-defined]


@pytest.mark.parametrize("request_", [{"registry_slug": " "}, {"profile_slug": "a b"}, {"profile_slug": "a/b/c"}])
def test_a_name_that_is_none_is_refused(request_: Any) -> None:
    with pytest.raises(ValidationError):
        selected(TWO, **request_)


def test_a_configured_default_that_is_not_there_is_an_error_and_no_search() -> None:
    where = catalogue(registry(), default_registry="team")
    for request in ({}, {"profile_slug": "default"}):
        with pytest.raises(RegistryNotFound):
            selected(where, **request)


# Callers

CALLED = registry({"default": {}, "coder": {}}, callers={"vscode": "coder"})


def test_a_caller_gets_the_profile_that_the_registry_maps_it_to() -> None:
    assert selected(catalogue(CALLED), caller=" vscode ")[:2] == (Reference("default", "coder"), "caller")


@pytest.mark.parametrize("caller", ["VSCode", "other"])
def test_an_unknown_caller_gets_the_default_and_the_answer_says_so(caller: str) -> None:
    found = selected(catalogue(CALLED), caller=caller)
    assert (found.reference, found.how, found.fallback) == (Reference("default", "default"), "caller", True)


def test_an_unknown_caller_is_refused_where_the_registry_denies() -> None:
    where = catalogue({**CALLED, "fallback": "deny"})
    assert selected(where, caller="vscode").reference == Reference("default", "coder")
    with pytest.raises(CallerDenied, match="knows no caller 'other'"):
        selected(where, caller="other")
    assert selected(where).reference == Reference("default", "default")


def test_a_named_profile_goes_before_the_caller() -> None:
    assert selected(catalogue(CALLED), caller="vscode", profile_slug="default").how == "exact"


def test_the_callers_of_the_named_registry_count() -> None:
    other = registry({"x": {}}, slug="other", callers={"vscode": "x"})
    assert selected(catalogue(CALLED, other), caller="vscode", registry_slug="other").reference == Reference(
        "other", "x"
    )


# Defaults


@pytest.mark.parametrize(
    ("profiles", "chosen"), [({"b": {}, "default": {}, "a": {}}, "default"), ({"b": {}, "a": {}}, "a")]
)
def test_without_a_named_default_one_is_taken_with_a_warning(profiles: Any, chosen: str) -> None:
    found = selected(catalogue(registry(profiles, default_profile_slug="")))
    assert found.reference == Reference("default", chosen)
    assert f"'{chosen}' is taken" in found.warnings[0]


def test_a_registry_without_profiles_has_no_default() -> None:
    with pytest.raises(ProfileNotFound, match="has no profiles"):
        selected(catalogue(registry({})))


def test_a_default_that_is_not_there_is_not_found() -> None:
    where = catalogue(registry({"a": {}}, default_profile_slug="b"))
    reference = selected(where).reference
    assert reference == Reference("default", "b")
    with pytest.raises(ProfileNotFound):
        where.stack(reference)


# Nothing there, and sources that cannot be asked


def test_without_any_registry_base_settings_stand_alone() -> None:
    assert selected(catalogue()) == Selection(None, "base only")


@pytest.mark.parametrize("request_", [{"registry_slug": "a"}, {"caller": "x"}])
def test_what_is_named_must_exist_all_the_same(request_: Any) -> None:
    with pytest.raises(RegistryNotFound):
        selected(catalogue(), **request_)
    with pytest.raises(ProfileNotFound):
        selected(catalogue(), profile_slug="a")


DOWN = SourceUnavailable("postgresql://db", "connection refused")


@pytest.mark.parametrize(
    "request_",
    [{}, {"registry_slug": "default"}, {"profile_slug": "default"}, {"caller": "x"}, {"registry_slug": "gone"}],
)
def test_a_source_that_may_hold_anything_makes_every_answer_uncertain(request_: Any) -> None:
    with pytest.raises(SourceUnavailable):
        selected(catalogue(registry(), unavailable={None: DOWN}), **request_)
    with pytest.raises(SourceUnavailable):
        selected(catalogue(unavailable={None: DOWN}), **request_)


def test_a_registry_that_cannot_be_read_answers_for_itself_alone() -> None:
    where = catalogue(registry({"a": {}}, slug="sound"), unavailable={"team": DOWN})
    assert selected(where, registry_slug="sound").reference == Reference("sound", "a")
    with pytest.raises(SourceUnavailable):
        selected(where, registry_slug="team")
    with pytest.raises(RegistryNotFound):
        selected(where, registry_slug="gone")


def test_a_default_registry_that_cannot_be_read_is_not_replaced_by_another() -> None:
    for where in (
        catalogue(registry({"a": {}}, slug="other"), unavailable={"default": DOWN}),
        catalogue(unavailable={"t": DOWN}),
    ):
        with pytest.raises(SourceUnavailable):
            selected(where)


def test_a_profile_that_may_stand_where_nobody_could_look_is_not_called_missing() -> None:
    where = catalogue(registry({"a": {}}), unavailable={"team": DOWN})
    assert selected(where, profile_slug="a").reference == Reference("default", "a")
    with pytest.raises(SourceUnavailable):
        selected(where, profile_slug="b")


def test_an_error_raised_again_and_again_does_not_grow() -> None:
    where = catalogue(unavailable={None: DOWN})
    for _ in range(3):
        with pytest.raises(SourceUnavailable):
            where.view("a")
    traceback, depth = DOWN.__traceback__, 0
    while traceback is not None:
        traceback, depth = traceback.tb_next, depth + 1
    assert depth <= 2
