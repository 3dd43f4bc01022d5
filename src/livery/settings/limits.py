"""How much of a conversation fits the model."""

from __future__ import annotations

from typing import NamedTuple

from livery.settings.sections import ModelInfo


class ContextLimits(NamedTuple):
    """Tokens: ``effective`` is what history is kept to, ``hard`` what the model takes; 0 is not known."""

    effective: int
    hard: int


def context_limits(model_info: ModelInfo) -> ContextLimits:
    """The watermark, else the context window, and the window itself."""
    hard = model_info.context_window or 0
    watermark = model_info.quality_high_watermark or 0
    known = [limit for limit in (hard, watermark) if limit]
    return ContextLimits(min(known, default=0), hard)
