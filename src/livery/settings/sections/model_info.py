"""What is known of the model itself: ``model_info``, with its prices."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import field

from livery.settings.sections.setting import Count, NotNegative, Section, no_entries, setting


class ModelCost(Section, frozen=True, kw_only=True):
    """Prices in USD for a million tokens; one that is left out is nothing."""

    input: Annotated[NotNegative, setting("For tokens of the prompt that no cache held.")] = 0.0
    output: Annotated[NotNegative, setting("For tokens of the answer.")] = 0.0
    cache_read: Annotated[NotNegative, setting("For tokens of the prompt read from a cache.")] = 0.0
    cache_write: Annotated[NotNegative, setting("For tokens of the prompt written to a cache.")] = 0.0


class ModelInfo(Section, frozen=True, kw_only=True):
    """Facts about the model; nothing here is sent to the provider."""

    id: Annotated[str | None, setting("The model's identity in a catalogue.")] = None
    name: Annotated[str | None, setting("What people call the model.")] = None
    reasoning: Annotated[bool | None, setting("Whether the model reasons before it answers.")] = None
    input: Annotated[
        tuple[str, ...] | None,
        setting("What it takes: text, image, audio, video, pdf, or a provider's own word."),
    ] = None
    context_window: Annotated[
        Count | None, setting("The most tokens of one request and its answer; 0 is not known.")
    ] = None
    quality_high_watermark: Annotated[
        Count | None,
        setting("Tokens beyond which answers get worse; history is kept below it. At most the context window."),
    ] = None
    max_output_tokens: Annotated[Count | None, setting("The most tokens of one answer; 0 is not known.")] = None
    cost: Annotated[
        ModelCost | None,
        setting("Prices in USD for a million tokens; absent is not known, zeros are free.", unit=True),
    ] = None
    metadata: Annotated[dict[str, Any], setting("Anything else worth keeping.")] = field(default_factory=no_entries)
