"""One question, one answer, with and without an event loop."""

from __future__ import annotations

import signal
import threading
from contextlib import closing

import pytest

from livery.chat.engines import Finished, Ignored, Message, TextDelta
from livery.chat.oneshot import ask, messages_of, stream_events, stream_text
from livery.errors import SecretUnavailable, ValidationError
from tests.chat.building import ENVIRON, openai_profile, resolved_profile, text_of
from tests.support.openai_server import OpenAIServer, Reply

ECHO = {"chat.api_type": "echo"}


def test_the_conversation_is_prompt_history_and_question() -> None:
    profile = resolved_profile(ECHO, prompt="Be brief.")
    history = [Message("user", "a"), Message("assistant", "b")]
    assert messages_of(profile, "c", history) == [Message("system", "Be brief."), *history, Message("user", "c")]


def test_a_profile_without_a_prompt_adds_none() -> None:
    assert messages_of(resolved_profile(ECHO), "c") == [Message("user", "c")]


@pytest.mark.parametrize("prompt", ["", " \n"])
def test_an_empty_question_is_refused(prompt: str) -> None:
    with pytest.raises(ValidationError, match="prompt: is empty"):
        list(stream_text(resolved_profile(ECHO), prompt, {}))


@pytest.mark.anyio
async def test_an_answer_inside_an_event_loop() -> None:
    assert await text_of(ask(resolved_profile(ECHO), "Hi", {})) == "team/coder: Hi"


def test_an_answer_without_an_event_loop(server: OpenAIServer) -> None:
    assert "".join(stream_text(openai_profile(server.url), "Hi", ENVIRON)) == "Hello there"
    assert list(stream_events(resolved_profile(ECHO), "Hi", {}))[-1] == Finished("stop")


def test_settings_without_effect_are_told_first(server: OpenAIServer) -> None:
    events = list(stream_events(openai_profile(server.url, {"openai.n": 2}), "Hi", ENVIRON))
    assert events[0] == Ignored("openai.n", "one answer is asked for")
    assert str(events[0]) == "openai.n is ignored: one answer is asked for"
    assert events[1] == TextDelta("Hello")


def test_text_arrives_piece_by_piece(server: OpenAIServer) -> None:
    server.reply = Reply(hold_after=1)
    with closing(stream_events(openai_profile(server.url), "Hi", ENVIRON)) as events:
        assert next(events) == TextDelta("Hello")
        server.release.set()
        assert next(events) == TextDelta(" there")


def test_what_is_missing_is_told_before_any_request(server: OpenAIServer) -> None:
    with pytest.raises(SecretUnavailable):
        next(stream_text(openai_profile(server.url), "Hi", {}))
    assert server.requests == []


def test_ctrl_c_while_waiting_ends_the_request(server: OpenAIServer) -> None:
    server.reply = Reply(hold_after=1)
    text = stream_text(openai_profile(server.url), "Hi", ENVIRON)
    assert next(text) == "Hello"
    main = threading.main_thread().ident
    assert main is not None
    timer = threading.Timer(0.1, signal.pthread_kill, (main, signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        next(text)
    assert server.client_left.wait(2)
    assert list(text) == []


def test_leaving_early_ends_the_request(server: OpenAIServer) -> None:
    server.reply = Reply(hold_after=1)
    with closing(stream_text(openai_profile(server.url), "Hi", ENVIRON)) as text:
        next(text)
    assert server.client_left.wait(2)
