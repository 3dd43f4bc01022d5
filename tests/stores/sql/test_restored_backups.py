"""A backup in the place of a database: its log has other changes under the numbers that were seen before."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from livery import open_registry
from livery.core.profile import Profile, Registry
from livery.stores.protocols import Overtaken, Seen, WriteOptions
from livery.stores.sql import SQLStore, open_database

ALICE = WriteOptions(actor="alice", at_ms=1_000)


def opened(path: Path) -> SQLStore:
    return SQLStore(open_database(path))


def restored(path: Path, backup: Path) -> None:
    """Put a backup in the place of a database."""
    for suffix in ("-wal", "-shm"):
        path.with_name(f"{path.name}{suffix}").unlink(missing_ok=True)
    os.replace(backup, path)


def backed_up(path: Path) -> Path:
    backup = path.with_name("backup.db")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("VACUUM INTO ?", (str(backup),))
    return backup


def saved(path: Path, *texts: str, at_ms: int) -> None:
    with closing(opened(path)) as store:
        for text in texts:
            store.save_profile(Profile(registry="team", slug="a", description=text), ALICE._replace(at_ms=at_ms))


def text_of(profile: Profile | None) -> str:
    return profile.description if profile is not None else ""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database with a registry and nothing in it."""
    path = tmp_path / "a.db"
    with closing(opened(path)) as store:
        store.save_registry(Registry(slug="team"), ALICE)
    return path


def test_a_restored_backup_that_was_written_past_the_old_state_is_noticed(path: Path) -> None:
    store = opened(path)
    backup = backed_up(path)
    saved(path, "lost", at_ms=2_000)
    before = store.follow(None)
    restored(path, backup)
    saved(path, "one", "two", "three", at_ms=3_000)
    after = store.follow(before)
    assert (after.seq, after.follows, text_of(after.profile("team", "a"))) == (4, None, "three")
    assert store.follow(after) is after


def test_what_was_checked_before_a_backup_was_restored_is_checked_again(path: Path) -> None:
    store = opened(path)
    backup = backed_up(path)
    saved(path, "lost", at_ms=2_000)
    seen = Seen(store.follow(None).seq, frozenset([("team", "b")]))
    restored(path, backup)
    saved(path, "one", "two", at_ms=3_000)
    profile = Profile(registry="team", slug="b")
    with pytest.raises(Overtaken):
        store.save_profile(profile, ALICE._replace(seen=seen))
    store.follow(None)
    assert store.save_profile(profile, ALICE._replace(seen=seen._replace(seq=3))).version == 1


def test_a_service_serves_what_was_restored_and_written_since(path: Path) -> None:
    with closing(open_registry(f"sqlite:{path}")) as service:
        saved(path, "first", at_ms=1_500)
        backup = backed_up(path)
        saved(path, "lost", at_ms=2_000)
        service.refresh()
        assert service.get_profile("team", "a").description == "lost"
        restored(path, backup)
        with closing(open_registry(f"sqlite:{path}")) as other:
            other.update_profile("team", "a", {"description": "new"})
            other.update_profile("team", "a", {"description": "newer"})
        service.refresh()
        assert service.get_profile("team", "a").description == "newer"
