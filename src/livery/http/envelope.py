"""The outermost layer: what holds for every answer, whoever gives it."""

from __future__ import annotations

import logging
import re
import uuid

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from livery.errors import LiveryError
from livery.http.problems import problem_response

API_VERSION = "1"
"""Raised on a breaking change; ``info.version`` of the OpenAPI document and the header Livery-API."""

_HEADERS = {
    "Livery-API": API_VERSION,
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
        " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
_log = logging.getLogger("livery.http")


class Envelope:
    """Gives every request an id and every answer its headers; answers HEAD from GET, and errors with a problem."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = _request_id(scope)
        outgoing = _Outgoing(send, request_id, without_body=scope["method"] == "HEAD")
        scope = {**scope, "state": {**scope.get("state", {}), "request_id": request_id}}
        if scope["method"] == "HEAD":
            scope["method"] = "GET"
        try:
            await self.app(scope, receive, outgoing)
        except Exception as error:
            if not isinstance(error, LiveryError):
                _log.exception("%s %s failed (request %s)", scope["method"], scope["path"], request_id)
            if outgoing.started:
                raise
            await problem_response(error, request_id)(scope, receive, outgoing)
            error.__traceback__ = None  # errors that a generation keeps would collect the frames of every request


def _request_id(scope: Scope) -> str:
    """The id that the client or a proxy has given, if it is a plain word; else a new one."""
    given = Headers(scope=scope).get("x-request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


class _Outgoing:
    """The ``send`` of one request."""

    def __init__(self, send: Send, request_id: str, *, without_body: bool) -> None:
        self.send = send
        self.request_id = request_id
        self.without_body = without_body
        self.started = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            headers = MutableHeaders(scope=message)
            headers.update(_HEADERS)
            headers["X-Request-ID"] = self.request_id
        elif self.without_body and message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await self.send(message)
