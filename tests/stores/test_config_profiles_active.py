"""Which config profile is in use: a pointer beside the profiles, which moves and goes back, and changes none."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from livery.core.names import Reference
from livery.errors import (
    ProfileNotFound,
    RegistryNotFound,
    SchemaTooNew,
    SourceNotFound,
    SourceUnavailable,
    StillReferenced,
    ValidationError,
)
from livery.stores.config_profiles import ConfigProfilesStore
from livery.stores.protocols import WriteOptions
from tests.support.config_profiles import OVERLAY, directory, entry_of, manifest_of, whole, write_manifest
from tests.support.registries import BOB


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return directory(tmp_path, incident=OVERLAY, quiet='[log]\nlevel = "error"\n')


@pytest.fixture
def store(path: Path) -> ConfigProfilesStore:
    return ConfigProfilesStore(path)


def use(store: ConfigProfilesStore, name: str, at_ms: int = 5) -> None:
    store.use_profile(Reference("wa", name), WriteOptions(at_ms=at_ms))


def back(store: ConfigProfilesStore) -> str | None:
    reference = store.use_previous_profile(BOB)
    return reference.profile if reference else None


def active(store: ConfigProfilesStore) -> str | None:
    reference = store.active_profile()
    return reference.profile if reference else None


def pointer(path: Path) -> Any:
    return json.loads((path / "profiles" / "active.json").read_text())


def test_nothing_is_in_use_before_anybody_has_said_so(store: ConfigProfilesStore, path: Path) -> None:
    assert (active(store), back(store)) == (None, None)
    assert not (path / "profiles" / "active.json").exists()


def test_using_a_profile_moves_the_pointer_and_nothing_else(store: ConfigProfilesStore, path: Path) -> None:
    files = [path / "wa.toml", path / "profiles" / "quiet.toml"]
    before = [file.read_bytes() for file in files]
    use(store, "quiet")
    assert active(store) == "quiet"
    assert pointer(path) == {
        "version": 1,
        "active": "quiet",
        "applied_at": 5,
        "previous": [{"name": "default", "at": None}],
    }
    assert stat.S_IMODE((path / "profiles" / "active.json").stat().st_mode) == 0o600
    assert [file.read_bytes() for file in files] == before


def test_only_the_time_of_its_use_is_stamped(store: ConfigProfilesStore, path: Path) -> None:
    write_manifest(path, {"name": "quiet", "updated_at": 2, "version": 3, "x": 1}, {"name": "incident"})
    use(store, "quiet", at_ms=9)
    assert manifest_of(path)["profiles"] == [
        {"name": "quiet", "updated_at": 2, "version": 3, "x": 1, "last_applied_at": 9},
        {"name": "incident"},
    ]
    (registry,) = store.load_registries().registries
    assert registry.profiles["quiet"].metadata.last_applied_at_ms == 9
    assert whole(store, "quiet").metadata.last_applied_at_ms == 9


def test_an_edit_keeps_the_time_of_the_last_use(store: ConfigProfilesStore, path: Path) -> None:
    use(store, "quiet", at_ms=9)
    saved = store.save_profile(whole(store, "quiet"), BOB)
    assert (saved.metadata.last_applied_at_ms, entry_of(path, "quiet")["last_applied_at"]) == (9, 9)


def test_one_goes_back_step_by_step_down_to_the_base(store: ConfigProfilesStore) -> None:
    use(store, "incident")
    use(store, "quiet")
    assert [back(store), back(store), back(store)] == ["incident", "default", None]
    assert active(store) == "default"


def test_using_the_same_profile_again_is_no_step(store: ConfigProfilesStore) -> None:
    use(store, "incident")
    use(store, "quiet")
    use(store, "quiet")
    assert back(store) == "incident"


def test_the_last_ten_are_remembered(store: ConfigProfilesStore, path: Path) -> None:
    for turn in range(15):
        use(store, ("incident", "quiet")[turn % 2], at_ms=turn)
    assert [item["at"] for item in pointer(path)["previous"]] == list(range(13, 3, -1))


def test_a_deleted_profile_is_not_gone_back_to(store: ConfigProfilesStore) -> None:
    for name in ("incident", "quiet", "default"):
        use(store, name)
    store.delete_profile(Reference("wa", "quiet"), BOB)
    assert back(store) == "incident"


def test_the_active_profile_cannot_be_deleted(store: ConfigProfilesStore) -> None:
    use(store, "quiet")
    with pytest.raises(StillReferenced, match="the active profile; use another one first"):
        store.delete_profile(Reference("wa", "quiet"), BOB)
    use(store, "default")
    store.delete_profile(Reference("wa", "quiet"), BOB)


def test_default_can_be_used_where_there_is_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "wa.toml").write_text("")
    store = ConfigProfilesStore(tmp_path)
    use(store, "default")
    assert active(store) == "default"


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("quite", ProfileNotFound),
        ("broken", ValidationError),
        ("gone", SourceNotFound),
        ("on-broken", ValidationError),
        ("on-nothing", ProfileNotFound),
    ],
)
def test_what_cannot_be_loaded_cannot_be_used(
    store: ConfigProfilesStore, path: Path, name: str, error: type[Exception]
) -> None:
    (path / "profiles" / "broken.toml").write_text("a =")
    (path / "profiles" / "on-broken.toml").write_text('[_profile]\nextends = "broken"')
    (path / "profiles" / "on-nothing.toml").write_text('[_profile]\nextends = "nothing"')
    write_manifest(path, *({"name": each} for each in ("quiet", "broken", "gone", "on-broken", "on-nothing")))
    use(store, "quiet")
    with pytest.raises(error):
        use(store, name)
    assert active(store) == "quiet"


def test_nothing_can_be_used_over_a_broken_base(store: ConfigProfilesStore, path: Path) -> None:
    (path / "wa.toml").write_text("a =")
    with pytest.raises(ValidationError, match=r"wa\.toml"):
        use(store, "quiet")


def test_profiles_that_stand_on_each_other_are_not_followed_for_ever(store: ConfigProfilesStore, path: Path) -> None:
    (path / "profiles" / "quiet.toml").write_text('[_profile]\nextends = "incident"')
    (path / "profiles" / "incident.toml").write_text('[_profile]\nextends = "quiet"')
    use(store, "quiet")  # that it cannot be resolved is for the service to say


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b"{}", b'{"active": "a b"}', b'{"active": 1}', b"\xff"])
def test_a_pointer_that_says_nothing_is_an_error_and_no_silent_default(
    store: ConfigProfilesStore, path: Path, data: bytes
) -> None:
    (path / "profiles" / "active.json").write_bytes(data)
    with pytest.raises(ValidationError, match=r"active\.json.*livery use NAME"):
        store.active_profile()
    use(store, "quiet")
    assert active(store) == "quiet"


def test_a_pointer_that_leads_to_nothing_is_an_error(store: ConfigProfilesStore, path: Path) -> None:
    (path / "profiles" / "active.json").symlink_to("nowhere")
    with pytest.raises(SourceUnavailable):
        store.active_profile()


def test_a_pointer_at_a_profile_that_is_gone_says_so_to_those_who_ask(store: ConfigProfilesStore, path: Path) -> None:
    (path / "profiles" / "active.json").write_text('{"active": "gone"}')
    assert store.active_profile() == Reference("wa", "gone")


def test_odd_steps_are_passed_over_and_unknown_keys_stay(store: ConfigProfilesStore, path: Path) -> None:
    previous = [None, {"name": "a b"}, {"name": 1}, {"name": "incident", "at": "x"}]
    (path / "profiles" / "active.json").write_text(json.dumps({"x": 1, "active": "quiet", "previous": previous}))
    assert back(store) == "incident"
    assert (pointer(path)["x"], pointer(path)["previous"]) == (1, [])


def test_a_pointer_of_a_later_version_is_read_and_not_moved(store: ConfigProfilesStore, path: Path) -> None:
    (path / "profiles" / "active.json").write_text('{"version": 2, "active": "quiet"}')
    with pytest.raises(SchemaTooNew):
        use(store, "incident")
    assert active(store) == "quiet"


def test_a_manifest_that_cannot_be_stamped_does_not_keep_the_pointer(store: ConfigProfilesStore, path: Path) -> None:
    (path / "profiles" / "manifest.json").write_text('{"version": 2, "profiles": [{"name": "quiet"}]}')
    use(store, "quiet")
    assert (active(store), manifest_of(path)["profiles"]) == ("quiet", [{"name": "quiet"}])


def test_a_profile_of_a_registry_elsewhere_is_not_used_here(store: ConfigProfilesStore) -> None:
    with pytest.raises(RegistryNotFound):
        store.use_profile(Reference("other", "quiet"), BOB)
