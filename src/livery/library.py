"""The way in for programs: registries of some sources, ready to use."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from livery.core.extensions import ExtensionSchemas
from livery.service import RegistryService
from livery.settings import schema_named
from livery.stores.opening import open_chain
from livery.stores.urls import source_of_path


def open_registry(
    *sources: str | os.PathLike[str],
    writer: str | None = None,
    default_registry: str | None = None,
    default_tools: Sequence[str] = (),
    extension_schemas: Mapping[str, Mapping[str, Any]] | None = None,
) -> RegistryService:
    """The registries of some sources, later ones laid over earlier ones; without any, what Livery brings along.

    A source is a URL (``yaml:team.yaml``, ``memory:``, ``builtin:``) or a path. ``writer`` is the one that is
    written (default: the last that can be). ``default_tools`` are the tools of a profile that names none.
    ``extension_schemas`` are JSON Schemas by extension key, beside those that installed packages bring. Sources are
    read at the first use; one that cannot be read makes its registries answer SourceUnavailable, not the others.
    """
    schemas = partial(schema_named, default_tools=tuple(default_tools))
    chain = open_chain(
        [source if isinstance(source, str) else source_of_path(source) for source in sources or ("builtin:",)],
        schemas,
        writer=writer,
        default_registry=default_registry,
        extension_schemas=ExtensionSchemas((extension_schemas or {}).items(), load=installed_extension_schemas),
    )
    return RegistryService(chain, schemas)


def installed_extension_schemas() -> Iterator[tuple[str, Any]]:
    """The schemas of installed packages: entry points of the group ``livery.extensions``.

    An entry point is named like ``webchat.starter_suggestions@v1`` and leads to a JSON Schema or to a function that
    gives one.
    """
    from importlib.metadata import entry_points

    for entry_point in entry_points(group="livery.extensions"):
        yield entry_point.name, entry_point.load()
