"""The first resolution of a profile that lies in a database, against the bare SELECT of its row."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace

from bench.results import Gate, Result, figures
from bench.rounds import Rounds, measured
from bench.sql_engines import Database, engines, fill, opened, slug
from livery import ResolveInput, open_registry

NAME = "sql-reads"
MOST_MS = 5.0
PROFILES, QUICK_PROFILES = 10_000, 1_000
CALLS = 20

_REFERENCE, _STORE = "bare SELECT", "snapshot.profile"
_SERVICE, _FRESH = "resolve", "open_registry and resolve"
_SELECT = """SELECT display_name, description, runtime_json, policy_json, extends_json, extensions_json, metadata_json,
    version FROM profiles WHERE registry_slug = ? AND slug = ?"""


def run(*, quick: bool) -> Result:
    profiles = QUICK_PROFILES if quick else PROFILES
    result = Result(
        NAME,
        f"one of {profiles:,} profiles of 0.8 KB over one base, never asked for before: its row decoded, and resolved "
        "by a service that is open, and by one that is opened for it",
        "SELECT of the row by its key on an open connection, nothing decoded",
        notes=["a service that is opened for it is reported only: most of it is the connection"],
    )
    with engines() as made:
        for engine, database in made.items():
            rounds = _measured(database(), profiles, rounds=5 if quick else 21)
            result.figures += [
                replace(figure, what=f"{engine}: {figure.what}") for figure in figures(rounds, "ms", _REFERENCE)
            ]
            result.gates.append(Gate(f"{engine}: {_SERVICE}", rounds.median(_SERVICE), MOST_MS, "ms"))
    return result


def _measured(database: Database, profiles: int, *, rounds: int) -> Rounds:
    fill(database.url, profiles)
    with ExitStack() as stack:
        bare = stack.enter_context(closing(database.bare()))
        store = stack.enter_context(closing(opened(database.url)))
        service = stack.enter_context(closing(open_registry(database.url)))
        snapshot = store.follow(None)

        def fresh(name: str) -> object:
            with closing(open_registry(database.url)) as registry:
                return registry.resolve_effective_profile(ResolveInput(profile_slug=name))

        fresh(slug(1))
        service.resolve_effective_profile(ResolveInput(profile_slug=slug(1)))
        subjects = {
            _REFERENCE: lambda name: bare.execute(_SELECT, ("team", name)).fetchone(),
            _STORE: lambda name: snapshot.profile("team", name),
            _SERVICE: lambda name: service.resolve_effective_profile(ResolveInput(profile_slug=name)),
            _FRESH: fresh,
        }
        calls = {_FRESH: 3}
        return measured(
            {name: _timed(ask, _slugs(profiles), calls.get(name, CALLS)) for name, ask in subjects.items()},
            rounds=rounds,
        )


def _slugs(profiles: int) -> Iterator[str]:
    """Each time another profile that extends a base, which no earlier one does, far from the last one."""
    step = 7919 * 10  # a prime, so that every base comes before one comes again
    return (slug((turn * step) % profiles + 1 + turn % 9) for turn in range(profiles))


def _timed(ask: Callable[[str], object], slugs: Iterator[str], calls: int) -> Callable[[], float]:
    def once() -> float:
        names = [next(slugs) for _ in range(calls)]
        begin = time.perf_counter()
        for name in names:
            if ask(name) is None:
                raise AssertionError(f"{name} is not there")
        return (time.perf_counter() - begin) / calls * 1000

    return once
