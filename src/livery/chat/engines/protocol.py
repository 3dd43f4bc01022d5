"""What an engine is: messages go in, the answer comes out piece by piece. No vendor's words here.

Messages and events are frozen values and JSON: ``msgspec.json.encode(event)`` gives ``{"type": "text", …}``.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Literal, Protocol, TypeAlias

from msgspec import Struct

from livery.settings import cost

Role = Literal["system", "user", "assistant"]
FinishReason = Literal["stop", "length", "content_filter", "tool_call", "error"]


class Message(Struct, frozen=True):
    """One message of a conversation, as it is kept: without anything that only one provider understands."""

    role: Role
    text: str


class TextDelta(Struct, frozen=True, tag_field="type", tag="text"):
    """The next piece of the answer; all of them joined are the answer."""

    text: str


class ThinkingDelta(Struct, frozen=True, tag_field="type", tag="thinking"):
    """The next piece of what the model thinks aloud before it answers; no part of the answer."""

    text: str


class Usage(cost.Usage, frozen=True, kw_only=True, tag_field="type", tag="usage"):
    """The tokens of the request and its answer, as the provider counts them; zeros where it does not say."""


class Finished(Struct, frozen=True, tag_field="type", tag="finished"):
    """The last event: why the answer ended. ``length``: it was cut at ``max_response_tokens``."""

    reason: FinishReason


EngineEvent: TypeAlias = TextDelta | ThinkingDelta | Usage | Finished


class Ignored(Struct, frozen=True, tag_field="type", tag="ignored"):
    """A setting that somebody chose and that this engine cannot act on: the field, and why."""

    field: str
    reason: str

    def __str__(self) -> str:
        return f"{self.field} is ignored: {self.reason}"


class Engine(Protocol):
    """Something that answers. One engine may answer several conversations at once."""

    @property
    def ignored(self) -> tuple[Ignored, ...]:
        """The settings without effect, for people to be told of."""

    def stream(self, messages: Sequence[Message]) -> AsyncGenerator[EngineEvent, None]:
        """The answer to a conversation: deltas, one Usage, one Finished.

        Closing the generator ends the request at the provider. What goes wrong there is a RuntimeUnavailable,
        also in the middle of an answer.
        """

    async def aclose(self) -> None:
        """Give back what the engine holds; only when none of its streams is running."""
