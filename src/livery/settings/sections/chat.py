"""Which model answers and how it samples: ``chat`` for every turn, ``inference`` over it."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import field

from livery.settings.sections.setting import (
    NAMED_KEY,
    AtLeastOne,
    Budget,
    Count,
    Credential,
    Fraction,
    NotNegative,
    Section,
    no_entries,
    setting,
)

ApiType = Literal[
    "openai",
    "open-responses",
    "openai-responses",
    "claude",
    "anthropic",
    "gemini",
    "ollama",
    "anyscale",
    "fireworks",
    "echo",
]


class Chat(Section, frozen=True, kw_only=True):
    """The model and how it samples, whichever provider it is."""

    engine: Annotated[str, setting("The model's name at its provider.", flag="ai-chat.ai-engine")] = "gpt-4"
    api_type: Annotated[
        ApiType,
        setting(
            "The provider's protocol; 'echo' is the built-in engine that needs no provider.",
            flag="ai-chat.ai-api-type",
        ),
    ] = "openai"
    max_response_tokens: Annotated[
        AtLeastOne | None,
        setting("The most tokens of one answer.", flag="ai-chat.ai-max-response-tokens"),
    ] = None
    top_p: Annotated[
        Fraction,
        setting("Nucleus sampling: the share of probability to choose from.", flag="ai-chat.ai-top-p"),
    ] = 1.0
    temperature: Annotated[
        NotNegative,
        setting("How freely tokens are chosen; the upper end differs by provider.", flag="ai-chat.ai-temperature"),
    ] = 0.7
    stop: Annotated[tuple[str, ...], setting("Texts that end the answer.", flag="ai-chat.ai-stop")] = ()
    stream: Annotated[bool, setting("Whether the answer arrives piece by piece.")] = True
    cache_type: Annotated[
        Literal["none", "memory", "disk"],
        setting("Where answers are cached.", flag="ai-chat.ai-cache-type"),
    ] = "none"
    cache_max_size: Annotated[
        Count, setting("The most bytes of a cache on disk.", flag="ai-chat.ai-cache-max-size")
    ] = 1_073_741_824
    cache_max_entries: Annotated[
        Count, setting("The most entries of a cache in memory.", flag="ai-chat.ai-cache-max-entries")
    ] = 1000
    cache_directory: Annotated[
        str, setting("The directory of a cache on disk.", flag="ai-chat.ai-cache-directory", sensitive=True)
    ] = ""
    structured_output_mode: Annotated[
        Literal["off", "json_schema"],
        setting("Whether the provider shapes the answer by a schema.", flag="ai-chat.ai-structured-output-mode"),
    ] = "off"
    structured_output_name: Annotated[
        str,
        setting("What the provider is told the schema is called.", flag="ai-chat.ai-structured-output-name"),
    ] = ""
    structured_output_description: Annotated[
        str,
        setting("What the provider is told the schema is for.", flag="ai-chat.ai-structured-output-description"),
    ] = ""
    structured_output_schema: Annotated[
        str,
        setting("The JSON Schema of the answer, as JSON text.", flag="ai-chat.ai-structured-output-schema"),
    ] = ""
    structured_output_strict: Annotated[
        bool,
        setting(
            "Whether the provider should hold the answer to the schema strictly.",
            flag="ai-chat.ai-structured-output-strict",
        ),
    ] = True
    structured_output_require_valid: Annotated[
        bool,
        setting(
            "Whether a turn fails where the schema cannot be used or the provider has no such mode.",
            flag="ai-chat.ai-structured-output-require-valid",
        ),
    ] = False
    api_keys: Annotated[
        dict[str, Annotated[Credential, setting("An API key.", secret=True)]],
        setting(
            "API keys for chat alone, by '<provider>-api-key'; they go before those of 'api'.",
            flag_patterns=("ai-chat.*-api-key",),
            goes_over=("api.api_keys",),
            sensitive=True,
            propertyNames=NAMED_KEY,
        ),
    ] = field(default_factory=no_entries)


class Inference(Section, frozen=True, kw_only=True):
    """What goes over ``chat`` on every turn; unset fields leave it as it is."""

    thinking_budget: Annotated[
        Budget | None,
        setting(
            "The most tokens the model may think; -1 leaves it to the model.",
            flag="ai-inference.inference-thinking-budget",
            goes_over=("gemini.thinking_budget",),
        ),
    ] = None
    reasoning_effort: Annotated[
        str | None,
        setting(
            "How much the model should reason, in the provider's words (low, medium, high, …).",
            flag="ai-inference.inference-reasoning-effort",
            goes_over=(
                "openai.reasoning_effort",
                "openai.chat_reasoning_effort",
                "gemini.thinking_level",
            ),
        ),
    ] = None
    thinking_type: Annotated[
        Literal["enabled", "disabled"] | None,
        setting(
            "Whether the model thinks before it answers.",
            flag="ai-inference.inference-thinking-type",
            goes_over=("openai.thinking_type",),
        ),
    ] = None
    reasoning_summary: Annotated[
        Literal["auto", "concise", "detailed"] | None,
        setting(
            "How the reasoning is summed up for the reader.",
            flag="ai-inference.inference-reasoning-summary",
            goes_over=("openai.reasoning_summary",),
        ),
    ] = None
    temperature: Annotated[
        NotNegative | None,
        setting(
            "How freely tokens are chosen.",
            flag="ai-inference.inference-temperature",
            goes_over=(
                "chat.temperature",
                "ollama.temperature",
            ),
        ),
    ] = None
    top_p: Annotated[
        Fraction | None,
        setting(
            "Nucleus sampling: the share of probability to choose from.",
            flag="ai-inference.inference-top-p",
            goes_over=(
                "chat.top_p",
                "ollama.top_p",
            ),
        ),
    ] = None
    max_response_tokens: Annotated[
        AtLeastOne | None,
        setting(
            "The most tokens of one answer.",
            flag="ai-inference.inference-max-response-tokens",
            goes_over=(
                "chat.max_response_tokens",
                "ollama.num_predict",
            ),
        ),
    ] = None
    stop: Annotated[
        tuple[str, ...] | None,
        setting(
            "Texts that end the answer.",
            flag="ai-inference.inference-stop",
            goes_over=(
                "chat.stop",
                "ollama.stop",
            ),
        ),
    ] = None
    seed: Annotated[
        int | None,
        setting(
            "The seed of sampling; equal requests then tend to equal answers.",
            flag="ai-inference.inference-seed",
            goes_over=("ollama.seed",),
        ),
    ] = None
