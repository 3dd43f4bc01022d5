"""What went wrong, as ``application/problem+json`` (RFC 9457): one shape for every route and every error.

A body is ``{type, title, status, detail, code, request_id}`` and the fields that the error itself brings (``field``,
``errors``, ``decisions``, ``nearest``, …). It never holds a stack trace, and of unexpected errors not even the text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from livery.errors import Fault, LiveryError, PayloadTooLarge, ValidationError
from livery.http.answers import json_bytes
from livery.outcomes import outcome_of

MEDIA_TYPE = "application/problem+json"
_USER_INFO = re.compile(r"(?<=://)[^/?#\s@]*@")
_MOST_ROWS = 1000
_MOST_TEXT = 4000
_TRANSPORT = {
    404: ("not_found", "Not found", "there is nothing at this path; /openapi.json lists the routes"),
    405: ("method_not_allowed", "Method not allowed", "this path does not take this method; Allow names those it does"),
    415: ("unsupported_media_type", "Unsupported media type", "send JSON, with Content-Type: application/json"),
}


class Problem(NamedTuple):
    """An error as the outside sees it; ``fields`` are the error's own."""

    status: int
    code: str
    title: str
    detail: str
    fields: Mapping[str, Any] = {}
    headers: Mapping[str, str] = {}

    def document(self, request_id: str) -> dict[str, Any]:
        """As JSON values; text that was a URL with credentials is shown without them."""
        document = {
            **_shortened(self.fields),
            "type": f"urn:livery:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail if len(self.detail) <= _MOST_TEXT else f"{self.detail[:_MOST_TEXT]} …",
            "code": self.code,
            "request_id": request_id,
        }
        masked: dict[str, Any] = without_credentials(document)
        return masked


def _shortened(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields with long lists cut, and in ``omitted`` how many rows are missing."""
    omitted = sum(len(value) - _MOST_ROWS for value in fields.values() if _is_long(value))
    kept = {name: value[:_MOST_ROWS] if _is_long(value) else value for name, value in fields.items()}
    return {**kept, "omitted": omitted} if omitted else kept


def _is_long(value: Any) -> bool:
    return isinstance(value, list) and len(value) > _MOST_ROWS


def problem_of(error: Exception) -> Problem:
    """The problem that an error is; whatever is not raised on purpose is 500 and says nothing of itself."""
    if isinstance(error, RequestValidationError):
        error = _in_our_words(error)
    if isinstance(error, LiveryError):
        return _of_livery_error(error)
    if isinstance(error, HTTPException):
        return _of_transport(error)
    return Problem(
        500, "unexpected", "Unexpected error", "this should not happen; the server's log says more of this request_id"
    )


def _of_livery_error(error: LiveryError) -> Problem:
    outcome = outcome_of(error)
    headers = {"Connection": "close"} if isinstance(error, PayloadTooLarge) else {}  # nobody reads the rest of it
    return Problem(outcome.status or 500, error.code, outcome.title, str(error), error.details(), headers)


def _of_transport(error: HTTPException) -> Problem:
    code, title, detail = _TRANSPORT.get(error.status_code, ("http_error", error.detail, error.detail))
    return Problem(error.status_code, code, title, detail, {}, error.headers or {})


def _in_our_words(error: RequestValidationError) -> ValidationError:
    faults = [Fault(".".join(map(str, row["loc"][1:])), str(row["msg"])) for row in error.errors()]
    return ValidationError.of(faults)


def problem_response(error: Exception, request_id: str) -> Response:
    """The answer that says what went wrong."""
    problem = problem_of(error)
    headers = {"Cache-Control": "no-store", **problem.headers}
    body = json_bytes(problem.document(request_id))
    return Response(body, problem.status, headers, media_type=MEDIA_TYPE)


async def answer_with_problem(request: Request, error: Exception) -> Response:
    """The handler for errors that the framework itself raises."""
    return problem_response(error, request.state.request_id)


def without_credentials(value: Any) -> Any:
    """A copy of JSON values in which no text holds the user info of a URL."""
    if isinstance(value, str):
        return _USER_INFO.sub("***@", value)
    if isinstance(value, Mapping):
        return {key: without_credentials(child) for key, child in value.items()}
    if isinstance(value, list | tuple):
        return [without_credentials(child) for child in value]
    return value
