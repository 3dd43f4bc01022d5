"""Durable changes of one profile, against the least that a durable write of a file costs: the same bytes, bare."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.files import registry_text
from bench.layouts import write_config_profiles, write_profile_store
from bench.results import Figure, Gate, Result, figures
from bench.rounds import Rounds, Subject, microseconds
from livery.core.profile import Profile, RuntimeSpec
from livery.stores.files import replace_file
from livery.stores.opening import open_source
from livery.stores.protocols import WritableProfileStore, WriteOptions

NAME = "durable-writes"
LEAST = 0.5
PROFILES = 5

_REFERENCE = "open, write, fsync, rename, fsync of the directory"
_WRITE_PATH = "replace_file"


def run(*, quick: bool) -> Result:
    with TemporaryDirectory() as name:
        directory = Path(name)
        data = registry_text(PROFILES).encode()
        reference = {_REFERENCE: _bare(directory / "bare.yaml", data)}
        path = {**reference, _WRITE_PATH: _replacing(directory / "replaced.yaml", data)}
        rounds = microseconds(path, rounds=5 if quick else 41, batch_s=0.02)
        # Apart from the pair above: what they leave for the disk to do would fall on whoever comes next.
        stores = microseconds({**reference, **_stores(directory, data)}, rounds=5 if quick else 21, batch_s=0.02)
    return Result(
        NAME,
        f"one durable change of a file ({len(data) / 1024:.1f} KiB), and of one of {PROFILES} profiles through each "
        "store of files: locked, read again, changed with comments kept, checked, written, synced, read back, renamed, "
        "the directory synced; a profile store and config profiles write two files for it",
        f"{_REFERENCE}: the same bytes, in the same directory ({rounds.median(_REFERENCE):.0f} us)",
        figures=[*figures(rounds, "us", _REFERENCE), *_rates(rounds), *_without(stores)],
        gates=[Gate(f"{_WRITE_PATH}: writes per second", _rate(rounds), LEAST, "x the bare sequence", at_least=True)],
        notes=["the absolute figures are those of the disk under the directory for temporary files"],
    )


def _without(rounds: Rounds) -> list[Figure]:
    """The figures of the stores, their reference left out: it stands there already."""
    found = [*figures(rounds, "us", _REFERENCE), *_rates(rounds)]
    return [figure for figure in found if not figure.what.startswith(_REFERENCE)]


def _rate(rounds: Rounds) -> float:
    return 1 / rounds.ratio(_WRITE_PATH, _REFERENCE)


def _rates(rounds: Rounds) -> list[Figure]:
    return [Figure(f"{name}, rate", 1e6 / rounds.median(name), "per second") for name in rounds.found]


def _bare(path: Path, data: bytes) -> Subject:
    temporary = path.with_suffix(".tmp")
    numbers = count()

    def write() -> None:
        file = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        os.write(file, _numbered(data, next(numbers)))
        os.fsync(file)
        os.close(file)
        os.rename(temporary, path)
        directory = os.open(path.parent, os.O_RDONLY)
        os.fsync(directory)
        os.close(directory)

    return write


def _replacing(path: Path, data: bytes) -> Subject:
    numbers = count()

    def check(written: bytes) -> None:
        assert len(written) == len(data) and written.decode()

    return lambda: replace_file(path, lambda _: _numbered(data, next(numbers)), check)


def _numbered(data: bytes, number: int) -> bytes:
    """As many bytes, and no two times the same: the same would not be written."""
    return b"# %08d\n" % number + data[11:]


def _stores(directory: Path, data: bytes) -> dict[str, Subject]:
    (directory / "team.yaml").write_bytes(data)
    write_profile_store(directory / "store", PROFILES)
    write_config_profiles(directory / "config", PROFILES, size=1024)
    opened = {
        "a registry file": f"yaml:{directory / 'team.yaml'}",
        "a profile store": f"profile-store:{directory / 'store'}?registry=team",
        "config profiles": f"config-profiles:{directory / 'config'}?app=team",
    }
    settings: dict[str, Callable[[int], dict[str, Any]]] = {
        "a registry file": lambda number: {"client": {"timeout": number}},
        "a profile store": lambda number: {"routeTimeoutSeconds": number},
        "config profiles": lambda number: {"timeout": number},
    }
    return {f"save_profile in {name}": _saving(_writable(url), settings[name]) for name, url in opened.items()}


def _writable(url: str) -> WritableProfileStore:
    store = open_source(url).store
    assert isinstance(store, WritableProfileStore)
    store.load_registries()
    return store


def _saving(store: WritableProfileStore, settings: Callable[[int], dict[str, Any]]) -> Subject:
    numbers = count(1)

    def save() -> None:
        runtime = RuntimeSpec(step_settings_patch=settings(next(numbers)))
        store.save_profile(Profile(slug="p00003", registry="team", runtime=runtime), WriteOptions(actor="bench"))

    return save
