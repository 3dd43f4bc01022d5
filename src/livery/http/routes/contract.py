"""The OpenAPI document."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from livery.http.answers import answer, json_bytes

router = APIRouter(include_in_schema=False)


@router.get("/openapi.json")
async def openapi(request: Request) -> Response:
    document = request.app.openapi()
    root_path = request.scope.get("root_path", "")
    return answer(request, json_bytes({**document, "servers": [{"url": root_path}]} if root_path else document))
