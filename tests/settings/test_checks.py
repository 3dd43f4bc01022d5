"""Faults between two fields."""

from __future__ import annotations

from typing import Any

from livery.settings import ai_schema, cross_faults


def paths(settings: dict[str, Any]) -> list[str]:
    return [".".join(path) for path, _ in cross_faults(settings)]


def test_the_defaults_have_no_fault() -> None:
    assert cross_faults(ai_schema().defaults) == []


def test_a_watermark_beyond_the_context_window_is_a_fault() -> None:
    settings = {"model_info": {"context_window": 10, "quality_high_watermark": 20}}
    assert paths(settings) == ["model_info.quality_high_watermark"]


def test_a_watermark_without_a_known_window_is_none() -> None:
    assert paths({"model_info": {"context_window": 0, "quality_high_watermark": 20}}) == []


def test_structured_output_needs_a_schema_that_is_one() -> None:
    field = ["chat.structured_output_schema"]
    chosen = {"structured_output_mode": "json_schema", "structured_output_schema": ""}
    assert paths({"chat": chosen}) == field
    assert paths({"chat": {"structured_output_schema": "[1]"}}) == field
    assert paths({"chat": {"structured_output_schema": "{"}}) == field
    assert paths({"chat": {"structured_output_schema": '{"type": "object"}'}}) == []


def test_a_layer_that_gives_one_of_two_fields_is_not_judged_by_the_other() -> None:
    assert paths({"chat": {"structured_output_mode": "json_schema"}}) == []
    assert paths({"model_info": {"quality_high_watermark": 20}}) == []


def test_the_schema_itself_finds_faults_between_fields() -> None:
    faults = ai_schema().faults({"model_info": {"context_window": 10, "quality_high_watermark": 20}}, "s")
    assert [fault.field for fault in faults] == ["s.model_info.quality_high_watermark"]


def test_settings_of_any_shape_are_looked_at_without_failing() -> None:
    assert cross_faults({"model_info": 3, "chat": {"structured_output_schema": {"$secret": "env:S"}}}) == []
