"""Registries and profiles that several sources hold: one of each, with its layers in source order."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from msgspec import UNSET

from livery.core.catalogue import Catalogue, RegistryView
from livery.core.check import check
from livery.core.names import Reference
from livery.core.profile import Registry
from livery.core.stack import ProfileLayer, ProfileStack
from livery.errors import LiveryError, MergeConflict, PolicyViolation, ProfileNotFound
from tests.core.builders import SMALL, catalogue, policy, registry, run, runtime, settings, sound


def over_sources(*documents: Any) -> Catalogue:
    """One registry whose documents stand in the sources s1, s2, …, the lowest first."""
    return catalogue(sources=[(f"s{number}", [document]) for number, document in enumerate(documents, 1)])


def profile(*documents: Any) -> ProfileStack:
    """The profile ``p`` that each of the sources holds in this form."""
    return over_sources(*(registry({"p": document}) for document in documents)).registries["default"].profiles["p"]


def test_a_user_file_changes_one_field_of_a_profile_below_it() -> None:
    where = over_sources(
        registry({"p": settings(chat={"engine": "x", "temperature": 1})}),
        registry({"p": settings(chat={"engine": "y"})}),
    )
    chat = run(where).effective_step_settings["chat"]
    assert (chat["engine"], chat["temperature"]) == ("y", 1)
    assert run(where).lineage == (("default", "p", 1, 1, "s1, s2"),)


def test_each_source_is_a_layer_of_a_base_too() -> None:
    where = over_sources(
        registry({"p": {"extends": ["b"]}, "b": settings(chat={"engine": "x", "temperature": 1})}),
        registry({"b": settings(chat={"engine": "y"})}, default_profile_slug="p"),
    )
    chat = run(where).effective_step_settings["chat"]
    assert (chat["engine"], chat["temperature"]) == ("y", 1)


def test_null_in_a_higher_source_unsets_what_a_lower_one_gave() -> None:
    where = over_sources(
        registry({"p": settings(chat={"engine": "x"})}), registry({"p": settings(chat={"engine": None})})
    )
    assert run(where).effective_step_settings["chat"]["engine"] == "gpt-4"


def test_texts_are_those_of_the_highest_source_that_has_them() -> None:
    found = profile({"display_name": "Low", "description": "d"}, {"display_name": "High"}, {}).profile
    assert (found.display_name, found.description) == ("High", "d")


def test_bases_are_those_of_the_highest_source_that_names_any() -> None:
    assert profile({"extends": ["a"]}, {"extends": ["b", "c"]}, {}).bases == (
        Reference("default", "b"), Reference("default", "c")
    )  # fmt: skip
    assert profile({"extends": ["a"]}, {"extends": []}).bases == ()
    assert profile({"extends": ["a"]}, {"extends": []}).profile.extends is UNSET


def test_policies_of_all_sources_combine() -> None:
    found = profile(
        {"policy": {"allow_overrides": True, "allowed_override_keys": ["chat.*"]}},
        {"policy": {"allowed_override_keys": ["chat.engine", "system_prompt"], "denied_override_keys": ["tools"]}},
    )
    assert found.profile.policy == policy(
        allow_overrides=True, allowed_override_keys=["chat.engine"], denied_override_keys=["tools"]
    )


def test_no_source_can_loosen_what_another_denies() -> None:
    strict = {"policy": {"allow_overrides": False}}
    loose = {"policy": {"allow_overrides": True, "allowed_override_keys": ["*"]}}
    for documents in ((strict, loose), (loose, strict)):
        where = over_sources(*(registry({"p": document}) for document in documents))
        with pytest.raises(PolicyViolation):
            run(where, request_overrides={"chat.engine": "x"})


def test_read_only_in_any_source_counts_and_names_its_owner() -> None:
    assert profile({"policy": {"read_only": True}}, {}).read_only_owner == "s1"
    assert profile({}, {"policy": {"read_only": True}}).read_only_owner == "s2"
    assert profile({}, {"policy": {"read_only": False}}).read_only_owner is None


def test_read_only_of_a_base_does_not_count() -> None:
    where = over_sources(registry({"p": {"extends": ["b"]}, "b": {"policy": {"read_only": True}}}))
    assert where.registries["default"].profiles["p"].read_only_owner is None


def test_extensions_and_runtimes_are_merged() -> None:
    found = profile(
        {**runtime(tools=["a"], middlewares=[{"name": "m"}]), "extensions": {"a.b@v1": {"x": 1}}},
        {**runtime(tools={"$append": ["b"]}, system_prompt="p"), "extensions": {"a.b@v1": {"y": 2}}},
    ).profile
    assert found.extensions == {"a.b@v1": {"x": 1, "y": 2}}
    assert (found.runtime.tools, found.runtime.system_prompt) == (["a", "b"], "p")
    assert found.runtime.middlewares == [{"name": "m"}]


def test_a_profile_of_one_source_is_given_as_it_was_written() -> None:
    written = {"tools": {"$append": ["b"]}, "system_prompt": None}
    assert profile(runtime(**written)).profile.document()["runtime"] == written


def test_the_version_is_the_writers_or_that_of_the_highest_source() -> None:
    versions = [{"metadata": {"version": 7}}, {"metadata": {"version": 3}}]
    assert profile(*versions).profile.version == 3
    held = [sound(registry({"p": document})).profiles["p"] for document in versions]
    layers = [ProfileLayer("a", held[0], SMALL, writer=True), ProfileLayer("b", held[1], SMALL)]
    assert ProfileStack(Reference("default", "p"), layers).profile.version == 7


def test_tags_are_those_of_the_highest_source_that_has_any() -> None:
    found = profile({"metadata": {"tags": ["a"]}}, {"metadata": {"tags": ["b"]}}, {}).profile
    assert found.metadata.tags == ("b",)


# Registries


def head(*documents: Any) -> Registry:
    return over_sources(*documents).registries["default"].head


def test_of_the_fields_of_a_registry_the_higher_source_wins() -> None:
    found = head(
        registry({"a": {}}, display_name="Low", fallback="deny", callers={"x": "a", "y": "a"}, foreign_sections=["m"]),
        registry({"b": {}}, fallback="default", callers={"x": "b"}, foreign_sections=["n", "m"]),
    )
    assert (found.display_name, found.default_profile_slug, found.fallback) == ("Low", "b", "default")
    assert found.callers == {"x": "b", "y": "a"}
    assert found.foreign_sections == ("m", "n")


def test_defaults_are_merged_and_enforced_is_the_earlier_sources() -> None:
    low = registry({"p": {}}, defaults={"system_prompt": "low"}, enforced={"tools": ["system"]})
    high = registry({"p": runtime(tools=["mine"])}, defaults={"system_prompt": "high"}, enforced={"tools": ["user"]})
    found = run(over_sources(low, high))
    assert (found.effective_system_prompt, found.effective_tools) == ("high", ["system"])
    assert over_sources(low, high).registries["default"].head.enforced.tools == ["system"]


@pytest.mark.parametrize(
    "loosening",
    [
        {"tools": None},
        {"tools": {"$append": ["shell"]}},
        {"middlewares": None},
        {"middlewares": {"$remove": ["audit"]}},
        {"middlewares": {"$replace": []}},
        {"step_settings_patch": None},
        {"step_settings_patch": {"chat": {"$replace": {}}}},
    ],
)
def test_no_later_source_loosens_what_an_earlier_one_enforces(loosening: Any) -> None:
    system = registry(
        {"p": {}},
        enforced={
            "tools": ["a"],
            "middlewares": [{"name": "audit"}],
            "step_settings_patch": {"chat": {"temperature": 0}},
        },
    )
    found = run(over_sources(system, registry({"p": {}}, enforced=loosening)))
    assert found.effective_tools == ["a"]
    assert [element["name"] for element in found.effective_middlewares] == ["audit"]
    assert found.effective_step_settings["chat"]["temperature"] == 0


def test_the_policies_of_a_registry_in_all_sources_have_a_say() -> None:
    loose = registry({"p": {"policy": {"allow_overrides": True}}})
    strict = {**loose, "policy": {"denied_override_keys": ["*"]}}
    for documents in ((loose, strict), (strict, loose)):
        with pytest.raises(PolicyViolation):
            run(over_sources(*documents), request_overrides={"chat.engine": "x"})


def test_a_registry_that_is_broken_in_every_source_is_there_and_empty() -> None:
    view = RegistryView("team", [], {}, SMALL)
    assert view.head == Registry(slug="team")
    assert check(Catalogue({"team": view})) == []
    with pytest.raises(ProfileNotFound):
        view.stack("p")


def test_registry_runtimes_that_clash_are_an_error_of_resolutions_and_not_of_listings() -> None:
    low, high = {"step_settings_patch": {"chat": {"engine": "x"}}}, {"step_settings_patch": {"chat": 5}}
    where = over_sources(registry(defaults=low), registry(defaults=high, display_name="High"))
    assert where.registries["default"].head.display_name == "High"
    assert check(where)[0].fault.field == "registry.defaults.step_settings_patch.chat"
    with pytest.raises(MergeConflict):
        run(where)


def test_broken_profiles_are_known_and_lead_nowhere() -> None:
    where = over_sources(registry({"p": {"extends": ["b"]}, "b": {"extends": ["gone"]}}))
    p, b = Reference("default", "p"), Reference("default", "b")
    where.registries["default"].profiles["b"].known_fault = ProfileNotFound("x")
    assert (where.bases_at_hand(p), where.bases_at_hand(b)) == ((b,), ())
    assert where.bases_at_hand(Reference("default", "gone")) is None


def test_the_users_of_a_profile_are_found_in_every_registry() -> None:
    where = over_sources(registry({"p": {"extends": ["b"]}, "b": {}, "q": {"extends": ["p"]}}))
    users = [[str(user.reference) for user in where.users_of(Reference("default", slug))] for slug in "bpq"]
    assert users == [["default/p"], ["default/q"], []]


def test_whoever_asks_for_a_fault_while_it_is_found_gets_it() -> None:
    began, go = threading.Event(), threading.Event()

    def examine(stack: ProfileStack) -> LiveryError:
        began.set()
        go.wait(10)
        return ProfileNotFound("x")

    stack = ProfileStack(Reference("r", "p"), (), examine=examine)
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(stack.fault)) for _ in range(3)]
    for thread in threads:
        thread.start()
    began.wait(10)
    go.set()
    for thread in threads:
        thread.join()
    assert [type(fault) for fault in found] == [ProfileNotFound] * 3
