"""What a turn costs by the prices of ``model_info.cost``."""

from __future__ import annotations

import msgspec

from livery.settings.sections import ModelCost


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens of one or more requests; ``input_tokens`` counts those read from and written to a cache too."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0


def cost_usd(cost: ModelCost | None, usage: Usage) -> float | None:
    """The price of a usage in USD; None where no prices are known, which is not the same as free."""
    if cost is None:
        return None
    uncached = max(0, usage.input_tokens - usage.cache_read_tokens - usage.cache_write_tokens)
    return (
        cost.input * uncached
        + cost.cache_read * usage.cache_read_tokens
        + cost.cache_write * usage.cache_write_tokens
        + cost.output * usage.output_tokens
    ) / 1_000_000
