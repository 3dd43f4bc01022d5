"""What a turn asks of the model's sampling: ``inference`` over the provider's own settings over ``chat``."""

from __future__ import annotations

from typing import Final, TypeVar

import msgspec

from livery.settings.providers import PROVIDERS, Protocol
from livery.settings.sections import Ollama, StepSettings

T = TypeVar("T")

_UNCHOSEN: Final = Ollama()


class Sampling(msgspec.Struct, frozen=True, kw_only=True):
    """The values of one turn; None leaves the choice to the provider."""

    temperature: float | None
    top_p: float | None
    max_response_tokens: int | None
    stop: tuple[str, ...]
    seed: int | None
    reasoning_effort: str | None
    reasoning_summary: str | None
    thinking_type: str | None
    thinking_budget: int | None


def sampling(settings: StepSettings) -> Sampling:
    """The sampling of a turn.

    ``inference`` goes over everything. With Ollama its own fields go over ``chat`` where they are not at
    their defaults: each has one, so nothing else says that somebody chose them.
    """
    over, chat = settings.inference, settings.chat
    own = settings.ollama if chat.api_type == "ollama" else _UNCHOSEN
    return Sampling(
        temperature=_first(over.temperature, _chosen(own.temperature, _UNCHOSEN.temperature), chat.temperature),
        top_p=_first(over.top_p, _chosen(own.top_p, _UNCHOSEN.top_p), chat.top_p),
        max_response_tokens=_first(over.max_response_tokens, _length(own), chat.max_response_tokens),
        stop=_first(over.stop, _chosen(own.stop, _UNCHOSEN.stop), chat.stop) or (),
        seed=_first(over.seed, _chosen(own.seed, _UNCHOSEN.seed)),
        reasoning_effort=_first(over.reasoning_effort, _effort(settings)),
        reasoning_summary=_first(over.reasoning_summary, _summary(settings)),
        thinking_type=_first(over.thinking_type, _thinking(settings)),
        thinking_budget=_first(over.thinking_budget, _budget(settings)),
    )


def _first(*values: T | None) -> T | None:
    return next((value for value in values if value is not None), None)


def _chosen(value: T, default: T) -> T | None:
    return value if value != default else None


def _length(own: Ollama) -> int | None:
    chosen = _chosen(own.num_predict, _UNCHOSEN.num_predict)
    return chosen if chosen is not None and chosen > 0 else None  # -1 and -2 are no lengths


def _effort(settings: StepSettings) -> str | None:
    protocol = _reasoning_protocol(settings)
    if protocol == "openai-responses":
        return settings.openai.reasoning_effort
    if protocol == "openai":
        return settings.openai.chat_reasoning_effort or None
    if protocol == "google":
        return settings.gemini.thinking_level.lower() or None
    return None


def _summary(settings: StepSettings) -> str | None:
    return settings.openai.reasoning_summary or None if _reasoning_protocol(settings) == "openai-responses" else None


def _thinking(settings: StepSettings) -> str | None:
    return settings.openai.thinking_type or None if _reasoning_protocol(settings) == "openai" else None


def _budget(settings: StepSettings) -> int | None:
    return settings.gemini.thinking_budget if _reasoning_protocol(settings) == "google" else None


def _reasoning_protocol(settings: StepSettings) -> Protocol:
    """The protocol whose own reasoning fields count; none for a model that is known not to reason."""
    return "none" if settings.model_info.reasoning is False else PROVIDERS[settings.chat.api_type].protocol
