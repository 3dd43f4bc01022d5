"""Loading a whole profile store, from ``open_registry`` to ``list_profiles``, against parsing the same files."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.layouts import write_profile_store
from bench.results import Result, figures
from bench.rounds import measured
from livery import open_registry

NAME = "profile-store-loading"
COUNT, QUICK_COUNT = 1_000, 100

_REFERENCE = "ryaml"


def run(*, quick: bool) -> Result:
    from ryaml import loads  # type: ignore[attr-defined]
    from yaml import CSafeLoader, load

    count = QUICK_COUNT if quick else COUNT
    with TemporaryDirectory() as name:
        directory = Path(name)
        write_profile_store(directory, count)
        url = f"profile-store:{directory}?registry=team"
        subjects = {
            _REFERENCE: lambda: _parsing(directory, loads),
            "PyYAML CSafeLoader": lambda: _parsing(directory, lambda text: load(text, CSafeLoader)),
            "livery": lambda: _loading(url, count),
        }
        rounds = measured(subjects, rounds=3 if quick else 7)
        size = sum(path.stat().st_size for path in directory.glob("profiles/*.yaml")) / count
    return Result(
        NAME,
        f"a store of {count:,} profiles of {size / 1024:.2f} KiB with three servers each; open_registry to "
        "list_profiles: read, parsed, checked, placed, listed",
        "ryaml parsing the same files, without Livery, the collector off",
        figures=figures(rounds, "s", _REFERENCE),
        notes=["reported only"],
    )


def _parsing(directory: Path, loads: Callable[[str], Any]) -> float:
    gc.collect()
    gc.disable()
    begin = time.perf_counter()
    documents = [loads(path.read_text("utf-8")) for path in sorted(directory.rglob("*.yaml"))]
    seconds = time.perf_counter() - begin
    gc.enable()
    del documents
    return seconds


def _loading(url: str, count: int) -> float:
    gc.collect()
    begin = time.perf_counter()
    profiles = open_registry(url).list_profiles()
    seconds = time.perf_counter() - begin
    broken = [profile.error for profile in profiles if profile.error]
    if broken or len(profiles) != count + 1:
        raise AssertionError(f"{len(profiles)} profiles, {len(broken)} of them broken: {broken[:1]}")
    return seconds
