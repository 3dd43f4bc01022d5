"""The application: which layers a request passes, which routes there are, and the OpenAPI document of all that."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from anyio import to_thread
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from starlette.exceptions import HTTPException

from livery.changes import ChangeFeed
from livery.http.access import LOOPBACK, Access, Guard
from livery.http.envelope import API_VERSION, Envelope
from livery.http.models import ProblemDocument
from livery.http.problems import MEDIA_TYPE, answer_with_problem
from livery.http.reading import Reading
from livery.http.routes import contract, health, pages, profiles, registries, resolutions, sources
from livery.service import RegistryService

_DESCRIPTION = "Named, layered, policy-guarded runtime profiles for AI applications, resolved and explained."
_PROBLEM = {
    "description": "What went wrong",
    "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}},
}


def create_app(
    service: RegistryService,
    *,
    access: Access = LOOPBACK,
    base_step_settings: Mapping[str, Any] | None = None,
) -> FastAPI:
    """The ASGI application over some registries, ready to be served or mounted into another application.

    While it runs it follows its sources; mounted into an application that does not run its lifespan it looks at them
    when it is asked. ``access`` says under which names the server may be asked (default: those of the loopback
    interface); ``base_step_settings`` (section, field, value) lie under every profile that is resolved here.
    """
    app = FastAPI(
        title="Livery",
        version=API_VERSION,
        description=_DESCRIPTION,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        responses={"default": _PROBLEM},
        lifespan=_following,
    )
    app.state.reading = Reading(service, base_step_settings=base_step_settings)
    for noun in (health, registries, resolutions, profiles, sources, contract, pages):
        app.include_router(noun.router)
    app.add_exception_handler(HTTPException, answer_with_problem)
    app.add_exception_handler(RequestValidationError, answer_with_problem)
    app.add_middleware(Guard, access=access)
    app.add_middleware(Envelope)  # the last one that is added is the outermost
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    return app


@asynccontextmanager
async def _following(app: FastAPI) -> AsyncIterator[None]:
    """Follow the sources as long as the application runs."""
    reading: Reading = app.state.reading
    reading.feed = feed = ChangeFeed(reading.service).start()
    try:
        yield
    finally:
        reading.feed = None
        await to_thread.run_sync(feed.close)


def _openapi(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        model = ProblemDocument.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(model.pop("$defs", {}))
        schemas["ProblemDocument"] = model
        app.openapi_schema = document
    return app.openapi_schema
