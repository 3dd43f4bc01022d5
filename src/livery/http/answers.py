"""Bodies ready to be sent: bytes with their strong ETag, and 304 for who holds the same bytes already."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

JSON = "application/json"
_ENTITY_TAG = re.compile(r'(?:W/)?("[^"]*")')


def json_bytes(value: Any) -> bytes:
    """JSON values as they travel; what no UTF-8 can say (the name of an odd file) is escaped."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value).encode()


def etag_of(body: bytes) -> str:
    """The strong entity tag of a body: a digest of its bytes."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def is_held(if_none_match: str | None, etag: str) -> bool:
    """Whether the If-None-Match of a request names this entity tag (RFC 9110 §13.1.2)."""
    if not if_none_match:
        return False
    return if_none_match.strip() == "*" or etag in _ENTITY_TAG.findall(if_none_match)


def answer(
    request: Request,
    body: bytes,
    *,
    status: int = 200,
    media_type: str = JSON,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The answer to a GET: the body, or 304 where the client holds it. Caches have to ask each time."""
    etag = etag_of(body)
    every = {"ETag": etag, "Cache-Control": "no-cache", **(headers or {})}
    if status == 200 and is_held(request.headers.get("if-none-match"), etag):
        return Response(status_code=304, headers=every)
    return Response(body, status, every, media_type)
