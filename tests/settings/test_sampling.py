"""Which layer of sampling counts on a turn."""

from __future__ import annotations

from typing import Any

from livery.settings import Sampling, sampling, step_settings_of


def sampled(**sections: dict[str, Any]) -> Sampling:
    return sampling(step_settings_of(sections))


def test_chat_counts_where_inference_says_nothing() -> None:
    found = sampled(chat={"temperature": 0.2, "top_p": 0.5, "max_response_tokens": 9, "stop": ["x"]})
    assert (found.temperature, found.top_p, found.max_response_tokens, found.stop) == (0.2, 0.5, 9, ("x",))


def test_inference_goes_over_chat() -> None:
    found = sampled(chat={"temperature": 0.2, "stop": ["x"]}, inference={"temperature": 0.0, "stop": [], "seed": 7})
    assert (found.temperature, found.stop, found.seed) == (0.0, (), 7)


def test_nothing_is_asked_that_nobody_set() -> None:
    found = sampled(chat={"api_type": "claude"})
    assert (found.max_response_tokens, found.seed, found.reasoning_effort, found.thinking_budget) == (None,) * 4


def test_ollama_s_own_fields_count_with_ollama_where_they_were_chosen() -> None:
    ollama = {"temperature": 0.1, "num_predict": 500, "seed": 3}
    found = sampled(chat={"api_type": "ollama", "top_p": 0.4}, ollama=ollama)
    assert (found.temperature, found.max_response_tokens, found.seed, found.top_p) == (0.1, 500, 3, 0.4)


def test_ollama_s_own_fields_do_not_count_with_others() -> None:
    assert sampled(chat={"temperature": 0.3}, ollama={"temperature": 0.1}).temperature == 0.3


def test_an_endless_answer_is_no_length() -> None:
    assert sampled(chat={"api_type": "ollama"}, ollama={"num_predict": -1}).max_response_tokens is None


def test_each_protocol_has_its_own_word_for_reasoning() -> None:
    assert sampled(chat={"api_type": "openai-responses"}).reasoning_effort == "medium"
    assert sampled(chat={"api_type": "openai"}).reasoning_effort is None
    assert sampled(openai={"chat_reasoning_effort": "max"}).reasoning_effort == "max"
    assert sampled(chat={"api_type": "gemini"}, gemini={"thinking_level": "LOW"}).reasoning_effort == "low"


def test_inference_goes_over_the_provider_s_reasoning() -> None:
    found = sampled(chat={"api_type": "openai-responses"}, inference={"reasoning_effort": "high"})
    assert (found.reasoning_effort, found.reasoning_summary) == ("high", "auto")


def test_a_model_known_not_to_reason_is_not_asked_to() -> None:
    found = sampled(chat={"api_type": "openai-responses"}, model_info={"reasoning": False})
    assert (found.reasoning_effort, found.reasoning_summary) == (None, None)
