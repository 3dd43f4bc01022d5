"""Loading a whole file of profiles, from ``open_registry`` to ``list_profiles``, each time in a fresh process."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from bench.files import legacy_text, registry_text
from bench.results import Gate, Result, figures
from bench.rounds import Rounds, measured

NAME = "loading"
MOST_S = 3.0
MOST_MB = 150.0
GATED = 10_000
COUNTS = (1_000, GATED)
QUICK_COUNTS = (100, 1_000)

_REFERENCE = "ryaml"
_TEXTS = {"registry file": registry_text, "legacy map": legacy_text}
_MB = 1024 * 1024


class Load(NamedTuple):
    """What one process measured of itself."""

    seconds: float
    peak_mb: float
    """Resident memory at its peak, less what the interpreter and its imports held before."""


def run(*, quick: bool) -> Result:
    result = Result(
        NAME,
        "profiles of 0.84 KiB of YAML each in one file, nine in ten of a registry file over a base; "
        "open_registry to list_profiles (read, parsed, checked, listed) in a fresh process",
        "ryaml parsing the same text, without Livery, the collector off, in a fresh process",
    )
    with TemporaryDirectory() as directory:
        for count in QUICK_COUNTS if quick else COUNTS:
            for kind, text_of in _TEXTS.items():
                path = Path(directory) / f"{count}.yaml"
                path.write_text(text_of(count), encoding="utf-8")
                _add(result, f"{count:,} profiles, {kind}", path, count, quick=quick)
    return result


def _add(result: Result, what: str, path: Path, count: int, *, quick: bool) -> None:
    memory = Rounds({name: [] for name in _LOADERS})

    def child(name: str) -> Callable[[], float]:
        def once() -> float:
            load = _in_child(name, path)
            memory.found[name].append(load.peak_mb)
            return load.seconds

        return once

    seconds = measured({name: child(name) for name in _LOADERS}, rounds=2 if quick else 5)
    for figure in (*figures(seconds, "s", _REFERENCE), *figures(memory, "MB", _REFERENCE)):
        result.figures.append(replace(figure, what=f"{what}: {figure.what}"))
    if count == GATED:
        result.gates += [
            Gate(f"{what}: seconds", seconds.median("livery"), MOST_S, "s"),
            Gate(f"{what}: memory at its peak", memory.median("livery"), MOST_MB, "MB"),
        ]


def _in_child(loader: str, path: Path) -> Load:
    done = subprocess.run(
        [sys.executable, "-m", "bench.loading", loader, str(path)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise AssertionError(done.stderr)
    return Load(**json.loads(done.stdout))


# In the child


def _livery(path: Path) -> Iterator[None]:
    from livery import open_registry

    yield
    registry = open_registry(f"yaml:{path}")
    profiles = registry.list_profiles()
    broken = [profile for profile in profiles if profile.error]
    if broken or len(profiles) < QUICK_COUNTS[0]:
        raise AssertionError(f"{len(profiles)} profiles, {len(broken)} of them broken: {broken[:1]}")
    yield


def _ryaml(path: Path) -> Iterator[None]:
    from ryaml import loads  # type: ignore[attr-defined]

    gc.disable()
    yield
    document = loads(path.read_text(encoding="utf-8"))
    yield
    del document


def _pyyaml(path: Path) -> Iterator[None]:
    from yaml import CSafeLoader, load

    gc.disable()
    yield
    document = load(path.read_text(encoding="utf-8"), CSafeLoader)
    yield
    del document


_LOADERS: dict[str, Callable[[Path], Iterator[None]]] = {
    "livery": _livery,
    "ryaml": _ryaml,
    "PyYAML CSafeLoader": _pyyaml,
}


def _measure(steps: Iterator[Any]) -> Load:
    """A loader stops twice: after its imports, and when everything is loaded and still held."""
    next(steps)
    before = resident_mb("VmRSS")
    begin = time.perf_counter()
    next(steps)
    seconds = time.perf_counter() - begin
    return Load(seconds, resident_mb("VmHWM") - before)


def resident_mb(field: str) -> float:
    """Resident memory now (VmRSS) or at its peak (VmHWM).

    Where there is no /proc it is always the peak, from ``getrusage``; on Linux that one would start at the peak of the
    parent process.
    """
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (line for line in status.read_text().splitlines() if line.startswith(field))
        return int(line.split()[1]) / 1024
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / _MB if sys.platform == "darwin" else peak / 1024


if __name__ == "__main__":
    print(json.dumps(_measure(_LOADERS[sys.argv[1]](Path(sys.argv[2])))._asdict()))
