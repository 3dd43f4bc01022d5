"""One change of one profile in a YAML file, against the least that a safe write of the same bytes costs."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.files import registry_text
from bench.results import Figure, Result, figures
from bench.rounds import microseconds
from livery import open_registry

NAME = "writing"
PROFILES = 50

_REFERENCE = "write, fsync, rename"


def run(*, quick: bool) -> Result:
    with TemporaryDirectory() as directory:
        path = Path(directory) / "team.yaml"
        path.write_text(registry_text(PROFILES), encoding="utf-8")
        registry = open_registry(f"yaml:{path}")
        numbers = count()

        def update() -> None:
            registry.update_profile("team", "p00025", {"display_name": f"Assistant, change {next(numbers)}"})

        rounds = microseconds(
            {_REFERENCE: _bare_write(Path(directory) / "bare.yaml", path.read_bytes()), "update_profile": update},
            rounds=5 if quick else 41,
        )
        size = path.stat().st_size
    return Result(
        NAME,
        f"update_profile in a YAML file of {PROFILES} profiles ({size / 1024:.0f} KiB): locked, read, changed with "
        "comments kept, checked as a whole, written, synced, read back, renamed, loaded again",
        f"writing the same bytes to a new file, syncing and renaming it ({rounds.median(_REFERENCE):.0f} us)",
        figures=[
            *figures(rounds, "us", _REFERENCE),
            Figure("updates", 1e6 / rounds.median("update_profile"), "per second"),
        ],
        notes=["reported only; the reference depends on the disk under the directory for temporary files"],
    )


def _bare_write(path: Path, data: bytes) -> Callable[[], None]:
    temporary = path.with_suffix(".tmp")

    def write() -> None:
        file = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.write(file, data)
            os.fsync(file)
        finally:
            os.close(file)
        os.rename(temporary, path)

    return write
