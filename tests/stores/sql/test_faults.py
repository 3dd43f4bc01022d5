"""What a database does not lose: kills, servers that come and go, full and broken disks, and hostile text."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from functools import partial
from pathlib import Path

import pytest
from msgspec.structs import replace

from livery.core.names import Reference
from livery.core.profile import Metadata, Profile, Registry, RuntimeSpec
from livery.errors import LiveryError, NotFound, SourceUnavailable, Unavailable
from livery.stores.protocols import EventQuery, HistoryStore, WriteOptions
from livery.stores.sql import open_database
from tests.support.config_profiles import opened_up
from tests.support.postgresql import PostgreSQL
from tests.support.registries import without_power
from tests.support.sql_books import Books
from tests.support.sql_processes import AT, SQLWorker, numbered, opened, sql_workers
from tests.support.waiting import until

KILLS = int(os.environ.get("LIVERY_KILLS", "40"))
WRITERS = 2


@pytest.fixture(scope="module")
def workers() -> Iterator[list[SQLWorker]]:
    with sql_workers(WRITERS + 1) as workers:
        yield workers


@pytest.fixture
def store(database_url: str) -> Iterator[HistoryStore]:
    with closing(opened(database_url)) as store:
        store.save_registry(Registry(slug="team"), AT)
        yield store


# Kills


def test_what_was_acknowledged_before_a_kill_is_there_and_nothing_is_half_there(
    store: HistoryStore, database_url: str, workers: list[SQLWorker]
) -> None:
    """``LIVERY_KILLS=500`` kills more often."""
    follower, writer, _ = workers
    chance = random.Random(7)
    books = Books(store)
    follower.begin("follow_on", url=database_url)
    for turn in range(1, KILLS + 1):
        killed = writer.ask("write_on", url=database_url, turn=turn, kill_after_s=chance.uniform(0, 0.03))
        assert killed["said"]
        books.demand(killed["said"])
    books.close()
    follower.say(str(books.seq))
    followed = follower.answer()
    assert followed["wrong"] == [] and followed["unavailable"] == 0 and followed["seq"] == books.seq


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_a_kill_while_the_database_is_made_leaves_nothing_in_the_way(
    engine: str, workers: list[SQLWorker], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    chance = random.Random(7)
    for turn in range(KILLS // 4):
        with ExitStack() as stack:
            url = f"sqlite:{tmp_path / str(turn) / 'livery.db'}"
            if engine == "postgresql":
                server: PostgreSQL = request.getfixturevalue("shared_postgresql")
                url = server.url(stack.enter_context(server.database()))
            killed = workers[0].ask("begin_and_be_killed", url=url, kill_after_s=chance.uniform(0, 0.08))
            store = stack.enter_context(closing(opened(url)))
            version = store.save_registry(Registry(slug="team"), AT).version
            assert version in ((2,) if "done" in killed["said"] else (1, 2))
            Books(store).close()


# A server that comes and goes


def test_a_server_that_comes_and_goes_loses_nothing_and_its_followers_miss_nothing(
    postgresql_server: PostgreSQL, workers: list[SQLWorker]
) -> None:
    server = postgresql_server
    follower, *writers = workers
    with server.database() as name, closing(opened(server.url(name))) as store:
        store.save_registry(Registry(slug="team"), AT)
        follower.begin("follow_on", url=server.url(name))
        for number, writer in enumerate(writers, start=1):
            writer.begin("write_under_faults", url=server.url(name), first=number * 1_000_000, threads=2)
        for fault in ["stop", "kill", "disconnect"] * 3:
            await_writes(store)
            do(fault, server, name)
        await_writes(store)
        ended = [writer.end() for writer in writers]
        assert [end["odd"] for end in ended] == [[], []]
        assert any(end["unavailable"] for end in ended)
        books = Books(store)
        books.demand([said for end in ended for said in end["said"]])
        books.close()
        follower.say(str(books.seq))
        assert follower.answer()["wrong"] == []


def test_a_change_that_a_crash_has_taken_is_not_said_to_be_stored(postgresql_server: PostgreSQL) -> None:
    """After a crash the server gives the number of a transaction that left no trace to another one."""
    server = postgresql_server
    with server.database() as name, closing(opened(server.url(name))) as store:
        store.save_registry(Registry(slug="team"), AT)
        database = open_database(server.url(name))
        with pytest.raises(SourceUnavailable), database.writing("profiles") as connection:
            connection.execute("UPDATE profile_registries SET description = 'lost'")
            server.kill()
            server.start()
            for number in range(5):
                store.save_profile(numbered("coder", number + 1), AT)
        database.close()
        assert store.load_registries().registries[0].description == ""


def await_writes(store: HistoryStore, count: int = 20) -> None:
    def number() -> int | None:
        with suppress(Unavailable):
            return store.facts().seq
        return None

    first = until(number)
    until(lambda: (number() or 0) >= (first or 0) + count)


def do(fault: str, server: PostgreSQL, database: str) -> None:
    if fault == "disconnect":
        server.disconnect(database)
        return
    {"stop": server.stop, "kill": server.kill}[fault]()
    server.start()


def test_a_server_that_is_not_there_is_said_to_be_unavailable_and_is_used_again(postgresql_server: PostgreSQL) -> None:
    with postgresql_server.database() as name, closing(opened(postgresql_server.guarded_url(name))) as store:
        store.save_registry(Registry(slug="team"), AT)
        snapshot = store.follow(None)
        postgresql_server.stop()
        for ask in (store.load_registries, lambda: store.follow(snapshot), lambda: store.save_profile(CODER, AT)):
            with pytest.raises(SourceUnavailable) as caught:
                ask()
            assert "battery" not in str(caught.value)
        postgresql_server.start()
        assert store.save_profile(CODER, AT).version == 1
        assert [event.profile for event in store.follow(snapshot).events] == ["coder"]


# SQLite: the disk and the file


@pytest.mark.parametrize("limit", ["a full disk", "a file that may not grow"])
def test_a_write_that_has_no_room_is_refused_whole_and_writing_goes_on_when_there_is_room(
    limit: str, tmp_path: Path
) -> None:
    with closing(SQLWorker(small_disk=tmp_path if limit == "a full disk" else None)) as worker:
        filled = worker.ask("fill", directory=str(tmp_path))
    assert "SourceUnavailable" in filled["refused"] and str(tmp_path / "livery.db") in filled["refused"]
    assert filled["before"] > 1 and filled["after"] == filled["before"] + 1


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A database of twenty profiles, closed, in a directory of its own."""
    path = tmp_path / "own" / "livery.db"
    with closing(opened(f"sqlite:{path}")) as store:
        store.save_registry(Registry(slug="team"), AT)
        for number in range(100):
            store.save_profile(replace(numbered(f"p{number % 20}", number), description="words " * 40), AT)
    return path


def test_a_log_that_was_cut_short_leaves_a_state_that_was_committed(file: Path) -> None:
    """As a loss of power leaves it: the log of SQLite ends anywhere, or with something else."""
    chance = random.Random(7)
    with closing(opened(f"sqlite:{file}")) as store:
        for number in range(100, 160):
            store.save_profile(numbered(f"p{number % 20}", number), AT)
        whole, log = file.read_bytes(), file.with_name("livery.db-wal").read_bytes()
        last = store.facts().seq
    found = set()
    for turn in range(KILLS):
        cut = file.with_name(f"{turn}.db")
        cut.write_bytes(whole)
        at = chance.randrange(len(log))
        cut.with_name(f"{turn}.db-wal").write_bytes(log[:at] + chance.choice([b"", chance.randbytes(len(log) - at)]))
        with closing(opened(f"sqlite:{cut}")) as store:
            books = Books(store)
            books.close()
            found.add(books.seq)
    assert len(found) > 5 and max(found) <= (last or 0)


def test_a_directory_in_the_place_of_the_file_is_unavailable(tmp_path: Path) -> None:
    with closing(opened(f"sqlite:{tmp_path}")) as store:
        for ask in (store.load_registries, lambda: store.save_profile(CODER, AT), lambda: store.follow(None)):
            with pytest.raises(SourceUnavailable, match="directory"):
                ask()


def test_a_file_that_is_not_there_is_not_found_and_not_made_by_reading(tmp_path: Path) -> None:
    with closing(opened(f"sqlite:{tmp_path / 'x' / 'livery.db'}")) as store:
        for ask in (store.load_registries, lambda: store.get_profile("team", "coder")):
            with pytest.raises(NotFound):
                ask()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("folder_too", [False, True], ids=["the file", "its directory too"])
def test_what_may_only_be_read_is_read_and_not_written(folder_too: bool, file: Path) -> None:
    opened_up(file.parent).chmod(0o555 if folder_too else 0o777)
    file.chmod(0o444)
    with without_power(), closing(opened(f"sqlite:{file}")) as store:
        assert len(store.load_registries().registries[0].profiles) == 20
        held = store.follow(None).profile("team", "p7")
        assert held is not None and held.version == 5
        with pytest.raises(LiveryError) as caught:
            store.save_profile(CODER, AT)
        assert str(file) in str(caught.value)


@pytest.mark.parametrize("seed", range(8))
def test_a_damaged_file_is_a_clear_error_or_what_can_be_read_of_it(seed: int, file: Path) -> None:
    chance, whole = random.Random(seed), file.read_bytes()
    for turn in range(25):
        damaged = file.with_name(f"{turn}.db")
        damaged.write_bytes(_damaged(whole, chance))
        with closing(opened(f"sqlite:{damaged}")) as store:
            for ask in _questions(store):
                with suppress(LiveryError):
                    ask()


def _damaged(whole: bytes, chance: random.Random) -> bytes:
    data = bytearray(whole)
    kind = chance.choice(["bits", "bytes", "page", "head", "cut"])
    at = chance.randrange(len(data))
    if kind == "bits":
        for _ in range(chance.randint(1, 20)):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    elif kind == "bytes":
        data[at : at + 200] = chance.randbytes(len(data[at : at + 200]))
    elif kind == "page":
        data[at - at % 4096 : at - at % 4096 + 4096] = bytes(4096)
    elif kind == "head":
        data[chance.randrange(100)] = chance.randrange(256)
    else:
        del data[at:]
    return bytes(data)


def _questions(store: HistoryStore) -> Iterator[Callable[[], object]]:
    """Everything that may be asked of a store, reading and writing."""
    reference = Reference("team", "p3")
    yield store.load_registries
    yield lambda: store.changes("")
    yield store.facts
    yield lambda: store.events(EventQuery())
    yield lambda: store.seq_at(5_000)
    for slug in ("p3", "p19", "nobody"):
        yield partial(store.get_profile, "team", slug)
        yield partial(store.revision, "team", slug, 2)
        yield lambda slug=slug: store.follow(None).profile("team", slug)
    yield lambda: store.follow(None).count("team")
    yield lambda: store.follow(None).names("team", prefix="p", limit=5)
    yield lambda: store.follow(None).page("team", limit=50, query="words")
    yield lambda: store.follow(None).users(reference)
    yield lambda: store.snapshot_at(50).page("team", limit=50)
    yield lambda: store.save_profile(numbered("p3", 1_000), AT)
    yield lambda: store.delete_profile(reference, AT)
    yield lambda: store.delete_registry("team", AT)


# Hostile text

CODER = numbered("coder", 1)
HOSTILE = [
    "'; DROP TABLE profiles; --",
    '" OR ""="',
    "%s %(x)s ? ?1 $1 :x @x {x} %%",
    "100%_\\%",
    "\\x00\\u0000\\n\\",
    "E'\\\\' || pg_sleep(9) || $$x$$",
    "line\nbreak\r\n\ttab\v\x1b[31m\x7f\x85\u2028",
    "\u202eright to left\ufeff\u200b",
    "é e\u0301 漢字 🦊 \U0010ffff \ufffe",
    '[{"$secret": 1}]',
    "x" * 60_000,
    "",
    " ",
]
UNWRITABLE = ["nul \x00 within", "half a pair \ud800"]
NUMBERED = range(len(HOSTILE) + len(UNWRITABLE))


@pytest.mark.parametrize("text", HOSTILE, ids=NUMBERED[: len(HOSTILE)])
def test_hostile_text_comes_back_as_it_was_in_every_field(text: str, store: HistoryStore) -> None:
    options = WriteOptions(actor=text, source=text, request_id=text, action="update", diff=text, at_ms=1)
    saved = store.save_profile(_everywhere(text), options)
    assert saved.description == text
    assert store.get_profile("team", "coder") == saved == store.revision("team", "coder", 1)
    assert store.follow(None).profile("team", "coder") == saved
    (event,) = store.events(EventQuery(limit=1))
    assert (event.actor, event.source, event.request_id, event.diff) == (text, text, text, text)


@pytest.mark.parametrize("text", [*HOSTILE, *UNWRITABLE], ids=NUMBERED)
def test_hostile_text_in_a_question_finds_nothing_and_breaks_nothing(text: str, store: HistoryStore) -> None:
    store.save_profile(CODER, AT)
    for ask in _hostile_questions(store, text):
        with suppress(LiveryError):
            assert ask() in (None, [], 0)
    with suppress(LiveryError):
        store.save_profile(replace(CODER, slug=text), AT)
    Books(store).read_on()
    assert store.get_profile("team", "coder") is not None


@pytest.mark.parametrize("text", UNWRITABLE, ids=["nul", "surrogate"])
@pytest.mark.parametrize("field", ["display_name", "description"])
def test_text_that_no_database_holds_is_refused_and_names_its_field(field: str, text: str, store: HistoryStore) -> None:
    with pytest.raises(LiveryError, match=field):
        store.save_profile(replace(CODER, **{field: text}), AT)
    assert store.get_profile("team", "coder") is None


@pytest.mark.parametrize("text", UNWRITABLE, ids=["nul", "surrogate"])
def test_text_that_no_database_holds_is_kept_or_refused_within_documents_and_circumstances(
    text: str, store: HistoryStore
) -> None:
    for profile, options in (
        (replace(CODER, runtime=RuntimeSpec(system_prompt=text)), AT),
        (replace(CODER, extensions={"a.b@v1": {text: text}}), AT),
        (replace(CODER, metadata=Metadata(tags=(text,))), AT),
        *((CODER, AT._replace(**{name: text})) for name in ("actor", "source", "request_id", "action", "diff")),
    ):
        with suppress(LiveryError):
            saved = store.save_profile(profile, options)
            assert store.get_profile("team", "coder") == saved
    assert store.follow(None).broken == ()


def _everywhere(text: str) -> Profile:
    return replace(
        CODER,
        display_name=text,
        description=text,
        runtime=RuntimeSpec(system_prompt=text, tools=[text], step_settings_patch={"chat": {text or "x": [text]}}),
        extensions={"a.b@v1": {text: {text: text}}},
        metadata=Metadata(tags=(text,)),
    )


def _hostile_questions(store: HistoryStore, text: str) -> Iterator[Callable[[], object]]:
    snapshot = store.follow(None)
    for registry, slug in ((text, text), ("team", text or "-"), (text, "coder")):
        yield partial(store.get_profile, registry, slug)
        yield partial(snapshot.profile, registry, slug)
        yield partial(store.revision, registry, slug, 1)
        yield partial(store.delete_profile, Reference(registry, slug), AT)
    yield lambda: store.delete_registry(text, AT)
    yield lambda: snapshot.count(text)
    yield lambda: snapshot.names(text)
    yield lambda: snapshot.users(Reference(text, text))
    yield lambda: snapshot.users_of_registry(text)
    if text.strip():  # what is empty asks for any
        yield lambda: snapshot.names("team", prefix=text)
        yield lambda: snapshot.page("team", limit=5, query=text)
        yield lambda: snapshot.page("team", limit=5, tag=text)
        yield lambda: store.events(EventQuery(registry=text))
        yield lambda: store.events(EventQuery(profile=text))
        yield lambda: store.events(EventQuery(actor=text))
        yield lambda: store.events(EventQuery(action=text))
