"""Registries in a database: one store on one schema, with SQLite or PostgreSQL under it.

The store is loaded when it is asked for: what needs a database alone does without it.
"""

from typing import TYPE_CHECKING, Any

from livery.stores.sql.database import Connection, Cursor, Database, NoSuchTable, open_database

if TYPE_CHECKING:
    from livery.stores.sql.store import SQLStore

__all__ = ["Connection", "Cursor", "Database", "NoSuchTable", "SQLStore", "open_database"]


def __getattr__(name: str) -> Any:
    if name != "SQLStore":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from livery.stores.sql.store import SQLStore

    return SQLStore
