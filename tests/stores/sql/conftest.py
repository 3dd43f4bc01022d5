"""One store on each database; a test that asks for ``store`` runs on both."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from livery.stores.sql import Database, SQLStore, open_database

Opened = Callable[[], SQLStore]


@pytest.fixture(params=["sqlite", "postgresql"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opened]:
    """What opens the database of this test anew, with connections of its own."""
    if request.param == "sqlite":
        url = f"sqlite:{tmp_path / 'livery.db'}"
    else:
        url = request.getfixturevalue("postgresql_database_url")
    stores: list[SQLStore] = []

    def open_once_more() -> SQLStore:
        stores.append(SQLStore(open_database(url)))
        return stores[-1]

    yield open_once_more
    for store in stores:
        store.close()


@pytest.fixture
def store(opened: Opened) -> SQLStore:
    return opened()


@pytest.fixture
def database(store: SQLStore) -> Database:
    """The database under the store, to be changed by another hand."""
    return store._database
