"""Changes of one profile in a database, against the bare statements that keep a row, its revision and its event."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import replace
from itertools import count

import msgspec

from bench.results import Figure, Gate, Result, figures
from bench.rounds import Rounds, Subject, microseconds
from bench.sql_engines import AT, Bare, Database, engines, fill, opened, profile, slug
from livery import open_registry

NAME = "sql-updates"
LEAST = 0.5
PROFILES = 1_000

_REFERENCE = "bare statements"
_STORE, _SERVICE = "store.save_profile", "service.update_profile"
_UPDATE = """UPDATE profiles SET display_name = ?, description = ?, runtime_json = ?, policy_json = ?, version = ?,
    updated_at_ms = ? WHERE registry_slug = ? AND slug = ? AND version = ?"""
_REVISION = """INSERT INTO profile_revisions (registry_slug, slug, version, at_ms, actor, document_json)
    VALUES (?, ?, ?, ?, ?, ?)"""
_NUMBER = "UPDATE profile_counter SET seq = seq + 1 RETURNING seq"
_EVENT = """INSERT INTO profile_events (seq, at_ms, actor, action, registry, profile, from_version, to_version, scope,
    source, request_id, diff) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""


def run(*, quick: bool) -> Result:
    result = Result(
        NAME,
        f"one change of one of {PROFILES:,} profiles of 0.8 KB: row, revision, number and event in one transaction; "
        "SQLite with synchronous=FULL, PostgreSQL with fsync=on over its Unix socket; one writer",
        "the same tables written by BEGIN, UPDATE where the version is, INSERT of the revision, UPDATE of the counter, "
        "INSERT of the event, COMMIT, without Livery, on a database of their own",
        notes=["update_profile is reported only; it checks the document, the lineage and the policy besides"],
    )
    with engines() as made:
        for engine, database in made.items():
            rounds = _measured([database() for _ in range(3)], rounds=5 if quick else 31)
            found = [*figures(rounds, "us", _REFERENCE), *_rates(rounds)]
            result.figures += [replace(figure, what=f"{engine}: {figure.what}") for figure in found]
            rate = 1 / rounds.ratio(_STORE, _REFERENCE)
            result.gates.append(Gate(f"{engine}: {_STORE}, rate", rate, LEAST, "x the bare statements", at_least=True))
    return result


def _rates(rounds: Rounds) -> list[Figure]:
    return [Figure(f"{name}, rate", 1e6 / rounds.median(name), "per second") for name in rounds.found]


def _measured(databases: list[Database], *, rounds: int) -> Rounds:
    for database in databases:
        fill(database.url, PROFILES)
    with ExitStack() as stack:
        bare = stack.enter_context(closing(databases[0].bare()))
        store = stack.enter_context(closing(opened(databases[1].url)))
        service = stack.enter_context(closing(open_registry(databases[2].url)))
        subjects = {
            _REFERENCE: _bare(bare),
            _STORE: _numbered(lambda change: store.save_profile(profile(change % PROFILES, change), AT)),
            _SERVICE: _numbered(
                lambda change: service.update_profile("team", slug(change % PROFILES), {"description": f"Is {change}."})
            ),
        }
        return microseconds(subjects, rounds=rounds, batch_s=0.05)


def _numbered(change: Callable[[int], object]) -> Subject:
    numbers = count(1)
    return lambda: change(next(numbers))


def _bare(bare: Bare) -> Subject:
    execute = bare.execute
    encode = msgspec.json.Encoder().encode
    numbers = count(1)
    versions: dict[str, int] = {}

    def change() -> None:
        number = next(numbers)
        new = profile(number % PROFILES, number)
        before = versions.get(new.slug, 1)
        item = ("team", new.slug)
        row = (new.display_name, new.description, encode(new.runtime).decode(), encode(new.policy).decode())
        execute(bare.begin)
        changed = execute(_UPDATE, (*row, before + 1, number, *item, before))
        if changed.rowcount != 1:
            raise AssertionError(f"{new.slug} is not at version {before}")
        execute(_REVISION, (*item, before + 1, number, "bench", encode(new).decode()))
        (seq,) = execute(_NUMBER).fetchone()
        execute(_EVENT, (seq, number, "bench", "update", *item, before, before + 1, "runtime", "bench", "", ""))
        execute("COMMIT")
        versions[new.slug] = before + 1

    return change
