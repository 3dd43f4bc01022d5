"""Where the state lies: as configured, else in the database that profiles are written to, else in a file of its own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from livery.config import data_home
from livery.core.redact import mask_url
from livery.errors import LiveryError, ValidationError
from livery.stores.sql import Database, open_database
from livery.stores.urls import SourceURL, parse_source

_DATABASES = ("sqlite", "postgresql")
_SCHEMES = ("sqlite", "sqlite-dsn", "postgresql", "postgres")


def state_database(configured: str, environ: Mapping[str, str], writer: SourceURL | None = None) -> Database:
    """The database of the state; nothing is opened or made yet.

    ``configured`` is ``sqlite:PATH``, a path, ``postgresql://…``, or empty: then it is that of the source that is
    written, where that is a database, else ``state.db`` in the data folder.
    """
    if configured:
        return open_database(_configured(configured))
    if writer is not None and writer.kind in _DATABASES:
        return open_database(writer)
    return open_database(data_home(environ) / "state.db")


def _configured(text: str) -> SourceURL | Path:
    scheme, colon, rest = text.partition(":")
    is_database = bool(colon) and scheme.lower() in _SCHEMES
    if not is_database and "://" not in text:
        return Path(os.path.expanduser(text))
    try:
        if is_database and rest:
            return parse_source(text)
    except LiveryError:
        pass
    reason = f"{mask_url(text)!r} is no place for it; give sqlite:PATH, postgresql://... or a path"
    raise ValidationError("state", reason)
