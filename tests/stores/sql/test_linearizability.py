"""What writers and readers of one database see of a profile could have happened one after the other."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import closing

import pytest

from livery.core.profile import Registry
from tests.support.linearizability import Operation, is_linearizable
from tests.support.sql_books import Books
from tests.support.sql_processes import AT, SLUGS, SQLWorker, opened, sql_workers

PROCESSES, THREADS, OPERATIONS = 3, 3, 18
"""About fifty operations of each profile, up to nine at a time."""


@pytest.fixture(scope="module")
def workers() -> Iterator[list[SQLWorker]]:
    with sql_workers(PROCESSES + 1) as workers:
        yield workers


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("processes", [1, PROCESSES])
def test_concurrent_operations_have_an_order_and_the_log_is_in_it(
    seed: int, processes: int, database_url: str, workers: list[SQLWorker]
) -> None:
    follower, *workers = workers
    with closing(opened(database_url)) as store:
        store.save_registry(Registry(slug="team"), AT)
        follower.begin("follow_on", url=database_url)
        threads = THREADS * PROCESSES // processes
        for number, worker in enumerate(workers[:processes]):
            request = {"seed": seed * 10 + number, "threads": threads, "operations": OPERATIONS}
            worker.begin("operate", url=database_url, **request)
        found = [operation for worker in workers[:processes] for operation in worker.answer()["operations"]]
        books = Books(store)
        books.close()
    follower.say(str(books.seq))
    followed = follower.answer()
    assert followed["wrong"] == [] and followed["seq"] == books.seq
    for slug in SLUGS:
        history = [
            Operation(called, answered, tuple(asked), tuple(answer))
            for called, answered, of, asked, answer in found
            if of == slug
        ]
        assert len(history) > 20
        assert is_linearizable(history), sorted(history)


# The check itself


def operation(called: int, answered: int, asked: tuple[object, ...], *answer: object) -> Operation:
    return Operation(called, answered, asked, answer)


def test_the_check_takes_any_order_of_what_overlaps() -> None:
    first = operation(0, 10, ("save", None, 7), "saved", 2)
    second = operation(1, 9, ("save", 0, 8), "saved", 1)
    reading = operation(2, 8, ("get",), "found", 1, 8)
    assert is_linearizable([first, second, reading])


@pytest.mark.parametrize(
    "wrong",
    [
        operation(20, 21, ("get",), "absent"),
        operation(20, 21, ("get",), "found", 1, 6),
        operation(20, 21, ("save", 2, 9), "saved", 3),
        operation(20, 21, ("save", None, 9), "saved", 1),
        operation(20, 21, ("save", 1, 9), "conflict", 1),
        operation(20, 21, ("save", 0, 9), "conflict", 2),
        operation(20, 21, ("delete", None, 0), "absent"),
        operation(20, 21, ("get",), "odd", "Traceback"),
    ],
)
def test_the_check_finds_what_cannot_have_been(wrong: Operation) -> None:
    assert is_linearizable([operation(0, 10, ("save", 0, 7), "saved", 1)])
    assert not is_linearizable([operation(0, 10, ("save", 0, 7), "saved", 1), wrong])


def test_the_check_finds_a_stale_read_in_a_long_history() -> None:
    chance = random.Random(1)
    history = [operation(n * 10, n * 10 + chance.randint(11, 60), ("save", None, n), "saved", n + 1) for n in range(60)]
    stale = operation(400, 405, ("get",), "found", 2, 1)
    assert is_linearizable(history) and not is_linearizable([*history, stale])
