"""The whole pipeline: layers in their order, references across registries and sources, and what the answer carries."""

from __future__ import annotations

from typing import Any

import msgspec
import orjson
import pytest

from livery.core.catalogue import Catalogue
from livery.core.fingerprint import digest
from livery.core.schema import FREE
from livery.errors import (
    LineageError,
    MergeConflict,
    PolicyViolation,
    ProfileNotFound,
    SourceUnavailable,
    ValidationError,
)
from tests.core.builders import SMALL, catalogue, policy, registry, rows, run, runtime, settings


def engine(where: Catalogue | dict[str, Any], **request: Any) -> str:
    found: str = run(where, **request).effective_step_settings["chat"]["engine"]
    return found


def test_the_answer_carries_everything_that_is_known_of_the_runtime() -> None:
    document = registry(
        {
            "default": {
                **runtime(
                    step_settings_patch={"chat": {"engine": "gpt-5-mini"}},
                    system_prompt="Be concise.",
                    middlewares=[{"name": "logging", "id": "main", "config": {"level": "info"}}],
                    tools=["calculator"],
                    servers=[{"name": "git", "cmd": ["mcp-server-git"]}],
                ),
                "extensions": {"app.x@v1": {"items": [1, None]}},
                "metadata": {"version": 7, "runtime_version": 5},
            }
        }
    )
    found = run(document)
    assert (found.registry_slug, found.profile_slug, found.runtime_key) == ("default", "default", "default")
    assert found.effective_step_settings["chat"]["engine"] == "gpt-5-mini"
    assert found.effective_step_settings["client"] == {"timeout": 60}
    assert found.effective_system_prompt == "Be concise."
    assert found.effective_middlewares == [
        {"name": "logging", "id": "main", "enabled": True, "config": {"level": "info"}}
    ]
    assert found.effective_tools == ["calculator"]
    assert found.effective_servers == [{"name": "git", "cmd": ["mcp-server-git"]}]
    assert found.extensions == {"app.x@v1": {"items": [1, None]}}
    assert found.lineage == (("default", "default", 7, 5, "yaml:a"),)
    assert found.metadata == {
        "profile.registry.slug": "default",
        "profile.slug": "default",
        "profile.version": 7,
        "profile.source": "yaml:a",
        "profile.runtime_fingerprint": found.runtime_fingerprint,
    }
    assert orjson.loads(orjson.dumps(found.document())) == found.document()
    assert "default/default" in repr(found)


def test_an_empty_profile_is_the_schema_defaults() -> None:
    found = run(registry())
    assert found.effective_step_settings["chat"] == {
        "engine": "gpt-4", "api_type": "openai", "temperature": 0.7, "stream": True
    }  # fmt: skip
    assert (found.effective_system_prompt, found.effective_tools) == ("", ["search", "clock"])
    assert (found.effective_middlewares, found.effective_servers, found.extensions) == ([], [], {})


def test_null_shows_the_default_and_an_unset_prompt_is_empty() -> None:
    base = runtime(step_settings_patch={"chat": {"temperature": 0.1, "engine": "x"}}, system_prompt="p", tools=["a"])
    leaf = {"extends": ["base"], **runtime(step_settings_patch={"chat": None}, system_prompt=None, tools=None)}
    found = run(registry({"leaf": leaf, "base": base}))
    assert found.effective_step_settings["chat"]["temperature"] == 0.7
    assert found.effective_step_settings["chat"]["engine"] == "gpt-4"
    assert (found.effective_system_prompt, found.effective_tools) == ("", ["search", "clock"])


def test_a_reference_to_a_secret_is_returned_as_a_reference() -> None:
    found = run(registry({"p": settings(api={"keys": {"openai": {"$secret": "env:OPENAI_API_KEY"}}})}))
    assert found.effective_step_settings["api"]["keys"] == {"openai": {"$secret": "env:OPENAI_API_KEY"}}
    assert found.document()["effective_step_settings"]["api"]["keys"] == {"openai": {"$secret": "env:OPENAI_API_KEY"}}
    assert not found.warnings


def test_a_secret_in_clear_is_given_to_engines_and_shown_to_nobody_with_a_warning() -> None:
    found = run(registry({"p": settings(api={"keys": {"openai": "sk-1"}})}))
    assert found.effective_step_settings["api"]["keys"] == {"openai": "sk-1"}
    assert "sk-1" not in str(found.document())
    (warning,) = found.warnings
    assert warning.startswith("profile default/p (yaml:a): api.keys.openai holds a secret in clear")


def test_a_secret_of_the_selected_registrys_schema_is_one_in_bases_of_other_registries_too() -> None:
    loose = registry({"b": settings(client={"cookie": "CANARY"})}, slug="loose", settings_schema="free")
    found = run(catalogue(registry({"p": {"extends": ["loose/b"]}}), loose))
    assert found.effective_step_settings["client"]["cookie"] == "CANARY"
    assert "CANARY" not in str(found.document()) + str(rows(found))


# Layers


def test_the_default_profile_is_not_laid_under_others() -> None:
    document = registry({"default": settings(chat={"engine": "x"}), "other": {}})
    assert engine(document, profile_slug="other") == "gpt-4"


def test_defaults_of_the_selected_registry_alone_lie_under_its_profiles() -> None:
    team = registry({"base": {}}, slug="team", defaults=runtime(system_prompt="team")["runtime"])
    own = registry({"p": {"extends": ["team/base"]}}, defaults={"step_settings_patch": {"chat": {"engine": "own"}}})
    found = run(catalogue(own, team))
    assert (found.effective_system_prompt, found.effective_step_settings["chat"]["engine"]) == ("", "own")


def test_enforced_of_every_registry_in_the_lineage_applies_and_the_selected_ones_last() -> None:
    team = registry({"base": {}}, slug="team", enforced={"system_prompt": "team", "tools": ["t"]})
    own = registry({"p": {"extends": ["team/base"], **runtime(tools=["mine"])}}, enforced={"system_prompt": "own"})
    found = run(catalogue(own, team))
    assert (found.effective_system_prompt, found.effective_tools) == ("own", ["t"])


def test_operator_layers_lie_over_the_profile_in_their_order_and_below_what_is_enforced() -> None:
    document = registry(
        {"p": settings(chat={"engine": "profile", "temperature": 1})},
        enforced={"step_settings_patch": {"chat": {"temperature": 0}}},
    )
    layers = tuple(
        (name, {"step_settings_patch": {"chat": {"engine": name, "temperature": 2}}})
        for name in ("environment", "flags")
    )
    found = run(document, operator_layers=layers)
    assert found.effective_step_settings["chat"]["engine"] == "flags"
    assert found.effective_step_settings["chat"]["temperature"] == 0


def flags(**fields: Any) -> tuple[tuple[str, Any], ...]:
    return (("flags", fields),)


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        ({"base_step_settings": {"chat": {"engin": "x"}}}, "base_step_settings.chat.engin"),
        ({"operator_layers": flags(step_settings_patch={"chat": {"engin": "x"}})}, "operator_layers[flags].chat.engin"),
        ({"operator_layers": flags(step_settings_patch={"chat": 5})}, "operator_layers[flags].chat"),
        ({"operator_layers": flags(system_promt="x")}, "operator_layers[flags].system_promt"),
        ({"operator_layers": (("flags", ["x"]),)}, "operator_layers[flags]"),
        ({"app_policy": policy(denied_override_keys=["chat*"])}, "app_policy.denied_override_keys[0]"),
        ({"runtime_key_fallback": "a b"}, "runtime_key_fallback"),
    ],
)
def test_what_the_application_gives_is_checked_and_named(request_: Any, field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        run(registry(), **request_)
    assert caught.value.field == field


def test_layers_that_do_not_fit_name_both_sides() -> None:
    document = registry({"p": {"extends": ["b"], **settings(x={"y": 1})}, "b": settings(x=5)}, settings_schema="free")
    with pytest.raises(
        MergeConflict, match=r"x: .* \(base default/b \(yaml:a\) against profile default/p \(yaml:a\)\)"
    ):
        run(document)


def test_effective_settings_are_checked_and_the_layer_at_fault_is_named() -> None:
    document = registry({"p": {"extends": ["b"]}, "b": settings(chat={"temperature": 5, "bogus": 1})})
    with pytest.raises(ValidationError) as caught:
        run(document)
    assert {fault.field: fault.reason for fault in caught.value.faults} == {
        "chat.temperature": "must be at most 2 (from base default/b (yaml:a))",
        "chat.bogus": "unknown field 'bogus' (from base default/b (yaml:a))",
    }


def test_sections_of_other_programs_are_kept_and_not_checked() -> None:
    document = registry({"p": settings(myapp={"any": {"thing": [1]}})}, foreign_sections=["myapp"])
    assert run(document).effective_step_settings["myapp"] == {"any": {"thing": [1]}}
    with pytest.raises(ValidationError, match="unknown field 'myapp'"):
        run(registry({"p": settings(myapp={"any": 1})}))


def test_sections_of_other_programs_may_come_from_a_bases_registry_and_be_overridden() -> None:
    team = registry({"b": settings(myapp={"any": 1})}, slug="team", foreign_sections=["myapp"])
    own = registry({"p": {"extends": ["team/b"], "policy": {"allow_overrides": True}}})
    found = run(catalogue(own, team), request_overrides={"myapp": {"more": 2}})
    assert found.effective_step_settings["myapp"] == {"any": 1, "more": 2}


# Lineage


def test_three_files_make_one_runtime() -> None:
    key = {"$secret": "env:OPENAI_API_KEY"}
    provider = registry(
        {"default": settings(api={"keys": {"openai": key}}, chat={"api_type": "claude"})}, slug="provider"
    )
    team = registry(
        {
            "default": {"extends": ["provider/default"], **settings(chat={"engine": "gpt-4.1-mini"})},
            "assistant": {"extends": ["default"], **settings(chat={"engine": "gpt-5-mini", "api_type": "gemini"})},
            "analyst": {"extends": ["default"], **settings(chat={"engine": "gpt-5"})},
        },
        slug="team",
    )
    user = registry(
        {"assistant": {"extends": ["team/assistant"], **settings(chat={"engine": "gpt-5-nano"})}}, slug="user"
    )
    where = catalogue(sources=[("a", [provider]), ("b", [team]), ("c", [user])])
    found = run(where, profile_slug="assistant")
    assert found.registry_slug == "user"
    assert found.effective_step_settings["chat"] | {"api_type": "gemini"} == found.effective_step_settings["chat"]
    assert found.effective_step_settings["api"]["keys"]["openai"] == key
    assert [f"{entry.registry}/{entry.profile}" for entry in found.lineage] == [
        "provider/default", "team/default", "team/assistant", "user/assistant"
    ]  # fmt: skip
    assert (engine(where, profile_slug="assistant"), engine(where, profile_slug="analyst")) == ("gpt-5-nano", "gpt-5")


@pytest.mark.parametrize(
    ("profiles", "kind"),
    [
        ({"p": {"extends": ["bas"]}, "base": {}}, "missing"),
        ({"p": {"extends": ["q"]}, "q": {"extends": ["p"]}}, "cycle"),
        ({"p": {"extends": ["gone/x"]}}, "missing"),
        ({f"p{i}": {"extends": [f"p{i + 1}"]} for i in range(33)} | {"p33": {}}, "depth"),
    ],
)
def test_bases_that_cannot_be_followed_are_an_error_that_says_how(profiles: Any, kind: str) -> None:
    with pytest.raises(LineageError) as caught:
        run(registry(profiles))
    assert caught.value.kind == kind
    assert caught.value.field.startswith("registry.profiles[")


def test_a_missing_base_is_named_with_the_nearest() -> None:
    with pytest.raises(
        LineageError, match=r"profile 'default/p' extends unknown 'default/bas'; did you mean 'default/base'"
    ):
        run(registry({"p": {"extends": ["bas"]}, "base": {}}))


def test_a_base_in_a_registry_that_cannot_be_read_is_unavailable_and_not_unknown() -> None:
    down = SourceUnavailable("db", "refused")
    where = catalogue(
        registry({"p": {"extends": ["team/b"]}, "q": {"extends": ["gone/x"]}}), unavailable={"team": down}
    )
    with pytest.raises(SourceUnavailable):
        run(where, registry_slug="default", profile_slug="p")
    with pytest.raises(LineageError, match="unknown 'gone/x'"):
        run(where, registry_slug="default", profile_slug="q")


def test_a_broken_base_fails_what_needs_it_with_its_own_error() -> None:
    where = catalogue(registry({"p": {"extends": ["b"]}, "b": {}, "q": {}}))
    where.registries["default"].profiles["b"].known_fault = ValidationError("registry.profiles[b].runtime", "broken")
    with pytest.raises(ValidationError, match="broken"):
        run(where, profile_slug="p")
    assert engine(where, profile_slug="q") == "gpt-4"


# Keys and fallbacks


@pytest.mark.parametrize(
    ("request_", "key"),
    [
        ({}, "inventory"),
        ({"registry_slug": "default"}, "p"),
        ({"profile_slug": "p"}, "p"),
        ({"caller": "someone"}, "p"),
    ],
)
def test_the_fallback_is_the_runtime_key_where_nothing_was_asked_for(request_: Any, key: str) -> None:
    assert run(registry({"p": {}}), runtime_key_fallback=" Inventory ", **request_).runtime_key == key


def test_base_settings_alone_are_resolved_where_no_registry_is() -> None:
    found = run(catalogue(), base_step_settings={"chat": {"engine": "x"}}, runtime_key_fallback="app")
    assert (found.registry_slug, found.profile_slug, found.runtime_key, found.lineage) == ("", "", "app", ())
    assert found.effective_step_settings["chat"]["engine"] == "x"
    assert found.document()["selected_by"] == "base only"
    assert run(catalogue()).runtime_key == ""
    assert run(catalogue(), free=FREE).effective_step_settings == {}


# Overrides


OPEN = {"policy": {"allow_overrides": True, "allowed_override_keys": ["*", "tools", "middlewares"]}}


def test_allowed_overrides_win_over_everything_below() -> None:
    overrides = {"system_prompt": "mine", "tools": ["x"], "middlewares": [{"name": "m"}], "chat.engine": "request"}
    document = registry({"p": {**runtime(system_prompt="profile", tools=["a"], middlewares=[{"name": "n"}]), **OPEN}})
    found = run(document, request_overrides=overrides, base_step_settings={"chat": {"engine": "base"}})
    assert found.effective_system_prompt == "mine"
    assert found.effective_tools == ["x"]
    assert [element["name"] for element in found.effective_middlewares] == ["n", "m"]
    assert found.effective_step_settings["chat"]["engine"] == "request"
    assert {decision.key for decision in found.decisions} == {"system_prompt", "tools", "middlewares.m", "chat.engine"}


def test_a_denied_request_names_every_denied_key_and_decides_every_leaf() -> None:
    document = registry({"p": {"policy": {"allow_overrides": True, "allowed_override_keys": ["chat.engine"]}}})
    with pytest.raises(PolicyViolation) as caught:
        run(document, request_overrides={"chat": {"engine": "x", "temperature": 1}, "system_prompt": "x"})
    assert {d.key: d.allowed for d in caught.value.decisions} == {
        "chat.engine": True, "chat.temperature": False, "system_prompt": False
    }  # fmt: skip
    assert "chat.temperature" in str(caught.value) and "system_prompt" in str(caught.value)
    assert "default/p" in str(caught.value)


def test_policies_of_bases_registries_and_the_application_all_have_a_say() -> None:
    team = registry({"b": OPEN}, slug="team", policy={"denied_override_keys": ["chat.engine"]})
    own = registry({"p": {"extends": ["team/b"], **OPEN}})
    with pytest.raises(PolicyViolation, match=r"chat\.engine"):
        run(catalogue(own, team), request_overrides={"chat.engine": "x"})
    with pytest.raises(PolicyViolation, match="policy of application"):
        run(
            own | {"profiles": {"p": OPEN}},
            app_policy=policy(allow_overrides=False),
            request_overrides={"chat.engine": "x"},
        )


def test_overrides_are_checked_with_what_they_are_laid_over() -> None:
    with pytest.raises(ValidationError) as caught:
        run(registry({"p": OPEN}), request_overrides={"chat.temperature": 7})
    assert caught.value.field == "request_overrides.step_settings_patch.chat.temperature"


def test_an_empty_override_asks_for_nothing_and_its_own_warnings_are_told() -> None:
    assert run(registry(), request_overrides={}).decisions == ()
    (warning,) = run(registry({"p": OPEN}), request_overrides={"middlewares": []}).warnings
    assert warning.startswith("request override: middlewares: [] adds nothing")


def test_without_a_profile_nothing_may_be_overridden_unless_the_application_says_so() -> None:
    with pytest.raises(PolicyViolation):
        run(catalogue(), request_overrides={"chat.engine": "x"})
    found = run(catalogue(), app_policy=policy(allow_overrides=True), request_overrides={"chat.engine": "x"})
    assert found.effective_step_settings["chat"]["engine"] == "x"


# Isolation


def test_what_the_answer_gives_is_a_fresh_copy_every_time() -> None:
    profile = runtime(
        step_settings_patch={"chat": {"stop": ["a"]}},
        tools=["t"],
        middlewares=[{"name": "m", "config": {"l": []}}],
        servers=[{"name": "s", "cmd": ["x"]}],
    )
    found = run(registry({"p": profile}))
    before = orjson.dumps(found.document())
    found.effective_step_settings["chat"]["stop"].append("b")
    found.effective_step_settings["client"]["timeout"] = 1
    found.effective_tools.append("u")
    found.effective_middlewares[0]["config"]["l"].append(1)
    found.effective_servers[0]["cmd"].append("y")
    found.document()["effective_step_settings"].clear()
    found.metadata.clear()
    assert orjson.dumps(found.document()) == before
    assert SMALL.defaults["client"] == {"timeout": 60}


def test_the_request_and_the_documents_are_not_changed() -> None:
    document = registry({"p": {**settings(chat={"stop": ["a"]}), **OPEN}})
    request = {
        "base_step_settings": {"chat": {"engine": "x"}},
        "request_overrides": {"chat": {"stop": {"$append": ["b"]}}},
    }
    before = orjson.dumps([document, request])
    run(document, **request)
    assert orjson.dumps([document, request]) == before


def test_the_digest_is_that_of_the_effective_runtime() -> None:
    found = run(registry({"p": runtime(tools=["t"])}))
    shown = found.document()
    assert found.runtime_digest == digest(
        {
            "settings": shown["effective_step_settings"],
            "system_prompt": shown["effective_system_prompt"],
            "middlewares": shown["effective_middlewares"],
            "tools": shown["effective_tools"],
            "servers": shown["effective_servers"],
        }
    )


def test_records_print_without_their_values() -> None:
    from livery.core.profile import Profile, Registry, ResolveInput, RuntimeSpec

    spec = RuntimeSpec(system_prompt="CANARY", step_settings_patch={"api": {"key": "CANARY"}})
    profile = Profile(slug="p", registry="r", runtime=spec, extensions={"a.b@v1": "CANARY"})
    values = [spec, profile, Registry(slug="r", profiles={"p": profile}, defaults=spec),
              ResolveInput(base_step_settings={"k": "CANARY"}, request_overrides={"k": "CANARY"})]  # fmt: skip
    assert "CANARY" not in repr(values)
    assert "request_overrides" in repr(values)


def test_a_record_is_equal_after_a_round_trip_through_json() -> None:
    from livery.core.profile import Profile, RuntimeSpec

    profile = Profile(slug="p", registry="r", runtime=RuntimeSpec(tools={"$append": ["a"]}, system_prompt=None))
    assert msgspec.json.decode(msgspec.json.encode(profile), type=Profile) == profile


def test_an_unknown_profile_of_a_known_registry_is_not_found() -> None:
    with pytest.raises(ProfileNotFound, match="did you mean 'default/default'"):
        run(registry(), registry_slug="default", profile_slug="defautl")
