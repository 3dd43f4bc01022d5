"""Readers that may not write, rows that break a rule, listeners that are told to stop."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from livery.changes import feed
from livery.core.profile import Registry
from livery.errors import Locked, SourceUnavailable
from livery.stores.sql import Database, SQLStore, open_database
from livery.stores.sql.postgresql import listening
from tests.support.registries import ALICE

AS_NOBODY = """
import os, sys
from livery.errors import LiveryError
from livery.stores.sql import SQLStore, open_database
store = SQLStore(open_database("sqlite:" + sys.argv[1]))
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
"""
READER = f"""{AS_NOBODY}
before = None
for _ in sys.stdin:
    try:
        before = store.follow(before)
        print(*[head.slug for head in before.heads], "/", *store._database.fetch(
            "SELECT count(*) FROM profile_registries")[0], flush=True)
    except LiveryError as error:
        print(type(error).__name__, error, flush=True)
"""
READER_FOR_LONG = f"""{AS_NOBODY}
try:
    with store._database.reading() as connection:
        connection.execute("SELECT 1")
        print("reads", flush=True)
        sys.stdin.readline()
except LiveryError as error:
    print(type(error).__name__, flush=True)
"""
WRITER = """
import sys
from livery.core.profile import Registry
from livery.stores.protocols import WriteOptions
from livery.stores.sql import SQLStore, open_database
store = SQLStore(open_database("sqlite:" + sys.argv[1]))
for line in sys.stdin:
    print(store.save_registry(Registry(slug=line.strip()), WriteOptions()).slug, flush=True)
"""
Ask = Callable[[], str]


@pytest.fixture
def path() -> Iterator[Path]:
    """A database that everybody may read, in a folder where the reader may write nothing."""
    folder = Path(tempfile.mkdtemp(prefix="livery-test-"))
    folder.chmod(0o755)
    save(folder / "livery.db", "a")
    (folder / "livery.db").chmod(0o644)
    yield folder / "livery.db"
    shutil.rmtree(folder)


@pytest.fixture
def ask(path: Path) -> Iterator[Ask]:
    """What another user sees, who keeps the database open from one question to the next."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    with running(READER, path) as process:
        yield lambda: said(process, "what is there?")


@pytest.fixture
def writer(path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that makes a registry for each line."""
    with running(WRITER, path) as process:
        yield process


def running(program: str, path: Path) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, "-c", program, str(path)], stdin=pipe, stdout=pipe, text=True)


def said(process: subprocess.Popen[str], line: str) -> str:
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(line + "\n")
    process.stdin.flush()
    return process.stdout.readline().strip()


def save(path: Path, *slugs: str) -> None:
    with closing(SQLStore(open_database(path))) as store:
        for slug in slugs:
            store.save_registry(Registry(slug=slug), ALICE)


# Readers that may not write


def test_a_reader_without_a_log_sees_each_commit_of_another_user(path: Path, ask: Ask) -> None:
    assert ask() == "a / 1"
    with closing(SQLStore(open_database(path))) as store:
        store.save_registry(Registry(slug="b"), ALICE)
        assert ask() == "a b / 2"
        store.save_registry(Registry(slug="c"), ALICE)
        assert ask() == "a b c / 3"
    assert ask() == "a b c / 3"
    save(path, "d")
    assert ask() == "a b c d / 4"


def test_a_reader_without_a_log_sees_what_was_written_between_two_questions(path: Path, ask: Ask) -> None:
    assert ask() == "a / 1"
    save(path, "b", "c")
    assert ask() == "a b c / 3"


def test_a_reader_sees_what_a_killed_writer_has_committed(path: Path, ask: Ask, writer: subprocess.Popen[str]) -> None:
    assert (ask(), said(writer, "b"), ask()) == ("a / 1", "b", "a b / 2")
    assert said(writer, "c") == "c"
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    assert ask() == "a b c / 3"
    save(path, "d")
    assert ask() == "a b c d / 4"


@pytest.mark.parametrize("suffix", ["-wal", "-shm"])
def test_a_reader_that_may_not_read_the_log_says_so(path: Path, ask: Ask, suffix: str) -> None:
    assert ask() == "a / 1"
    with closing(SQLStore(open_database(path))) as store:
        store.save_registry(Registry(slug="b"), ALICE)
        path.with_name(path.name + suffix).chmod(0o600)
        assert ask().startswith("SourceUnavailable")
        assert "changes beside it that this user cannot read" in ask()
    assert ask() == "a b / 2"


def test_a_log_without_its_index_is_not_passed_over(path: Path, ask: Ask, writer: subprocess.Popen[str]) -> None:
    assert said(writer, "b") == "b"
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    path.with_name("livery.db-shm").unlink()
    assert "changes beside it that this user cannot read" in ask()
    save(path, "c")
    assert ask() == "a b c / 3"


def test_what_is_read_while_the_file_itself_is_written_is_refused(path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    with running(READER_FOR_LONG, path) as process:
        assert process.stdout is not None and process.stdout.readline() == "reads\n"
        save(path, "b")
        assert said(process, "end") == "Locked"


# Rows that break a rule


def broken_by(database: Database, sql: str) -> tuple[int, Exception]:
    """How often a statement was tried, and what came of it."""
    tries: list[int] = []

    def work(connection: object) -> None:
        tries.append(1)
        connection.execute(sql)  # type: ignore[attr-defined]

    with pytest.raises((SourceUnavailable, Locked)) as caught:
        database.write("profiles", work)
    return len(tries), caught.value


def test_a_row_that_can_never_be_stored_is_refused_at_once(store: SQLStore, database: Database) -> None:
    store.save_registry(Registry(slug="team"), ALICE)
    tries, error = broken_by(database, "UPDATE profile_registries SET display_name = NULL")
    assert (tries, type(error)) == (1, SourceUnavailable)
    assert "display_name" in str(error)


def test_a_row_that_breaks_a_check_is_refused_at_once(store: SQLStore, database: Database) -> None:
    store.save_registry(Registry(slug="team"), ALICE)
    with database.writing("profiles") as connection:
        connection.execute("CREATE TABLE checked (number INTEGER CONSTRAINT small CHECK (number < 5))")
    tries, error = broken_by(database, "INSERT INTO checked VALUES (7)")
    assert (tries, type(error)) == (1, SourceUnavailable)
    assert "small" in str(error)


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO profile_registries (slug) VALUES ('team')",
        "INSERT INTO profiles (registry_slug, slug) VALUES ('nowhere', 'a')",
    ],
)
def test_a_row_that_another_transaction_put_or_took_is_tried_again(postgresql_database_url: str, sql: str) -> None:
    with closing(SQLStore(open_database(postgresql_database_url))) as store:
        store.save_registry(Registry(slug="team"), ALICE)
        tries, error = broken_by(store._database, sql)
        assert tries > 1 and isinstance(error, Locked)


# Listeners that are told to stop


def test_a_listener_looks_whether_to_stop_before_its_feed_ceases_to_wait() -> None:
    assert listening.LOOK_S <= feed._CLOSE_S / 2
