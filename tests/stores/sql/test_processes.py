"""Several processes on one database: exactly one wins, all begin together, and nothing of the tests stays behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from livery.core.profile import Registry
from tests.support.sql_books import Books
from tests.support.sql_processes import AT, SQLWorker, numbered, opened, sql_workers
from tests.support.waiting import until

PROCESSES, THREADS, ROUNDS = 4, 5, 8


@pytest.fixture(scope="module")
def workers() -> Iterator[list[SQLWorker]]:
    with sql_workers(PROCESSES) as workers:
        yield workers


@pytest.mark.parametrize("processes", [1, PROCESSES], ids=["threads", "processes"])
def test_of_twenty_writers_with_one_expected_version_exactly_one_wins_each_round(
    processes: int, database_url: str, workers: list[SQLWorker]
) -> None:
    with closing(opened(database_url)) as store:
        store.save_registry(Registry(slug="team"), AT)
        for expected in range(ROUNDS):  # 0: nothing is there yet
            found = compete(workers[:processes], database_url, expected)
            assert [version for outcome, version, _ in found if outcome == "won"] == [expected + 1], found
            lost = [version for outcome, version, _ in found if outcome == "lost"]
            assert lost == [expected + 1] * (PROCESSES * THREADS - 1), found
        books = Books(store)
        books.close()
    assert books.seq == 1 + ROUNDS


def compete(workers: list[SQLWorker], url: str, expected: int) -> list[list[object]]:
    threads = PROCESSES * THREADS // len(workers)
    for number, worker in enumerate(workers):
        first = expected * 1000 + number * 100 + 1
        worker.begin("compete", url=url, expected=expected, threads=threads, first=first)
    return [outcome for worker in workers for outcome in worker.answer()["outcomes"]]


def test_processes_that_make_the_database_at_once_do_not_clash(database_url: str, workers: list[SQLWorker]) -> None:
    for worker in workers:
        worker.begin("begin_schema", url=database_url)
    answers = [worker.answer() for worker in workers]
    assert [answer["error"] for answer in answers] == [""] * PROCESSES
    assert sorted(answer["version"] for answer in answers) == list(range(1, PROCESSES + 1))
    with closing(opened(database_url)) as store:
        Books(store).close()


def test_a_write_of_another_process_is_read_at_once(database_url: str, workers: list[SQLWorker]) -> None:
    with closing(opened(database_url)) as store:
        store.save_registry(Registry(slug="team"), AT)
        store.save_profile(numbered("coder", 1), AT)
        snapshot = store.follow(None)
        workers[0].ask("compete", url=database_url, expected=1, threads=1, first=2)
        found = store.get_profile("team", "coder")
        assert found is not None and found.version == 2
        after = store.follow(snapshot)
        assert [(event.from_version, event.to_version) for event in after.events] == [(1, 2)]


def test_the_server_of_a_killed_test_run_goes_with_it() -> None:
    code = "from tests.support.postgresql import PostgreSQL; print(PostgreSQL().url(), flush=True); input()"
    root = Path(__file__).resolve().parents[3]
    run = subprocess.Popen(
        [sys.executable, "-c", code], cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert run.stdout
    folder = Path(run.stdout.readline().split("host=")[1].split("&")[0].replace("%2F", "/"))
    process = int((folder / "data" / "postmaster.pid").read_text().splitlines()[0])
    run.send_signal(signal.SIGKILL)
    run.communicate()
    until(lambda: not folder.exists() and not is_running(process))


def is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
