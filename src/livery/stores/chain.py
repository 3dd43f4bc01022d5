"""Sources in order, seen as one: later ones are laid over earlier ones. Each state of the whole is one catalogue."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from livery.core.catalogue import Catalogue
from livery.core.check import Finding
from livery.core.extensions import NO_EXTENSION_SCHEMAS, ExtensionSchemas
from livery.errors import Place, SourceReadOnly
from livery.formats.bulk import collector_paused
from livery.stores.findings import inspect, located, places
from livery.stores.following import followed
from livery.stores.generation import Generation, Rules, SchemaNamed, build
from livery.stores.protocols import Field, WritableProfileStore, history_of
from livery.stores.source import Source, registry_of
from livery.stores.trial import Instead, trial

__all__ = ["Chain", "Instead", "SchemaNamed", "Source", "registry_of"]


class Chain:
    """An ordered list of sources as one. Reading gives immutable catalogues; writing goes to one designated source."""

    def __init__(
        self,
        sources: Sequence[Source],
        schema_named: SchemaNamed,
        *,
        writer: Source | None = None,
        default_registry: str | None = None,
        extension_schemas: ExtensionSchemas = NO_EXTENSION_SCHEMAS,
    ) -> None:
        self.sources = list(sources)
        self.rules = Rules(schema_named, default_registry, extension_schemas)
        self._writer = writer
        self._lock = threading.RLock()
        self._catalogue: Catalogue | None = None
        self._is_owed = False
        self.findings: list[Finding] = []
        self.when_new: Callable[[Catalogue], None] = lambda catalogue: None
        """Called with every new generation, in order, while nothing else can be refreshed: it has to be quick."""

    @property
    def writer(self) -> Source | None:
        """The source that writes go to: the named one, else the last that can be written."""
        if self._writer is not None:
            return self._writer if self._writer.writable else None
        return next((source for source in reversed(self.sources) if source.writable), None)

    def writer_store(self) -> WritableProfileStore:
        """The store that writes go to; SourceReadOnly says why there is none."""
        self.catalogue()  # whether a file can be written is known once it was read
        writer = self.writer
        keeper = history_of(writer.store) if writer is not None else None
        if keeper is not None:
            return keeper
        if writer is not None and isinstance(writer.store, WritableProfileStore):
            return writer.store
        asked = [self._writer] if self._writer is not None else self.sources[::-1]
        if not asked:
            raise SourceReadOnly("what is here", "no source", advice="add a source that can be written")
        advised = (source for source in asked if source.store is not None and source.store.advice)
        raise next(advised, asked[0]).why_not_written()

    def catalogue(self) -> Catalogue:
        """The present generation; the first call reads every source."""
        return self._catalogue if self._catalogue is not None else self.refresh(0)

    def refresh(self, now_ms: int) -> Catalogue:
        """Read what has changed and give the generation that stands now: a new one only if something has."""
        with self._lock, collector_paused():
            tokens = [source.loaded.token for source in self.sources]
            changed = [source for source in self.sources if source.load(now_ms) or source.events]
            is_new = self._catalogue is None or bool(changed) or self._is_owed
            if not is_new and tokens != [source.loaded.token for source in self.sources]:
                is_new = any(finding.blocking for finding in self.findings)  # their lines may have moved
            if is_new or self._catalogue is None:
                following, self._is_owed = not self._is_owed, True  # where it fails, it is made with the next look
                self._catalogue, self.findings = self._next(changed if following else ())
                self._is_owed = False
                for source in self.sources:
                    source.take_events()
                self.when_new(self._catalogue)
            return self._catalogue

    def _next(self, changed: Sequence[Source]) -> Generation:
        """The generation after the one that stands."""
        if self._catalogue is not None and changed:
            following = followed(Generation(self._catalogue, self.findings), self.sources, changed, self.rules)
            if following is not None:
                return following
        return build(self.sources, self.writer or self._writer, self.rules, self._catalogue)

    def close(self) -> None:
        for source in self.sources:
            if source.store is not None:
                source.store.close()

    def source_named(self, label: str) -> Source | None:
        return next((source for source in self.sources if source.label == label), None)

    def trial(self, *instead: Instead) -> Catalogue:
        """The present generation as it would be if the writer held these registries so; nothing is read or written."""
        return trial(self.catalogue(), self.sources, self.writer, self.rules, instead)

    def inspect(self) -> list[Finding]:
        """Every finding of the present generation, with file and line; every profile is read for it."""
        return inspect(self.catalogue(), self.findings, self.sources)

    def located(self, findings: list[Finding]) -> list[Finding]:
        """Findings with file and line, warnings too."""
        return located(findings, self.sources, warnings=True)

    def places(self, source: Source, wanted: Sequence[Field]) -> list[Place | None]:
        """The lines of fields of one source's documents."""
        return places(source, wanted)
