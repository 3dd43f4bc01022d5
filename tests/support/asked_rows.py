"""What a database is asked for: the real answers, noted down."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from livery.stores.sql.snapshot import SQLSnapshot


def note_asked_rows(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """A list that every profile, heading and name goes into that a snapshot of a database gives from now on."""
    noted: list[Any] = []
    for name in ("profile", "page", "names", "users", "users_of_registry"):
        monkeypatch.setattr(SQLSnapshot, name, _noting(getattr(SQLSnapshot, name), noted))
    return noted


def _noting(ask: Callable[..., Any], noted: list[Any]) -> Callable[..., Any]:
    def asked(*args: Any, **kwargs: Any) -> Any:
        answer = ask(*args, **kwargs)
        noted.extend(answer if isinstance(answer, list) else [answer])
        return answer

    return asked
