"""The built-in engine: no provider, no network, the same answer to the same conversation every time.

It says which profile is active and repeats the last message of the user: ``default/assistant: Hello there``.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Iterable, Sequence
from typing import Final

from livery.chat.engines.protocol import EngineEvent, Finished, FinishReason, Ignored, Message, TextDelta, Usage

_WORD: Final = re.compile(r"\s*\S+\s*")


class EchoEngine:
    """Answers word by word. A word counts as a token, for the limit and for the usage.

    ``stop`` and ``max_response_tokens`` apply to the whole answer, the name in front included, as they would at a
    provider; temperature, seed and the like have nothing to act on.
    """

    def __init__(self, name: str, *, stop: Sequence[str] = (), max_response_tokens: int | None = None) -> None:
        self._name = name
        self._stop = tuple(stop)
        self._limit = max_response_tokens

    @property
    def ignored(self) -> tuple[Ignored, ...]:
        return ()

    async def stream(self, messages: Sequence[Message]) -> AsyncGenerator[EngineEvent, None]:
        words, reason = self._answer(messages)
        for word in words:
            yield TextDelta(word)
            await asyncio.sleep(0)  # between two words everybody else has a turn
        yield Usage(input_tokens=sum(len(message.text.split()) for message in messages), output_tokens=len(words))
        yield Finished(reason)

    async def aclose(self) -> None:
        """Nothing is held."""

    def _answer(self, messages: Sequence[Message]) -> tuple[list[str], FinishReason]:
        said = next((message.text for message in reversed(messages) if message.role == "user"), "")
        words = _WORD.findall(_before(self._stop, f"{self._name}: {said}"))
        if self._limit is not None and len(words) > self._limit:
            return words[: self._limit], "length"
        return words, "stop"


def _before(stop: Iterable[str], text: str) -> str:
    """The text up to the first of the stop texts."""
    found = [text.find(end) for end in stop if end]
    return text[: min((at for at in found if at >= 0), default=len(text))]
