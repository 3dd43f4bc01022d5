"""The sources of a chain as a list shows them: what they hold, how they are, who lies over whom."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from livery.service import RegistryService
from livery.stores.chain import Source

Row = dict[str, Any]


def source_rows(service: RegistryService) -> list[Row]:
    """Every source, the lowest first."""
    findings = service.findings
    sources = service.sources
    return [
        {
            "source": source.label,
            "kind": source.url.kind,
            "writable": source.writable,
            "is_writer": source is service.writer,
            "trusted": not source.skipped,
            "health": health_of(source),
            "error": source.skipped or (str(source.error) if source.error else ""),
            "stale_since_ms": source.stale_since_ms,
            "registries": [registry.slug for registry in source.loaded.registries],
            "profile_count": sum(len(registry.profiles) for registry in source.loaded.registries),
            "broken": sum(finding.blocking for finding in findings if finding.source == source.label)
            + len(source.loaded.broken),
            "shadows": list(_overlaps(source, sources[:position])),
            "shadowed_by": list(_overlaps(source, sources[position + 1 :])),
        }
        for position, source in enumerate(sources)
    ]


def health_of(source: Source) -> str:
    """``ok``, ``broken`` (in part not usable), ``stale`` (an older state is served), ``unavailable`` or ``skipped``."""
    if source.skipped:
        return "skipped"
    if source.error is not None:
        return "stale" if source.ever_loaded else "unavailable"
    return "broken" if source.loaded.broken else "ok"


def _overlaps(source: Source, others: list[Source]) -> Iterator[Row]:
    """The profiles that a source holds and one of the others holds too."""
    own = set(_references(source))
    for other in others:
        yield from ({"profile": name, "source": other.label} for name in _references(other) if name in own)


def _references(source: Source) -> Iterator[str]:
    for registry in source.loaded.registries:
        yield from (f"{registry.slug}/{slug}" for slug in sorted(registry.profiles))
