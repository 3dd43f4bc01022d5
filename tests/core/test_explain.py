"""What an explanation says: the value, who gave it, who else spoke of it, and by which rule it won."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from livery.core.explain import Explained
from livery.core.schema import FREE
from tests.core.builders import catalogue, registry, rows, run, runtime, settings


def explained(*profiles: Any, **head: Any) -> dict[str, Explained]:
    """The explanation of the last of some profiles, each extending the one before."""
    documents: dict[str, Any] = {}
    for number, profile in enumerate(profiles):
        bases = {"extends": [f"p{number - 1}"]} if number else {}
        documents[f"p{number}"] = {**bases, **profile}
    return rows(run(registry(documents, **{"default_profile_slug": f"p{len(profiles) - 1}", **head})))


def history(row: Explained) -> list[tuple[str, Any]]:
    return [(str(entry.origin), entry.value) for entry in row.history]


BASE, LEAF = "base default/p0 (yaml:a)", "profile default/p1 (yaml:a)"


def test_a_leaf_says_who_won_and_who_lost_in_order() -> None:
    row = explained(settings(chat={"engine": "a"}), settings(chat={"engine": "b"}))["chat.engine"]
    assert (row.value, str(row.origin), row.rule) == ("b", LEAF, "the highest layer that sets it")
    assert history(row) == [("schema default", "gpt-4"), (BASE, "a"), (LEAF, "b")]
    assert [str(entry.origin) for entry in row.losers] == ["schema default", BASE]


def test_a_leaf_that_nobody_names_is_a_schema_default() -> None:
    row = explained({})["chat.temperature"]
    assert (row.value, str(row.origin), row.rule) == (0.7, "schema default", "schema default")
    assert history(row) == [("schema default", 0.7)]


@pytest.mark.parametrize("patch", [{"chat": {"engine": None}}, {"chat": None}, None, {"chat": {"$replace": {}}}])
def test_an_unset_leaf_shows_its_default_and_who_unset_it(patch: Any) -> None:
    row = explained(settings(chat={"engine": "a"}), runtime(step_settings_patch=patch))["chat.engine"]
    assert (row.value, str(row.origin), row.rule, row.present) == ("gpt-4", "schema default", f"unset by {LEAF}", True)
    assert history(row) == [("schema default", "gpt-4"), (BASE, "a"), (LEAF, None)]


@pytest.mark.parametrize("base", [{}, settings(chat={"engine": "a"})])
@pytest.mark.parametrize("patch", [{"chat": None}, None])
def test_null_on_a_mapping_is_told_at_every_leaf_beneath_it(base: Any, patch: Any) -> None:
    found = explained(base, runtime(step_settings_patch=patch))
    for key in ("chat.temperature", "chat.stream", "chat.engine"):
        assert (found[key].rule, str(found[key].origin)) == (f"unset by {LEAF}", "schema default")
    assert found["client.timeout"].rule == ("schema default" if patch is not None else f"unset by {LEAF}")


def test_a_leaf_that_is_unset_and_has_no_default_is_told_as_absent() -> None:
    row = explained(settings(client={"organization": "acme"}), settings(client=None))["client.organization"]
    assert (row.value, row.present, str(row.origin), row.rule) == (None, False, LEAF, f"unset by {LEAF}")
    assert "value" not in row.document()
    assert history(row) == [(BASE, "acme"), (LEAF, None)]


def test_a_mapping_of_which_nothing_is_left_is_no_leaf_that_anybody_gave() -> None:
    found = explained(settings(client={"headers": {"a": "1"}}), settings(client={"headers": {"a": None}}))
    assert "client.headers" not in found
    assert not found["client.headers.a"].present


def test_an_empty_mapping_that_a_layer_gives_is_a_leaf() -> None:
    row = explained(settings(client={"headers": {}}))["client.headers"]
    assert (row.value, str(row.origin)) == ({}, "profile default/p0 (yaml:a)")


def test_a_replaced_mapping_says_so_at_what_stays_and_at_what_is_gone() -> None:
    found = explained(
        settings(client={"headers": {"a": "1", "b": "1"}}), settings(client={"headers": {"$replace": {"a": "2"}}})
    )
    assert (found["client.headers.a"].value, found["client.headers.a"].rule) == ("2", "replaced as a whole")
    assert history(found["client.headers.a"]) == [(BASE, "1"), (LEAF, "2")]
    assert (found["client.headers.b"].present, found["client.headers.b"].rule) == (False, f"unset by {LEAF}")


def test_an_edit_of_a_list_is_shown_as_it_was_written() -> None:
    row = explained(runtime(tools=["a"]), runtime(tools={"$append": ["b"]}))["tools"]
    assert (row.value, row.rule) == (["a", "b"], f"$append by {LEAF}")
    assert history(row) == [("schema default", ["search", "clock"]), (BASE, ["a"]), (LEAF, {"$append": ["b"]})]


def test_enforced_values_say_that_nothing_may_override_them() -> None:
    row = explained(settings(chat={"engine": "a"}), enforced={"step_settings_patch": {"chat": {"engine": "e"}}})[
        "chat.engine"
    ]
    assert (row.value, str(row.origin)) == ("e", "enforced by default (yaml:a)")
    assert row.rule == "enforced: nothing may override it"


def test_an_override_says_that_the_policy_allowed_it() -> None:
    document = registry({"p": {"policy": {"allow_overrides": True}}})
    row = rows(run(document, request_overrides={"chat.engine": "r"}))["chat.engine"]
    assert (str(row.origin), row.rule) == ("request override", "override allowed by the policy")


def test_elements_of_keyed_lists_are_explained_by_their_key() -> None:
    found = explained(
        runtime(middlewares=[{"name": "log", "id": "a", "config": {"level": "info"}}, {"name": "old"}]),
        runtime(middlewares=[{"name": "log", "id": "a", "config": {"level": "debug"}, "enabled": None}]),
        runtime(middlewares={"$remove": ["old"]}),
    )
    assert history(found["middlewares.log#a.config.level"]) == [(BASE, "info"), ("base default/p1 (yaml:a)", "debug")]
    assert (found["middlewares.log#a.enabled"].value, found["middlewares.log#a.enabled"].present) == (True, True)
    assert found["middlewares.old.name"].rule == "unset by profile default/p2 (yaml:a)"
    assert not found["middlewares.old.name"].present


def test_extensions_are_explained_too() -> None:
    found = explained({"extensions": {"a.b@v1": {"x": 1}}}, {"extensions": {"a.b@v1": {"x": 2}}})
    assert history(found['extensions."a.b@v1".x']) == [(BASE, 1), (LEAF, 2)]


def test_of_one_layer_only_the_last_word_counts() -> None:
    row = explained(settings(model_info={"cost": {"input": 1}}), settings(model_info={"cost": {"input": 2}}))
    assert history(row["model_info.cost.input"]) == [(BASE, 1), (LEAF, 2)]


def test_secrets_are_redacted_wherever_they_stand() -> None:
    found = explained(settings(api={"keys": {"o": "CANARY1"}}), settings(api={"keys": {"o": "CANARY2"}}))
    assert "CANARY" not in str(found)
    assert history(found["api.keys.o"]) == [(BASE, {"$redacted": True}), (LEAF, {"$redacted": True})]


def test_references_to_secrets_are_shown() -> None:
    row = explained(settings(api={"keys": {"o": {"$secret": "env:A"}}}))["api.keys.o"]
    assert row.value == {"$secret": "env:A"}


def test_an_explanation_is_json() -> None:
    where = catalogue(registry({"p": settings(a={"l": [1, {"x": None}], "m": {}, "n": None})}, settings_schema="free"))
    for row in rows(run(where, free=FREE)).values():
        assert orjson.dumps(row.document())
