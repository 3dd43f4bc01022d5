"""Old files and the stores that they become: each folder of ``golden/migrations`` is one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from livery.formats.yaml import read_yaml
from livery.migrate.profile_store import Choices, MigratedStore, migrate_profile_store
from tests.support.stores import contents, opened_store

CASES = Path(__file__).resolve().parents[1] / "golden/migrations"
FOLDERS = sorted(path for path in CASES.iterdir() if path.is_dir())


def choices_of(folder: Path) -> Choices:
    file = folder / "choices.yaml"
    written: dict[str, Any] = read_yaml(file.read_text(), str(file)) if file.exists() else {}
    clients = tuple((name, tuple(tags)) for name, tags in written.pop("clients", {}).items())
    return Choices(clients, **written)


def migrated(folder: Path, target: Path, **options: bool) -> MigratedStore:
    return migrate_profile_store(folder / "old.yaml", target, choices_of(folder), **options)


def values(directory: Path) -> dict[str, Any]:
    return {path: read_yaml(text, path) for path, text in contents(directory).items()}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_an_old_file_becomes_the_store_that_is_expected(folder: Path, tmp_path: Path) -> None:
    done = migrated(folder, tmp_path / "store")
    assert values(tmp_path / "store") == values(folder / "store")
    assert done.changed and any(line.startswith("proved equal for ") for line in done.lines)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_store_is_sound(folder: Path, tmp_path: Path) -> None:
    migrated(folder, tmp_path / "store")
    assert [finding.fault for finding in opened_store(tmp_path / "store").findings if finding.blocking] == []


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_second_run_changes_nothing(folder: Path, tmp_path: Path) -> None:
    migrated(folder, tmp_path / "store")
    before = contents(tmp_path / "store")
    assert not migrated(folder, tmp_path / "store").changed
    assert contents(tmp_path / "store") == before


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_trial_writes_nothing(folder: Path, tmp_path: Path) -> None:
    done = migrated(folder, tmp_path / "store", dry_run=True)
    assert done.files.keys() == contents(folder / "store").keys()
    assert list(tmp_path.iterdir()) == []
