"""What profiles resolve to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from fastapi import APIRouter, Request, Response

from livery.core.profile import ResolveInput
from livery.errors import ValidationError
from livery.http.answers import JSON, answer, json_bytes
from livery.http.bodies import body_as
from livery.http.documents import resolution_document
from livery.http.models import Resolution, ResolveRequest
from livery.http.reading import reading_of
from livery.http.routes.profiles import RegistryParameter, SlugParameter
from livery.service import RegistryService

router = APIRouter(prefix="/api/chat", tags=["resolutions"])

_BODY = {"content": {JSON: {"schema": ResolveRequest.model_json_schema()}}}
_FINGERPRINT = {"Livery-Fingerprint": {"description": "the identity of the runtime", "schema": {"type": "string"}}}
_RESPONSES: dict[int | str, dict[str, Any]] = {200: {"headers": _FINGERPRINT}}
_IN_REQUESTS = {"registry_slug": "registry", "profile_slug": "profile", "request_overrides": "overrides"}


@router.post(
    "/resolve",
    response_model=Resolution,
    responses=_RESPONSES,
    openapi_extra={"requestBody": _BODY},
    summary="The effective runtime of a profile, with overrides and explanation",
)
async def resolve(request: Request) -> Response:
    asked = await body_as(ResolveRequest, request)
    reading = reading_of(request)
    wanted = _input(asked, reading.base_step_settings)
    made = await reading.in_thread(lambda service: _resolved(service, wanted, explain=asked.explain))
    return Response(made.body, headers={**made.headers, "Cache-Control": "no-store"}, media_type=JSON)


@router.get(
    "/profiles/{slug}/resolved",
    response_model=Resolution,
    responses=_RESPONSES,
    summary="The effective runtime of a profile",
)
async def resolved_profile(request: Request, slug: SlugParameter, registry: RegistryParameter = None) -> Response:
    reading = reading_of(request)
    wanted = _input(ResolveRequest(registry=registry, profile=slug), reading.base_step_settings)
    made = await reading.at_once(lambda service: _resolved(service, wanted, explain=False))
    return answer(request, made.body, headers=made.headers)


class _Resolved(NamedTuple):
    body: bytes
    headers: Mapping[str, str]


def _input(asked: ResolveRequest, base_step_settings: Mapping[str, Any] | None) -> ResolveInput:
    return ResolveInput(
        registry_slug=asked.registry or None,
        profile_slug=asked.profile or None,
        caller=asked.caller,
        base_step_settings=base_step_settings,
        request_overrides=asked.overrides,
    )


def _resolved(service: RegistryService, wanted: ResolveInput, *, explain: bool) -> _Resolved:
    try:
        resolved = service.resolve_effective_profile(wanted)
        document = resolution_document(resolved, service.explain(wanted) if explain else None)
    except ValidationError as error:
        raise _in_words_of_request(error) from None
    return _Resolved(json_bytes(document), {"Livery-Fingerprint": resolved.runtime_fingerprint})


def _in_words_of_request(error: ValidationError) -> ValidationError:
    """The error with the fields named as the request names them."""
    faults = []
    for fault in error.faults:
        first, dot, rest = fault.field.partition(".")
        faults.append(fault._replace(field=_IN_REQUESTS.get(first, first) + dot + rest))
    return ValidationError.of(faults)
