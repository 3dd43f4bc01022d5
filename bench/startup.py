"""Whole commands, from the start of the process to its end, against an interpreter that does nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.files import registry_text
from bench.results import Gate, Result, figures
from bench.rounds import measured

NAME = "startup"
PROFILES = 50
MOST_OVER_PASS_MS = {"livery --version": 70.0, "livery profile list": 150.0}

_REFERENCE = "python -c pass"


def run(*, quick: bool) -> Result:
    with TemporaryDirectory() as home:
        _write_user_file(Path(home))
        commands = {_REFERENCE: [sys.executable, "-c", "pass"]}
        commands |= {line: [*_livery(), *line.split()[1:]] for line in MOST_OVER_PASS_MS}
        environment = _environment(home)
        for command in commands.values():
            _milliseconds(command, environment, home)  # the first run writes the byte code
        rounds = measured(
            {name: _timed(command, environment, home) for name, command in commands.items()},
            rounds=5 if quick else 25,
        )
    return Result(
        NAME,
        f"whole processes; the default sources, a user file of {PROFILES} profiles, output to a pipe",
        f"{_REFERENCE} ({rounds.median(_REFERENCE):.1f} ms)",
        figures=figures(rounds, "ms", _REFERENCE),
        gates=[
            Gate(f"{name}, over pass", rounds.over(name, _REFERENCE), most, "ms")
            for name, most in MOST_OVER_PASS_MS.items()
        ],
    )


def _write_user_file(home: Path) -> None:
    path = home / ".config" / "livery" / "profiles.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(registry_text(PROFILES, slug="default"), encoding="utf-8")


def _livery() -> list[str]:
    """The installed command, else what it would do."""
    script = Path(sys.executable).with_name("livery")
    return [str(script)] if script.exists() else [sys.executable, "-c", "from livery.cli.main import main; main()"]


def _environment(home: str) -> dict[str, str]:
    """Nobody's configuration, and byte code that is kept, as an installation has it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LIVERY_", "XDG_", "PYTHON"))}
    paths = [str(Path(entry).resolve()) for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    return {**kept, "HOME": home, "PYTHONPATH": os.pathsep.join(paths), "PYTHONPYCACHEPREFIX": f"{home}/bytecode"}


def _timed(command: Sequence[str], environment: dict[str, str], directory: str) -> Callable[[], float]:
    return lambda: _milliseconds(command, environment, directory)


def _milliseconds(command: Sequence[str], environment: dict[str, str], directory: str) -> float:
    begin = time.perf_counter()
    done = subprocess.run(
        command, env=environment, cwd=directory, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    took = time.perf_counter() - begin
    if done.returncode:
        raise AssertionError(f"{' '.join(command)}: {done.stderr}")
    return took * 1000
