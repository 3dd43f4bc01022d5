"""Profiles as they are stored."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from livery.http.answers import answer, json_bytes
from livery.http.documents import profile_document
from livery.http.listing import MOST, profile_list
from livery.http.listing import Query as ListQuery
from livery.http.models import ProfileDocument, ProfileList
from livery.http.reading import reading_of

router = APIRouter(prefix="/api/chat/profiles", tags=["profiles"])

RegistryParameter = Annotated[str | None, Query(description="the default registry where it is left out")]
SlugParameter = Annotated[str, Path(description="the slug of a profile")]


@router.get("", response_model=ProfileList, summary="Profiles, page by page")
async def list_profiles(
    request: Request,
    registry: Annotated[str | None, Query(description="`*` is every registry; left out, the default one")] = None,
    q: Annotated[str, Query(max_length=200, description="words that names, description or tags have to hold")] = "",
    tag: Annotated[list[str] | None, Query(max_length=20, description="tags that a profile has to have")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = MOST,
    cursor: Annotated[str, Query(description="`next_cursor` of the page before")] = "",
) -> Response:
    query = ListQuery(registry or None, q, tuple(filter(None, tag or ())), limit, cursor)
    return answer(request, await reading_of(request).in_thread(lambda s: json_bytes(profile_list(s, query))))


@router.get("/{slug}", response_model=ProfileDocument, summary="One profile as it is stored, with its layers")
async def get_profile(
    request: Request,
    slug: SlugParameter,
    registry: RegistryParameter = None,
    version: Annotated[int | None, Query(ge=1, description="only where it is the present one")] = None,
) -> Response:
    document = await reading_of(request).at_once(lambda s: profile_document(s, registry or None, slug, version))
    return answer(request, json_bytes(document))
