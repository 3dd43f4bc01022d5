"""Every setting of a profile arrives at a real server as it should."""

from __future__ import annotations

import json
from typing import Any

import pytest

from livery import __version__
from livery.chat.engines import Ignored, build_engine
from livery.chat.oneshot import ask
from tests.chat.building import CANARY, ENVIRON, openai_profile, text_of
from tests.support.openai_server import OpenAIServer, Recorded

pytestmark = pytest.mark.anyio

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}
STRUCTURED = {
    "chat.structured_output_mode": "json_schema",
    "chat.structured_output_name": "sum",
    "chat.structured_output_description": "A sum.",
    "chat.structured_output_schema": json.dumps(SCHEMA),
}


async def sent(server: OpenAIServer, settings: dict[str, Any] | None = None, **how: Any) -> Recorded:
    """The request of one turn."""
    await text_of(ask(openai_profile(server.url, settings, **how), "Hi", ENVIRON))
    return server.last


def ignored(server: OpenAIServer, settings: dict[str, Any], **how: Any) -> list[str]:
    return [entry.field for entry in build_engine(openai_profile(server.url, settings, **how), ENVIRON).ignored]


async def test_a_plain_profile_sends_its_model_messages_and_temperature_and_no_more(server: OpenAIServer) -> None:
    request = await sent(server)
    assert request.body == {
        "model": "tiny-1",
        "messages": [{"role": "user", "content": "Hi"}],
        "temperature": 0.7,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


async def test_the_base_url_is_kept_whole(server: OpenAIServer) -> None:
    url = server.url.replace("/v1", "/gateway/v2/")
    await text_of(ask(openai_profile(url), "Hi", ENVIRON))
    assert server.last.path == "/gateway/v2/chat/completions"


async def test_the_key_of_a_reference_is_the_bearer_token(server: OpenAIServer) -> None:
    assert (await sent(server)).headers["authorization"] == f"Bearer {CANARY}"


async def test_without_a_key_no_authorization_is_sent(server: OpenAIServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-process")
    assert "authorization" not in (await sent(server, {"api.api_keys": {}})).headers


async def test_the_system_prompt_goes_first(server: OpenAIServer) -> None:
    request = await sent(server, prompt="Be brief.")
    assert request.body["messages"] == [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]


@pytest.mark.parametrize(
    ("setting", "value", "field", "expected"),
    [
        ("chat.engine", "large-2", "model", "large-2"),
        ("chat.temperature", 0.2, "temperature", 0.2),
        ("chat.top_p", 0.9, "top_p", 0.9),
        ("chat.max_response_tokens", 12, "max_tokens", 12),
        ("chat.stop", ["END", "###"], "stop", ["END", "###"]),
        ("inference.seed", 7, "seed", 7),
        ("inference.temperature", 0, "temperature", 0),
        ("inference.reasoning_effort", "high", "reasoning_effort", "high"),
        ("openai.chat_reasoning_effort", "low", "reasoning_effort", "low"),
        ("openai.thinking_type", "disabled", "thinking", {"type": "disabled"}),
        ("openai.presence_penalty", 0.5, "presence_penalty", 0.5),
        ("openai.frequency_penalty", -0.5, "frequency_penalty", -0.5),
        ("openai.logit_bias", {"50256": -100}, "logit_bias", {"50256": -100}),
    ],
)
async def test_a_setting_reaches_the_wire(
    server: OpenAIServer, setting: str, value: Any, field: str, expected: Any
) -> None:
    assert (await sent(server, {setting: value})).body[field] == expected


async def test_what_changes_nothing_is_left_out(server: OpenAIServer) -> None:
    body = (
        await sent(server, {"chat.top_p": 1, "openai.presence_penalty": 0, "openai.parallel_tool_calls": True})
    ).body
    assert not {"top_p", "presence_penalty", "parallel_tool_calls", "stop", "seed"} & set(body)


async def test_a_schema_of_the_answer_reaches_the_wire(server: OpenAIServer) -> None:
    form = {"name": "sum", "description": "A sum.", "schema": SCHEMA, "strict": True}
    expected = {"type": "json_schema", "json_schema": form}
    assert (await sent(server, STRUCTURED)).body["response_format"] == expected
    body = (await sent(server, STRUCTURED, api_type="openai-responses")).body
    assert body["text"] == {"format": {"type": "json_schema", **form}}


async def test_usage_is_not_asked_for_where_a_profile_says_so(server: OpenAIServer) -> None:
    assert "stream_options" not in (await sent(server, {"openai.stream_include_usage": False})).body


async def test_an_answer_in_one_piece_is_asked_for_where_a_profile_says_so(server: OpenAIServer) -> None:
    body = (await sent(server, {"chat.stream": False})).body
    assert not body.get("stream") and "stream_options" not in body


async def test_organization_and_user_agent_are_headers(server: OpenAIServer) -> None:
    headers = (await sent(server, {"client.organization": "org-1", "client.user_agent": "acme/2"})).headers
    assert headers["openai-organization"] == "org-1"
    assert headers["user-agent"] == "acme/2"


async def test_by_default_livery_says_who_it_is(server: OpenAIServer) -> None:
    assert (await sent(server)).headers["user-agent"] == f"livery/{__version__}"


async def test_nothing_of_the_process_environment_is_sent(
    server: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-env")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "project-env")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Leak: secret\nAuthorization: Bearer other")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    headers = (await sent(server)).headers
    assert headers["authorization"] == f"Bearer {CANARY}"
    assert not {"x-leak", "openai-organization", "openai-project", "x-stainless-os"} & set(headers)


async def test_a_proxy_gets_the_request_with_its_own_credentials(server: OpenAIServer) -> None:
    proxy = server.url.removesuffix("/v1").replace("http://", "http://user:pass@")
    profile = openai_profile("http://llm.example.com/v1", {"client.proxy_url": {"$secret": "env:PROXY"}})
    await text_of(ask(profile, "Hi", {**ENVIRON, "PROXY": proxy}))
    assert server.last.path == "http://llm.example.com/v1/chat/completions"
    assert server.last.headers["proxy-authorization"] == "Basic dXNlcjpwYXNz"


@pytest.mark.parametrize("counts", [True, False])
async def test_the_proxy_of_the_environment_counts_only_where_it_may(
    server: OpenAIServer, monkeypatch: pytest.MonkeyPatch, counts: bool
) -> None:
    with OpenAIServer() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url.removesuffix("/v1"))
        await text_of(ask(openai_profile(server.url, {"client.proxy_from_environment": counts}), "Hi", ENVIRON))
        assert (len(proxy.requests), len(server.requests)) == ((1, 0) if counts else (0, 1))


@pytest.mark.parametrize("host", ["api.openai.com", "eu.api.openai.com", "acme.openai.azure.com"])
async def test_openai_s_own_hosts_get_max_completion_tokens(server: OpenAIServer, host: str) -> None:
    settings = {"client.proxy_url": server.url.removesuffix("/v1"), "chat.max_response_tokens": 12}
    await text_of(ask(openai_profile(f"http://{host}/v1", settings), "Hi", ENVIRON))
    assert server.last.path.startswith(f"http://{host}/")
    assert server.last.body["max_completion_tokens"] == 12 and "max_tokens" not in server.last.body


async def test_a_model_that_reasons_is_sent_no_sampling(server: OpenAIServer) -> None:
    settings = {"chat.engine": "gpt-5-mini", "chat.temperature": 0.2, "openai.chat_reasoning_effort": "low"}
    body = (await sent(server, settings)).body
    assert body["reasoning_effort"] == "low" and "temperature" not in body
    (entry,) = build_engine(openai_profile(server.url, settings), ENVIRON).ignored
    assert entry == Ignored("chat.temperature", "model 'gpt-5-mini' does not take it while it reasons")


async def test_sampling_is_sent_where_reasoning_is_off(server: OpenAIServer) -> None:
    assert (await sent(server, {"chat.engine": "gpt-5.1"})).body["temperature"] == 0.7
    assert (
        "temperature" not in (await sent(server, {"chat.engine": "gpt-5.1", "inference.reasoning_effort": "low"})).body
    )


async def test_a_profile_can_say_that_its_model_does_not_reason(server: OpenAIServer) -> None:
    settings = {"chat.engine": "gpt-5-clone", "model_info.reasoning": False, "inference.reasoning_effort": "high"}
    body = (await sent(server, settings)).body
    assert body["temperature"] == 0.7 and "reasoning_effort" not in body
    assert ignored(server, settings) == ["inference.reasoning_effort"]


def test_settings_without_effect_are_named(server: OpenAIServer) -> None:
    settings = {"openai.n": 2, "chat.cache_type": "memory", "inference.thinking_budget": 5}
    assert ignored(server, settings) == ["openai.n", "chat.cache_type", "inference.thinking_budget"]
    assert ignored(server, {"ollama.num_ctx": 8192, "ollama.top_p": 0.5}, api_type="ollama") == ["ollama.num_ctx"]
    assert ignored(server, {}) == []


async def test_ollama_speaks_chat_completions_with_its_own_settings(server: OpenAIServer) -> None:
    settings = {"api.api_keys": {}, "ollama.temperature": 0.1, "ollama.num_predict": 9, "ollama.seed": 3}
    request = await sent(server, settings, api_type="ollama")
    assert request.path == "/v1/chat/completions" and "authorization" not in request.headers
    assert {"temperature": 0.1, "max_tokens": 9, "seed": 3}.items() <= request.body.items()


@pytest.mark.parametrize("api_type", ["anyscale", "fireworks"])
async def test_other_makers_servers_speak_chat_completions(server: OpenAIServer, api_type: str) -> None:
    request = await sent(server, {"chat.max_response_tokens": 12}, api_type=api_type)
    assert request.headers["authorization"] == f"Bearer {CANARY}"
    assert request.body["max_tokens"] == 12


@pytest.mark.parametrize("api_type", ["openai-responses", "open-responses"])
async def test_the_responses_api_gets_its_own_fields(server: OpenAIServer, api_type: str) -> None:
    settings = {"chat.max_response_tokens": 20, "chat.top_p": 0.9}
    request = await sent(server, settings, api_type=api_type, prompt="Be brief.")
    assert request.path == "/v1/responses"
    assert request.body == {
        "model": "tiny-1",
        "input": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}],
        "max_output_tokens": 20,
        "temperature": 0.7,
        "top_p": 0.9,
        "store": False,
        "stream": True,
    }


async def test_reasoning_goes_to_responses_models_that_reason(server: OpenAIServer) -> None:
    body = (await sent(server, {"chat.engine": "o3"}, api_type="openai-responses")).body
    assert body["reasoning"] == {"effort": "medium", "summary": "auto"} and "include" not in body
    settings = {"chat.engine": "o3", "openai.include_reasoning_encrypted": True, "inference.reasoning_effort": "high"}
    body = (await sent(server, settings, api_type="openai-responses")).body
    assert body["reasoning"]["effort"] == "high" and body["include"] == ["reasoning.encrypted_content"]


def test_what_the_responses_api_has_no_field_for_is_named(server: OpenAIServer) -> None:
    settings = {"chat.stop": ["END"], "inference.seed": 1, "openai.presence_penalty": 1}
    assert ignored(server, settings, api_type="openai-responses") == [
        "chat.stop",
        "inference.seed",
        "openai.presence_penalty",
    ]
