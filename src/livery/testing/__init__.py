"""Suites that every store has to pass, for Livery's own and for yours. They need pytest."""

from livery.testing.store_contract import StoreContract

__all__ = ["StoreContract"]
