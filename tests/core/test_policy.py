"""Who may override what: combining policies, and a decision with its rule for every leaf that is touched."""

from __future__ import annotations

from typing import Any

import pytest

from livery.core.layers import Origin
from livery.core.merge import merge
from livery.core.patterns import pattern
from livery.core.policy import combine, is_sensitive, policy_faults
from livery.core.profile import PolicySpec
from livery.core.schema import FREE
from livery.errors import MergeConflict, ValidationError
from tests.core.builders import SMALL, allowed, decisions, layer, policy

OPEN = policy(allow_overrides=True)


def keys(*names: str) -> PolicySpec:
    return policy(allow_overrides=True, allowed_override_keys=list(names))


def verdicts(overrides: dict[str, Any], *policies: PolicySpec, **more: Any) -> dict[str, bool]:
    return allowed(decisions(overrides, *policies, **more))


TEMPERATURE = {"chat.temperature": 0.2}


# Allowing


@pytest.mark.parametrize("policies", [(), (PolicySpec(),), (policy(allowed_override_keys=["*"]),)])
def test_nothing_is_allowed_where_nobody_says_so(policies: tuple[PolicySpec, ...]) -> None:
    (decision,) = decisions(TEMPERATURE, *policies).values()
    assert (decision.allowed, decision.rule) == (False, "no policy says allow_overrides: true")


def test_one_policy_that_says_false_denies_whatever_others_say() -> None:
    (decision,) = decisions(TEMPERATURE, OPEN, policy(allow_overrides=False), OPEN).values()
    assert (decision.allowed, decision.rule, decision.profile) == (False, "allow_overrides is false", "owner2")


def test_without_a_list_everything_but_sensitive_keys_is_allowed() -> None:
    overrides = {
        "chat.temperature": 1,
        "system_prompt": "x",
        "client.base_url": "http://x",
        "middlewares": [{"name": "a"}],
    }
    assert verdicts(overrides, OPEN) == {
        "chat.temperature": True, "system_prompt": True, "client.base_url": False, "middlewares.a": False
    }  # fmt: skip


def test_an_empty_list_allows_nothing() -> None:
    assert verdicts(TEMPERATURE, keys()) == {"chat.temperature": False}


@pytest.mark.parametrize(
    "key", ["chat.temperature", "chat.*", "chat", "*", "step_settings_patch", "step_settings_patch.*",
            "step_settings_patch.chat.temperature", " chat.* ", "Chat.Temperature", "stepSettingsPatch.chat.*"]
)  # fmt: skip
def test_a_pattern_covers_its_path_and_what_is_beneath(key: str) -> None:
    assert verdicts(TEMPERATURE, keys(key)) == {"chat.temperature": True}
    assert verdicts(TEMPERATURE, OPEN, policy(denied_override_keys=[key])) == {"chat.temperature": False}


@pytest.mark.parametrize("key", ["chat.temp", "chat.temperature.x", "client.*", "system_prompt", "temperature", "cha"])
def test_a_pattern_covers_nothing_else(key: str) -> None:
    assert verdicts(TEMPERATURE, keys(key)) == {"chat.temperature": False}


@pytest.mark.parametrize("key", ["systemPrompt", "system-prompt", " System_Prompt "])
def test_a_pattern_may_name_a_field_in_any_spelling(key: str) -> None:
    assert verdicts({"system_prompt": "x"}, keys(key)) == {"system_prompt": True}
    assert verdicts({"system_prompt": "x"}, policy(allow_overrides=True, denied_override_keys=[key])) == {
        "system_prompt": False
    }


def test_deny_beats_allow() -> None:
    both = policy(allow_overrides=True, allowed_override_keys=["system_prompt"], denied_override_keys=["tools"])
    overrides = {"tools": [], "middlewares": [{"name": "a"}], "system_prompt": "x"}
    found = decisions(overrides, both)
    assert allowed(found) == {"tools": False, "middlewares.a": False, "system_prompt": True}
    assert found["tools"].rule == "denied_override_keys has 'tools'"
    assert verdicts({"system_prompt": "x"}, keys("*"), policy(denied_override_keys=["*"])) == {"system_prompt": False}


def test_lists_of_several_policies_are_all_asked() -> None:
    found = decisions(
        {"system_prompt": "x", "tools": ["search"]}, keys("system_prompt", "tools"), keys("tools", "chat.*")
    )
    assert allowed(found) == {"system_prompt": False, "tools": True}
    assert (found["system_prompt"].profile, found["system_prompt"].version) == ("owner2", 2)


def test_lists_without_a_key_in_common_allow_nothing() -> None:
    overrides = {"system_prompt": "x", "middlewares": [{"name": "a"}], "api.keys.openai": "k", **TEMPERATURE}
    assert not any(verdicts(overrides, keys("system_prompt", "tools"), keys("middlewares")).values())


# Sensitive keys


@pytest.mark.parametrize(
    "overrides",
    [
        {"client.base_url": "http://x"},
        {"client.cookie": "c"},
        {"api.keys.openai": "k"},
        {"middlewares": [{"name": "a"}]},
    ],
)
def test_a_sensitive_key_has_to_be_listed_exactly_everywhere(overrides: dict[str, Any]) -> None:
    (key,) = decisions(overrides, OPEN)
    exact, section = keys(key, "chat.*"), keys(key.split(".")[0] + ".*")
    assert verdicts(overrides, exact) == {key: True}
    assert verdicts(overrides, exact, OPEN, exact) == {key: True}
    assert verdicts(overrides, section) == {key: False}
    assert verdicts(overrides, keys("*")) == {key: False}
    assert verdicts(overrides, exact, keys("*")) == {key: False}


def test_middlewares_may_be_listed_as_a_whole_or_one_by_one() -> None:
    overrides = {"middlewares": [{"name": "a"}, {"name": "b", "id": "x"}]}
    assert verdicts(overrides, keys("middlewares")) == {"middlewares.a": True, "middlewares.b#x": True}
    assert verdicts(overrides, keys("middlewares.b#x")) == {"middlewares.a": False, "middlewares.b#x": True}


@pytest.mark.parametrize(
    "key",
    ["api.openai", "api.allow_http.x", "x.api_key", "x.apiKey", "x.base_url", "x.baseUrl", "x.baseURL", "x.base-urls",
     "x.proxy", "x.https_proxy", "x.httpProxy.host", "x.cache_directory", "x.cacheDir", "x.endpoint", "x.credentials.a",
     "x.access_token", "x.password", "x.api_base"],
)  # fmt: skip
def test_what_carries_keys_or_leads_elsewhere_is_sensitive_by_name(key: str) -> None:
    assert verdicts({key: "x"}, OPEN, schema=FREE) == {key: False}


@pytest.mark.parametrize(
    "key", ["x.max_response_tokens", "x.temperature", "x.keyboard", "x.base", "x.cache_type", "x.apiary"]
)
def test_other_names_are_not(key: str) -> None:
    assert verdicts({key: "x"}, OPEN, schema=FREE) == {key: True}


def test_servers_and_middlewares_are_sensitive_as_such() -> None:
    assert is_sensitive(("servers", "git"), SMALL)
    assert is_sensitive(("middlewares",), SMALL)
    assert not is_sensitive(("tools",), SMALL)


# References to secrets


def test_a_request_cannot_read_a_secret_into_a_field_that_is_shown() -> None:
    reference = {"$secret": "env:OPENAI_API_KEY"}
    found = decisions({"system_prompt": reference, "chat.engine": reference}, keys("system_prompt", "chat.engine"))
    assert allowed(found) == {"system_prompt": False, "chat.engine": False}
    assert "only in a field that holds secrets" in found["system_prompt"].rule


def test_a_reference_deep_inside_an_override_is_found() -> None:
    reference = {"$secret": "file:/etc/passwd"}
    listed = keys("middlewares", "chat.*", "deep.*")
    overrides = {
        "middlewares": [{"name": "a", "config": {"x": [{"y": reference}]}}],
        "deep": {"$replace": {"l": [reference]}},
    }
    assert not any(verdicts(overrides, listed, schema=FREE).values())
    assert not any(verdicts({"chat": {"stop": {"$append": [reference]}}}, listed, schema=FREE).values())


def test_a_reference_at_a_secret_that_is_listed_exactly_is_allowed() -> None:
    reference = {"$secret": "env:TEAM_KEY"}
    assert verdicts({"api.keys.openai": reference}, keys("api.keys.openai")) == {"api.keys.openai": True}
    element = {"middlewares": [{"name": "a", "config": {"token": reference}}]}
    assert verdicts(element, keys("middlewares")) == {"middlewares.a": True}


# What is touched

BELOW = {
    "step_settings_patch": {"chat": {"engine": "x", "temperature": 1}, "client": {"headers": {"a": "1", "b": "2"}}}
}
CHAT = {f"chat.{name}" for name in ("engine", "api_type", "temperature", "max_response_tokens", "stop", "stream")}


@pytest.mark.parametrize("value", [None, {"$unset": True}, {"$replace": {}}, {"$replace": {"engine": "y"}}])
def test_null_on_a_section_touches_every_leaf_beneath_it(value: Any) -> None:
    assert set(decisions({"chat": value}, OPEN, below=BELOW)) == CHAT


@pytest.mark.parametrize("value", [None, {"$replace": {"c": "3"}}])
def test_null_on_a_mapping_touches_the_leaves_that_are_there(value: Any) -> None:
    found = decisions({"client.headers": value}, OPEN, below=BELOW)
    assert {"client.headers.a", "client.headers.b"} <= set(found)
    assert ("client.headers.c" in found) is (value is not None)


def test_null_on_everything_touches_what_is_sensitive_as_well() -> None:
    found = verdicts({"step_settings_patch": None}, OPEN, below=BELOW)
    assert set(found) > CHAT
    assert found["client.base_url"] is found["api.keys"] is False
    assert found["chat.engine"] is True


def test_null_in_a_free_schema_touches_what_is_there_and_the_place_itself() -> None:
    assert set(decisions({"chat": None}, OPEN, below=BELOW, schema=FREE)) == {"chat", "chat.engine", "chat.temperature"}
    assert set(decisions({"other": None}, OPEN, below=BELOW, schema=FREE)) == {"other"}


@pytest.mark.parametrize("denied", ["chat.temperature", "chat.stop", "chat.*"])
def test_a_denied_leaf_cannot_be_removed_with_the_mapping_above_it(denied: str) -> None:
    shut = policy(allow_overrides=True, denied_override_keys=[denied])
    assert False in verdicts({"chat": None}, shut, below=BELOW).values()
    assert False in verdicts({"chat": {"$replace": {"engine": "x"}}}, shut, below=BELOW).values()
    assert False in verdicts({"step_settings_patch": {"$replace": {}}}, shut, below=BELOW).values()


def test_a_unit_touches_all_of_itself() -> None:
    found = decisions({"model_info.cost.input": 1}, OPEN, below={})
    assert set(found) == {"model_info.cost.input", "model_info.cost.output"}


def test_an_edit_of_a_list_touches_the_list() -> None:
    assert set(decisions({"chat.stop": {"$append": ["x"]}}, OPEN)) == {"chat.stop"}


ELEMENTS = {"middlewares": [{"name": "audit", "id": "main"}, {"name": "log"}]}


@pytest.mark.parametrize(
    ("value", "touched"),
    [
        ([{"name": "log"}], {"log"}),
        ({"$append": [{"name": "new"}]}, {"new"}),
        ({"$prepend": [{"name": "new"}]}, {"new"}),
        ({"$remove": ["log"]}, {"log"}),
        ({"$remove": ["audit"]}, {"audit", "audit#main"}),
        ({"$remove": ["audit#main"]}, {"audit#main"}),
        (None, {"audit#main", "log"}),
        ({"$replace": [{"name": "new"}]}, {"audit#main", "log", "new"}),
        ({"$replace": []}, {"audit#main", "log"}),
    ],
)
def test_overrides_of_keyed_lists_touch_elements(value: Any, touched: set[str]) -> None:
    found = decisions({"middlewares": value}, keys("middlewares"), below=ELEMENTS)
    assert set(found) == {f"middlewares.{name}" for name in touched}
    assert all(decision.allowed for decision in found.values())


@pytest.mark.parametrize("value", [None, {"$remove": ["audit"]}, {"$remove": ["audit#main"]}, {"$replace": []}])
def test_a_denied_element_cannot_be_removed_by_a_shorter_name(value: Any) -> None:
    shut = policy(
        allow_overrides=True, allowed_override_keys=["middlewares"], denied_override_keys=["middlewares.audit#main"]
    )
    assert False in verdicts({"middlewares": value}, shut, below=ELEMENTS).values()


def test_a_denied_part_of_an_element_denies_the_element() -> None:
    shut = policy(
        allow_overrides=True,
        allowed_override_keys=["middlewares"],
        denied_override_keys=["middlewares.log.config.level"],
    )
    element = {"middlewares": [{"name": "log", "config": {"level": "x"}}]}
    assert verdicts(element, shut, below=ELEMENTS) == {"middlewares.log": False}


# Tools

TOOLS = {"tools": ["search", "shell"]}


@pytest.mark.parametrize(
    "value",
    [["search"], [], ["shell", "search"], {"$remove": ["shell"]}, {"$append": ["search"]}, {"$replace": ["search"]}],
)
def test_an_override_may_narrow_the_tools(value: Any) -> None:
    assert verdicts({"tools": value}, OPEN, below=TOOLS) == {"tools": True}


@pytest.mark.parametrize(
    "value", [["search", "x"], {"$append": ["x"]}, {"$prepend": ["x"]}, {"$literal": ["x"]}, {"$replace": ["x"]}, None]
)
def test_an_override_may_not_widen_them_unless_tools_is_listed_exactly(value: Any) -> None:
    found = decisions({"tools": value}, OPEN, below=TOOLS)["tools"]
    assert not found.allowed
    assert "may only be narrowed" in found.rule
    assert verdicts({"tools": value}, keys("*"), below=TOOLS) == {"tools": False}
    assert verdicts({"tools": value}, keys("tools", "chat.*"), below=TOOLS) == {"tools": True}
    assert verdicts({"tools": value}, keys("tools"), keys("*"), below=TOOLS) == {"tools": False}


def test_without_tools_of_a_profile_the_default_ones_are_narrowed() -> None:
    assert verdicts({"tools": ["clock"]}, OPEN) == {"tools": True}
    assert verdicts({"tools": {"$append": ["x"]}}, OPEN) == {"tools": False}
    assert verdicts({"tools": {"$remove": ["clock"]}}, OPEN) == {"tools": True}


# What is enforced


def enforced(document: Any) -> Any:
    return merge([layer(BELOW | ELEMENTS | TOOLS), layer(document, Origin("enforced", "team", "", "yaml:a"), SMALL)])


AUDIT = {"name": "audit", "id": "main"}
ENFORCED = [
    ({"step_settings_patch": {"chat": {"temperature": 0}}}, {"chat.temperature": 1}),
    ({"step_settings_patch": {"chat": {"temperature": 0}}}, {"chat": None}),
    ({"step_settings_patch": {"chat": {"temperature": 0}}}, {"chat": {"$replace": {"engine": "x"}}}),
    ({"step_settings_patch": {"chat": {"temperature": 0}}}, {"step_settings_patch": {"$unset": True}}),
    ({"step_settings_patch": {"chat": {"temperature": 0}}}, {"step_settings_patch": {"$replace": {"client": {}}}}),
    ({"step_settings_patch": {"chat": {"temperature": None}}}, {"chat.temperature": 1}),
    ({"step_settings_patch": {"chat": None}}, {"chat.stop": ["x"]}),
    ({"step_settings_patch": {"client": {"headers": {"a": "x"}}}}, {"client.headers": {"$replace": {}}}),
    ({"system_prompt": "x"}, {"system_prompt": "y"}),
    ({"system_prompt": "x"}, {"system_prompt": None}),
    ({"tools": ["search"]}, {"tools": []}),
    ({"tools": {"$remove": ["shell"]}}, {"tools": {"$append": ["shell"]}}),
    ({"middlewares": [AUDIT]}, {"middlewares": [{**AUDIT, "enabled": False}]}),
    ({"middlewares": [AUDIT]}, {"middlewares": {"$remove": ["audit"]}}),
    ({"middlewares": [AUDIT]}, {"middlewares": None}),
    ({"middlewares": [AUDIT]}, {"middlewares": {"$replace": []}}),
    ({"middlewares": {"$remove": ["shell"]}}, {"middlewares": [{"name": "shell"}]}),
    ({"middlewares": {"$remove": ["shell"]}}, {"middlewares": [{"name": "shell", "id": "again"}]}),
    ({"middlewares": None}, {"middlewares": [{"name": "any"}]}),
]
EVERYTHING = keys("*", "tools", "middlewares", "system_prompt", *CHAT)


@pytest.mark.parametrize(("document", "overrides"), ENFORCED)
def test_nothing_enforced_is_overridden_whatever_the_policy_says(document: Any, overrides: Any) -> None:
    found = decisions(overrides, EVERYTHING, below=enforced(document))
    rules = {decision.rule for decision in found.values() if not decision.allowed}
    assert rules >= {"enforced by team (yaml:a)"}


@pytest.mark.parametrize(
    ("document", "overrides"),
    [
        ({"step_settings_patch": {"chat": {"temperature": 0}}}, {"chat.engine": "y"}),
        ({"middlewares": [{"name": "audit", "id": "main"}]}, {"middlewares": [{"name": "audit", "id": "mine"}]}),
        ({"middlewares": [{"name": "audit", "id": "main"}]}, {"middlewares": {"$remove": ["log"]}}),
        ({"middlewares": {"$remove": ["shell"]}}, {"middlewares": [{"name": "other"}]}),
        ({"system_prompt": ""}, {"system_prompt": "y"}),
    ],
)
def test_what_stands_beside_it_may_be(document: Any, overrides: Any) -> None:
    assert all(verdicts(overrides, EVERYTHING, below=enforced(document)).values())


# Combining


def test_policies_combine_restrictively() -> None:
    base = policy(allow_overrides=True, allowed_override_keys=["system_prompt", "tools", "chat.*"])
    leaf = policy(allowed_override_keys=["tools", "chat.temperature", "client.*"], denied_override_keys=["tools"])
    assert combine([base, leaf]) == policy(
        allow_overrides=True, allowed_override_keys=["tools", "chat.temperature"], denied_override_keys=["tools"]
    )
    assert combine([base, policy(allow_overrides=False)]).allow_overrides is False
    assert combine([base, policy(read_only=True)]).read_only
    assert combine([]) == PolicySpec()


def test_an_empty_intersection_is_a_list_that_allows_nothing() -> None:
    assert combine([keys("system_prompt"), keys("middlewares")]).allowed_override_keys == ()


def test_an_absent_list_inherits() -> None:
    assert combine([OPEN, keys("tools"), OPEN]).allowed_override_keys == ("tools",)


# Faults of a policy


@pytest.mark.parametrize(
    ("one", "other"),
    [("tools", "tools"), ("systemPrompt", "system_prompt"), ("chat.topP", " chat.top_p "), ("*", "*"),
     ("chat.*", "Chat.*"), ("step_settings_patch.chat.x", "chat.x")],
)  # fmt: skip
def test_the_same_key_in_both_lists_is_a_fault(one: str, other: str) -> None:
    (fault,) = policy_faults(policy(allowed_override_keys=["a", one], denied_override_keys=[other]), "policy")
    assert fault.field == "policy.denied_override_keys[0]"
    assert "also in allowed_override_keys" in fault.reason


def test_a_narrower_key_in_the_other_list_is_none() -> None:
    assert not policy_faults(
        policy(allowed_override_keys=["chat.*"], denied_override_keys=["chat.temperature"]), "policy"
    )


@pytest.mark.parametrize("text", ["", ".", "chat.", "chat*", "*.temperature", "chat.**", "chat.*.x", "ch*t.x", ".*"])
def test_a_pattern_that_could_never_match_is_a_fault(text: str) -> None:
    (fault,) = policy_faults(policy(denied_override_keys=[text]), "policy")
    assert fault.field == "policy.denied_override_keys[0]"
    with pytest.raises(ValidationError):
        pattern(text)


def test_a_quoted_name_may_hold_a_dot() -> None:
    assert pattern('model_info."a.b"') == (("step_settings_patch", "model_info", "a.b"), False)


def test_the_ground_must_fit_before_anything_is_decided() -> None:
    with pytest.raises(MergeConflict):
        merge([layer({"step_settings_patch": {"a": {"b": 1}}}), layer({"step_settings_patch": {"a": 1}})])
