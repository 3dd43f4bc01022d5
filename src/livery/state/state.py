"""What this machine remembers: trusted project files and the active profile."""

from __future__ import annotations

import os
from pathlib import Path

from livery.core.names import Reference
from livery.state.database import StateDatabase, storable
from livery.state.journal import StateJournal
from livery.stores.sql import Connection, Database

_KEPT = 10
_LAST = "(SELECT max(seq) FROM active_profiles)"
_ACTIVE = f"SELECT registry, profile FROM active_profiles WHERE seq = {_LAST}"
_TRUST = """INSERT INTO trusted_files (path, digest, trusted_at_ms) VALUES (?, ?, ?)
    ON CONFLICT (path) DO UPDATE SET digest = excluded.digest, trusted_at_ms = excluded.trusted_at_ms"""
_OLD = "seq NOT IN (SELECT seq FROM active_profiles ORDER BY seq DESC LIMIT ?)"


class State:
    """The state in a database; one that is not there is empty. Safe for threads."""

    def __init__(self, database: Database) -> None:
        self._database = StateDatabase(database)
        self.journal = StateJournal(self._database)

    @property
    def label(self) -> str:
        """Which database it is, the password masked."""
        return self._database.label

    def is_trusted(self, path: Path, digest: str) -> bool:
        """Whether the project file was trusted with just this content."""
        query = "SELECT digest FROM trusted_files WHERE path = ?"
        return self._database.fetch(query, (_real(path),)) == [(digest,)]

    def trust(self, path: Path, digest: str, at_ms: int) -> None:
        """Remember a project file with its content."""
        self._database.write(lambda db: db.execute(_TRUST, (_real(path), digest, at_ms)))

    def active_profile(self) -> Reference | None:
        """The profile of the last ``livery use``."""
        return next((Reference(*row) for row in self._database.fetch(_ACTIVE)), None)

    def use(self, reference: Reference, at_ms: int) -> None:
        """Make a profile the active one; the last ten are kept. The active one once more is only a later date."""

        def work(db: Connection) -> None:
            if _active(db) == reference:
                _drop_last(db)
            row = (*reference, at_ms)
            db.execute("INSERT INTO active_profiles (registry, profile, used_at_ms) VALUES (?, ?, ?)", row)
            db.execute(f"DELETE FROM active_profiles WHERE {_OLD}", (_KEPT,))

        self._database.write(work)

    def use_previous(self) -> Reference | None:
        """Go back to the profile that was active before; None where there was none."""
        if self.active_profile() is None:
            return None

        def work(db: Connection) -> Reference | None:
            _drop_last(db)
            return _active(db)

        return self._database.write(work)

    def close(self) -> None:
        """Let go of the database; closing twice is fine."""
        self._database.close()


def _real(path: Path) -> str:
    return storable(os.path.realpath(path))


def _active(db: Connection) -> Reference | None:
    row = db.execute(_ACTIVE).fetchone()
    return Reference(*row) if row else None


def _drop_last(db: Connection) -> None:
    db.execute(f"DELETE FROM active_profiles WHERE seq = {_LAST}")
