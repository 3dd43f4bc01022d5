"""Sources of the chain."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from livery.http.answers import answer, json_bytes
from livery.http.models import SourceList
from livery.http.problems import without_credentials
from livery.http.reading import reading_of

router = APIRouter(prefix="/api/chat/sources", tags=["sources"])


@router.get("", response_model=SourceList, summary="Every source, the lowest first, and how it is")
async def list_sources(request: Request) -> Response:
    body = await reading_of(request).in_thread(
        lambda service: json_bytes({"items": without_credentials(service.source_rows())})
    )
    return answer(request, body)
