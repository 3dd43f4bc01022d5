"""Settings of old files, read into today's fields."""

from __future__ import annotations

from typing import Any

import pytest

from livery.settings import ai_schema, flags, settings_of_inference, settings_of_legacy


def read(sections: dict[str, Any]) -> dict[str, Any]:
    found = settings_of_legacy(sections)
    assert found.faults == []
    return found.step_settings_patch


def faults_of(sections: dict[str, Any]) -> dict[str, str]:
    return {fault.field: fault.reason for fault in settings_of_legacy(sections, "p").faults}


def example_of(schema: Any) -> Any:
    if "enum" in schema:
        return schema["enum"][-1]
    return {"string": "{}", "integer": 1, "number": 0.5, "boolean": True, "array": ["a"], "object": {"7": 1}}[
        schema["type"]
    ]


def test_a_profile_of_the_old_map_becomes_a_patch() -> None:
    old = {"ai-chat": {"ai-engine": "gpt-4o-mini"}, "ai-client": {"timeout": 17}}
    assert read(old) == {"chat": {"engine": "gpt-4o-mini"}, "client": {"timeout": 17}}


@pytest.mark.parametrize("flag", flags(), ids=lambda flag: f"{flag.section}.{flag.name}")
def test_every_flag_sets_its_field_to_a_valid_value(flag: Any) -> None:
    value = example_of(flag.schema)
    patch = read({flag.section: {flag.name: value}})
    assert ai_schema().faults(patch, "") == []
    for part in flag.path:
        patch = patch[part]
    assert patch == value


@pytest.mark.parametrize("name", ["ai-temperature", "temperature", "ai_temperature", "aiTemperature"])
def test_a_flag_is_read_with_or_without_its_prefix_in_any_case(name: str) -> None:
    assert read({"ai-chat": {name: 0.5}}) == {"chat": {"temperature": 0.5}}


@pytest.mark.parametrize("section", ["openai-chat", "openai_chat", "openai"])
def test_a_section_is_read_by_its_old_and_its_own_name(section: str) -> None:
    assert read({section: {"stream-include-usage": False}}) == {"openai": {"stream_include_usage": False}}


def test_the_field_s_own_name_is_read_too() -> None:
    assert read({"ai-chat": {"api_type": "claude"}, "ai-client": {"timeout_second": 9}}) == {
        "chat": {"api_type": "claude"},
        "client": {"timeout": 9},
    }


def test_a_field_that_never_had_a_flag_is_read_by_its_name() -> None:
    assert read({"ai-chat": {"stream": False}}) == {"chat": {"stream": False}}
    assert read({"ai-chat": {"ai-stream": False}}) == {"chat": {"stream": False}}


def test_keys_and_addresses_of_providers_go_to_the_api_section() -> None:
    old = {
        "openai-chat": {"openai-api-key": "sk-1", "openai-base-url": "https://a.example/v1"},
        "claude-chat": {"claude-api-key": "sk-2"},
        "gemini-chat": {"gemini-base-url": "https://b.example/"},
    }
    assert read(old) == {
        "api": {
            "api_keys": {"openai-api-key": "sk-1", "claude-api-key": "sk-2"},
            "base_urls": {"openai-base-url": "https://a.example/v1", "gemini-base-url": "https://b.example/"},
        }
    }


def test_keys_of_other_providers_are_taken_as_well() -> None:
    old = {"openai-chat": {"fireworks-api-key": "sk", "fireworks_base_url": "https://f.example"}}
    assert read(old) == {
        "api": {
            "api_keys": {"fireworks-api-key": "sk"},
            "base_urls": {"fireworks-base-url": "https://f.example"},
        }
    }


def test_keys_in_the_chat_and_embeddings_sections_stay_there() -> None:
    old = {"ai-chat": {"openai-api-key": "sk-1"}, "embeddings": {"openai-api-key": "sk-2"}}
    assert read(old) == {
        "chat": {"api_keys": {"openai-api-key": "sk-1"}},
        "embeddings": {"api_keys": {"openai-api-key": "sk-2"}},
    }


def test_texts_that_are_numbers_become_numbers_where_the_field_is_one() -> None:
    old = {
        "ai-chat": {"ai-temperature": "0.2", "ai-max-response-tokens": " 512 ", "ai-engine": "4"},
        "openai-chat": {"openai-logit-bias": {"50256": "-100"}, "openai-parallel-tool-calls": "True"},
        "claude-chat": {"claude-user-id": 42},
    }
    assert read(old) == {
        "chat": {"temperature": 0.2, "max_response_tokens": 512, "engine": "4"},
        "openai": {"logit_bias": {"50256": -100}, "parallel_tool_calls": True},
        "claude": {"user_id": "42"},
    }


def test_names_that_were_read_as_numbers_become_texts() -> None:
    assert read({"openai-chat": {"openai-logit-bias": {50256: 1}}}) == {"openai": {"logit_bias": {"50256": 1}}}


def test_a_text_that_is_no_number_is_left_for_the_schema_to_refuse() -> None:
    patch = read({"ai-client": {"timeout": "1m"}})
    assert [fault.field for fault in ai_schema().faults(patch, "p")] == ["p.client.timeout"]


def test_null_directives_and_references_pass_as_they_stand() -> None:
    old = {
        "ai-chat": {"ai-temperature": None, "ai-stop": {"$append": ["END"]}},
        "openai-chat": {"openai-api-key": {"$secret": "env:KEY"}},
    }
    assert read(old) == {
        "chat": {"temperature": None, "stop": {"$append": ["END"]}},
        "api": {"api_keys": {"openai-api-key": {"$secret": "env:KEY"}}},
    }


def test_sections_of_other_programs_are_kept_and_listed() -> None:
    found = settings_of_legacy({"ai-chat": {"ai-engine": "m"}, "my-app": {"Some-Flag": 1}})
    assert found.step_settings_patch == {"chat": {"engine": "m"}, "my-app": {"Some-Flag": 1}}
    assert found.foreign_sections == ("my-app",)


def test_an_unknown_flag_is_a_fault_with_the_nearest() -> None:
    assert "did you mean 'ai-engine'" in faults_of({"ai-chat": {"ai-engin": "m"}})["p.ai-chat.ai-engin"]


def test_one_field_set_twice_is_a_fault_that_names_both_places() -> None:
    twice = {"ai-chat": {"ai-engine": "a", "engine": "b"}}
    assert faults_of(twice) == {"p.ai-chat.engine": "sets chat.engine again, after p.ai-chat.ai-engine"}
    assert "p.chat.engine" in faults_of({"ai-chat": {"ai-engine": "a"}, "chat": {"engine": "b"}})


def test_a_map_and_an_entry_of_it_are_set_in_one_place() -> None:
    assert "p.api.api_keys" in faults_of({"openai-chat": {"openai-api-key": "k"}, "api": {"api_keys": None}})
    assert "p.openai-chat.api-key" in faults_of({"api": {"api_keys": None}, "openai-chat": {"api-key": "k"}})


def test_the_first_of_two_values_stays() -> None:
    found = settings_of_legacy({"ai-chat": {"ai-engine": "a", "engine": "b"}})
    assert found.step_settings_patch == {"chat": {"engine": "a"}}


def test_a_section_must_be_a_mapping_but_may_be_empty() -> None:
    assert faults_of({"ai-chat": 5, "other": "x"}) == {
        "p.ai-chat": "expected a mapping, got a number",
        "p.other": "expected a mapping, got text",
    }
    assert read({"ai-chat": None, "ai-client": {}}) == {}


def test_an_inference_document_becomes_a_patch() -> None:
    document = {
        "chat": {"api_type": "openai", "engine": "gpt-4o-mini"},
        "client": {"timeout_second": 30},
        "openai": {"stream-include-usage": True},
        "ollama": {"num-ctx": 4096, "top-p": 0.5},
        "embeddings": {"cachetype": "memory"},
        "inference": {"thinking_budget": 1000},
        "model_info": {"context-window": 128000, "cost": {"cache-read": "0.5"}, "metadata": {"Any-Key": 1}},
    }
    found = settings_of_inference(document)
    assert found.faults == []
    assert found.step_settings_patch == {
        "chat": {"api_type": "openai", "engine": "gpt-4o-mini"},
        "client": {"timeout": 30},
        "openai": {"stream_include_usage": True},
        "ollama": {"num_ctx": 4096, "top_p": 0.5},
        "embeddings": {"cache_type": "memory"},
        "inference": {"thinking_budget": 1000},
        "model_info": {"context_window": 128000, "cost": {"cache_read": 0.5}, "metadata": {"Any-Key": 1}},
    }


def test_the_api_block_keeps_its_entries_and_folds_suffixed_opt_ins() -> None:
    api = {
        "api_keys": {"openai-api-key": "sk"},
        "base_urls": {"rerank-base-url": "http://127.0.0.1:18012"},
        "allow_http": {"rerank": True},
        "allow_local_networks": {"rerank-allow-local-networks": True},
    }
    found = settings_of_inference({"api": api})
    assert found.faults == []
    assert found.step_settings_patch == {"api": {**api, "allow_local_networks": {"rerank": True}}}


def test_the_old_wrapper_of_keys_is_a_fault_that_names_the_new_one() -> None:
    (fault,) = settings_of_inference({"api_keys": {"api_keys": {"openai-api-key": "sk-secret"}}}).faults
    assert fault.field == "inference_settings.api_keys"
    assert "inference_settings.api" in fault.reason and "sk-secret" not in fault.reason


def test_unknown_blocks_and_fields_of_an_inference_document_are_faults() -> None:
    document = {"chta": {}, "chat": {"tempratur": 1}, "model_info": {"cost": {"inputs": 1}}}
    faults = {fault.field: fault.reason for fault in settings_of_inference(document).faults}
    assert "did you mean 'chat'" in faults["inference_settings.chta"]
    assert "did you mean 'temperature'" in faults["inference_settings.chat.tempratur"]
    assert "did you mean 'input'" in faults["inference_settings.model_info.cost.inputs"]


def test_a_change_of_the_patch_does_not_reach_the_old_document() -> None:
    old = {"my-app": {"list": [1]}}
    settings_of_legacy(old).step_settings_patch["my-app"]["new"] = 1
    assert old == {"my-app": {"list": [1]}}


@pytest.mark.parametrize("flag", flags(), ids=lambda flag: f"{flag.section}.{flag.name}")
def test_every_flag_is_read_without_its_prefix(flag: Any) -> None:
    short = flag.name.partition("-")[2] if flag.section != "ai-client" else flag.name
    assert read({flag.section: {short: None}}) == read({flag.section: {flag.name: None}})
