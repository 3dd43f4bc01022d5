"""From the end of a write to the moment a subscriber knows: how long a change of a file takes to be seen."""

from __future__ import annotations

import json
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory

from bench.files import registry_text
from bench.results import Figure, Gate, Result
from bench.rounds import measured
from livery import ResolveInput, open_registry
from livery.changes import ChangeFeed

NAME = "change-latency"
MOST_MS = 250.0
PROFILES = 50

_REFERENCE = "watchfiles.watch"
_LARGE = "registry file of 1 MiB"
_LONGEST_S = 30.0
_Edit = Callable[[int], None]
_Subject = Callable[[Path], AbstractContextManager[Callable[[], float]]]


def run(*, quick: bool) -> Result:
    rounds = 10 if quick else 120
    with TemporaryDirectory() as directory, ExitStack() as stack:
        subjects = {
            name: stack.enter_context(subject(Path(directory, f"{number}")))
            for number, (name, subject) in enumerate(_SUBJECTS.items())
        }
        found = measured(subjects, rounds=rounds)
    result = Result(
        NAME,
        f"from the end of a write to the moment a subscriber is told: a registry of {PROFILES} profiles and one of "
        "1 MiB, a profile file of a profile store, an overlay and the manifest of config profiles; every other write "
        "replaces the file by renaming, as editors do",
        f"{_REFERENCE} on one directory with the same times of quiet ({found.median(_REFERENCE):.0f} ms)",
    )
    result.notes.append("that of 1 MiB is reported only: it is parsed and checked as a whole")
    for name in subjects:
        p99 = _percentile(found.found[name], 99)
        result.figures += [
            Figure(f"{name}, p50", found.median(name), "ms", found.ratio(name, _REFERENCE)),
            Figure(f"{name}, p99", p99, "ms", p99 / _percentile(found.found[_REFERENCE], 99)),
        ]
        if name not in (_REFERENCE, _LARGE):
            result.gates.append(Gate(f"{name}, p99 of {rounds}", p99, MOST_MS, "ms"))
    return result


def _percentile(found: list[float], percent: int) -> float:
    return statistics.quantiles(found, n=100, method="inclusive")[percent - 1]


def _registry_file(profiles: int) -> _Subject:
    return partial(_registry_of, profiles)


@contextmanager
def _registry_of(profiles: int, directory: Path) -> Iterator[Callable[[], float]]:
    directory.mkdir()
    text = registry_text(profiles)
    path = directory / "team.yaml"

    def edit(number: int) -> None:
        _save(path, text.replace("Assistant 7\n", f"Assistant 7, {number}\n"), number)

    edit(0)
    with _followed(f"yaml:{path}", "p00007", edit) as subject:
        yield subject


@contextmanager
def _profile_file(directory: Path) -> Iterator[Callable[[], float]]:
    (directory / "profiles").mkdir(parents=True)
    for number in range(PROFILES):
        name = f"p{number}" if number else "default"
        (directory / "profiles" / f"{name}.yaml").write_text(_servers(number))

    def edit(number: int) -> None:
        _save(directory / "profiles" / "p7.yaml", _servers(number), number)

    with _followed(f"profile-store:{directory}", "p7", edit) as subject:
        yield subject


@contextmanager
def _overlay(directory: Path) -> Iterator[Callable[[], float]]:
    def edit(number: int) -> None:
        _save(directory / "profiles" / "p7.toml", _toml(number), number)

    _write_config_profiles(directory)
    with _followed(f"config-profiles:{directory}", "p7", edit) as subject:
        yield subject


@contextmanager
def _manifest(directory: Path) -> Iterator[Callable[[], float]]:
    def edit(number: int) -> None:
        _save(directory / "profiles" / "manifest.json", _manifest_text(f"Number {number}"), number)

    _write_config_profiles(directory)
    with _followed(f"config-profiles:{directory}", "p7", edit) as subject:
        yield subject


def _write_config_profiles(directory: Path) -> None:
    (directory / "profiles").mkdir(parents=True)
    (directory / "wa.toml").write_text(_toml(0))
    for number in range(PROFILES):
        (directory / "profiles" / f"p{number}.toml").write_text(_toml(number))
    (directory / "profiles" / "manifest.json").write_text(_manifest_text("x"))


@contextmanager
def _bare(directory: Path) -> Iterator[Callable[[], float]]:
    """What watchfiles alone takes to tell of a file in a directory, with our times of quiet."""
    from watchfiles import watch

    directory.mkdir()
    seen: SimpleQueue[float] = SimpleQueue()
    stop, began = threading.Event(), threading.Event()

    def follow() -> None:
        changes = watch(
            directory, watch_filter=None, debounce=150, step=50, stop_event=stop, rust_timeout=100,
            yield_on_timeout=True, recursive=False,
        )  # fmt: skip
        for batch in changes:
            began.set()
            if batch:
                seen.put(time.perf_counter())

    thread = threading.Thread(target=follow)
    thread.start()
    began.wait()
    yield _timed(seen, lambda number: _save(directory / "team.yaml", registry_text(PROFILES), number))
    stop.set()
    thread.join()


_SUBJECTS: dict[str, _Subject] = {
    _REFERENCE: _bare,
    "registry file": _registry_file(PROFILES),
    _LARGE: _registry_file(1_250),
    "profile of a profile store": _profile_file,
    "overlay of config profiles": _overlay,
    "manifest of config profiles": _manifest,
}


@contextmanager
def _followed(url: str, profile: str, edit: _Edit) -> Iterator[Callable[[], float]]:
    """A service that follows its source, with one profile in use; each call makes an edit of that profile."""
    service = open_registry(url)
    service.resolve_effective_profile(ResolveInput(profile_slug=profile))
    seen: SimpleQueue[float] = SimpleQueue()

    def take(_: object, changes: list[object]) -> None:
        if changes:
            seen.put(time.perf_counter())

    service.subscribe(take)
    feed = ChangeFeed(service)
    with feed:
        while not feed.is_notified:
            time.sleep(0.01)
        yield _timed(seen, edit)
    service.close()


def _timed(seen: SimpleQueue[float], edit: _Edit) -> Callable[[], float]:
    numbers = count(1)

    def once() -> float:
        while not seen.empty():
            seen.get()
        edit(next(numbers))
        written = time.perf_counter()
        return (seen.get(timeout=_LONGEST_S) - written) * 1000

    return once


def _save(path: Path, text: str, number: int) -> None:
    """Every other time in place, else by renaming a new file."""
    if number % 2:
        path.write_text(text, encoding="utf-8")
        return
    beside = path.with_name(f".{path.name}.new")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


def _servers(number: int) -> str:
    return f"servers:\n  - name: s{number}\n    cmd: [server, --number, '{number}']\n    idleSeconds: {number}\n"


def _toml(number: int) -> str:
    return f'[app]\nname = "assistant {number}"\n\n[app.limits]\nturns = {number}\ntools = ["a", "b"]\n'


def _manifest_text(description: str) -> str:
    stamp = 1767225600000
    profiles = [
        {"name": f"p{n}", "path": f"p{n}.toml", "description": description, "created_at": stamp, "updated_at": stamp}
        for n in range(PROFILES)
    ]
    return json.dumps({"version": 1, "profiles": profiles}, indent=2)
