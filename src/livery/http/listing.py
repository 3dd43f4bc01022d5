"""Lists of profiles: what matches a search, page by page."""

from __future__ import annotations

import base64
import binascii
from typing import Any, NamedTuple

from livery.core.names import Reference, parse_reference, registry_slug
from livery.errors import ValidationError
from livery.http.documents import Document, profile_row
from livery.http.problems import without_credentials
from livery.service import ProfileSummary, RegistryService, RegistrySummary

MOST = 1000
"""Profiles of one page; also where no ``limit`` is given."""


class Query(NamedTuple):
    """What is asked of a list: ``registry`` None is the default one and ``*`` all; each word and tag has to match."""

    registry: str | None = None
    words: str = ""
    tags: tuple[str, ...] = ()
    limit: int = MOST
    cursor: str = ""


def profile_list(service: RegistryService, query: Query) -> Document:
    """One page of the profiles that match, in the order of their references."""
    items, following = page_of(service, query)
    registry, default_profile = _scope(service.list_registries(), query.registry)
    return {
        "registry": registry,
        "default_profile": default_profile,
        "items": [profile_row(item) for item in items],
        "next_cursor": following,
    }


def _scope(registries: list[RegistrySummary], asked: str | None) -> tuple[str, str]:
    """The registry that is listed and the slug of its default; of all registries, the default as a reference."""
    slug = registry_slug(asked) if asked and asked != "*" else None
    named = next((each for each in registries if (each.slug == slug if slug else each.is_default)), None)
    if asked != "*":
        return (named.slug, named.default_profile) if named else (slug or "", "")
    return "*", f"{named.slug}/{named.default_profile}" if named and named.default_profile else ""


def page_of(service: RegistryService, query: Query) -> tuple[list[ProfileSummary], str | None]:
    """The profiles of one page, fit to be shown, and the cursor of the next page if there is one.

    A cursor names the last profile that was seen, so a page neither repeats nor skips one when others come and go.
    """
    after = _read_cursor(query.cursor) if query.cursor else None
    found = service.list_profiles(
        query.registry, words=query.words, tags=query.tags, after=after, limit=query.limit + 1
    )
    page = [_fit_to_show(item) for item in found[: query.limit]]
    return page, _cursor(page[-1]) if len(found) > len(page) else None


def _fit_to_show(profile: ProfileSummary) -> ProfileSummary:
    """The same without the credentials of URLs that somebody has put into its texts."""
    shown: dict[str, Any] = without_credentials(profile._asdict())
    return ProfileSummary(**shown)


def _reference(profile: ProfileSummary) -> Reference:
    return Reference(profile.registry, profile.slug)


def _cursor(profile: ProfileSummary) -> str:
    return base64.urlsafe_b64encode(str(_reference(profile)).encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> Reference:
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
        registry, _, profile = text.partition("/")
        return parse_reference(f"{registry}/{profile}", "", "cursor")
    except (binascii.Error, ValueError, ValidationError):
        raise ValidationError("cursor", "is not one that this server gave; begin again without it") from None
