"""A profile store keeps the contract as far as its files have room."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from livery.core.profile import RuntimeSpec
from livery.stores.profile_store import DirectoryStore
from livery.testing import StoreContract


class TestProfileStore(StoreContract):
    holds = frozenset({"runtime.servers"})
    marks = staticmethod(lambda text: {"runtime": RuntimeSpec(servers=[{"name": text, "cmd": ["./x"]}])})

    @pytest.fixture
    def opened(self, tmp_path: Path) -> Callable[[], DirectoryStore]:
        return lambda: DirectoryStore(tmp_path / "store", registry="team")
