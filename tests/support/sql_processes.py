"""Processes that write to a database and follow it: each request is a line of JSON, each answer one on standard output.

A request that goes on for ever ends with the next line. Writers to be killed are forked from a process that has
everything imported and no database open.
"""

from __future__ import annotations

import importlib
import json
import random
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from livery.core.names import Reference
from livery.core.profile import Profile, Registry, RuntimeSpec
from livery.errors import LiveryError, ProfileNotFound, Unavailable, VersionConflict
from livery.stores.opening import open_source
from livery.stores.protocols import HistoryStore, Snapshot, WriteOptions
from tests.support.fault_server import forked
from tests.support.faults import FaultServer
from tests.support.lines import Lines

AT = WriteOptions(actor="alice", source="test", at_ms=1_000)
SLUGS = ("coder", "reviewer", "writer")
LOADED_ON_DEMAND = ("livery.stores.sql.sqlite", "livery.stores.sql.postgresql", "livery.stores.sql.store", "psycopg")

DISK = 2 * 1024 * 1024
"""The room on a small disk, and the size to which a file may grow."""

Operation = list[Any]
"""When it was called and when it came back, on which profile, what was asked, and the answer."""


class SQLWorker(FaultServer):
    """One such process; with ``small_disk`` that directory is a disk of its own to it, with little room."""

    def __init__(self, *, small_disk: Path | None = None) -> None:
        root = Path(__file__).resolve().parents[2]
        command = [sys.executable, "-m", "tests.support.sql_processes"]
        if small_disk is not None:
            mounted = f'mount -t tmpfs -o size={DISK} none "$0" && exec "$@"'
            command = ["unshare", "--map-root-user", "--mount", "sh", "-c", mounted, str(small_disk), *command]
        self._process = subprocess.Popen(
            command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )

    def end(self) -> dict[str, Any]:
        """The answer to a request that goes on until it is told to end."""
        self.say("end")
        return self.answer()


@contextmanager
def sql_workers(count: int) -> Iterator[list[SQLWorker]]:
    """Some processes, gone afterwards."""
    workers = [SQLWorker() for _ in range(count)]
    try:
        yield workers
    finally:
        for worker in workers:
            worker.close()


def opened(url: str) -> HistoryStore:
    store = open_source(url).store
    assert isinstance(store, HistoryStore)
    return store


def numbered(slug: str, number: int) -> Profile:
    """A profile that holds a number twice, so that half of one would show."""
    settings = {"chat": {"max_response_tokens": number}, "client": {"timeout": number}}
    return Profile(slug=slug, registry="team", runtime=RuntimeSpec(step_settings_patch=settings))


def number_of(profile: Profile) -> int:
    settings: Any = profile.runtime.step_settings_patch
    one, other = settings["chat"]["max_response_tokens"], settings["client"]["timeout"]
    assert one == other, f"{profile.slug} is half written: {one}, {other}"
    return int(one)


# Writing


def write_once(store: HistoryStore, slug: str, number: int) -> list[Any]:
    """Save a profile, or now and then delete it: slug, version before, version now (0: deleted), number.

    It is made again where it meets what a writer that was killed has asked a server for, which goes on with it.
    """
    while True:
        with suppress(VersionConflict, ProfileNotFound):
            return _written_once(store, slug, number)


def _written_once(store: HistoryStore, slug: str, number: int) -> list[Any]:
    held = store.get_profile("team", slug)
    before = held.version if held else 0
    options = AT._replace(expected_version=before, request_id=str(number))
    if held and number % 7 == 0:
        store.delete_profile(Reference("team", slug), options)
        return [slug, before, 0, number]
    return [slug, before, store.save_profile(numbered(slug, number), options).version, number]


def write_on(url: str, turn: int, kill_after_s: float) -> dict[str, Any]:
    """Let a writer write until it is killed, some time after its first write; gives what it said was written."""

    def child(say: Callable[[Any], None]) -> None:
        store = opened(url)
        number = turn * 1_000_000
        while True:
            number += 1
            say(write_once(store, SLUGS[number % len(SLUGS)], number))

    return {"said": forked(child, kill_after_s)[0]}


def begin_and_be_killed(url: str, kill_after_s: float) -> dict[str, Any]:
    """Let a process make the database and a registry in it until it is killed."""

    def child(say: Callable[[Any], None]) -> None:
        say("begun")
        opened(url).save_registry(Registry(slug="team"), AT)
        say("done")
        time.sleep(30)

    return {"said": forked(child, kill_after_s)[0]}


def write_under_faults(url: str, first: int, threads: int) -> dict[str, Any]:
    """Write in some threads until told to end, whatever becomes of the server: what was acknowledged, and the rest."""
    store = opened(url)
    said: list[list[Any]] = []
    unavailable: list[str] = []
    odd: list[str] = []

    def work(ended: threading.Event, number: int) -> None:
        while not ended.is_set():
            number += threads
            try:
                said.append(write_once(store, SLUGS[number % len(SLUGS)], number))
            except (VersionConflict, ProfileNotFound):
                continue
            except Unavailable as error:
                unavailable.append(str(error))
                ended.wait(0.01)
            except BaseException:
                odd.append(traceback.format_exc())

    _until_told([partial(work, number=first + thread) for thread in range(threads)])
    store.close()
    return {"said": said, "unavailable": unavailable, "odd": odd}


def compete(url: str, expected: int, threads: int, first: int) -> dict[str, Any]:
    """Save one profile in some threads at once, all expecting the same version: who won, what the others heard."""
    store = opened(url)
    outcomes: list[list[Any]] = []
    barrier = threading.Barrier(threads)

    def work(number: int) -> None:
        barrier.wait()
        try:
            saved = store.save_profile(numbered("coder", number), AT._replace(expected_version=expected))
            outcomes.append(["won", saved.version, number])
        except VersionConflict as conflict:
            outcomes.append(["lost", conflict.actual, number])
        except BaseException:
            outcomes.append(["odd", 0, traceback.format_exc()])

    _all([partial(work, first + thread) for thread in range(threads)])
    store.close()
    return {"outcomes": outcomes}


def begin_schema(url: str) -> dict[str, Any]:
    """Write to a database that has nothing in it yet, at the same time as others."""
    store = opened(url)
    try:
        return {"version": store.save_registry(Registry(slug="team"), AT).version, "error": ""}
    except LiveryError as error:
        return {"version": 0, "error": f"{type(error).__name__}: {error}"}
    finally:
        store.close()


def operate(url: str, seed: int, threads: int, operations: int) -> dict[str, Any]:
    """Random operations on a few profiles in some threads: each with the times of its call and its answer."""
    store = opened(url)
    found: list[Operation] = []
    barrier = threading.Barrier(threads)

    def work(thread: int) -> None:
        chance = random.Random(f"{seed} {thread}")
        barrier.wait()
        for turn in range(operations):
            slug = chance.choice(SLUGS)
            asked = _asked(chance, store, slug, (seed * threads + thread) * 10_000 + turn)
            called = time.monotonic_ns()
            answer = _answer(store, slug, asked)
            found.append([called, time.monotonic_ns(), slug, asked, answer])

    _all([partial(work, thread) for thread in range(threads)])
    store.close()
    return {"operations": found}


def _asked(chance: random.Random, store: HistoryStore, slug: str, number: int) -> list[Any]:
    kind = chance.choices(["get", "follow", "save", "swap", "create", "delete"], [3, 2, 2, 5, 2, 2])[0]
    if kind in ("get", "follow"):
        return [kind]
    if kind == "swap":
        held = store.get_profile("team", slug)
        return ["save", held.version if held else chance.randint(1, 3), number]
    expected = {"save": None, "create": 0, "delete": None}[kind]
    return ["delete" if kind == "delete" else "save", expected, number]


def _answer(store: HistoryStore, slug: str, asked: list[Any]) -> list[Any]:
    try:
        if asked[0] == "save":
            return [
                "saved",
                store.save_profile(numbered(slug, asked[2]), AT._replace(expected_version=asked[1])).version,
            ]
        if asked[0] == "delete":
            store.delete_profile(Reference("team", slug), AT)
            return ["deleted"]
        held = store.get_profile("team", slug) if asked[0] == "get" else store.follow(None).profile("team", slug)
        return ["found", held.version, number_of(held)] if held else ["absent"]
    except VersionConflict as conflict:
        return ["conflict", conflict.actual]
    except ProfileNotFound:
        return ["absent"]
    except BaseException:
        return ["odd", traceback.format_exc()]


def fill(directory: str) -> dict[str, Any]:
    """Write until there is no room, then make room and write again: what was refused, and the last number before."""
    store = opened(f"sqlite:{directory}/livery.db")
    store.save_registry(Registry(slug="team"), AT)
    refused = ""
    number = 0
    with _little_room(Path(directory)):
        while not refused:
            number += 1
            try:
                store.save_profile(_large(number), AT)
            except Unavailable as error:
                refused = f"{type(error).__name__}: {error}"
        before = store.facts().seq
        held = store.get_profile("team", "coder")
        assert held is not None and held.version == number - 1 == number_of(held)
    store.save_profile(_large(number), AT)
    return {"refused": refused, "before": before, "after": store.facts().seq}


def _large(number: int) -> Profile:
    return replace(numbered("coder", number), description="words " * 2_000)


@contextmanager
def _little_room(directory: Path) -> Iterator[None]:
    """Half of a small disk is taken, or no file may grow further than that; afterwards there is room again."""
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    ballast = directory / "ballast"
    if directory.is_mount():
        ballast.write_bytes(bytes(DISK // 2))
    else:
        resource.setrlimit(resource.RLIMIT_FSIZE, (DISK, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
        ballast.unlink(missing_ok=True)


# Following


def follow_on(url: str) -> dict[str, Any]:
    """Follow a store until told the number to stop at: what was wrong, and how often it was a new state."""
    store = opened(url)
    wrong: list[str] = []
    state: list[Snapshot] = []
    states = unavailable = target = 0
    deadline = 0.0
    while not target or (not state or state[0].seq < target):
        if not target and LINES.is_waiting(0.001):
            target, deadline = int(LINES.read()), time.monotonic() + 30
        if target and time.monotonic() > deadline:
            wrong.append(f"it never came to {target}")
            break
        try:
            states += _follow(store, state, wrong)
        except Unavailable:
            unavailable += 1
        except BaseException:
            wrong.append(traceback.format_exc())
    store.close()
    return {"wrong": wrong, "states": states, "unavailable": unavailable, "seq": state[0].seq if state else 0}


def _follow(store: HistoryStore, state: list[Snapshot], wrong: list[str]) -> bool:
    """One look: whether there was something new; every event comes once, in order, with the profiles as of then."""
    before = state[0] if state else None
    after = store.follow(before)
    if after is before:
        return False
    state[:] = [after]
    if before is not None:
        numbers = [event.seq for event in after.events]
        if after.follows != before.seq or numbers != list(range(before.seq + 1, after.seq + 1)):
            wrong.append(f"{before.seq} is followed by {after.seq}, of {after.follows}, with {numbers}")
    last = {(event.registry, event.profile): event.to_version for event in after.events if event.profile}
    for (registry, slug), version in last.items():
        held = after.profile(registry, slug)
        if (held.version if held else 0) != version:
            wrong.append(f"as of {after.seq} {slug} is {held.version if held else 0} and not {version}")
    return True


# Requests


LINES = Lines()


def _all(works: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _until_told(works: list[Callable[[threading.Event], None]]) -> None:
    ended = threading.Event()
    threads = [threading.Thread(target=work, args=(ended,)) for work in works]
    for thread in threads:
        thread.start()
    LINES.read()
    ended.set()
    for thread in threads:
        thread.join()


REQUESTS: dict[str, Callable[..., dict[str, Any]]] = {
    work.__name__: work
    for work in (
        *(write_on, begin_and_be_killed, write_under_faults, fill),
        *(compete, begin_schema, operate, follow_on),
    )
}


def main() -> None:
    for module in LOADED_ON_DEMAND:
        with suppress(ImportError):
            importlib.import_module(module)
    while line := LINES.read():
        request = json.loads(line)
        print(json.dumps(REQUESTS[request.pop("do")](**request)), flush=True)


if __name__ == "__main__":
    main()
