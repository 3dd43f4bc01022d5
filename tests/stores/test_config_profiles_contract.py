"""A directory of config profiles keeps the contract as far as its files have room."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from livery.core.profile import RuntimeSpec
from livery.errors import Unsupported
from livery.stores.config_profiles import ConfigProfilesStore
from livery.stores.protocols import ActiveProfileStore, WritableProfileStore
from livery.testing import StoreContract
from tests.support.registries import ALICE


class TestConfigProfiles(StoreContract):
    holds = frozenset({"description", "extends"})
    marks = staticmethod(lambda text: {"runtime": RuntimeSpec(step_settings_patch={"mark": text})})

    @pytest.fixture
    def opened(self, tmp_path: Path) -> Callable[[], ConfigProfilesStore]:
        return lambda: ConfigProfilesStore(tmp_path / "config", "team")

    def test_deleting_a_registry_takes_its_profiles_along(self, store: WritableProfileStore) -> None:
        """Not here: the base file is the application's."""
        with pytest.raises(Unsupported, match="remove it by hand"):
            store.delete_registry("team", ALICE)

    def test_it_is_a_store_of_every_capability(self, store: WritableProfileStore) -> None:
        assert isinstance(store, WritableProfileStore)
        assert isinstance(store, ActiveProfileStore)
