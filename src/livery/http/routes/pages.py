"""The start page and the files that it loads."""

from __future__ import annotations

from importlib.resources import files

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

from livery.http.address import Asked
from livery.http.answers import answer
from livery.http.page import start_page
from livery.http.reading import reading_of

router = APIRouter(include_in_schema=False)

_MEDIA_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_FILES = {
    entry.name: entry.read_bytes()
    for entry in (files("livery.http") / "static").iterdir()
    if entry.name.rpartition(".")[2] in _MEDIA_TYPES
}


@router.get("/")
async def start(
    request: Request, registry: str = "", q: str = "", tag: str = "", cursor: str = "", profile: str = ""
) -> Response:
    reading = reading_of(request)
    asked = Asked(registry, q[:200], tag, cursor, profile)
    root_path = request.scope.get("root_path", "")
    base = reading.base_step_settings
    page = await reading.in_thread(lambda s: start_page(s, asked, root_path=root_path, base_step_settings=base))
    body = page.html.encode(errors="replace")  # the name of an odd file may not be UTF-8
    return answer(request, body, status=page.status, media_type="text/html")


@router.get("/static/{name}")
async def static_file(request: Request, name: str) -> Response:
    if name not in _FILES:
        raise HTTPException(404)
    return answer(request, _FILES[name], media_type=_MEDIA_TYPES[name.rpartition(".")[2]])
