"""One connection to one SQLite file."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Final

from livery.errors import SourceUnavailable
from livery.stores.sql.database import Row
from livery.stores.sql.schema import VERSIONS, demand_known, versions_of
from livery.stores.sql.sqlite.errors import FOREIGN, code_of
from livery.stores.sql.sqlite.file import Identity

WAIT_S: Final = 5
_FROM_THE_MODULE: Final = -1
_OLDER: Final = "'trusted_files', 'active_profiles', 'sqlite_sequence'"  # the state before schemas were numbered
_TABLES: Final = f"""SELECT count(*) FILTER (WHERE name NOT IN ({_OLDER})),
count(*) FILTER (WHERE name = 'livery_schema') FROM sqlite_master WHERE type = 'table'"""
_ANY_TEXT: Final = partial(str, encoding="utf-8", errors="surrogateescape")
"""What is no UTF-8 becomes halves of surrogate pairs: the row is found to be broken, not the whole database."""


class Link:
    """A connection, in no transaction unless one was begun."""

    dialect: Final = "sqlite"

    def __init__(self, path: Path, label: str, identity: Identity, *, query: str = "mode=rw") -> None:
        self.identity = identity
        self.parts: dict[str, int] = {}
        self._label = label
        self._cookie: int | None = None
        uri = f"{path.absolute().as_uri()}?{query}"
        self.db = sqlite3.connect(uri, uri=True, timeout=WAIT_S, isolation_level=None, check_same_thread=False)
        self.db.text_factory = _ANY_TEXT
        self.execute = self.db.execute
        self.executemany = self.db.executemany

    def rows(self, sql: str, parameters: Sequence[Any]) -> list[Row]:
        """The rows of one statement outside of transactions."""
        self.db.text_factory = str  # many times as quick, and nearly always enough
        try:
            return self.execute(sql, parameters).fetchall()
        except sqlite3.OperationalError as error:
            if code_of(error) != _FROM_THE_MODULE:
                raise
        finally:
            self.db.text_factory = _ANY_TEXT
        return self.execute(sql, parameters).fetchall()

    def demand_ours(self) -> None:
        """Refuse what another program or a later version has written; looked at anew after each change of schema."""
        (cookie,) = self.execute("PRAGMA schema_version").fetchone()
        if cookie == self._cookie:
            return
        tables, ledgers = self.execute(_TABLES).fetchone()
        if tables and not ledgers:
            raise SourceUnavailable(
                self._label, "it is the database of another program: none of its tables is Livery's"
            )
        self.parts = versions_of(self.execute(VERSIONS).fetchall()) if ledgers else {}
        demand_known(self._label, "sqlite", self.parts)
        self._cookie = cookie

    def prepare_to_write(self) -> None:
        """Set what makes a commit last; the log has to be switched on while nobody else does the same."""
        deadline = time.monotonic() + WAIT_S
        while True:
            try:
                self.execute("PRAGMA journal_mode = WAL")
                break
            except sqlite3.OperationalError as error:
                if code_of(error) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
                time.sleep(0.005)
        self.execute("PRAGMA synchronous = FULL")
        self.execute("PRAGMA foreign_keys = ON")

    def roll_back(self) -> bool:
        """Leave the transaction, if there is one; whether the connection can be used again."""
        try:
            if self.db.in_transaction:
                self.execute("ROLLBACK")
        except FOREIGN:
            return False
        return True

    def close(self) -> None:
        with suppress(*FOREIGN):
            self.db.close()
