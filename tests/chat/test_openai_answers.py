"""What comes back: streams, whole answers, failures."""

from __future__ import annotations

import logging
import socket
import time
import traceback
from typing import Any

import anyio
import pytest

from livery.chat.engines import Finished, Message, TextDelta, ThinkingDelta, Usage, build_engine
from livery.chat.oneshot import AnswerEvent, ask
from livery.errors import RuntimeUnavailable
from tests.chat.building import CANARY, ENVIRON, openai_profile, text_of
from tests.support.openai_server import OpenAIServer, Reply

pytestmark = pytest.mark.anyio

PROTOCOLS = pytest.mark.parametrize("api_type", ["openai", "openai-responses"])


async def events_of(server: OpenAIServer, settings: dict[str, Any] | None = None, **how: Any) -> list[AnswerEvent]:
    return [event async for event in ask(openai_profile(server.url, settings, **how), "Hi", ENVIRON)]


async def failure(server: OpenAIServer, reply: Reply, settings: dict[str, Any] | None = None, **how: Any) -> str:
    """The message of a turn that fails; the key is in no part of the error."""
    server.reply = reply
    with pytest.raises(RuntimeUnavailable) as caught:
        await events_of(server, settings, **how)
    assert CANARY not in "".join(traceback.format_exception(caught.value))
    assert "127.0.0.1" in str(caught.value)
    return str(caught.value)


@PROTOCOLS
async def test_an_answer_is_deltas_usage_and_the_reason_of_its_end(server: OpenAIServer, api_type: str) -> None:
    assert await events_of(server, api_type=api_type) == [
        TextDelta("Hello"),
        TextDelta(" there"),
        Usage(input_tokens=7, output_tokens=2),
        Finished("stop"),
    ]


@PROTOCOLS
async def test_an_answer_in_one_piece_has_the_same_events(server: OpenAIServer, api_type: str) -> None:
    events = await events_of(server, {"chat.stream": False}, api_type=api_type)
    assert events == [TextDelta("Hello there"), Usage(input_tokens=7, output_tokens=2), Finished("stop")]


@PROTOCOLS
async def test_the_first_piece_arrives_before_the_server_has_sent_the_last(server: OpenAIServer, api_type: str) -> None:
    server.reply = Reply(hold_after=1)
    events = ask(openai_profile(server.url, api_type=api_type), "Hi", ENVIRON)
    assert await anext(events) == TextDelta("Hello")
    server.release.set()
    assert await text_of(events) == " there"


@pytest.mark.parametrize("stream", [True, False])
async def test_thoughts_are_kept_apart_from_the_answer(server: OpenAIServer, stream: bool) -> None:
    server.reply = Reply(thoughts=("Let me ", "see."), pieces=("42",))
    events = await events_of(server, {"chat.stream": stream})
    assert "".join(event.text for event in events if isinstance(event, ThinkingDelta)) == "Let me see."
    assert [event for event in events if isinstance(event, TextDelta)] == [TextDelta("42")]


async def test_an_answer_that_was_cut_at_the_limit_says_so(server: OpenAIServer) -> None:
    server.reply = Reply(finish="length")
    assert (await events_of(server))[-1] == Finished("length")


async def test_usage_that_is_not_told_is_zero(server: OpenAIServer) -> None:
    server.reply = Reply(usage=None)
    assert (await events_of(server))[-2] == Usage()


async def test_the_history_is_sent_between_the_prompts(server: OpenAIServer) -> None:
    history = [Message("user", "1+1?"), Message("assistant", "2"), Message("system", "Now in words.")]
    await text_of(ask(openai_profile(server.url, prompt="Add."), "2+2?", ENVIRON, history))
    sent = [(message["role"], message["content"]) for message in server.last.body["messages"]]
    assert sent == [
        ("system", "Add."),
        ("user", "1+1?"),
        ("assistant", "2"),
        ("system", "Now in words."),
        ("user", "2+2?"),
    ]


async def test_one_engine_answers_several_conversations_at_once(server: OpenAIServer) -> None:
    server.reply = Reply(hold_after=1)
    engine = build_engine(openai_profile(server.url), ENVIRON)
    streams = [engine.stream([Message("user", "Hi")]) for _ in range(3)]
    assert [await anext(stream) for stream in streams] == [TextDelta("Hello")] * 3
    server.release.set()
    assert [await text_of(stream) for stream in streams] == [" there"] * 3
    await engine.aclose()


async def test_closing_the_answer_ends_the_request(server: OpenAIServer) -> None:
    server.reply = Reply(hold_after=1)
    events = ask(openai_profile(server.url), "Hi", ENVIRON)
    await anext(events)
    await events.aclose()
    assert await anyio.to_thread.run_sync(server.client_left.wait, 2)


async def test_cancelling_the_task_ends_the_request(server: OpenAIServer) -> None:
    server.reply = Reply(hold_after=1)
    with anyio.move_on_after(0.2) as scope:
        await events_of(server)
    assert scope.cancelled_caught
    assert await anyio.to_thread.run_sync(server.client_left.wait, 2)


# Failures


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, "refuses the request (400): Bad key *** here"),
        (402, "the account's quota is used up (402)"),
        (403, "does not allow this (403): Bad key *** here; check what api.api_keys.openai-api-key may be used for"),
        (404, "does not know model 'tiny-1', or its address is wrong (404)"),
        (429, "limits the rate of requests (429): Bad key *** here; try again later"),
        (500, "failed (500): Bad key *** here; try again later"),
        (503, "failed (503): Bad key *** here; try again later"),
    ],
)
async def test_a_refusal_says_what_where_and_what_next(server: OpenAIServer, status: int, expected: str) -> None:
    body = {"error": {"message": f"Bad\nkey {CANARY} here", "type": "x", "code": None}}
    assert expected in await failure(server, Reply(status=status, body=body))


async def test_a_refused_key_is_named_by_its_field_and_nothing_is_quoted(server: OpenAIServer) -> None:
    body = {
        "error": {"message": f"Incorrect API key provided: {CANARY[:6]}***{CANARY[-4:]}", "code": "invalid_api_key"}
    }
    message = await failure(server, Reply(status=401, body=body))
    assert message.endswith("refuses the API key (401); check api.api_keys.openai-api-key")
    message = await failure(server, Reply(status=401, body=body), {"api.api_keys": {}})
    assert message.endswith("wants an API key (401); set api.api_keys.openai-api-key")


async def test_the_wait_that_a_provider_asks_for_is_told(server: OpenAIServer) -> None:
    assert "try again in 7 s" in await failure(server, Reply(status=429, headers={"retry-after": "7"}))


async def test_a_failed_request_is_sent_once(server: OpenAIServer) -> None:
    await failure(server, Reply(status=503))
    assert len(server.requests) == 1


async def test_long_answers_of_a_failing_provider_are_cut(server: OpenAIServer) -> None:
    assert len(await failure(server, Reply(status=500, body="<html>" + "x" * 5000))) < 500


async def test_a_redirect_is_not_followed(server: OpenAIServer) -> None:
    with OpenAIServer() as other:
        reply = Reply(status=307, headers={"location": f"{other.url}/chat/completions"})
        assert "redirect (307), which is not followed" in await failure(server, reply)
        assert other.requests == []


async def test_a_stream_that_breaks_off_is_no_whole_answer(server: OpenAIServer) -> None:
    assert "broke off the answer" in await failure(server, Reply(cut_after=1))
    assert "broke off the answer" in await failure(server, Reply(cut_after=1), api_type="openai-responses")
    assert "set chat.stream to false" in await failure(server, Reply(finish=None))


async def test_a_failure_inside_a_stream_is_told(server: OpenAIServer) -> None:
    event = f'data: {{"error": {{"message": "lost {CANARY}"}}}}\n\n'.encode()
    assert "failed in the middle of the answer: lost ***; try again" in await failure(server, Reply(events=(event,)))


@pytest.mark.parametrize(
    "events",
    [(b"data: {nonsense\n\n",), (b"data: 17\n\n",), (b"data: []\n\n",), (b"<html>\n\n",), (), (b'data: {"x":1}\n\n',)],
)
async def test_a_stream_that_is_none_is_told(server: OpenAIServer, events: tuple[bytes, ...]) -> None:
    message = await failure(server, Reply(events=events))
    assert "sent something that is no answer" in message or "broke off the answer" in message


@pytest.mark.parametrize("body", ["text", {"x": 1}, {"choices": []}, {"choices": "x"}, [], "{"])
async def test_a_body_that_is_no_answer_is_told(server: OpenAIServer, body: Any) -> None:
    message = await failure(server, Reply(body=body), {"chat.stream": False})
    assert "sent something that is no answer" in message and "check api.base_urls.openai-base-url" in message


@pytest.mark.parametrize("hold_after", [0, 1])
async def test_a_provider_that_stalls_is_given_up_in_time(server: OpenAIServer, hold_after: int) -> None:
    start = time.monotonic()
    message = await failure(server, Reply(hold_after=hold_after), {"client.timeout": 1})
    assert "sent nothing for 1 s; try again, or raise client.timeout" in message
    assert time.monotonic() - start > 0.9


async def test_a_provider_that_is_not_there_is_told_with_the_address_to_check() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
    with pytest.raises(
        RuntimeUnavailable, match=r"cannot be reached \(.*refused\); check api.base_urls.openai-base-url"
    ):
        await text_of(ask(openai_profile(url), "Hi", ENVIRON))


async def test_only_the_origin_of_an_address_is_shown(server: OpenAIServer) -> None:
    profile = openai_profile(f"{server.url}/token-{CANARY}")
    server.reply = Reply(status=500)
    with pytest.raises(RuntimeUnavailable) as caught:
        await text_of(ask(profile, "Hi", ENVIRON))
    assert "token" not in str(caught.value)


async def test_a_proxy_s_password_is_not_shown(server: OpenAIServer) -> None:
    proxy = f"http://user:{CANARY}@127.0.0.1:9"
    with pytest.raises(RuntimeUnavailable) as caught:
        await text_of(ask(openai_profile(server.url, {"client.proxy_url": proxy}), "Hi", {"PROVIDER_KEY": "k"}))
    assert CANARY not in str(caught.value) and "client.proxy_url" in str(caught.value)


async def test_the_key_is_in_no_log(server: OpenAIServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    await events_of(server)
    for reply in (Reply(status=401, body=f"bad {CANARY}"), Reply(cut_after=1), Reply(events=(b"data: {\n\n",))):
        await failure(server, reply)
    assert caplog.records and CANARY not in caplog.text
