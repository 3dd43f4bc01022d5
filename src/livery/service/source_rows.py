"""The sources of the chain as a list shows them: what they hold, how they are, who lies over whom."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from livery.core.check import Finding
from livery.stores.chain import Chain, Source

Row = dict[str, Any]


def source_rows(chain: Chain) -> list[Row]:
    """Every source, the lowest first, as JSON values."""
    return [_row(source, chain, [f for f in chain.findings if f.source == source.label]) for source in chain.sources]


def _row(source: Source, chain: Chain, findings: list[Finding]) -> Row:
    position = chain.sources.index(source)
    registries = source.loaded.registries
    return {
        "source": source.label,
        "kind": source.url.kind,
        "writable": source.writable,
        "is_writer": source is chain.writer,
        "trusted": not source.skipped,
        "health": _health(source, findings),
        "error": source.skipped or (str(source.error) if source.error else ""),
        "stale_since_ms": source.stale_since_ms,
        "registries": [registry.slug for registry in registries],
        "profile_count": sum(len(registry.profiles) for registry in registries),
        "broken": [_broken_row(*item) for item in source.broken],
        "findings": [_finding_row(finding) for finding in findings],
        "shadows": list(_overlaps(source, chain.sources[:position])),
        "shadowed_by": list(_overlaps(source, chain.sources[position + 1 :])),
    }


def _health(source: Source, findings: list[Finding]) -> str:
    """``ok``, ``broken`` (in part not usable), ``stale`` (an older state is served), ``unavailable`` or ``skipped``."""
    if source.skipped:
        return "skipped"
    if source.error is not None:
        return "stale" if source.ever_loaded else "unavailable"
    return "broken" if source.broken or any(finding.blocking for finding in findings) else "ok"


def _broken_row(registry: str, profile: str, error: Exception) -> Row:
    return {"registry": registry, "profile": profile, "error": str(error)}


def _finding_row(finding: Finding) -> Row:
    place = finding.fault.place
    return {
        "registry": finding.registry,
        "profile": finding.profile,
        "field": finding.fault.field,
        "reason": finding.fault.reason,
        "place": str(place) if place else "",
        "blocking": finding.blocking,
    }


def _overlaps(source: Source, others: list[Source]) -> Iterator[Row]:
    """The profiles that a source holds and one of the others holds too."""
    own = set(_references(source))
    for other in others:
        for reference in _references(other):
            if reference in own:
                yield {"profile": reference, "source": other.label}


def _references(source: Source) -> Iterator[str]:
    for registry in source.loaded.registries:
        yield from (f"{registry.slug}/{slug}" for slug in sorted(registry.profiles))
