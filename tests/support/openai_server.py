"""A real HTTP server on this machine that speaks OpenAI's protocols: chat completions and responses, streamed or not.

It answers what :attr:`OpenAIServer.reply` says, records every request, and can fail in the ways that providers do.
"""

from __future__ import annotations

import json
import select
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

LONGEST_HOLD_S = 10


@dataclass(frozen=True)
class Reply:
    """One answer: its text and thoughts in pieces, or a failure.

    ``hold_after`` stops after that many pieces (0: before anything is sent) until ``server.release`` is set or the
    client goes away; ``cut_after`` closes the connection there. ``events`` are sent in place of the usual stream.
    """

    pieces: tuple[str, ...] = ("Hello", " there")
    thoughts: tuple[str, ...] = ()
    finish: str | None = "stop"
    usage: tuple[int, int] | None = (7, 2)
    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    hold_after: int | None = None
    cut_after: int | None = None
    events: tuple[bytes, ...] | None = None


@dataclass(frozen=True)
class Recorded:
    """One request as it arrived; header names in lower case."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


class OpenAIServer:
    """``with OpenAIServer() as server:`` listens on a free port of 127.0.0.1."""

    def __init__(self) -> None:
        self.reply = Reply()
        self.requests: list[Recorded] = []
        self.release = threading.Event()
        self.client_left = threading.Event()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler_for(self))
        self._http.daemon_threads = True
        self._http.block_on_close = False

    @property
    def url(self) -> str:
        """The base URL to put into a profile."""
        return f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    @property
    def last(self) -> Recorded:
        return self.requests[-1]

    def __enter__(self) -> OpenAIServer:
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.release.set()
        self._http.shutdown()
        self._http.server_close()


def _handler_for(server: OpenAIServer) -> type[BaseHTTPRequestHandler]:
    class Handler(_Handler):
        owner = server

    return Handler


class _Handler(BaseHTTPRequestHandler):
    owner: OpenAIServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: tests print what they need."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)) or b"{}")
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.owner.requests.append(Recorded(self.path, headers, body))
        reply = self.owner.reply
        protocol = _Responses(body, reply) if self.path.endswith("/responses") else _ChatCompletions(body, reply)
        try:
            self._answer(reply, protocol, streams=bool(body.get("stream")))
        except OSError:
            self.owner.client_left.set()
            self.close_connection = True

    def _answer(self, reply: Reply, protocol: _Protocol, *, streams: bool) -> None:
        if reply.hold_after == 0 and not self._hold():
            return
        if reply.status != 200:
            self._send_body(reply.status, reply.body if reply.body is not None else {"error": {"message": "no"}})
        elif streams:
            self._send_stream(reply, protocol)
        else:
            self._send_body(200, reply.body if reply.body is not None else protocol.whole())

    def _send_body(self, status: int, body: Any) -> None:
        data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        kind = "text/plain" if isinstance(body, str) else "application/json"
        self._send_head(status, {"content-type": kind, "content-length": str(len(data))})
        self.wfile.write(data)

    def _send_head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, **self.owner.reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def _send_stream(self, reply: Reply, protocol: _Protocol) -> None:
        self._send_head(200, {"content-type": "text/event-stream", "transfer-encoding": "chunked"})
        if reply.events is not None:
            for event in reply.events:
                self._chunk(event)
        elif not self._send_pieces(reply, protocol):
            return
        self._chunk(b"")

    def _send_pieces(self, reply: Reply, protocol: _Protocol) -> bool:
        """Send the events of a stream; whether it came to its end."""
        for event in protocol.opening():
            self._chunk(event)
        for number, event in enumerate(protocol.deltas(), start=1):
            self._chunk(event)
            if number == reply.cut_after:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return False
            if number == reply.hold_after and not self._hold():
                return False
        for event in protocol.closing():
            self._chunk(event)
        return True

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()

    def _hold(self) -> bool:
        """Wait for ``release``; whether the client is still there."""
        end = time.monotonic() + LONGEST_HOLD_S
        while not self.owner.release.is_set() and time.monotonic() < end:
            readable, _, _ = select.select([self.connection], [], [], 0.01)
            if readable and not self.connection.recv(1, socket.MSG_PEEK):
                self.owner.client_left.set()
                self.close_connection = True
                return False
        return True


class _Protocol:
    """The bodies and events of one protocol for one request."""

    def __init__(self, request: dict[str, Any], reply: Reply) -> None:
        self.request = request
        self.reply = reply

    def whole(self) -> dict[str, Any]:
        raise NotImplementedError

    def opening(self) -> Iterator[bytes]:
        yield from ()

    def deltas(self) -> Iterator[bytes]:
        raise NotImplementedError

    def closing(self) -> Iterator[bytes]:
        raise NotImplementedError


class _ChatCompletions(_Protocol):
    def whole(self) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": "".join(self.reply.pieces)}
        if self.reply.thoughts:
            message["reasoning_content"] = "".join(self.reply.thoughts)
        choice = {"index": 0, "message": message, "finish_reason": self.reply.finish}
        return {**self._envelope("chat.completion"), "choices": [choice], **self._usage()}

    def deltas(self) -> Iterator[bytes]:
        for text in self.reply.thoughts:
            yield self._delta({"role": "assistant", "reasoning_content": text})
        for text in self.reply.pieces:
            yield self._delta({"role": "assistant", "content": text})

    def closing(self) -> Iterator[bytes]:
        if self.reply.finish:
            yield self._delta({}, self.reply.finish)
        if self.reply.usage and self.request.get("stream_options", {}).get("include_usage"):
            yield _event({**self._envelope("chat.completion.chunk"), "choices": [], **self._usage()})
        yield b"data: [DONE]\n\n"

    def _delta(self, delta: dict[str, Any], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return _event({**self._envelope("chat.completion.chunk"), "choices": [choice]})

    def _envelope(self, kind: str) -> dict[str, Any]:
        return {"id": "c-1", "object": kind, "created": 1, "model": self.request.get("model", "")}

    def _usage(self) -> dict[str, Any]:
        if self.reply.usage is None:
            return {}
        asked, answered = self.reply.usage
        counts = {"prompt_tokens": asked, "completion_tokens": answered, "total_tokens": asked + answered}
        return {"usage": counts}


class _Responses(_Protocol):
    def whole(self) -> dict[str, Any]:
        return self._response("completed")

    def opening(self) -> Iterator[bytes]:
        yield self._named("response.created", response=self._response("in_progress"))

    def deltas(self) -> Iterator[bytes]:
        at = {"item_id": "m-1", "output_index": 0, "content_index": 0}
        for text in self.reply.pieces:
            yield self._named("response.output_text.delta", **at, delta=text, logprobs=[])

    def closing(self) -> Iterator[bytes]:
        yield self._named("response.completed", response=self._response("completed"))

    def _named(self, kind: str, **fields: Any) -> bytes:
        return f"event: {kind}\n".encode() + _event({"type": kind, "sequence_number": 1, **fields})

    def _response(self, status: str) -> dict[str, Any]:
        text = {"type": "output_text", "text": "".join(self.reply.pieces), "annotations": []}
        message = {"id": "m-1", "type": "message", "role": "assistant", "status": "completed", "content": [text]}
        return {
            "id": "r-1", "object": "response", "created_at": 1, "model": self.request.get("model", ""),
            "status": status, "output": [message] if status == "completed" else [], "tools": [],
            "tool_choice": "auto", "parallel_tool_calls": False, **self._usage(),
        }  # fmt: skip

    def _usage(self) -> dict[str, Any]:
        asked, answered = self.reply.usage or (0, 0)
        details = {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
        counts = {"input_tokens": asked, "output_tokens": answered, "total_tokens": asked + answered}
        return {"usage": {**counts, **details}}


def _event(data: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(data)}\n\n".encode()
