"""What only one provider knows: ``openai``, ``claude``, ``gemini``, ``ollama``."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, field

from livery.settings.sections.setting import (
    AtLeastOne,
    Budget,
    Count,
    Fraction,
    NotNegative,
    Penalty,
    Section,
    setting,
)


class OpenAI(Section, frozen=True, kw_only=True):
    """OpenAI and every server that speaks its protocols."""

    n: Annotated[AtLeastOne, setting("How many answers to ask for.", flag="openai-chat.openai-n")] = 1
    presence_penalty: Annotated[
        Penalty,
        setting("Against tokens that have been used at all.", flag="openai-chat.openai-presence-penalty"),
    ] = 0.0
    frequency_penalty: Annotated[
        Penalty,
        setting("Against tokens that have been used often.", flag="openai-chat.openai-frequency-penalty"),
    ] = 0.0
    logit_bias: Annotated[
        dict[str, Annotated[float, Meta(ge=-100, le=100, description="The bias of a token.")]],
        setting("By token number: how much more or less likely it is made.", flag="openai-chat.openai-logit-bias"),
    ] = field(default_factory=dict)
    reasoning_effort: Annotated[
        Literal["low", "medium", "high"],
        setting("How much to reason, in the Responses API.", flag="openai-chat.openai-reasoning-effort"),
    ] = "medium"
    thinking_type: Annotated[
        Literal["", "enabled", "disabled"],
        setting(
            "Whether a chat-completions model thinks; empty leaves it out.",
            flag="openai-chat.openai-thinking-type",
        ),
    ] = ""
    chat_reasoning_effort: Annotated[
        str,
        setting(
            "How much to reason, in chat completions; empty leaves it out.",
            flag="openai-chat.openai-chat-reasoning-effort",
        ),
    ] = ""
    parallel_tool_calls: Annotated[
        bool,
        setting("Whether the model may call several tools at once.", flag="openai-chat.openai-parallel-tool-calls"),
    ] = False
    reasoning_summary: Annotated[
        Literal["", "auto"],
        setting(
            "Whether to ask for a summary of the reasoning; empty does not.",
            flag="openai-chat.openai-reasoning-summary",
        ),
    ] = "auto"
    include_reasoning_encrypted: Annotated[
        bool,
        setting(
            "Whether to ask for the reasoning in encrypted form, to hand it back on the next turn.",
            flag="openai-chat.openai-include-reasoning-encrypted",
        ),
    ] = False
    stream_include_usage: Annotated[
        bool,
        setting("Whether a stream ends with its usage.", flag="openai-chat.openai-stream-include-usage"),
    ] = True


class Claude(Section, frozen=True, kw_only=True):
    """Anthropic's models."""

    top_k: Annotated[
        Count, setting("From how many of the likeliest tokens to choose.", flag="claude-chat.claude-top-k")
    ] = 1
    user_id: Annotated[
        str, setting("Whom the provider may hold a request to be from.", flag="claude-chat.claude-user-id")
    ] = ""


class Gemini(Section, frozen=True, kw_only=True):
    """Google's models."""

    api_version: Annotated[
        str, setting("The version of the API in its address.", flag="gemini-chat.gemini-api-version")
    ] = "v1beta"
    include_thoughts: Annotated[
        bool | None,
        setting("Whether the thoughts come with the answer.", flag="gemini-chat.gemini-include-thoughts"),
    ] = None
    thinking_budget: Annotated[
        Budget | None,
        setting(
            "The most tokens the model may think; -1 leaves it to the model.",
            flag="gemini-chat.gemini-thinking-budget",
        ),
    ] = None
    thinking_level: Annotated[
        Literal["", "MINIMAL", "LOW", "MEDIUM", "HIGH"],
        setting("How much the model thinks; empty leaves it out.", flag="gemini-chat.gemini-thinking-level"),
    ] = ""


class Ollama(Section, frozen=True, kw_only=True):
    """Models on the user's own machine."""

    mirostat: Annotated[
        Annotated[int, Meta(ge=0, le=2)],
        setting("Mirostat sampling: 0 off, 1 or 2 its version.", flag="ollama-chat.ollama-mirostat"),
    ] = 0
    mirostat_eta: Annotated[float, setting("How quickly Mirostat reacts.", flag="ollama-chat.ollama-mirostat-eta")] = (
        0.1
    )
    mirostat_tau: Annotated[
        float,
        setting("Mirostat's balance of coherence and diversity.", flag="ollama-chat.ollama-mirostat-tau"),
    ] = 5.0
    num_ctx: Annotated[Count, setting("Tokens of the context window.", flag="ollama-chat.ollama-num-ctx")] = 2048
    num_gqa: Annotated[Count, setting("Groups of grouped-query attention.", flag="ollama-chat.ollama-num-gqa")] = 1
    num_gpu: Annotated[
        Annotated[int, Meta(ge=-1)],
        setting("Layers that run on the GPU; -1 as many as fit.", flag="ollama-chat.ollama-num-gpu"),
    ] = 50
    num_thread: Annotated[
        Count,
        setting("Threads that compute; 0 leaves it to the server.", flag="ollama-chat.ollama-num-thread"),
    ] = 1
    repeat_last_n: Annotated[
        Annotated[int, Meta(ge=-1)],
        setting(
            "How many tokens back repetitions count; 0 none, -1 the whole context.",
            flag="ollama-chat.ollama-repeat-last-n",
        ),
    ] = 64
    repeat_penalty: Annotated[
        NotNegative,
        setting("How strongly repetitions are penalised.", flag="ollama-chat.ollama-repeat-penalty"),
    ] = 1.1
    temperature: Annotated[
        NotNegative,
        setting(
            "How freely tokens are chosen.", flag="ollama-chat.ollama-temperature", goes_over=("chat.temperature",)
        ),
    ] = 0.8
    seed: Annotated[
        int, setting("The seed of sampling; 0 takes another each time.", flag="ollama-chat.ollama-seed")
    ] = 0
    stop: Annotated[
        tuple[str, ...], setting("Texts that end the answer.", flag="ollama-chat.ollama-stop", goes_over=("chat.stop",))
    ] = ()
    tfs_z: Annotated[
        float,
        setting("Tail-free sampling: how much unlikely tokens weigh; 1 is off.", flag="ollama-chat.ollama-tfs-z"),
    ] = 1.0
    num_predict: Annotated[
        Annotated[int, Meta(ge=-2)],
        setting(
            "The most tokens of one answer; -1 without end, -2 to the end of the context.",
            flag="ollama-chat.ollama-num-predict",
            goes_over=("chat.max_response_tokens",),
        ),
    ] = 128
    top_k: Annotated[
        Count, setting("From how many of the likeliest tokens to choose.", flag="ollama-chat.ollama-top-k")
    ] = 40
    top_p: Annotated[
        Fraction,
        setting(
            "Nucleus sampling: the share of probability to choose from.",
            flag="ollama-chat.ollama-top-p",
            goes_over=("chat.top_p",),
        ),
    ] = 0.9
