"""The memory of a process that uses a few of very many profiles in a database."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace

from bench.loading import resident_mb
from bench.results import Figure, Result, figures
from bench.rounds import Rounds, measured
from bench.sql_engines import engines, fill, slug

NAME = "sql-memory"
PROFILES, QUICK_PROFILES = 100_000, 2_000
USED, QUICK_USED = 1_000, 100

_REFERENCE = "idle: open, one profile in use"


def run(*, quick: bool) -> Result:
    profiles, used = (QUICK_PROFILES, QUICK_USED) if quick else (PROFILES, USED)
    subjects = {_REFERENCE: 1, f"{used:,} in use": used, f"{used:,} in use, and all listed page by page": -used}
    result = Result(
        NAME,
        f"resident memory of a fresh process over what it held after its imports, with {profiles:,} profiles of 0.8 KB "
        f"in the database of which {used:,} are resolved",
        f"the same process with one profile resolved ({_REFERENCE})",
        notes=["reported only; what SQLite and the driver keep is in it, what the server of PostgreSQL keeps is not"],
    )
    with engines() as made:
        for engine, database in made.items():
            url = database().url
            fill(url, profiles)
            found = measured({name: _child(url, count) for name, count in subjects.items()}, rounds=2 if quick else 5)
            result.figures += _over(engine, found)
    return result


def _over(engine: str, found: Rounds) -> list[Figure]:
    return [replace(figure, what=f"{engine}: {figure.what}") for figure in figures(found, "MB", _REFERENCE)]


def _child(url: str, used: int) -> Callable[[], float]:
    def once() -> float:
        command = [sys.executable, "-m", "bench.sql_memory", url, str(used)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise AssertionError(done.stderr)
        return float(json.loads(done.stdout))

    return once


# In the child


def _measure(url: str, used: int) -> float:
    """What it holds in MB with so many profiles in use; where the number is negative, after a walk through all too."""
    from livery import ResolveInput, open_registry
    from livery.core.names import Reference

    before = resident_mb("VmRSS")
    registry = open_registry(url)
    for number in range(abs(used)):
        registry.resolve_effective_profile(ResolveInput(profile_slug=slug(number * 97 % 2_000)))
    after: Reference | None = None
    while used < 0 and (page := registry.list_profiles("team", after=after, limit=500)):
        after = Reference("team", page[-1].slug)
    return resident_mb("VmRSS") - before


if __name__ == "__main__":
    print(json.dumps(_measure(sys.argv[1], int(sys.argv[2]))))
