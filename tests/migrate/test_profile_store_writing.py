"""The new store is put into place whole or not at all, and nothing that was there is lost."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from livery.errors import AlreadyExists, LiveryError, SourceUnavailable
from livery.migrate.profile_store import migrate_profile_store
from livery.migrate.profile_store.scaffold import scaffold_of
from livery.stores.protocols import WriteOptions
from tests.support.registries import without_power
from tests.support.stores import contents, opened_store, server_names

OLD = "exposeTools: true\nservers:\n- {name: a, cmd: [./a], tags: [chat]}\n- {name: b, cmd: [./b]}\n"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    (tmp_path / "old.yaml").write_text(OLD)
    return tmp_path / "old.yaml"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_files_are_for_their_owner_alone_and_the_old_one_stays(old: Path, store: Path) -> None:
    migrate_profile_store(old, store)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in [store, *store.rglob("*")]}
    assert {mode for name, mode in modes.items() if name.endswith(".yaml")} == {0o600}
    assert modes["store"] == modes["profiles"] == 0o700
    assert names(store.parent) == ["old.yaml", "store"] and old.read_text() == OLD


def test_an_empty_directory_is_filled_and_keeps_its_mode(old: Path, store: Path) -> None:
    store.mkdir(0o750)
    store.chmod(0o750)
    migrate_profile_store(old, store)
    assert server_names(store, "chat") == ["a", "b"] and stat.S_IMODE(store.stat().st_mode) == 0o750
    assert names(store.parent) == ["old.yaml", "store"]


def test_directories_on_the_way_are_made(old: Path, tmp_path: Path) -> None:
    migrate_profile_store(old, tmp_path / "new/er/store")
    assert server_names(tmp_path / "new/er/store", None) == ["a", "b"]


def test_a_directory_with_something_in_it_is_refused(old: Path, store: Path) -> None:
    store.mkdir()
    (store / "notes.txt").write_text("mine")
    with pytest.raises(AlreadyExists, match="directory"):
        migrate_profile_store(old, store)
    assert names(store) == ["notes.txt"] and names(store.parent) == ["old.yaml", "store"]


@pytest.mark.parametrize("force", [False, True])
def test_a_file_in_its_place_is_never_replaced(force: bool, old: Path, store: Path) -> None:
    store.write_text("mine")
    with pytest.raises(AlreadyExists, match="file"):
        migrate_profile_store(old, store, force=force)
    assert store.read_text() == "mine"


def test_by_force_the_old_store_is_kept_beside_and_other_files_stay(old: Path, store: Path) -> None:
    migrate_profile_store(old, store)
    (store / "notes.txt").write_text("mine")
    (store / "profiles/README").write_text("mine too")
    (store / "profiles/extra.yaml").write_text("servers: []\n")
    old.write_text(OLD.replace("true", "false"))
    done = migrate_profile_store(old, store, force=True)
    assert names(store) == ["callers.yaml", "notes.txt", "profiles", "runtime.yaml"]
    assert names(store / "profiles") == ["README", "chat.yaml", "default.yaml"]
    assert contents(store.parent / "store.bak-1")["runtime.yaml"] == "exposeTools: true\n"
    assert (store.parent / "store.bak-1/profiles/extra.yaml").exists()
    assert any("store.bak-1, the store that was in" in line for line in done.lines)


def test_each_replaced_store_is_kept_under_a_number_of_its_own(old: Path, store: Path) -> None:
    for number in range(3):
        old.write_text(f"pingIntervalSeconds: {number}\n{OLD}")
        migrate_profile_store(old, store, force=True)
    assert names(store.parent) == ["old.yaml", "store", "store.bak-1", "store.bak-2"]


def test_versions_go_on_where_a_store_is_replaced(old: Path, store: Path) -> None:
    migrate_profile_store(old, store)
    service = opened_store(store)
    service.update_profile("store", "chat", {"runtime": {"servers": []}}, WriteOptions())
    version = service.get_profile("store", "chat").version
    migrate_profile_store(old, store, force=True)
    assert opened_store(store).get_profile("store", "chat").version == version + 1


def test_an_old_file_inside_of_the_directory_goes_with_the_kept_one(store: Path) -> None:
    store.mkdir()
    (store / "runtime.yaml").write_text(OLD)
    migrate_profile_store(store / "runtime.yaml", store, force=True)
    assert contents(store)["runtime.yaml"] == "exposeTools: true\n"
    assert (store.parent / "store.bak-1/runtime.yaml").read_text() == OLD


def test_a_link_to_the_directory_stays_a_link(old: Path, store: Path) -> None:
    (store.parent / "real").mkdir()
    store.symlink_to("real")
    migrate_profile_store(old, store)
    assert store.is_symlink() and server_names(store.parent / "real", "chat") == ["a", "b"]


def test_a_failure_leaves_nothing_behind(old: Path, store: Path) -> None:
    store.parent.chmod(0o555)
    try:
        with without_power(), pytest.raises(SourceUnavailable):
            migrate_profile_store(old, store)
    finally:
        store.parent.chmod(0o755)
    assert names(store.parent) == ["old.yaml"]


def test_a_scaffold_that_is_not_used_is_gone(store: Path) -> None:
    with pytest.raises(KeyboardInterrupt), scaffold_of({"profiles/a.yaml": "servers: []\n"}, store) as scaffold:
        assert stat.S_IMODE(os.stat(scaffold).st_mode) == 0o700 and scaffold.name.startswith(".store.tmp-")
        raise KeyboardInterrupt
    assert names(store.parent) == []


def test_what_a_killed_migration_left_is_removed_by_the_next_and_nothing_that_is_in_use(store: Path) -> None:
    (store.parent / ".store.tmp-dead").mkdir()
    with scaffold_of({}, store) as used, scaffold_of({}, store) as other:
        assert names(store.parent) == sorted([used.name, other.name])


def test_a_name_that_no_directory_can_have_is_an_error(old: Path) -> None:
    with pytest.raises(LiveryError):
        migrate_profile_store(old, old.parent / "a\0b")


def test_a_directory_whose_name_is_no_registry_is_told(old: Path, tmp_path: Path) -> None:
    done = migrate_profile_store(old, tmp_path / "My Store")
    assert any("?registry=NAME" in line for line in done.lines)
