"""A store that keeps a history, as it would be after writes that are tried on it and never reach it."""

from livery.stores.rehearsed.store import RehearsedStore

__all__ = ["RehearsedStore"]
