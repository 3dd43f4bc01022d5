"""Sources of the chain."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from livery.http.answers import answer, json_bytes
from livery.http.models import SourceList
from livery.http.reading import reading_of
from livery.http.source_rows import source_rows

router = APIRouter(prefix="/api/chat/sources", tags=["sources"])


@router.get("", response_model=SourceList, summary="Every source, the lowest first, and how it is")
async def list_sources(request: Request) -> Response:
    body = await reading_of(request).in_thread(lambda service: json_bytes({"items": source_rows(service)}))
    return answer(request, body)
