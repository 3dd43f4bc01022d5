"""Prices and limits of a model."""

from __future__ import annotations

import pytest

from livery.settings import ModelCost, ModelInfo, Usage, context_limits, cost_usd


def test_cached_tokens_are_charged_at_their_own_price() -> None:
    prices = ModelCost(input=2, output=10, cache_read=1, cache_write=4)
    usage = Usage(input_tokens=10_000, output_tokens=2_000, cache_read_tokens=3_000, cache_write_tokens=4_000)
    assert cost_usd(prices, usage) == 0.045


def test_unknown_prices_give_no_cost_and_zeros_give_none_to_pay() -> None:
    usage = Usage(input_tokens=10, output_tokens=10)
    assert cost_usd(None, usage) is None
    assert cost_usd(ModelCost(), usage) == 0


def test_a_provider_that_counts_cached_tokens_apart_is_never_paid_back() -> None:
    usage = Usage(input_tokens=100, cache_read_tokens=1_000_000)
    assert cost_usd(ModelCost(input=5, cache_read=1), usage) == 1.0


@pytest.mark.parametrize(
    ("info", "limits"),
    [
        (ModelInfo(context_window=128_000, quality_high_watermark=64_000), (64_000, 128_000)),
        (ModelInfo(context_window=128_000), (128_000, 128_000)),
        (ModelInfo(quality_high_watermark=64_000), (64_000, 0)),
        (ModelInfo(), (0, 0)),
    ],
)
def test_history_is_kept_to_the_watermark_else_the_window(info: ModelInfo, limits: tuple[int, int]) -> None:
    assert context_limits(info) == limits
