"""Registries."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from livery.http.answers import answer, json_bytes
from livery.http.documents import registry_row
from livery.http.models import RegistryList
from livery.http.reading import reading_of
from livery.service import RegistryService

router = APIRouter(prefix="/api/chat/registries", tags=["registries"])


@router.get("", response_model=RegistryList, summary="Every registry, by slug")
async def list_registries(request: Request) -> Response:
    return answer(request, await reading_of(request).at_once(_list_body))


def _list_body(service: RegistryService) -> bytes:
    return json_bytes({"items": [registry_row(summary) for summary in service.list_registries()]})
