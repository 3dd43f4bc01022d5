"""Listing many config profiles, which takes the manifest alone, against a scan that parses every overlay."""

from __future__ import annotations

import time
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import rtoml

from bench.layouts import write_config_profiles
from bench.results import Gate, Result, figures
from bench.rounds import Rounds, measured
from livery import open_registry
from livery.stores.opening import open_source

NAME = "config-listing"
LEAST = 20.0
MOST_OVER_SMALL = 1.5
COUNT, QUICK_COUNT = 10_000, 500
SIZES = (1024, 20 * 1024)
SAMPLE = 250
"""As many of the larger overlays are parsed, and the time for all of them reckoned from that."""

_SERVICE, _STORE = "open_registry and list_profiles", "the store alone"
_TOMLLIB, _RTOML = "scan with tomllib", "scan with rtoml"


def run(*, quick: bool) -> Result:
    count = QUICK_COUNT if quick else COUNT
    result = Result(
        NAME,
        f"a list of {count:,} config profiles from their manifest, the source freshly opened each time",
        "listing the directory and parsing each overlay with tomllib",
        notes=[f"of overlays over 1 KiB the scans parse {SAMPLE}, and the time for all is reckoned from that"],
    )
    listed = []
    for size in SIZES:
        with TemporaryDirectory() as name:
            write_config_profiles(Path(name), count, size=size)
            listed.append(_add(result, Path(name), count, size, quick=quick))
    larger = listed[-1] / listed[0]
    result.gates.append(Gate("the list with overlays of 20 KiB", larger, MOST_OVER_SMALL, "x that with 1 KiB"))
    return result


def _add(result: Result, directory: Path, count: int, size: int, *, quick: bool) -> float:
    rounds = _measured(directory, count, size, rounds=3 if quick else 5)
    what = f"overlays of {size // 1024} KiB"
    result.figures += [replace(f, what=f"{what}: {f.what}") for f in figures(rounds, "s", _TOMLLIB)]
    quicker = rounds.ratio(_TOMLLIB, _SERVICE)
    result.gates.append(Gate(f"{what}: the list", quicker, LEAST, "x quicker than the scan", at_least=True))
    return min(rounds.found[_SERVICE])


def _measured(directory: Path, count: int, size: int, *, rounds: int) -> Rounds:
    url = f"config-profiles:{directory}?app=team"
    parsed = min(count, SAMPLE) if size > SIZES[0] else count
    subjects = {
        _TOMLLIB: lambda: _seconds(lambda: _scan(directory, tomllib.loads, parsed), parsed) * count / parsed,
        _RTOML: lambda: _seconds(lambda: _scan(directory, rtoml.loads, parsed), parsed) * count / parsed,
        _SERVICE: lambda: _seconds(lambda: len(open_registry(url).list_profiles()), count + 1),
        _STORE: lambda: _seconds(lambda: _held(url), count + 1),
    }
    return measured(subjects, rounds=rounds)


def _scan(directory: Path, loads: Callable[[str], Any], most: int) -> int:
    found = {path.stem: loads(path.read_text("utf-8")) for path in sorted(directory.glob("profiles/*.toml"))[:most]}
    return len(found)


def _held(url: str) -> int:
    return sum(len(registry.profiles) for registry in open_source(url).store.load_registries().registries)


def _seconds(subject: Callable[[], int], expected: int) -> float:
    begin = time.perf_counter()
    found = subject()
    seconds = time.perf_counter() - begin
    if found != expected:
        raise AssertionError(f"{found} profiles instead of {expected}")
    return seconds
