"""Reading documents: every fault with its field, older spellings, and a broken profile that breaks no other."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import UNSET

from livery.core.documents import is_bundle, read_bundle, read_profile, read_registry
from livery.core.names import Reference
from livery.errors import Fault
from tests.core.builders import registry, runtime, settings, sound


def fields(faults: list[Fault]) -> dict[str, str]:
    return {fault.field: fault.reason for fault in faults}


def profile_faults(document: Any, slug: str | None = "x") -> dict[str, str]:
    return fields(read_profile(document, registry="r", slug=slug)[1])


def test_a_registry_is_read_with_its_profiles() -> None:
    read = sound(registry({"default": settings(chat={"engine": "gpt-4o-mini", "api_type": "openai"})}))
    assert read.default_profile_slug == "default"
    assert read.profiles["default"].runtime.step_settings_patch == {
        "chat": {"engine": "gpt-4o-mini", "api_type": "openai"}
    }


def test_a_registry_needs_a_slug() -> None:
    assert "registry.slug" in fields(read_registry({"profiles": {}}).faults)


@pytest.mark.parametrize("document", [None, [], ["a"], "text", 5])
def test_a_registry_is_a_mapping(document: object) -> None:
    (fault,) = read_registry(document).faults
    assert fault.field == "registry"
    assert fault.reason.startswith("expected a mapping, got")


def test_a_profile_may_repeat_its_slug_in_any_spelling() -> None:
    assert not profile_faults({"slug": " X "})
    read = read_registry(registry({"Default": {"slug": "default"}}))
    assert list(read.registry.profiles) == ["default"]


def test_a_slug_that_differs_from_its_key_is_a_fault_at_the_slug() -> None:
    read = read_registry(registry({"default": {"slug": "other"}}))
    (fault,) = read.broken["default"]
    assert fault.field == "registry.profiles[default].slug"
    assert "map key and profile slug must match" in fault.reason


def test_an_empty_profile_is_a_fault_at_its_key() -> None:
    read = read_registry(registry({"default": None}))
    assert read.broken == {"default": [Fault("registry.profiles[default]", "expected a mapping, got null")]}


def test_two_keys_that_fold_to_one_slug_are_a_fault() -> None:
    read = read_registry(registry({"Coder": {}, "coder": {}}))
    assert list(fields(read.faults)) == ["registry.profiles[coder]"]


def test_a_broken_profile_breaks_no_other() -> None:
    read = read_registry(registry({"good": {}, "bad": {"runtim": {}}}))
    assert list(read.registry.profiles) == ["good"]
    assert fields(read.broken["bad"]) == {
        "registry.profiles[bad].runtim": "unknown field 'runtim'; did you mean 'runtime'?"
    }


def test_every_fault_of_a_profile_is_reported_at_once() -> None:
    faults = profile_faults(
        {
            "slug": "other",
            "id": "r/z",
            "displayname": "X",
            "description": 5,
            "extends": ["a", "a", "b/c/d", 7],
            "runtime": {"tools": [1], "middlewares": [{"nam": "x"}], "bogus": 1},
            "policy": {"allowed_override_keys": ["a"], "denied_override_keys": ["a"], "read_only": "yes"},
            "extensions": {"bad key": 1, "app.custom@v1": 1, "App.Custom@V1": 2},
            "metadata": {"version": 0, "tags": "a"},
        }
    )
    assert set(faults) == {
        "profile.slug", "profile.id", "profile.displayname", "profile.description", "profile.extends[3]",
        "profile.runtime.tools[0]", "profile.runtime.middlewares[0].nam", "profile.runtime.middlewares[0]",
        "profile.runtime.bogus",
        "profile.policy.read_only", "profile.extensions[bad key]", "profile.extensions[App.Custom@V1]",
        "profile.metadata.version", "profile.metadata.tags",
    }  # fmt: skip


def test_faults_within_one_field_come_after_its_shape_is_right() -> None:
    faults = profile_faults(
        {"extends": ["a", "a", "b/c/d"], "policy": {"allowed_override_keys": ["a"], "denied_override_keys": ["a"]}}
    )
    assert set(faults) == {"profile.extends[1]", "profile.extends[2]", "profile.policy.denied_override_keys[0]"}


def test_every_fault_of_a_registry_head_is_reported_at_once() -> None:
    read = read_registry(
        {
            "slug": "bad slug",
            "fallback": "maybe",
            "settings_schema": "ay",
            "default_profile_slug": "bad slug",
            "callers": {"vscode": "bad slug", " ": "a", "x": "a", " x": "b"},
            "policy": {"allow": True},
            "profile": {},
        }
    )
    assert set(fields(read.faults)) == {
        "registry.slug", "registry.fallback", "registry.settings_schema", "registry.default_profile_slug",
        "registry.callers[vscode]", "registry.callers[ ]", "registry.callers[ x]", "registry.policy.allow",
        "registry.profile",
    }  # fmt: skip


def test_a_field_at_fault_is_left_out_of_the_registry_and_the_rest_is_kept() -> None:
    read = read_registry({"slug": "r", "fallback": "maybe", "display_name": "R", "profiles": {"a": {}}})
    assert (read.registry.fallback, read.registry.display_name, list(read.registry.profiles)) == ("", "R", ["a"])


@pytest.mark.parametrize("document", [{"id": "other"}, {"id": "R"}])
def test_the_id_of_a_registry_is_its_slug(document: dict[str, Any]) -> None:
    assert "registry.id" in fields(read_registry({"slug": "r", **document}).faults)
    assert not read_registry({"slug": "r", "id": "r"}).faults


def test_the_id_of_a_profile_is_its_reference() -> None:
    assert not profile_faults({"id": "r/x"})
    assert profile_faults({"id": "x"}) == {"profile.id": "is read-only and would be 'r/x'"}


def test_bases_are_read_under_their_older_name() -> None:
    profile, faults = read_profile({"stack": ["team/base", {"profile_slug": "b"}]}, registry="r", slug="x")
    assert not faults
    assert profile is not None
    assert profile.extends == (Reference("team", "base"), Reference("r", "b"))


def test_bases_under_both_names_are_a_fault() -> None:
    assert profile_faults({"stack": ["a"], "extends": ["b"]}) == {"profile.stack": "given twice, also as 'extends'"}


def test_no_extends_differs_from_an_empty_one() -> None:
    none, _ = read_profile({}, registry="r", slug="x")
    empty, _ = read_profile({"extends": []}, registry="r", slug="x")
    assert none is not None and empty is not None
    assert none.extends is UNSET
    assert empty.extends == ()


def test_extension_keys_are_folded_and_their_values_kept_as_they_are() -> None:
    value = {"items": [{"enabled": True}, "note"], "nothing": None}
    profile, faults = read_profile({"extensions": {"App.Custom@V1": value}}, registry="r", slug="x")
    assert not faults
    assert profile is not None
    assert profile.extensions == {"app.custom@v1": value}
    assert profile.document()["extensions"] == {"app.custom@v1": value}


@pytest.mark.parametrize(
    ("patch", "field"),
    [
        ({"a": {"b": 2**70}}, "profile.runtime.step_settings_patch.a.b"),
        ({"a": {"b": "\ud800"}}, "profile.runtime.step_settings_patch.a.b"),
        ({"a": {"\udfff": 1}}, "profile.runtime.step_settings_patch.a"),
        ({"a": {1: 2}}, "profile.runtime.step_settings_patch.a"),
        ({"a": [object()]}, "profile.runtime.step_settings_patch.a[0]"),
    ],
)
def test_what_is_no_json_is_refused_with_its_path(patch: Any, field: str) -> None:
    assert list(profile_faults(settings(**patch))) == [field]


def test_a_document_of_any_depth_gives_a_fault_and_no_crash() -> None:
    deep: dict[str, Any] = {}
    for _ in range(100_000):
        deep = {"a": deep}
    (field,) = profile_faults(settings(**deep))
    assert field.startswith("profile.runtime.step_settings_patch")


def test_a_profile_of_more_than_a_mebibyte_is_refused() -> None:
    assert not profile_faults(runtime(system_prompt="x" * (1024 * 1024 - 100)))
    assert "is the most" in profile_faults(runtime(system_prompt="x" * 1024 * 1024))["profile"]


def test_a_name_that_is_no_text_is_a_fault_and_no_crash() -> None:
    read = read_registry({"slug": "r", 1: 2, "profiles": {1: {}, "x": {1: 2}}})
    assert set(fields(read.all_faults)) == {"registry", "registry.profiles[1]", "registry.profiles[x]"}


@pytest.mark.parametrize(
    "fields_of_runtime",
    [
        {"tools": {"$append": ["a"]}},
        {"tools": None},
        {"tools": {"$unset": True}},
        {"middlewares": [{"name": "a", "enabled": None, "config": None}]},
        {"middlewares": [{"name": "a", "enabled": {"$unset": True}, "config": {"$replace": {}}}]},
        {"middlewares": {"$remove": ["a", "a#b"]}},
        {"servers": {"$replace": []}},
        {"system_prompt": None},
        {"system_prompt": {"$secret": "env:PROMPT"}},
        {"system_prompt": {"$unset": True}},
        {"step_settings_patch": None},
        {"step_settings_patch": {"$replace": {}}},
    ],
)
def test_null_and_directives_may_stand_at_any_field(fields_of_runtime: dict[str, Any]) -> None:
    assert not profile_faults(runtime(**fields_of_runtime))


@pytest.mark.parametrize(
    ("fields_of_runtime", "field"),
    [
        ({"tools": "a"}, "profile.runtime.tools"),
        ({"tools": {}}, "profile.runtime.tools"),
        ({"tools": ["a", "a"]}, "profile.runtime.tools"),
        ({"tools": {"$apend": ["a"]}}, "profile.runtime.tools.$apend"),
        ({"tools": {"$append": [1]}}, "profile.runtime.tools.$append[0]"),
        ({"system_prompt": 5}, "profile.runtime.system_prompt"),
        ({"system_prompt": {"text": "x"}}, "profile.runtime.system_prompt.text"),
        ({"middlewares": {"name": "a"}}, "profile.runtime.middlewares.name"),
        ({"middlewares": [{"name": ""}]}, "profile.runtime.middlewares[0].name"),
        ({"step_settings_patch": []}, "profile.runtime.step_settings_patch"),
    ],
)
def test_a_field_of_a_wrong_shape_is_named(fields_of_runtime: dict[str, Any], field: str) -> None:
    assert field in profile_faults(runtime(**fields_of_runtime))


def test_a_fault_of_a_list_says_what_was_expected_and_repeats_no_value() -> None:
    faults = profile_faults(runtime(middlewares=[{"name": "a", "config": {"token": "CANARY"}, "enabld": True}]))
    assert faults == {"profile.runtime.middlewares[0].enabld": "unknown field 'enabld'; did you mean 'enabled'?"}
    assert "CANARY" not in str(profile_faults(runtime(tools={"$append": "CANARY"})))


def test_a_wrong_kind_of_value_is_told_all_kinds_that_fit() -> None:
    assert profile_faults(runtime(tools=5)) == {
        "profile.runtime.tools": "expected a list, a mapping or null, got a number"
    }


def test_a_bundle_takes_the_slugs_of_its_registries_from_their_keys() -> None:
    bundle = {"registries": {"Default": {"default_profile_slug": "default", "profiles": {"default": {}}}}}
    assert is_bundle(bundle)
    (read,), faults = read_bundle(bundle)
    assert not faults and not read.all_faults
    assert (read.registry.slug, list(read.registry.profiles)) == ("default", ["default"])


def test_a_bundle_reports_the_faults_of_every_registry() -> None:
    reads, faults = read_bundle({"registries": {"a": {"slug": "b"}, "A": {}, "c": None}, "registry": {}, 5: 1})
    assert set(fields(faults)) == {"registries[A]", "registry", "5"}
    assert [fault.field for read in reads for fault in read.all_faults] == ["registries[a].slug", "registries[c]"]
    assert read_bundle({"registries": []})[1][0].field == "registries"


def test_a_document_reads_back_to_the_same_record() -> None:
    document = registry(
        {
            "coder": {
                "display_name": "Coder",
                "extends": ["base", "team/other"],
                "runtime": {"step_settings_patch": {"chat": {"engine": None}}, "tools": {"$append": ["a"]}},
                "policy": {"allow_overrides": True, "allowed_override_keys": []},
                "metadata": {"version": 3, "tags": ["t"]},
                "extensions": {"a.b@v1": [1]},
            },
            "base": {"extends": []},
        },
        callers={"vscode": "coder"},
        fallback="deny",
    )
    read = sound(document)
    assert sound(read.document()) == read
