"""From source URLs to open sources: which store reads what, and the chain that is used where nobody names sources."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from livery.core.extensions import NO_EXTENSION_SCHEMAS, ExtensionSchemas
from livery.errors import UsageError, ValidationError
from livery.stores.chain import Chain, SchemaNamed, Source
from livery.stores.protocols import ProfileStore
from livery.stores.urls import SourceURL, parse_source


def open_source(url: SourceURL | str) -> Source:
    """The source that a URL names; nothing is read, created or changed yet. UsageError for unknown kinds."""
    parsed = parse_source(url) if isinstance(url, str) else url
    return Source(parsed, open_store(parsed))


def open_store(url: SourceURL) -> ProfileStore:
    from livery.stores.memory import MemoryStore  # each store is loaded where a source needs it
    from livery.stores.yaml import YAMLStore

    if url.kind == "builtin":
        path = Path(__file__).with_name("builtin.yaml")
        return YAMLStore(path, writable=False, label="builtin:")
    if url.kind == "memory":
        return MemoryStore(url=str(url), writable=not url.readonly)
    if url.kind == "yaml":
        return YAMLStore(Path(url.location), writable=not url.readonly, label=str(url))
    if url.kind == "profile-store":
        from livery.stores.profile_store import DirectoryStore

        registry = dict(url.options).get("registry", "")
        return DirectoryStore(Path(url.location), registry=registry, writable=not url.readonly, label=str(url))
    if url.kind == "config-profiles":
        return _config_profiles(url)
    if url.kind in ("sqlite", "postgresql"):
        from livery.stores.sql import SQLStore, open_database

        return SQLStore(open_database(url), url=str(url), writable=not url.readonly)
    known = "builtin:, memory:, yaml:, profile-store:, config-profiles:, sqlite: and postgresql:"
    raise UsageError(f"this version of Livery cannot open {url.kind}: sources; it knows {known}")


def _config_profiles(url: SourceURL) -> ProfileStore:
    """The directory that is named, else that of the application among the user's configuration."""
    from livery.stores.config_profiles import ConfigProfilesStore, directory_of

    app = dict(url.options).get("app", "")
    directory = Path(url.location) if url.location else directory_of(app, os.environ)
    label = f"{url}?app={app}" if app else str(url)
    return ConfigProfilesStore(directory, app, writable=not url.readonly, label=label)


def open_chain(
    urls: Sequence[SourceURL | str | Source],
    schema_named: SchemaNamed,
    *,
    writer: str | None = None,
    default_registry: str | None = None,
    extension_schemas: ExtensionSchemas = NO_EXTENSION_SCHEMAS,
) -> Chain:
    """The chain of some sources, later over earlier; ``writer`` names the one that is written."""
    sources = [url if isinstance(url, Source) else open_source(url) for url in urls]
    labels = [source.label for source in sources]
    twice = [position for position, label in enumerate(labels) if label in labels[:position]]
    if twice:
        raise ValidationError(f"sources[{twice[0]}]", f"{labels[twice[0]]} is named twice")
    return Chain(
        sources,
        schema_named,
        writer=_named(writer, sources) if writer is not None else None,
        default_registry=default_registry,
        extension_schemas=extension_schemas,
    )


def _named(writer: str, sources: Sequence[Source]) -> Source:
    wanted = str(parse_source(writer))
    found = [source for source in sources if writer in (source.label, source.url.text)]
    found += [source for source in sources if source.label == wanted]
    if not found:
        known = ", ".join(source.label for source in sources)
        raise ValidationError("writer", f"{wanted} is not one of the sources: {known}")
    return found[0]
