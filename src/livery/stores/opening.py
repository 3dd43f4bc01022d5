"""From source URLs to open sources: which store reads what, and the chain that is used where nobody names sources."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from livery.core.extensions import NO_EXTENSION_SCHEMAS, ExtensionSchemas
from livery.errors import Unsupported, ValidationError
from livery.stores.chain import Chain, SchemaNamed, Source
from livery.stores.protocols import ProfileStore
from livery.stores.urls import SourceURL, parse_source


def open_source(url: SourceURL | str) -> Source:
    """The source that a URL names; nothing is read, created or changed yet. Unsupported for unknown kinds."""
    parsed = parse_source(url) if isinstance(url, str) else url
    return Source(parsed, open_store(parsed))


def open_store(url: SourceURL) -> ProfileStore:
    from livery.stores.memory import MemoryStore  # each store is loaded where a source needs it
    from livery.stores.yaml import YAMLStore

    if url.kind == "builtin":
        path = Path(str(files("livery.stores") / "builtin.yaml"))
        return YAMLStore(path, writable=False, label="builtin:")
    if url.kind == "memory":
        return MemoryStore(url=str(url), writable=not url.readonly)
    if url.kind == "yaml":
        return YAMLStore(Path(url.location), writable=not url.readonly, label=str(url))
    raise Unsupported(f"{url.kind}: sources", "this version of Livery", "known are builtin:, memory: and yaml:")


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
    named = None
    if writer is not None:
        wanted = str(parse_source(writer))
        named = next((source for source in sources if writer in (source.label, source.url.text)), None)
        named = named or next((source for source in sources if source.label == wanted), None)
        if named is None:
            raise ValidationError("writer", f"{wanted} is not one of the sources")
    return Chain(
        sources, schema_named, writer=named, default_registry=default_registry, extension_schemas=extension_schemas
    )
