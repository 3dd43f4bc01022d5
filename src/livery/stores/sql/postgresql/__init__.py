"""A PostgreSQL database: a few connections, made when they are needed and replaced when they are lost.

A single statement is one round trip. A commit whose outcome nobody could tell is looked up before anything else is
done: nothing is written twice, and nothing that was written is called lost. The driver is loaded by the first use.
"""

from livery.stores.sql.postgresql.database import PostgreSQLDatabase

__all__ = ["PostgreSQLDatabase"]
