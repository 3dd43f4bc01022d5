"""Bodies of requests: read up to the limit, decoded as JSON, and checked against their model with every fault named."""

from __future__ import annotations

import json
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel
from pydantic import ValidationError as ModelError
from starlette.exceptions import HTTPException
from starlette.requests import Request

from livery.core.names import unknown_field
from livery.errors import Fault, PayloadTooLarge, ValidationError

M = TypeVar("M", bound=BaseModel)
MOST_BYTES = 1024 * 1024
_SHOWN = 50


async def body_as(model: type[M], request: Request) -> M:
    """The body of a request as a strict model; an empty body is an empty mapping."""
    document = _decoded(await _bytes_of(request), request.headers.get("content-type", ""))
    try:
        return model.model_validate(document)
    except ModelError as error:
        raise ValidationError.of(_faults(error, model)) from None


async def _bytes_of(request: Request) -> bytes:
    declared = request.headers.get("content-length", "0")
    too_large = PayloadTooLarge(f"a body may have {MOST_BYTES} bytes")
    if declared.isdigit() and int(declared) > MOST_BYTES:
        raise too_large
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise too_large
    return bytes(body)


def _decoded(body: bytes, content_type: str) -> Any:
    if not body:
        return {}
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise HTTPException(415)
    try:
        document = orjson.loads(body)
        json.loads(body, object_pairs_hook=_refuse_duplicates)
    except (orjson.JSONDecodeError, RecursionError) as error:
        raise ValidationError("", f"the body is not JSON: {error}") from None
    return document


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> None:
    """A key given twice would be one value for some readers and the other for others."""
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            raise ValidationError(key[:100], "is given twice in one object")
        seen.add(key)


def _faults(error: ModelError, model: type[BaseModel]) -> list[Fault]:
    return [
        Fault(".".join(map(str, row["loc"])), _reason(row["type"], row["msg"], row["loc"], model))
        for row in error.errors(include_url=False, include_input=False)[:_SHOWN]
    ]


def _reason(kind: str, message: str, path: tuple[int | str, ...], model: type[BaseModel]) -> str:
    return unknown_field(str(path[-1]), model.model_fields) if kind == "extra_forbidden" else message
