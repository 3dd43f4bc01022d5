"""An SQLite file: one connection that writes, a few that read, the write-ahead log, and every commit on the disk.

Reading never creates the file; the first write does, with mode 0600, and missing folders with 0700.
"""

from livery.stores.sql.sqlite.database import SQLiteDatabase

__all__ = ["SQLiteDatabase"]
