"""The start page: registries and their profiles as HTML that works without a script.

The script beside it (``static/livery.js``) searches while one types, draws the runtime of the chosen profile from the
resolve route, and keeps the page current.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from livery import __version__
from livery.errors import LiveryError
from livery.http.address import Asked
from livery.http.cards import registry_name, registry_section
from livery.http.listing import page_of
from livery.http.markup import Markup, element
from livery.http.problems import without_credentials
from livery.outcomes import outcome_of
from livery.service import RegistryService
from livery.service.source_rows import Row

_NOTICES = {
    "stale": "cannot be read as it stands now; its last good state is shown.",
    "unavailable": "cannot be read; what it holds is missing here.",
    "broken": "is broken in part; last good versions are shown where there are any.",
    "skipped": "is not trusted and takes no part.",
}


class Page(NamedTuple):
    """A page and its HTTP status."""

    status: int
    html: str


def start_page(
    service: RegistryService, asked: Asked, *, root_path: str = "", base_step_settings: Mapping[str, Any] | None = None
) -> Page:
    """The page for an address; what cannot be read is said on it, in its place."""
    sources = without_credentials(service.source_rows())
    status = 200
    try:
        results = _results(service, asked, sources, base_step_settings)
    except LiveryError as error:
        status = outcome_of(error).status or 500
        results = _failure(error)
    listing = element("div", _search(asked), _registries(service, asked), results, id="listing")
    main = element("main", listing, _resolution(asked, root_path))
    content = [_skip_link(), _top(root_path), main, _bottom(sources)]
    body = element("body", content, data_root=root_path, data_generation=service.catalogue.generation)
    return Page(status, _document(body, root_path))


def _document(body: Markup, root_path: str) -> str:
    head = [
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", "Livery"),
        element("link", rel="icon", href=f"{root_path}/static/livery.svg", type="image/svg+xml"),
        element("link", rel="stylesheet", href=f"{root_path}/static/livery.css"),
        element("script", type="module", src=f"{root_path}/static/livery.js"),
    ]
    html = element("html", element("head", head), body, lang="en")
    return f"<!doctype html>\n{html}\n"


def _skip_link() -> Markup:
    return element("a", "Skip to the profiles", href="#results", class_="skip")


def _top(root_path: str) -> Markup:
    return element(
        "header",
        element("a", element("span", class_="stripes", aria_hidden="true"), "Livery", href="?", class_="brand"),
        element("p", "Runtime profiles for AI applications"),
        element("a", "API", href=f"{root_path}/openapi.json", class_="api"),
        class_="top",
    )


# ---- choosing


def _search(asked: Asked) -> Markup:
    hidden = {"registry": asked.registry, "tag": asked.tag, "profile": asked.profile}
    kept = [element("input", type="hidden", name=name, value=value) for name, value in hidden.items() if value]
    field = element(
        "input", type="search", name="q", id="q", value=asked.q, placeholder="Search profiles", autocomplete="off"
    )
    label = element("label", "Search by name, description or tag", for_="q", class_="unseen")
    button = element("button", "Search", type="submit")
    said = element("p", id="said", role="status", class_="unseen")
    return element("form", label, field, kept, button, said, method="get", role="search", class_="search")


def _registries(service: RegistryService, asked: Asked) -> Markup:
    summaries = service.list_registries()
    rows = [_registry_link(asked, "", "All", sum(summary.profile_count for summary in summaries))]
    rows += [_registry_link(asked, s.slug, registry_name(s), s.profile_count) for s in summaries]
    return element("nav", element("ul", rows), id="registries", aria_label="Registries")


def _registry_link(asked: Asked, slug: str, name: str, count: int) -> Markup:
    current = "page" if asked.registry == slug else None
    link = element(
        "a", name, " ", element("span", count, class_="count"), href=asked.link(registry=slug, cursor=""),
        aria_current=current,
    )  # fmt: skip
    return element("li", link)


# ---- the list


def _results(
    service: RegistryService, asked: Asked, sources: list[Row], base_step_settings: Mapping[str, Any] | None
) -> Markup:
    profiles, following = page_of(service, asked.query)
    names = {summary.slug: summary for summary in service.list_registries()}
    content: list[Markup] = [*_notices(sources), _heading(asked, len(profiles), following)]
    for registry in dict.fromkeys(profile.registry for profile in profiles):
        own = [profile for profile in profiles if profile.registry == registry]
        content.append(registry_section(service, names[registry], own, asked, base_step_settings))
    if not profiles:
        content.append(_nothing(asked))
    if following:
        content.append(element("p", element("a", "More profiles", href=asked.link(cursor=following)), class_="more"))
    return element("section", content, id="results", tabindex="-1", aria_labelledby="results-heading")


def _notices(sources: list[Row]) -> Iterator[Markup]:
    """What is said above the list of sources that do not give what stands in them."""
    for row in sources:
        if row["health"] in _NOTICES:
            said = f"{row['source']} {_NOTICES[row['health']]} "
            yield element("p", said, element("a", "Why?", href="#sources"), class_="warning")


def _heading(asked: Asked, count: int, following: str | None) -> Markup:
    number = f"{count}{'+' if following or asked.cursor else ''}"
    said = f"{number} profile{'' if number == '1' else 's'}"
    said += f" matching “{asked.q}”" if asked.q else ""
    chip = element("a", asked.tag, " ×", href=asked.link(tag="", cursor=""), class_="tag", title="Remove this tag")
    tagged = [" tagged ", chip] if asked.tag else []
    return element("h1", said, tagged, id="results-heading")


def _nothing(asked: Asked) -> Markup:
    if asked.q or asked.tag or asked.cursor:
        clear = element("a", "Show all profiles", href=asked.link(q="", tag="", cursor=""))
        return element("p", "Nothing here matches. ", clear, class_="empty")
    command = element("code", "livery serve --source yaml:profiles.yaml")
    return element("p", "There are no profiles yet. Serve a file that has some: ", command, class_="empty")


def _failure(error: LiveryError) -> Markup:
    text = element("p", without_credentials(str(error)), class_="error")
    back = element("p", element("a", "Show all registries", href="?"))
    heading = element("h1", "This cannot be shown", id="results-heading")
    return element("section", heading, text, back, id="results", tabindex="-1", role="alert")


# ---- the runtime of the chosen profile


def _resolution(asked: Asked, root_path: str) -> Markup:
    registry, _, slug = asked.profile.partition("/")
    hint = "Choose a profile to see what it resolves to, and where every value comes from."
    without_script = None
    if slug:
        hint = "The runtime of this profile is drawn by a script."
        path = f"{root_path}/api/chat/profiles/{quote(slug, safe='')}/resolved?{urlencode({'registry': registry})}"
        without_script = element("noscript", element("p", element("a", "See it as JSON", href=path), class_="empty"))
    content = [element("h2", "Runtime", id="resolution-heading", tabindex="-1"), element("p", hint, class_="empty")]
    return element(
        "section", content, without_script, id="resolution", aria_labelledby="resolution-heading",
        data_registry=registry if slug else None, data_profile=slug or None,
    )  # fmt: skip


# ---- the sources


def _bottom(rows: list[Row]) -> Markup:
    ailing = sum(row["health"] != "ok" for row in rows)
    number = f"{len(rows)} source{'' if len(rows) == 1 else 's'}"
    said = f"{number}, {ailing} to look after" if ailing else f"{number}, in order"
    summary = element("summary", said, class_="ailing" if ailing else None)
    content = element("ul", [_source(row) for row in rows])
    sources = element("details", summary, content, id="sources", open=bool(ailing))
    return element("footer", sources, element("p", f"Livery {__version__}"), class_="bottom")


def _source(row: Row) -> Markup:
    count = row["profile_count"]
    facts = [f"{count} profile{'' if count == 1 else 's'}"]
    facts += ["written to"] if row["is_writer"] else ["read-only"] if not row["writable"] else []
    problems = [element("p", text, class_="error") for text in _problems_of(row)]
    head = [element("code", row["source"]), " ", element("span", row["health"], class_=f"badge {row['health']}")]
    return element("li", head, element("span", ", ".join(facts), class_="facts"), problems)


def _problems_of(row: Row) -> Iterator[str]:
    if row["stale_since_ms"] is not None:
        since = datetime.fromtimestamp(row["stale_since_ms"] / 1000, UTC)
        yield f"Its last good state is used since {since:%Y-%m-%d %H:%M:%S} UTC."
    if row["error"]:
        yield row["error"]
    yield from (item["error"] for item in row["broken"])
    for finding in row["findings"]:
        if finding["blocking"]:
            place = f"{finding['place']}: " if finding["place"] else ""
            yield f"{place}{finding['field']}: {finding['reason']}"
