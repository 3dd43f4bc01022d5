"""Following the sources of registries while they change: the change feed."""

from livery.changes.feed import ChangeFeed

__all__ = ["ChangeFeed"]
