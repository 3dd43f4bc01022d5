"""How the property tests run, and the PostgreSQL that the tests of databases need.

On shared machines no example of a property has a deadline, and CI draws the same ones every time. A PostgreSQL is
started by the first test that asks for it, one for each process of the test run.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from tests.support.postgresql import PostgreSQL

settings.register_profile("default", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")


@pytest.fixture(scope="session")
def shared_postgresql() -> Iterator[PostgreSQL]:
    """The server that the tests share; nobody stops it."""
    yield from _started()


@pytest.fixture
def postgresql_server() -> Iterator[PostgreSQL]:
    """A server for this test alone, to be stopped, killed and started."""
    yield from _started()


@pytest.fixture
def postgresql_database(shared_postgresql: PostgreSQL) -> Iterator[str]:
    """The name of a new, empty database of the shared server."""
    with shared_postgresql.database() as name:
        yield name


@pytest.fixture
def postgresql_database_url(shared_postgresql: PostgreSQL, postgresql_database: str) -> str:
    """The address of a new, empty database."""
    return shared_postgresql.url(postgresql_database)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a new, empty database of either kind."""
    if request.param == "sqlite":
        return f"sqlite:{tmp_path / 'livery.db'}"
    return str(request.getfixturevalue("postgresql_database_url"))


@pytest.fixture
def guarded_postgresql_url(shared_postgresql: PostgreSQL, postgresql_database: str) -> str:
    """The address of the same database over TCP, by its owner, a role with a password (tests.support.postgresql)."""
    return shared_postgresql.guarded_url(postgresql_database)


def _started() -> Iterator[PostgreSQL]:
    from tests.support.postgresql import PostgreSQL

    server = PostgreSQL()
    yield server
    server.close()
