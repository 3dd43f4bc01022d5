"""The databases that the benchmarks run on: a file, and a PostgreSQL server that is started for them and goes again."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from msgspec import UNSET

from livery.core.names import Reference
from livery.core.profile import Metadata, PolicySpec, Profile, Registry, RuntimeSpec
from livery.stores.opening import open_source
from livery.stores.protocols import HistoryStore, WriteOptions

AT = WriteOptions(actor="bench", source="bench", at_ms=1_000)


class Database(NamedTuple):
    """A new, empty database, and a way to it without Livery."""

    url: str
    bare: Callable[[], Bare]


class Bare(NamedTuple):
    """A connection with the settings of the store and nothing between it and the driver.

    Placeholders are ``?`` whatever the driver takes; a transaction is begun with ``begin``, a statement too.
    """

    begin: str
    execute: Callable[..., Any]
    close: Callable[[], object]


@contextmanager
def engines() -> Iterator[dict[str, Callable[[], Database]]]:
    """Of each engine a function that makes a new database, all of them gone afterwards."""
    from tests.support.postgresql import PostgreSQL

    with TemporaryDirectory() as name:
        numbers = count()
        server = PostgreSQL(shared_buffers="128MB", max_wal_size="1GB", autovacuum="on")
        try:
            yield {
                "SQLite": lambda: _file(Path(name) / f"{next(numbers)}.db"),
                "PostgreSQL": lambda: _database(server, f"bench_{next(numbers)}"),
            }
        finally:
            server.close()


def _file(path: Path) -> Database:
    def bare() -> Bare:
        connection = sqlite3.connect(path, isolation_level=None)
        for setting in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            connection.execute(f"PRAGMA {setting}")
        return Bare("BEGIN IMMEDIATE", connection.execute, connection.close)

    return Database(f"sqlite:{path}", bare)


def _database(server: Any, name: str) -> Database:
    import psycopg

    server.execute(f"CREATE DATABASE {name}")

    def bare() -> Bare:
        connection = psycopg.connect(server.url(name), autocommit=True)
        natives: dict[str, bytes] = {}

        def execute(sql: str, parameters: Sequence[Any] | None = None) -> Any:
            native = natives.get(sql) or natives.setdefault(sql, sql.replace("?", "%s").encode())
            return connection.execute(native, parameters)

        return Bare("BEGIN", execute, connection.close)

    return Database(server.url(name), bare)


def opened(url: str) -> HistoryStore:
    store = open_source(url).store
    assert isinstance(store, HistoryStore)
    return store


def fill(url: str, profiles: int) -> None:
    """Put as many profiles into the registry ``team``, as one change."""
    with closing(opened(url)) as store:
        registry = Registry(slug="team", profiles={slug(number): profile(number) for number in range(profiles)})
        store.save_registry(registry, AT)


def slug(number: int) -> str:
    return f"p{number:06d}"


def profile(number: int, change: int = 0) -> Profile:
    """Some 0.8 KB of what people write; nine in ten extend another."""
    base = number // 10 * 10
    return Profile(
        slug=slug(number),
        registry="team",
        display_name=f"Assistant {number}",
        description=f"Helps team {number % 50} with its daily work, {change}.",
        extends=UNSET if number == base else (Reference("team", slug(base)),),
        runtime=RuntimeSpec(
            step_settings_patch={
                "chat": {"api_type": "openai", "engine": "gpt-5-mini", "temperature": 0.5, "max_response_tokens": 900},
                "inference": {"top_p": 0.9, "seed": number, "stop": ["END", f"STOP {number}"]},
                "client": {"timeout": 1 + change % 600, "organization": f"org-{number % 50}"},
                "openai": {"presence_penalty": 0.1, "frequency_penalty": 0.2},
                "api": {"api_keys": {"openai-api-key": {"$secret": f"env:OPENAI_API_KEY_{number % 50}"}}},
            },
            system_prompt=f"You are assistant {number}.\nAnswer briefly, and say where you know it from.\n",
            tools=["calculator", "clock", "search"],
        ),
        policy=PolicySpec(allow_overrides=True, allowed_override_keys=("system_prompt", "chat.temperature")),
        metadata=Metadata(tags=(f"team-{number % 50}",)),
    )
