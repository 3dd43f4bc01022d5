"""A commit that was not answered is looked up: what is stored is reported as stored, and nothing is stored twice."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from livery.core.profile import Profile, Registry
from livery.errors import SourceUnavailable
from livery.stores.protocols import EventQuery, WriteOptions
from livery.stores.sql import SQLStore, open_database
from tests.support.postgresql import PostgreSQL
from tests.support.waiting import until

ALICE = WriteOptions(actor="alice", at_ms=1_000)
CODER = Profile(slug="coder", registry="team")
COMMITTING = "SELECT pid FROM pg_stat_activity WHERE query = 'COMMIT' AND wait_event IN ('SyncRep', 'PgSleep')"
SLOW = """CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    PERFORM pg_sleep(3600) WHERE NEW.at_ms = 1000; RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON profile_events DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION slow()"""


@pytest.fixture(scope="module")
def server() -> Iterator[PostgreSQL]:
    """A server that can be told to wait for a standby, of which there is none."""
    server = PostgreSQL(wal_level="replica", max_wal_senders="2")
    yield server
    server.close()


@pytest.fixture
def name(server: PostgreSQL) -> Iterator[str]:
    with server.database() as name:
        yield name


@pytest.fixture
def store(server: PostgreSQL, name: str) -> Iterator[SQLStore]:
    store = SQLStore(open_database(server.url(name)))
    store.save_registry(Registry(slug="team"), ALICE)
    yield store
    store.close()


def cut_while_committing(server: PostgreSQL) -> None:
    ((process,),) = until(lambda: server.execute(COMMITTING))
    server.execute("SELECT pg_terminate_backend(%s)", [process])


def wait_for_standby(server: PostgreSQL, standby: str) -> None:
    server.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{standby}'")
    server.execute("SELECT pg_reload_conf()")
    until(lambda: server.execute("SHOW synchronous_standby_names") == [(standby,)])


@pytest.mark.parametrize("in_transaction", [False, True])
def test_what_was_stored_is_stored_once(server: PostgreSQL, store: SQLStore, in_transaction: bool) -> None:
    versions: list[int] = []

    def write() -> None:
        if in_transaction:
            with store.transaction() as transaction:
                versions.append(transaction.save_profile(CODER, ALICE).version)
        else:
            versions.append(store.save_profile(CODER, ALICE).version)

    writer = threading.Thread(target=write)
    wait_for_standby(server, "nobody")
    writer.start()
    cut_while_committing(server)
    wait_for_standby(server, "")
    writer.join()
    assert (versions, [event.seq for event in store.events(EventQuery())]) == ([1], [2, 1])


def test_what_was_not_stored_is_written_again(server: PostgreSQL, name: str, store: SQLStore) -> None:
    server.execute(SLOW, database=name)
    versions: list[int] = []
    writer = threading.Thread(target=lambda: versions.append(store.save_profile(CODER, ALICE).version))
    writer.start()
    ((process,),) = until(lambda: server.execute(COMMITTING))
    server.execute(
        "CREATE OR REPLACE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$",
        database=name,
    )
    server.execute("SELECT pg_terminate_backend(%s)", [process])
    writer.join()
    assert (versions, [event.seq for event in store.events(EventQuery())]) == ([1], [2, 1])


def test_a_transaction_that_was_not_stored_says_so(server: PostgreSQL, name: str, store: SQLStore) -> None:
    server.execute(SLOW, database=name)
    cutter = threading.Thread(target=cut_while_committing, args=(server,))
    cutter.start()
    with pytest.raises(SourceUnavailable, match="nothing of it is"), store.transaction() as transaction:
        transaction.save_profile(CODER, ALICE)
    cutter.join()
    assert store.get_profile("team", "coder") is None
