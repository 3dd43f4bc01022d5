"""The built-in engine."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from livery.chat.engines import EngineEvent, Finished, Message, TextDelta, Usage, build_engine
from tests.chat.building import resolved_profile

pytestmark = pytest.mark.anyio


async def answer(said: str, **settings: Any) -> list[EngineEvent]:
    profile = resolved_profile(
        {"chat.api_type": "echo", **{name.replace("__", "."): v for name, v in settings.items()}}
    )
    engine = build_engine(profile, {})
    return [event async for event in engine.stream([Message("user", said)])]


async def test_it_names_the_profile_and_repeats_the_message_word_by_word() -> None:
    events = await answer("Hello  big\nworld")
    assert events[:-2] == [TextDelta("team/coder: "), TextDelta("Hello  "), TextDelta("big\n"), TextDelta("world")]


async def test_the_same_question_has_the_same_answer() -> None:
    assert await answer("one two") == await answer("one two")


async def test_it_answers_the_last_message_of_the_user() -> None:
    engine = build_engine(resolved_profile({"chat.api_type": "echo"}), {})
    history = [
        Message("system", "Be brief."),
        Message("user", "first"),
        Message("assistant", "1"),
        Message("user", "no"),
    ]
    pieces = [event.text async for event in engine.stream(history) if isinstance(event, TextDelta)]
    assert "".join(pieces) == "team/coder: no"


async def test_words_count_as_tokens() -> None:
    events = await answer("one two three")
    assert events[-2:] == [Usage(input_tokens=3, output_tokens=4), Finished("stop")]


async def test_the_answer_ends_at_the_limit() -> None:
    events = await answer("one two three", chat__max_response_tokens=2)
    assert events == [
        TextDelta("team/coder: "),
        TextDelta("one "),
        Usage(input_tokens=3, output_tokens=2),
        Finished("length"),
    ]


async def test_the_answer_ends_before_the_first_stop_text() -> None:
    events = await answer("one two three", inference__stop=["three", "wo"])
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == "team/coder: one t"
    assert events[-1] == Finished("stop")


async def test_events_are_json() -> None:
    encoded = [msgspec.json.encode(event).decode() for event in await answer("x")]
    assert encoded[0] == '{"type":"text","text":"team/coder: "}'
    assert encoded[-1] == '{"type":"finished","reason":"stop"}'


def test_no_key_and_no_library_is_needed() -> None:
    assert build_engine(resolved_profile({"chat.api_type": "echo", "chat.engine": ""}), {}).ignored == ()
