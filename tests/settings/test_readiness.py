"""What a profile lacks before any request."""

from __future__ import annotations

from typing import Any

import pytest

from livery.settings import ai_schema, endpoint_of, readiness

KEY = {"openai-api-key": "sk-1"}
READY: dict[str, Any] = {"chat": {"api_type": "openai", "engine": "m"}, "api": {"api_keys": KEY}}


def problems(settings: dict[str, Any], **asked: Any) -> dict[str, str]:
    return {problem.field: problem.reason for problem in readiness(settings, **asked)}


def chat(api_type: str, **api: Any) -> dict[str, Any]:
    return {"chat": {"api_type": api_type, "engine": "m"}, "api": api}


def test_a_profile_with_engine_and_key_lacks_nothing() -> None:
    assert problems(READY) == {}


def test_the_defaults_lack_only_the_key() -> None:
    assert list(problems(dict(ai_schema().defaults))) == ["api.api_keys.openai-api-key"]


def test_an_unsupported_provider_is_refused_with_the_supported_ones() -> None:
    reason = problems(chat("mistral"))["chat.api_type"]
    assert "'mistral' is not supported" in reason and "openai" in reason and "echo" in reason


@pytest.mark.parametrize("engine", ["", None])
def test_an_engine_must_be_named(engine: Any) -> None:
    assert "chat.engine" in problems({"chat": {"api_type": "openai", "engine": engine}, "api": READY["api"]})


def test_the_default_engine_is_none_for_another_vendor() -> None:
    settings = {"chat": {"api_type": "claude", "engine": "gpt-4"}, "api": {"api_keys": {"claude-api-key": "k"}}}
    assert list(problems(settings)) == ["chat.engine"]


@pytest.mark.parametrize(
    ("api_type", "key"),
    [
        ("openai", "openai-api-key"),
        ("openai-responses", "openai-api-key"),
        ("claude", "claude-api-key"),
        ("anthropic", "claude-api-key"),
        ("gemini", "gemini-api-key"),
    ],
)
def test_a_missing_key_is_named(api_type: str, key: str) -> None:
    reason = problems(chat(api_type))[f"api.api_keys.{key}"]
    assert f"missing API key {key!r}" in reason


@pytest.mark.parametrize("key", ["open-responses-api-key", "openai-responses-api-key", "openai-api-key"])
@pytest.mark.parametrize("api_type", ["open-responses", "openai-responses"])
def test_responses_take_the_key_of_any_of_their_names(api_type: str, key: str) -> None:
    assert problems(chat(api_type, api_keys={key: "sk"})) == {}


@pytest.mark.parametrize("key", ["claude-api-key", "anthropic-api-key"])
@pytest.mark.parametrize("api_type", ["claude", "anthropic"])
def test_claude_and_anthropic_are_one(api_type: str, key: str) -> None:
    assert problems(chat(api_type, api_keys={key: "sk"})) == {}


def test_an_empty_key_is_none() -> None:
    assert problems(chat("openai", api_keys={"openai-api-key": ""})) != {}


def test_echo_needs_neither_engine_nor_key() -> None:
    assert problems({"chat": {"api_type": "echo", "engine": ""}}) == {}


def test_ollama_needs_no_key_but_the_opt_ins_for_this_machine() -> None:
    assert list(problems(chat("ollama"))) == ["api.base_urls.ollama-base-url"]
    opted = {"allow_http": {"ollama": True}, "allow_local_networks": {"ollama": True}}
    assert problems(chat("ollama", **opted)) == {}


def test_another_maker_s_server_on_this_machine_needs_no_key() -> None:
    opted = {"allow_http": {"openai": True}, "allow_local_networks": {"openai": True}}
    assert problems(chat("openai", base_urls={"openai-base-url": "http://127.0.0.1:8000/v1"}, **opted)) == {}


@pytest.mark.parametrize("provider", ["anyscale", "fireworks"])
def test_providers_without_an_address_of_their_own_need_one(provider: str) -> None:
    key = {f"{provider}-api-key": "sk"}
    assert list(problems(chat(provider, api_keys=key))) == [f"api.base_urls.{provider}-base-url"]
    url = {f"{provider}-base-url": "https://llm.example.com/v1"}
    assert problems(chat(provider, api_keys=key, base_urls=url)) == {}


def test_a_refused_address_is_named_with_what_would_allow_it() -> None:
    found = problems(chat("openai", api_keys=KEY, base_urls={"openai-base-url": "http://llm.example.com"}))
    assert "api.allow_http.openai" in found["api.base_urls.openai-base-url"]


def test_an_alias_s_own_address_goes_before_the_vendor_s_default() -> None:
    urls = {**ai_schema().defaults["api"]["base_urls"], "anthropic-base-url": "https://proxy.example.com"}
    endpoint = endpoint_of({"api": {"base_urls": urls}}, "claude")
    assert endpoint.base_url == "https://proxy.example.com"


def test_keys_of_the_section_that_uses_them_go_first() -> None:
    settings = {"chat": {"api_keys": {"openai-api-key": "a"}}, "api": {"api_keys": {"openai-api-key": "b"}}}
    assert endpoint_of(settings, "openai").key == "a"
    assert endpoint_of(settings, "openai", "embeddings").key == "b"


def test_a_secret_that_cannot_be_read_is_a_problem() -> None:
    settings = chat("openai", api_keys={"openai-api-key": {"$secret": "env:NOWHERE"}})
    assert problems(settings) == {}
    found = problems(settings, secret_available=lambda reference: False)
    assert found == {"api.api_keys.openai-api-key": "secret env:NOWHERE is not available"}
    assert problems(settings, secret_available=lambda reference: reference == "env:NOWHERE") == {}


def test_secrets_of_providers_that_are_not_used_are_not_asked_for() -> None:
    keys = {**KEY, "claude-api-key": {"$secret": "env:NOWHERE"}}
    assert problems(chat("openai", api_keys=keys), secret_available=lambda reference: False) == {}


def test_a_proxy_s_secret_is_asked_for() -> None:
    settings = {**READY, "client": {"proxy_url": {"$secret": "env:PROXY"}}}
    assert list(problems(settings, secret_available=lambda reference: False)) == ["client.proxy_url"]


def test_unknown_tools_and_middlewares_are_named_by_their_place() -> None:
    found = problems(
        READY,
        tools=["clock", "calculater"],
        known_tools=["clock", "calculator"],
        middlewares=[{"name": "retry"}, {"name": "retri", "id": "x"}],
        known_middlewares=["retry"],
    )
    assert found == {
        "tools[1]": "unknown tool 'calculater'; did you mean 'calculator'?",
        "middlewares[1]": "unknown middleware 'retri'; did you mean 'retry'?",
    }


def test_tools_are_not_judged_where_nobody_knows_them() -> None:
    assert problems(READY, tools=["anything"], middlewares=[{"name": "whatever"}]) == {}


def test_faults_between_fields_are_problems() -> None:
    settings = {**READY, "model_info": {"context_window": 10, "quality_high_watermark": 20}}
    assert list(problems(settings)) == ["model_info.quality_high_watermark"]


def test_embeddings_name_the_missing_path() -> None:
    found = problems({"embeddings": {}}, uses=["embeddings"])
    assert list(found) == ["embeddings.type", "embeddings.engine"]
    settings = {"embeddings": {"type": "openai", "engine": "e"}}
    assert list(problems(settings, uses=["embeddings"])) == ["api.api_keys.openai-api-key"]
    settings["embeddings"]["type"] = "cohere"
    assert "openai, ollama" in problems(settings, uses=["embeddings"])["embeddings.type"]


def test_rerank_on_this_machine_needs_its_own_opt_ins() -> None:
    settings: dict[str, Any] = {
        "rerank": {"type": "llamacpp", "engine": "r"},
        "api": {"base_urls": {"rerank-base-url": "http://127.0.0.1:18012"}, "allow_http": {"rerank": True}},
    }
    assert list(problems(settings, uses=["rerank"])) == ["api.base_urls.rerank-base-url"]
    settings["api"]["allow_local_networks"] = {"rerank": True}
    assert problems(settings, uses=["rerank"]) == {}


def test_rerank_names_what_it_lacks() -> None:
    found = problems({}, uses=["rerank"])
    assert list(found) == ["rerank.type", "rerank.engine", "api.base_urls.rerank-base-url"]
    assert "llamacpp" in problems({"rerank": {"type": "cohere"}}, uses=["rerank"])["rerank.type"]


def test_settings_of_any_shape_are_judged_without_failing() -> None:
    assert problems({"chat": 3, "api": {"api_keys": [], "allow_http": None}}) != {}
    assert "chat.api_type" in problems({"chat": {"api_type": ["openai"]}})
