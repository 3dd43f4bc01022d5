"""What JSON Schema cannot say of settings: faults between two fields, or inside a text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from livery.core.paths import Path


def cross_faults(settings: Mapping[str, Any]) -> list[tuple[Path, str]]:
    """Every fault that no field shows alone, as (settings path, reason).

    Only fields that are there are compared, so that one layer alone can be checked as well as the whole.
    """
    return [*_watermark(_section(settings, "model_info")), *_structured_output(_section(settings, "chat"))]


def _section(settings: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = settings.get(name)
    return found if isinstance(found, Mapping) else {}


def _watermark(model_info: Mapping[str, Any]) -> list[tuple[Path, str]]:
    watermark, window = model_info.get("quality_high_watermark"), model_info.get("context_window")
    if not _is_number(watermark) or not _is_number(window) or not window or watermark <= window:
        return []
    reason = f"must not exceed model_info.context_window: {watermark} is more than {window}"
    return [(("model_info", "quality_high_watermark"), reason)]


def _structured_output(chat: Mapping[str, Any]) -> list[tuple[Path, str]]:
    path = ("chat", "structured_output_schema")
    text = chat.get("structured_output_schema")
    if not isinstance(text, str):
        return []
    if not text.strip():
        wanted = chat.get("structured_output_mode") == "json_schema"
        return [(path, "is needed where chat.structured_output_mode is 'json_schema'")] if wanted else []
    return [] if _is_json_object(text) else [(path, "expected the text of a JSON object")]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_json_object(text: str) -> bool:
    try:
        return isinstance(msgspec.json.decode(text), dict)
    except msgspec.DecodeError:
        return False
