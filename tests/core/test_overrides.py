"""What a request asks for: every spelling of a key, and every mistake named before the policy is asked."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from livery.core.overrides import read_overrides
from livery.core.schema import FREE, SettingsSchema
from livery.core.values import UNSET, Replace
from livery.errors import ValidationError
from tests.core.builders import SMALL


def read(overrides: Any, schema: SettingsSchema = SMALL) -> dict[str, Any]:
    return read_overrides(overrides, schema).values


def faults(overrides: Any, schema: SettingsSchema = SMALL) -> dict[str, str]:
    with pytest.raises(ValidationError) as caught:
        read(overrides, schema)
    return {fault.field: fault.reason for fault in caught.value.faults}


@pytest.mark.parametrize(
    "overrides",
    [
        {"step_settings_patch": {"chat": {"max_response_tokens": 5}}},
        {"stepSettingsPatch": {"Chat": {"maxResponseTokens": 5}}},
        {"step-settings-patch": {"chat": {"max-response-tokens": 5}}},
        {"chat.max_response_tokens": 5},
        {" chat.maxResponseTokens ": 5},
        {"step_settings_patch.chat.max_response_tokens": 5},
        {"chat": {"maxResponseTokens": 5}},
        {"chat": {"max_response_tokens": 5.0}},
    ],
)
def test_a_setting_is_read_in_every_spelling(overrides: Any) -> None:
    assert read(overrides) == {"step_settings_patch": {"chat": {"max_response_tokens": 5}}}


@pytest.mark.parametrize("key", ["system_prompt", "systemPrompt", "system-prompt", "SystemPrompt", " system_prompt "])
def test_a_field_is_read_in_every_spelling(key: str) -> None:
    assert read({key: "x"}) == {"system_prompt": "x"}


def test_several_keys_make_one_document() -> None:
    overrides = {
        "chat.engine": "x",
        "chat": {"stream": False},
        "client.timeout": 5,
        "tools": ["a"],
        "middlewares": None,
    }
    assert read(overrides) == {
        "step_settings_patch": {"chat": {"engine": "x", "stream": False}, "client": {"timeout": 5}},
        "tools": ["a"],
        "middlewares": UNSET,
    }


def test_keys_inside_a_replacement_are_read_in_every_spelling_too() -> None:
    found = read({"chat": {"$replace": {"maxResponseTokens": 5}}})
    assert found == {"step_settings_patch": {"chat": Replace({"max_response_tokens": 5})}}


def test_keys_of_free_mappings_stay_as_they_are() -> None:
    assert read({"client.headers": {"X-Trace": "1", "x_trace": "2"}}) == {
        "step_settings_patch": {"client": {"headers": {"X-Trace": "1", "x_trace": "2"}}}
    }
    assert read({"a.camelCase": 1}, FREE) == {"step_settings_patch": {"a": {"camelCase": 1}}}


def test_a_section_may_be_called_like_a_field() -> None:
    assert read({"step_settings_patch.tools.x": 1}, FREE) == {"step_settings_patch": {"tools": {"x": 1}}}


@pytest.mark.parametrize(
    ("overrides", "field"),
    [
        ({"system_prompt": "a", "systemPrompt": "b"}, "request_overrides.system_prompt"),
        ({"tools": [], "Tools": []}, "request_overrides.tools"),
        ({"chat.temperature": 1, "chat": {"temperature": 2}}, "request_overrides.chat.temperature"),
        ({"chat": {"temperature": 2}, "chat.temperature": 1}, "request_overrides.chat.temperature"),
        ({"chat.maxResponseTokens": 1, "chat.max_response_tokens": 2}, "request_overrides.chat.max_response_tokens"),
        ({"chat": {"maxResponseTokens": 1, "max_response_tokens": 2}}, "request_overrides.chat.max_response_tokens"),
        ({"chat": None, "chat.engine": "x"}, "request_overrides.chat.engine"),
        ({"chat.engine": "x", "chat": None}, "request_overrides.chat"),
        ({"step_settings_patch": {"chat": {"engine": "a"}}, "chat.engine": "b"}, "request_overrides.chat.engine"),
        ({"step_settings_patch": None, "chat.engine": "b"}, "request_overrides.chat.engine"),
    ],
)
def test_two_spellings_of_one_key_are_a_fault(overrides: Any, field: str) -> None:
    found = faults(overrides)
    assert list(found) == [field]
    assert "given twice" in found[field]


@pytest.mark.parametrize(
    ("overrides", "field", "reason"),
    [
        ({"sytem_prompt": "x"}, "request_overrides.sytem_prompt", "did you mean 'system_prompt'?"),
        ({"chatt": {}}, "request_overrides.chatt", "did you mean 'chat'?"),
        ({"zzz": 1}, "request_overrides.zzz", "known are step_settings_patch, system_prompt, middlewares, tools"),
        ({"servers": []}, "request_overrides.servers", "cannot be overridden"),
        ({"servers.git.cmd": ["x"]}, "request_overrides.servers", "cannot be overridden"),
        ({"extensions": {}}, "request_overrides.extensions", "cannot be overridden"),
        ({"system_prompt.x": "x"}, "request_overrides.system_prompt.x", "only be overridden as a whole"),
        ({"middlewares.log": {}}, "request_overrides.middlewares.log", "only be overridden as a whole"),
        ({"chat..x": 1}, "request_overrides.chat", "is not a dotted path"),
        ({"": 1}, "request_overrides.", "is not a dotted path"),
        (
            {"chat.temprature": 1},
            "request_overrides.step_settings_patch.chat.temprature",
            "did you mean 'temperature'?",
        ),
        ({"chat.temperature": "hot"}, "request_overrides.step_settings_patch.chat.temperature", "expected a number"),
        ({"chat.temperature": 9}, "request_overrides.step_settings_patch.chat.temperature", "at most 2"),
        ({"chat.api_type": "opena"}, "request_overrides.step_settings_patch.chat.api_type", "did you mean 'openai'?"),
        ({"step_settings_patch": []}, "request_overrides.step_settings_patch", "expected a mapping"),
        ({"step_settings_patch": {"$replace": {"chatt": {}}}}, "request_overrides.step_settings_patch.chatt", "'chat'"),
        ({"system_prompt": 5}, "request_overrides.system_prompt", "expected text"),
        ({"tools": "a"}, "request_overrides.tools", "expected a list of tool names"),
        ({"middlewares": [{"id": "x"}]}, "request_overrides.middlewares[0].name", "a name is needed"),
        ({"chat.temperature": float("nan")}, "request_overrides.step_settings_patch.chat.temperature", "JSON"),
        ({"chat.engine": {"$redacted": True}}, "request_overrides.step_settings_patch.chat.engine", "value to keep"),
    ],
)
def test_a_mistake_is_named_before_the_policy_is_asked(overrides: Any, field: str, reason: str) -> None:
    found = faults(overrides)
    assert list(found) == [field]
    assert reason in found[field]


def test_every_mistake_is_named() -> None:
    assert len(faults({"sytem_prompt": "x", "servers": [], "chatt": 1})) == 3
    assert len(faults({"system_prompt": 5, "tools": 5, "middlewares": 5})) == 3


@pytest.mark.parametrize("overrides", [[], "x", 5])
def test_overrides_are_a_mapping(overrides: Any) -> None:
    assert list(faults(overrides)) == ["request_overrides"]


@pytest.mark.parametrize("key", ["chat", "chat.engine", "system_prompt", "tools", "step_settings_patch", "a"])
@pytest.mark.parametrize("wrap", ["a", "$replace", "$literal"])
def test_no_depth_crashes_the_reader(key: str, wrap: str) -> None:
    deep: Any = {}
    for _ in range(50_000):
        deep = {wrap: deep}
    assert faults({key: deep}, FREE if key == "a" else SMALL)


def test_two_deep_documents_for_one_key_are_refused() -> None:
    one: Any = {"x": 1}
    other: Any = {"y": 1}
    for _ in range(5_000):
        one, other = {"a": one}, {"a": other}
    assert faults({"a": one, "step_settings_patch": {"a": other}}, FREE)


def test_the_overrides_are_not_changed_and_share_nothing() -> None:
    overrides: Any = {
        "chat": {"stop": ["x"]},
        "chat.engine": "y",
        "a": {"$literal": {"b": {}}},
        "a.$literal.c": 1,
        "step_settings_patch": {"d": {"e": {}}},
        "d.e.f": [[1]],
    }
    before = copy.deepcopy(overrides)
    found = read(overrides, FREE)
    found["step_settings_patch"]["d"]["e"]["f"][0].append(2)
    assert overrides == before


def test_a_secret_in_an_override_is_not_repeated_in_a_fault() -> None:
    found = faults({"client.cookie": "CANARY" * 20, "chat.api_key": "CANARY", "api.keys": {"a": ["CANARY"]}})
    assert "CANARY" not in str(found)
    assert found["request_overrides.step_settings_patch.client.cookie"] == "has more than 40 characters"
