"""Pages of a long list from a database: the same time wherever they begin."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import replace

from bench.results import Gate, Result, figures
from bench.rounds import Rounds, measured
from bench.sql_engines import Database, engines, fill, opened, slug
from livery import open_registry
from livery.core.names import Reference

NAME = "sql-listing"
MOST_MS = 5.0
MOST_OVER_FIRST = 1.5
PROFILES, QUICK_PROFILES = 100_000, 2_000
PAGE = 50
CALLS = 5
PLACES = {"the beginning": 0.0, "the middle": 0.5, "the end": 1.0}

_REFERENCE, _STORE, _SERVICE = "bare SELECT", "snapshot.page", "list_profiles"
_SELECT = f"""SELECT slug, display_name, description, policy_json, metadata_json, version FROM profiles
    WHERE registry_slug = ? AND slug > ? ORDER BY slug LIMIT {PAGE}"""


def run(*, quick: bool) -> Result:
    profiles = QUICK_PROFILES if quick else PROFILES
    result = Result(
        NAME,
        f"a page of {PAGE} of {profiles:,} profiles, at the beginning, in the middle and at the end",
        "SELECT of the same page by its key on an open connection, nothing decoded",
    )
    with engines() as made:
        for engine, database in made.items():
            _add(result, engine, _measured(database(), profiles, rounds=7 if quick else 25))
    return result


def _add(result: Result, engine: str, rounds: dict[str, Rounds]) -> None:
    for place, found in rounds.items():
        what = f"{engine}, {place}"
        result.figures += [
            replace(figure, what=f"{what}: {figure.what}") for figure in figures(found, "ms", _REFERENCE)
        ]
        for name in (_STORE, _SERVICE):
            result.gates.append(Gate(f"{what}: {name}", found.median(name), MOST_MS, "ms"))
    first, last = rounds["the beginning"], rounds["the end"]
    for name in (_STORE, _SERVICE):
        flat = last.median(name) / first.median(name)
        result.gates.append(Gate(f"{engine}: {name} at the end", flat, MOST_OVER_FIRST, "x that at the beginning"))


def _measured(database: Database, profiles: int, *, rounds: int) -> dict[str, Rounds]:
    fill(database.url, profiles)
    with ExitStack() as stack:
        bare = stack.enter_context(closing(database.bare()))
        store = stack.enter_context(closing(opened(database.url)))
        service = stack.enter_context(closing(open_registry(database.url)))
        snapshot = store.follow(None)
        pages: dict[str, Callable[[str], list[object]]] = {
            _REFERENCE: lambda after: bare.execute(_SELECT, ("team", after)).fetchall(),
            _STORE: lambda after: list(snapshot.page("team", after=after, limit=PAGE)),
            _SERVICE: lambda after: list(service.list_profiles("team", after=Reference("team", after), limit=PAGE)),
        }
        subjects = {
            f"{place}: {name}": _timed(page, slug(int((profiles - PAGE - 1) * part)))
            for place, part in PLACES.items()
            for name, page in pages.items()
        }
        found = measured(subjects, rounds=rounds).found
    return {place: Rounds({name: found[f"{place}: {name}"] for name in pages}) for place in PLACES}


def _timed(page: Callable[[str], list[object]], after: str) -> Callable[[], float]:
    def once() -> float:
        begin = time.perf_counter()
        for _ in range(CALLS):
            if len(page(after)) != PAGE:
                raise AssertionError(f"no whole page after {after}")
        return (time.perf_counter() - begin) / CALLS * 1000

    return once
