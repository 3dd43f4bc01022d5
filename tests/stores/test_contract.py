"""Every writable store keeps the contract."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from livery.stores.memory import MemoryStore
from livery.stores.yaml import YAMLStore
from livery.testing import StoreContract


class TestMemoryStore(StoreContract):
    survives_reopening = False

    @pytest.fixture
    def opened(self) -> Callable[[], MemoryStore]:
        return MemoryStore


class TestYAMLStore(StoreContract):
    @pytest.fixture
    def opened(self, tmp_path: Path) -> Callable[[], YAMLStore]:
        return lambda: YAMLStore(tmp_path / "profiles.yaml")
