"""The schema of a database in parts, each with numbered SQL files per dialect that are applied once, in order.

A part is brought up to date by the first write that needs it. What was applied stands in ``livery_schema``.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

from livery.errors import SchemaTooNew
from livery.stores.sql.database import Connection, Dialect, Row

VERSIONS = "SELECT part, max(version) FROM livery_schema GROUP BY part"
_LEDGER = {
    "sqlite": """CREATE TABLE IF NOT EXISTS livery_schema (
        part TEXT NOT NULL, version INTEGER NOT NULL, applied_at_ms INTEGER NOT NULL, PRIMARY KEY (part, version)
    ) STRICT, WITHOUT ROWID""",
    "postgresql": """CREATE TABLE IF NOT EXISTS livery_schema (
        part TEXT NOT NULL, version BIGINT NOT NULL, applied_at_ms BIGINT NOT NULL, PRIMARY KEY (part, version)
    )""",
}
_NAME = re.compile(r"([a-z]+)-([0-9]{4})\.sql")
_COMMENT = re.compile(r"^\s*--.*$", re.MULTILINE)


@cache
def known_parts(dialect: Dialect) -> Mapping[str, tuple[Path, ...]]:
    """The SQL files of every part in order; the version of a part is the number of its files."""
    parts: dict[str, tuple[Path, ...]] = {}
    for path in sorted(Path(__file__).with_name("migrations").joinpath(dialect).iterdir()):
        if match := _NAME.fullmatch(path.name):
            parts[match[1]] = (*parts.get(match[1], ()), path)
    return parts


def newest(dialect: Dialect, part: str) -> int:
    """The version of a part that this program writes."""
    return len(known_parts(dialect).get(part, ()))


def versions_of(rows: Iterable[Row]) -> dict[str, int]:
    """The version of each part, from the rows of ``VERSIONS``."""
    return {part: version for part, version in rows}


def demand_known(label: str, dialect: Dialect, versions: Mapping[str, int]) -> None:
    """SchemaTooNew where a part that this program uses is of a later version than it knows."""
    for part, files in known_parts(dialect).items():
        if versions.get(part, 0) > len(files):
            raise SchemaTooNew(
                f"{label} was written by a later version of Livery (schema {versions[part]} of its {part}, this one "
                f"knows {len(files)}); update Livery, or use another database"
            )


def bring_up_to_date(connection: Connection, part: str) -> None:
    """Apply the files of a part that were not applied yet; the caller holds the lock and commits."""
    connection.execute(_LEDGER[connection.dialect])
    applied = versions_of(connection.execute(VERSIONS).fetchall()).get(part, 0)
    for version, path in enumerate(known_parts(connection.dialect).get(part, ()), start=1):
        if version > applied:
            for statement in _statements(path.read_text(encoding="utf-8")):
                connection.execute(statement)
            row = (part, version, int(time.time() * 1000))
            connection.execute("INSERT INTO livery_schema (part, version, applied_at_ms) VALUES (?, ?, ?)", row)


def _statements(script: str) -> Iterator[str]:
    """The statements of a file: comments stand on lines of their own, a semicolon ends a line."""
    for statement in _COMMENT.sub("", script).split(";\n"):
        if statement.strip(" \n;"):
            yield statement.strip(" \n;")
