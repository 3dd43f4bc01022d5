"""What this machine remembers beside the profiles: trusted project files and the active profile. One SQLite file.

Reading never creates it; the first write does, with mode 0600 in a folder of mode 0700.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from livery.config import data_home
from livery.core.names import Reference
from livery.core.redact import mask_url
from livery.errors import SchemaTooNew, SourceUnavailable, Unsupported, ValidationError

_MIGRATIONS = (
    """
    CREATE TABLE trusted_files (path TEXT PRIMARY KEY, digest TEXT NOT NULL, trusted_at_ms INTEGER NOT NULL) STRICT;
    CREATE TABLE active_profiles (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, registry TEXT NOT NULL, profile TEXT NOT NULL,
        used_at_ms INTEGER NOT NULL
    ) STRICT;
    """,
)
_KEPT = 10
_LAST = "(SELECT max(seq) FROM active_profiles)"


def state_path(configured: str, environ: Mapping[str, str]) -> Path:
    """The file of the state database: the configured one (``sqlite:PATH`` or a path), else in the data folder."""
    if not configured:
        return data_home(environ) / "state.db"
    kind, colon, rest = configured.partition(":")
    if colon and kind in ("postgresql", "postgres"):
        raise Unsupported("a PostgreSQL state database", "this version of Livery", "give sqlite:PATH")
    path = rest.removeprefix("//") if colon and kind == "sqlite" else configured
    if not path or "://" in path:
        raise ValidationError("state", f"{mask_url(configured)!r} is no place for it; give sqlite:PATH or a path")
    return Path(os.path.expanduser(path))


def _active(db: sqlite3.Connection) -> Reference | None:
    row = db.execute(f"SELECT registry, profile FROM active_profiles WHERE seq = {_LAST}").fetchone()
    return Reference(*row) if row else None


class State:
    """The state database at a path, opened for each use; a missing one is empty."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def is_trusted(self, path: Path, digest: str) -> bool:
        """Whether the project file was trusted with just this content."""
        query = "SELECT digest FROM trusted_files WHERE path = ?"
        with self._reading() as db:
            row = db.execute(query, (os.path.realpath(path),)).fetchone() if db else None
        return row is not None and row[0] == digest

    def trust(self, path: Path, digest: str, at_ms: int) -> None:
        """Remember a project file with its content."""
        with self._writing() as db:
            row = (os.path.realpath(path), digest, at_ms)
            db.execute("INSERT OR REPLACE INTO trusted_files VALUES (?, ?, ?)", row)

    def active_profile(self) -> Reference | None:
        """The profile of the last ``livery use``."""
        with self._reading() as db:
            return _active(db) if db else None

    def use(self, reference: Reference, at_ms: int) -> None:
        """Make a profile the active one; the last ten are kept. The active one once more is only a later date."""
        row = (*reference, at_ms)
        with self._writing() as db:
            if _active(db) == reference:
                db.execute(f"DELETE FROM active_profiles WHERE seq = {_LAST}")
            db.execute("INSERT INTO active_profiles (registry, profile, used_at_ms) VALUES (?, ?, ?)", row)
            kept = "SELECT seq FROM active_profiles ORDER BY seq DESC LIMIT ?"
            db.execute(f"DELETE FROM active_profiles WHERE seq NOT IN ({kept})", (_KEPT,))

    def use_previous(self) -> Reference | None:
        """Go back to the profile that was active before; None where there was none."""
        if self.active_profile() is None:
            return None
        with self._writing() as db:
            db.execute(f"DELETE FROM active_profiles WHERE seq = {_LAST}")
            return _active(db)

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection | None]:
        """The database if there is one with anything in it; `rw` makes none, and mends what a killed writer left."""
        if not self._exists():
            yield None
            return
        with closing(self._connect(f"{self.path.absolute().as_uri()}?mode=rw")) as db, self._translated():
            yield db if self._version(db) else None

    def _exists(self) -> bool:
        with self._translated():
            try:
                return bool(self.path.stat())
            except (FileNotFoundError, NotADirectoryError):
                return False

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._translated():
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
        with closing(self._connect(self.path.absolute().as_uri())) as db, self._translated():
            db.execute("PRAGMA synchronous = FULL")
            db.execute("BEGIN IMMEDIATE")
            self._migrate(db)
            yield db
            db.execute("COMMIT")

    def _connect(self, uri: str) -> sqlite3.Connection:
        with self._translated():
            return sqlite3.connect(uri, uri=True, timeout=5, isolation_level=None)

    def _migrate(self, db: sqlite3.Connection) -> None:
        for number, script in enumerate(_MIGRATIONS[self._version(db) :], start=self._version(db) + 1):
            for statement in filter(str.strip, script.split(";")):
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {number}")

    def _version(self, db: sqlite3.Connection) -> int:
        version: int = db.execute("PRAGMA user_version").fetchone()[0]
        if version > len(_MIGRATIONS):
            raise SchemaTooNew(
                f"{self.path} was written by a later version of Livery (schema {version}, this one knows "
                f"{len(_MIGRATIONS)}); update Livery, or name another file with LIVERY_STATE"
            )
        return version

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise SourceUnavailable(f"state database {self.path}", str(error)) from error
