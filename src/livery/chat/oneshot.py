"""One question, one answer: a profile, what was said before, and a prompt in; events out. Nothing is kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import aclosing, closing
from typing import TypeAlias

from livery.chat.engines import Engine, EngineEvent, Ignored, Message, TextDelta, build_engine
from livery.core.resolved import ResolvedProfile
from livery.errors import ValidationError

AnswerEvent: TypeAlias = EngineEvent | Ignored
"""What an answer is made of; what is ignored comes first."""


def messages_of(resolved: ResolvedProfile, prompt: str, history: Sequence[Message] = ()) -> list[Message]:
    """What the engine is sent: the profile's system prompt if it has one, the history, the prompt as the user's."""
    if not prompt.strip():
        raise ValidationError("prompt", "is empty; say something")
    system = resolved.effective_system_prompt
    return [*([Message("system", system)] if system else []), *history, Message("user", prompt)]


async def ask(
    resolved: ResolvedProfile, prompt: str, environ: Mapping[str, str], history: Sequence[Message] = ()
) -> AsyncGenerator[AnswerEvent, None]:
    """The answer of a profile's engine, event by event: first every Ignored setting, at the end Finished.

    ``environ`` is where secrets are read. The engine is built at the first event and closed with the generator.
    """
    messages = messages_of(resolved, prompt, history)
    async with aclosing(_answer(build_engine(resolved, environ), messages)) as events:
        async for event in events:
            yield event


def stream_events(
    resolved: ResolvedProfile, prompt: str, environ: Mapping[str, str], history: Sequence[Message] = ()
) -> Generator[AnswerEvent, None, None]:
    """The same for callers without an event loop, such as a command.

    Ctrl-C while it waits ends the request at the provider, closes the connection and raises KeyboardInterrupt; so
    does closing the generator early (``contextlib.closing``), without the error.
    """
    messages = messages_of(resolved, prompt, history)
    engine = build_engine(resolved, environ)
    with asyncio.Runner() as runner:
        events = _answer(engine, messages)
        try:
            while (event := runner.run(_next(events))) is not None:
                yield event
        finally:
            runner.run(_close(events))


def stream_text(
    resolved: ResolvedProfile, prompt: str, environ: Mapping[str, str], history: Sequence[Message] = ()
) -> Generator[str, None, None]:
    """Only the text of the answer, piece by piece, otherwise like :func:`stream_events`."""
    with closing(stream_events(resolved, prompt, environ, history)) as events:
        for event in events:
            if isinstance(event, TextDelta):
                yield event.text


async def _answer(engine: Engine, messages: Sequence[Message]) -> AsyncGenerator[AnswerEvent, None]:
    """The engine's answer; the engine is closed with it."""
    try:
        for setting in engine.ignored:
            yield setting
        async with aclosing(engine.stream(messages)) as events:
            async for event in events:
                yield event
    finally:
        await engine.aclose()


async def _next(events: AsyncGenerator[AnswerEvent, None]) -> AnswerEvent | None:
    return await anext(events, None)


async def _close(events: AsyncGenerator[AnswerEvent, None]) -> None:
    await events.aclose()
