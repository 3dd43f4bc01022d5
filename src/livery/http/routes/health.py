"""Whether the process lives, and whether it can answer."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from livery.errors import Unavailable
from livery.http.answers import answer, json_bytes
from livery.http.models import Health
from livery.http.reading import reading_of
from livery.service import RegistryService

router = APIRouter(tags=["health"])


@router.get("/healthz", response_model=Health, response_model_exclude_unset=True, summary="Does the process answer?")
async def healthz(request: Request) -> Response:
    return answer(request, json_bytes({"status": "ok"}))


@router.get("/readyz", response_model=Health, summary="Can registries be answered for?")
async def readyz(request: Request) -> Response:
    return answer(request, json_bytes(await reading_of(request).at_once(readiness)))


def readiness(service: RegistryService) -> dict[str, object]:
    """The generation that is served; Unavailable where a source keeps every registry from being answered for."""
    catalogue = service.catalogue
    error = catalogue.unavailable.get(None)
    if error is not None:
        raise Unavailable(f"not ready: {error}")
    return {"status": "ready", "generation": catalogue.generation}
