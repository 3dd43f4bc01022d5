"""What a profile's settings are on the wire of OpenAI's two protocols; pure, and without OpenAI's library.

The keys are those of pydantic-ai's model settings; ``extra_body`` holds what it has no word for. Values that change
nothing (``top_p`` 1, penalties 0, no stop texts) are left out, because some servers refuse fields they do not know.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from livery.chat.engines.protocol import Ignored
from livery.settings import Sampling, StepSettings, sampling
from livery.settings.sections import Chat, Ollama

_UNCHOSEN: Final = Chat()
_SAMPLED_BY_OLLAMA: Final = frozenset({"temperature", "top_p", "stop", "seed", "num_predict"})
_MAX_COMPLETION_TOKENS_HOSTS: Final = ("openai.com", "openai.azure.com")


class Wire(NamedTuple):
    """The settings of every request of one engine, and what could not be said in them."""

    settings: dict[str, Any]
    ignored: tuple[Ignored, ...]


def takes_max_completion_tokens(host: str) -> bool:
    """Whether a host wants ``max_completion_tokens``: OpenAI's own do, all others know ``max_tokens``."""
    return any(host == known or host.endswith(f".{known}") for known in _MAX_COMPLETION_TOKENS_HOSTS)


def takes_sampling(model_profile: Mapping[str, Any], effort: str | None) -> bool:
    """Whether a model takes temperature and the like; models that reason refuse them while they do."""
    if not model_profile.get("openai_supports_reasoning"):
        return True
    reasons = effort != "none" if effort else bool(model_profile.get("thinking_enabled_by_default"))
    return not reasons and bool(model_profile.get("openai_supports_reasoning_effort_none"))


def chat_completions_wire(settings: StepSettings, model_profile: Mapping[str, Any]) -> Wire:
    """The settings of requests to ``/chat/completions``."""
    asked, own = sampling(settings), settings.openai
    sampled = takes_sampling(model_profile, asked.reasoning_effort)
    chosen = {
        "max_tokens": asked.max_response_tokens,
        **(_sampled(settings, asked) if sampled else {}),
        "stop_sequences": list(asked.stop) or None,
        "seed": asked.seed,
        "openai_reasoning_effort": asked.reasoning_effort if settings.model_info.reasoning is not False else None,
        "parallel_tool_calls": own.parallel_tool_calls,  # goes out only with tools
        "extra_body": _extra_body(settings, asked) or None,
    }
    reasons = [*_never_used(settings), *_ollama_only(settings), *_not_in_chat_completions(settings)]
    reasons += [] if sampled else _unsampled(settings, asked)
    return Wire(_given(chosen), tuple(reasons))


def responses_wire(settings: StepSettings, model_profile: Mapping[str, Any]) -> Wire:
    """The settings of requests to ``/responses``; the history is sent whole, so nothing is stored there."""
    asked, own = sampling(settings), settings.openai
    reasons = bool(model_profile.get("openai_supports_reasoning")) or settings.model_info.reasoning is True
    effort = asked.reasoning_effort if reasons else settings.inference.reasoning_effort
    sampled = takes_sampling(model_profile, effort)
    chosen = {
        "max_tokens": asked.max_response_tokens,
        **({"temperature": asked.temperature, "top_p": _unless(1, asked.top_p)} if sampled else {}),
        "openai_store": False,
        "openai_reasoning_effort": effort if settings.model_info.reasoning is not False else None,
        "openai_reasoning_summary": asked.reasoning_summary if reasons else settings.inference.reasoning_summary,
        "parallel_tool_calls": own.parallel_tool_calls,
        "extra_body": {"text": {"format": form}} if (form := _answer_schema(settings)) else None,
    }
    found = [*_never_used(settings), *_not_in_responses(settings, asked)]
    found += [] if sampled else _unsampled(settings, asked)
    return Wire(_given(chosen), tuple(found))


def _sampled(settings: StepSettings, asked: Sampling) -> dict[str, Any]:
    """What only a model that does not reason takes."""
    own = settings.openai
    return {
        "temperature": asked.temperature,
        "top_p": _unless(1, asked.top_p),
        "presence_penalty": _unless(0, own.presence_penalty),
        "frequency_penalty": _unless(0, own.frequency_penalty),
        "logit_bias": dict(own.logit_bias) or None,
    }


def _extra_body(settings: StepSettings, asked: Sampling) -> dict[str, Any]:
    body: dict[str, Any] = {}
    if asked.thinking_type:
        body["thinking"] = {"type": asked.thinking_type}
    form = _answer_schema(settings)
    if form:
        body["response_format"] = {"type": form.pop("type"), "json_schema": form}
    return body


def _answer_schema(settings: StepSettings) -> dict[str, Any]:
    """The schema that the provider shapes the answer by, as the Responses API writes it; empty where there is none."""
    chat = settings.chat
    if chat.structured_output_mode != "json_schema":
        return {}
    named = {"type": "json_schema", "name": chat.structured_output_name or "answer"}
    described = {"description": chat.structured_output_description} if chat.structured_output_description else {}
    schema = msgspec.json.decode(chat.structured_output_schema)
    return {**named, **described, "schema": schema, "strict": chat.structured_output_strict}


def _unless(idle: float, value: float | None) -> float | None:
    return None if value == idle else value


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


# What has no effect, and why


def _never_used(settings: StepSettings) -> Iterator[Ignored]:
    if settings.openai.n != 1:
        yield Ignored("openai.n", "one answer is asked for")
    if settings.chat.cache_type != "none":
        yield Ignored("chat.cache_type", "answers are not cached")
    if settings.inference.thinking_budget is not None:
        yield Ignored("inference.thinking_budget", "OpenAI's protocols have no such field")
    if settings.inference.reasoning_effort is not None and settings.model_info.reasoning is False:
        yield Ignored("inference.reasoning_effort", "model_info.reasoning says that the model does not reason")


def _ollama_only(settings: StepSettings) -> Iterator[Ignored]:
    if settings.chat.api_type != "ollama":
        return
    chosen, idle = msgspec.structs.asdict(settings.ollama), msgspec.structs.asdict(Ollama())
    for name, value in chosen.items():
        if value != idle[name] and name not in _SAMPLED_BY_OLLAMA:
            yield Ignored(f"ollama.{name}", "Ollama takes it from the model's own file, not over this protocol")


def _not_in_chat_completions(settings: StepSettings) -> Iterator[Ignored]:
    if settings.inference.reasoning_summary is not None:
        yield Ignored("inference.reasoning_summary", "chat completions have no such field")


def _not_in_responses(settings: StepSettings, asked: Sampling) -> Iterator[Ignored]:
    own = settings.openai
    absent = {
        "chat.stop": asked.stop,
        "inference.seed": asked.seed is not None,
        "inference.thinking_type": asked.thinking_type,
        "openai.presence_penalty": own.presence_penalty,
        "openai.frequency_penalty": own.frequency_penalty,
        "openai.logit_bias": own.logit_bias,
    }
    for field, chosen in absent.items():
        if chosen:
            yield Ignored(field, "the Responses API has no such field")


def _unsampled(settings: StepSettings, asked: Sampling) -> Iterator[Ignored]:
    own = settings.openai
    chosen = {
        "chat.temperature": asked.temperature != _UNCHOSEN.temperature,
        "chat.top_p": asked.top_p != _UNCHOSEN.top_p,
        "openai.presence_penalty": own.presence_penalty,
        "openai.frequency_penalty": own.frequency_penalty,
        "openai.logit_bias": own.logit_bias,
    }
    for field, is_chosen in chosen.items():
        if is_chosen:
            yield Ignored(field, f"model {settings.chat.engine!r} does not take it while it reasons")
