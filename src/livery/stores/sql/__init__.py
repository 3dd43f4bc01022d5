"""Registries in a database: one store on one schema, with SQLite or PostgreSQL under it."""

from livery.stores.sql.database import Connection, Cursor, Database, NoSuchTable, open_database
from livery.stores.sql.store import SQLStore

__all__ = ["Connection", "Cursor", "Database", "NoSuchTable", "SQLStore", "open_database"]
