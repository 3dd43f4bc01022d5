"""Times and durations as people type them."""

from __future__ import annotations

import re
import time
from datetime import datetime

import click

_UNITS_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_DURATION = re.compile(r"(\d{1,12})\s*([smhdw])", re.ASCII)
_AGO = re.compile(rf"{_DURATION.pattern}\s+ago", re.ASCII)
_FORMS = "2026-01-31, 2026-01-31T10:00, the same with +01:00 or Z, '2h ago' (s, m, h, d, w), or epoch milliseconds"
_FEWEST_DIGITS_MS = 12  # of epoch milliseconds since 1973; fewer are seconds, or a date without dashes
_LATEST_MS = 2**62  # what databases count to


def moment(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
    """The callback of an option that takes a time: UTC epoch milliseconds; a time without a zone is local."""
    try:
        return None if value is None else at_ms(value, time.time_ns() // 1_000_000)
    except ValueError as error:
        raise click.BadParameter(str(error), ctx, param) from None


def duration(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
    """The callback of an option that takes a length of time: milliseconds."""
    found = _DURATION.fullmatch(value.strip().lower()) if value is not None else None
    if value is not None and found is None:
        raise click.BadParameter(f"{value!r} is no length of time; write 90s, 30m, 12h, 30d or 4w", ctx, param)
    return int(found[1]) * _UNITS_MS[found[2]] if found else None


def at_ms(text: str, now_ms: int) -> int:
    """The time that a text names, in UTC epoch milliseconds; ValueError says which forms there are."""
    text = text.strip()
    ago = _AGO.fullmatch(text.lower())
    if ago is not None:
        return max(0, now_ms - int(ago[1]) * _UNITS_MS[ago[2]])
    if text.lower() == "now":
        return now_ms
    if text.isascii() and text.isdigit() and len(text) != len("20260131"):
        return _epoch_ms(text)
    try:
        return max(0, round(datetime.fromisoformat(text).timestamp() * 1000))
    except (ValueError, OverflowError, OSError):
        raise ValueError(f"{text!r} is no time; write {_FORMS}") from None


def _epoch_ms(text: str) -> int:
    if len(text) < _FEWEST_DIGITS_MS:
        raise ValueError(f"{text} is too small for epoch milliseconds; write {text}000 if these are seconds")
    return min(int(text), _LATEST_MS) if len(text) < len(str(_LATEST_MS)) else _LATEST_MS


def shown(ms: int) -> str:
    """A time for people: local, to the second."""
    try:
        return datetime.fromtimestamp(ms / 1000).isoformat(" ", "seconds") if ms else ""
    except (ValueError, OverflowError, OSError):
        return str(ms)
