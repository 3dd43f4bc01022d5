"""The two databases at their edges: files that are none, older and later schemas, servers that go, passwords."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from livery.core.profile import Profile, Registry
from livery.errors import LiveryError, SchemaTooNew, SourceNotFound, SourceReadOnly, SourceUnavailable
from livery.stores.opening import open_source
from livery.stores.protocols import EventQuery, Retention, StoreFacts, WriteOptions
from livery.stores.sql import SQLStore, open_database
from livery.stores.urls import parse_source
from tests.support.config_profiles import opened_up
from tests.support.postgresql import PASSWORD, PostgreSQL
from tests.support.registries import without_power
from tests.support.waiting import until

ALICE = WriteOptions(actor="alice", at_ms=1_000)
TEAM = Registry(slug="team")


def at(path: Path) -> SQLStore:
    return SQLStore(open_database(path))


def filled(path: Path) -> SQLStore:
    store = at(path)
    store.save_registry(TEAM, ALICE)
    return store


# Both


def test_migrating_twice_changes_nothing(opened: Callable[[], SQLStore]) -> None:
    first, second = opened(), opened()
    first.save_registry(TEAM, ALICE)
    applied = first._database.fetch("SELECT * FROM livery_schema")
    second.save_registry(Registry(slug="other"), ALICE)
    assert second._database.fetch("SELECT * FROM livery_schema") == applied


def test_many_who_migrate_at_once_do_it_once(opened: Callable[[], SQLStore]) -> None:
    stores = [opened() for _ in range(6)]
    threads = [
        threading.Thread(target=store.save_registry, args=(Registry(slug=f"r{number}"), ALICE))
        for number, store in enumerate(stores)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (stores[0].facts().seq, stores[0].facts().schema_version) == (6, 1)


def test_a_later_schema_is_neither_read_nor_written(opened: Callable[[], SQLStore]) -> None:
    old, other = opened(), opened()
    old.save_registry(TEAM, ALICE)
    snapshot = old.follow(None)
    with other._database.writing("profiles") as connection:
        connection.execute("CREATE TABLE later (name TEXT)")
        connection.execute("INSERT INTO livery_schema VALUES ('profiles', 99, 0)")
    fresh = opened()
    calls: list[Callable[[], object]] = [
        fresh.load_registries,
        old.load_registries,
        lambda: old.save_registry(TEAM, ALICE),
        lambda: fresh.save_registry(TEAM, ALICE),
        lambda: fresh.get_profile("team", "x"),
        lambda: fresh.follow(None),
        fresh.facts,
    ]
    for call in calls:
        with pytest.raises(SchemaTooNew, match="later version of Livery"):
            call()
    if old.kind == "postgresql":
        with pytest.raises(SchemaTooNew):
            old.follow(snapshot)


# SQLite


@pytest.mark.parametrize("name", ["a?b.db", "a#b", "a%20b.db", "file:x.db", ":memory:", "ä b'c\".db", "x?mode=ro"])
def test_any_name_of_a_file_is_that_file(tmp_path: Path, name: str) -> None:
    store = filled(tmp_path / name)
    store.close()
    assert os.listdir(tmp_path) == [name]
    assert at(tmp_path / name).load_registries().registries[0].slug == "team"


def test_reading_a_missing_file_makes_none(tmp_path: Path) -> None:
    store = at(tmp_path / "no" / "livery.db")
    for call in (store.load_registries, lambda: store.follow(None), lambda: store.get_profile("a", "b")):
        with pytest.raises(SourceNotFound, match="the first write makes it"):
            call()
    assert list(tmp_path.iterdir()) == []


def test_a_missing_file_has_no_history(tmp_path: Path) -> None:
    store = at(tmp_path / "no" / "livery.db")
    assert (store.events(EventQuery()), store.seq_at(5), store.revision("team", "a", 1)) == ([], 0, None)
    assert (store.prune(Retention(keep=2), 10**12), store.facts()) == (0, StoreFacts(0, 0, 0))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("what", ["the file", "its folder", "a folder to be made"])
def test_what_cannot_be_written_is_not_said_to_be_writable(shared: Path, what: str) -> None:
    path = shared / "livery.db"
    if what != "a folder to be made":
        filled(path).close()
    opened_up(shared).chmod(0o777 if what == "the file" else 0o555)
    if what == "the file":
        path.chmod(0o444)
    with without_power():
        store = at(path if path.exists() else shared / "new" / "livery.db")
        assert (store.writable, str(shared) in store.advice or "its file" in store.advice) == (False, True)
        with pytest.raises(SourceReadOnly, match="by this user"):
            store.save_registry(TEAM, ALICE)


def test_the_first_write_makes_private_files_and_folders(tmp_path: Path) -> None:
    store = filled(tmp_path / "a" / "b" / "livery.db")
    made = [tmp_path / "a", tmp_path / "a" / "b", *(tmp_path / "a" / "b").iterdir()]
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in made}
    assert {name: mode for name, mode in modes.items() if mode not in (0o700, 0o600)} == {}
    store.close()


def test_an_empty_file_is_an_empty_database(tmp_path: Path) -> None:
    (tmp_path / "livery.db").touch()
    store = at(tmp_path / "livery.db")
    assert store.load_registries().registries == ()
    assert store.save_registry(TEAM, ALICE).version == 1


def spoilt(path: Path, kind: str) -> None:
    if kind == "directory":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "text":
        path.write_text("registries: {}\n" * 1_000)
    elif kind == "zeros":
        path.write_bytes(bytes(8192))
    elif kind == "cut":
        filled(path).close()
        path.write_bytes(path.read_bytes()[:5_000])
    else:
        with sqlite3.connect(path) as other:
            other.execute("CREATE TABLE profiles_of_theirs (x)")
        other.close()


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("directory", "it is a directory"),
        ("fifo", "no regular file"),
        ("text", "no SQLite database"),
        ("zeros", "no SQLite database"),
        ("cut", "damaged"),
        ("theirs", "another program"),
    ],
)
def test_what_is_no_database_of_ours_says_so(tmp_path: Path, kind: str, reason: str) -> None:
    path = tmp_path / "livery.db"
    spoilt(path, kind)
    before = path.read_bytes() if path.is_file() else None
    for call in (lambda: at(path).load_registries(), lambda: filled(path)):
        with pytest.raises(SourceUnavailable, match=reason):
            call()
    assert (path.read_bytes() if path.is_file() else None) == before


def test_a_file_that_was_replaced_is_noticed(tmp_path: Path) -> None:
    store, other = filled(tmp_path / "a.db"), filled(tmp_path / "b.db")
    other.save_registry(Registry(slug="restored"), ALICE)
    other.close()
    before = store.follow(None)
    os.replace(tmp_path / "b.db", tmp_path / "a.db")
    for suffix in ("-wal", "-shm"):
        (tmp_path / f"a.db{suffix}").unlink(missing_ok=True)
    after = store.follow(before)
    assert ([head.slug for head in after.heads], after.follows) == (["restored", "team"], None)
    assert store.save_registry(TEAM, ALICE).version == 2
    assert at(tmp_path / "a.db").facts().seq == 3


def test_a_file_that_was_removed_is_made_anew(tmp_path: Path) -> None:
    store = filled(tmp_path / "a.db")
    for path in tmp_path.iterdir():
        path.unlink()
    with pytest.raises(SourceNotFound):
        store.load_registries()
    assert store.save_registry(Registry(slug="new"), ALICE).version == 1
    assert [registry.slug for registry in store.load_registries().registries] == ["new"]


READ = """
import os, sys, pathlib
from livery.core.profile import Registry
from livery.stores.protocols import WriteOptions
from livery.stores.sql import SQLStore, open_database
store = SQLStore(open_database(pathlib.Path(sys.argv[1])))
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
print([head.slug for head in store.follow(None).heads], store.get_profile("team", "a"))
try:
    store.save_registry(Registry(slug="new"), WriteOptions())
except Exception as error:
    print(type(error).__name__)
"""


def as_nobody(path: Path) -> list[str]:
    """What a process that may not write says of a database."""
    done = subprocess.run([sys.executable, "-c", READ, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """A folder that everybody can reach."""
    import tempfile

    folder = Path(tempfile.mkdtemp(prefix="livery-test-"))
    folder.chmod(0o755)
    yield folder  # type: ignore[misc]
    folder.chmod(0o755)
    shutil.rmtree(folder)


@pytest.mark.parametrize("is_open", [False, True])
def test_a_file_that_may_not_be_written_is_read(shared: Path, is_open: bool) -> None:
    store = filled(shared / "livery.db")
    if not is_open:
        store.close()
    for path in shared.iterdir():
        path.chmod(0o444)
    shared.chmod(0o555)
    assert as_nobody(shared / "livery.db") == ["['team'] None", "SourceUnavailable"]
    shared.chmod(0o755)
    store.close()


def test_a_disk_that_is_full_stores_nothing(tmp_path: Path) -> None:
    store = filled(tmp_path / "livery.db")
    writer = store._database._writer._link.db  # type: ignore[attr-defined]
    (pages,) = writer.execute("PRAGMA page_count").fetchone()
    writer.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(SourceUnavailable, match="disk is full"):
        store.save_profile(Profile(slug="a", registry="team", description="x" * 500_000), ALICE)
    assert (store.get_profile("team", "a"), store.facts().seq) == (None, 1)
    writer.execute("PRAGMA max_page_count = 1000000")
    assert store.save_profile(Profile(slug="a", registry="team"), ALICE).version == 1


def test_a_text_that_is_no_utf8_breaks_its_row_alone(tmp_path: Path) -> None:
    store = filled(tmp_path / "livery.db")
    store.save_profile(Profile(slug="a", registry="team"), ALICE)
    with store._database.writing("profiles") as connection:
        connection.execute("UPDATE profiles SET description = CAST(x'ff41' AS TEXT)")
    assert [(item.registry, item.profile) for item in store.load_registries().broken] == [("team", "a")]


def test_what_a_killed_writer_left_is_read(tmp_path: Path) -> None:
    path = tmp_path / "livery.db"
    script = (
        "import os, sys, pathlib\nfrom livery.stores.sql import *\nfrom livery.stores.protocols import WriteOptions\n"
        "from livery.core.profile import Registry\nstore = SQLStore(open_database(pathlib.Path(sys.argv[1])))\n"
        "store.save_registry(Registry(slug='team'), WriteOptions())\nos._exit(9)"
    )
    subprocess.run([sys.executable, "-c", script, str(path)], check=False)
    assert (tmp_path / "livery.db-wal").exists()
    assert [registry.slug for registry in at(path).load_registries().registries] == ["team"]


def test_a_file_is_watched_with_its_log(tmp_path: Path) -> None:
    store = filled(tmp_path / "livery.db")
    assert [path.name for path in store.watched()] == ["livery.db", "livery.db-wal"]
    store.listen(lambda: None, lambda seconds: False)  # there is nothing to wait for


# PostgreSQL


def test_slugs_are_in_the_order_of_their_characters(store: SQLStore) -> None:
    slugs = ["a", "a-b", "a.b", "a0", "a_b", "aa", "b"]
    store.save_registry(Registry(slug="team", profiles={slug: Profile(slug=slug) for slug in reversed(slugs)}), ALICE)
    assert store.follow(None).names("team") == sorted(slugs)


def test_a_password_is_in_no_message(shared_postgresql: PostgreSQL, postgresql_database: str) -> None:
    url = shared_postgresql.guarded_url(postgresql_database)
    store = SQLStore(open_database(url))
    assert store.save_registry(TEAM, ALICE).version == 1
    assert PASSWORD not in store.url
    assert "***" in store.url
    store.close()


@pytest.mark.parametrize("password", ["hunter2", "hun%ter2", "hun@ter2:x", "hun/ter2"])
def test_a_wrong_password_is_in_no_message(shared_postgresql: PostgreSQL, password: str) -> None:
    url = f"postgresql://guarded:{password}@127.0.0.1:{shared_postgresql.port}/postgres"
    with pytest.raises(SourceUnavailable) as caught:
        SQLStore(open_database(url)).load_registries()
    text = f"{caught.value} {caught.value!r} {caught.value.__cause__}"
    assert not any(part in text for part in ("hun", "ter2"))


def test_a_server_that_is_not_there_says_so(postgresql_server: PostgreSQL) -> None:
    postgresql_server.stop()
    with pytest.raises(SourceUnavailable, match=r"refused|No such file"):
        SQLStore(open_database(postgresql_server.url())).load_registries()


def test_connections_that_were_cut_are_made_again(
    store: SQLStore, opened: Callable[[], SQLStore], request: pytest.FixtureRequest
) -> None:
    if store.kind == "sqlite":
        pytest.skip("a file has none")
    store.save_registry(TEAM, ALICE)
    snapshot = store.follow(None)
    server, name = request.getfixturevalue("shared_postgresql"), request.getfixturevalue("postgresql_database")
    for call in (lambda: store.follow(snapshot), store.load_registries, lambda: store.save_registry(TEAM, ALICE)):
        assert server.disconnect(name) >= 1
        call()


def test_listening_wakes_at_every_change_and_after_a_lost_connection(
    shared_postgresql: PostgreSQL, postgresql_database: str, postgresql_database_url: str
) -> None:
    store, other = SQLStore(open_database(postgresql_database_url)), SQLStore(open_database(postgresql_database_url))
    woken: list[int] = []
    stopped = threading.Event()
    listener = threading.Thread(target=store.listen, args=(lambda: woken.append(1), stopped.wait))
    listener.start()
    try:
        until(lambda: len(woken) == 1)
        other.save_registry(TEAM, ALICE)
        until(lambda: len(woken) == 2)
        shared_postgresql.disconnect(postgresql_database)
        until(lambda: len(woken) >= 3)
        seen = len(woken)
        other.save_registry(TEAM, ALICE)
        until(lambda: len(woken) > seen)
    finally:
        stopped.set()
        listener.join()
        store.close()
        other.close()


def test_tables_of_other_programs_stand_beside_ours(postgresql_database_url: str) -> None:
    database = open_database(postgresql_database_url)
    database.write("state", lambda connection: connection.execute("CREATE TABLE theirs (x int)") and None)
    store = SQLStore(database)
    assert store.save_registry(TEAM, ALICE).version == 1
    store.close()


def test_the_schema_of_the_address_is_used(postgresql_database_url: str) -> None:
    everybody = SQLStore(open_database(postgresql_database_url))
    everybody._database.write("state", lambda connection: connection.execute("CREATE SCHEMA apart") and None)
    store = SQLStore(open_database(f"{postgresql_database_url}&options=-csearch_path%3Dapart"))
    store.save_registry(TEAM, ALICE)
    rows = store._database.fetch("SELECT schemaname FROM pg_tables WHERE tablename = 'profiles'")
    assert (rows, everybody.load_registries().registries) == ([("apart",)], ())
    store.close()
    everybody.close()


# URLs


@pytest.mark.parametrize(
    ("text", "location", "readonly", "registries"),
    [
        ("postgresql://me@db/livery?readonly=1", "//me@db/livery", True, ()),
        ("postgresql://db/livery?sslmode=require&registries=a+b&x=%2C,", "//db/livery?sslmode=require&x=%2C,", False,
         ("a", "b")),
        ("postgres:///livery?host=/run/pg&readonly=0", "///livery?host=/run/pg", False, ()),
        ("sqlite:a?b.db", "a?b.db", False, ()),
        ("sqlite:a?b.db?readonly=1", "a?b.db", True, ()),
        ("sqlite:///srv/x.db?registries=a", "/srv/x.db", False, ("a",)),
    ],
)  # fmt: skip
def test_our_options_are_taken_out_and_the_rest_stays(
    text: str, location: str, readonly: bool, registries: tuple[str, ...]
) -> None:
    url = parse_source(text)
    assert (url.location, url.readonly, url.registries) == (location, readonly, registries)


def test_an_address_without_a_host_part_is_an_error() -> None:
    with pytest.raises(LiveryError, match="expected postgresql://"):
        parse_source("postgresql:livery")


def test_a_source_url_opens_a_database(tmp_path: Path, postgresql_database_url: str) -> None:
    sources = [open_source(f"sqlite:{tmp_path / 'x.db'}?readonly=1"), open_source(postgresql_database_url)]
    assert [source.store.kind for source in sources if source.store] == ["sqlite", "postgresql"]
    assert [source.writable for source in sources] == [False, True]
    for source in sources:
        assert source.store
        source.store.close()
