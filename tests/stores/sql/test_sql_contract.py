"""Both databases keep the contract of a writable store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from livery.stores.sql import SQLStore, open_database
from livery.testing import StoreContract


class TestSQLiteStore(StoreContract):
    @pytest.fixture
    def opened(self, tmp_path: Path) -> Callable[[], SQLStore]:
        return lambda: SQLStore(open_database(tmp_path / "livery.db"))


class TestPostgreSQLStore(StoreContract):
    @pytest.fixture
    def opened(self, postgresql_database_url: str) -> Callable[[], SQLStore]:
        return lambda: SQLStore(open_database(postgresql_database_url))
