"""The sources of the chain as a list shows them: what they hold, how they are, who lies over whom."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from livery.core.check import Finding
from livery.errors import LiveryError
from livery.stores.chain import Chain, Source, registry_of
from livery.stores.protocols import HistoryStore, StoreFacts

Row = dict[str, Any]
_FEW = 100  # profiles that are asked for one by one


def source_rows(chain: Chain) -> list[Row]:
    """Every source, the lowest first, as JSON values."""
    return [_row(source, chain, [f for f in chain.findings if f.source == source.label]) for source in chain.sources]


def _row(source: Source, chain: Chain, findings: list[Finding]) -> Row:
    position = chain.sources.index(source)
    registries = source.loaded.registries
    facts = _facts(source)
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
        "profile_count": _profile_count(source),
        "size_bytes": facts.size_bytes,
        "schema_version": facts.schema_version,
        "seq": facts.seq,
        "broken": [_broken_row(*item) for item in source.broken],
        "findings": [_finding_row(finding) for finding in findings],
        "shadows": _overlaps(source, chain.sources[:position]),
        "shadowed_by": _overlaps(source, chain.sources[position + 1 :]),
    }


def _profile_count(source: Source) -> int:
    """How many profiles a source has; 0 where nobody can look any more."""
    try:
        return sum(_count(source, registry.slug) for registry in source.loaded.registries)
    except LiveryError:
        return 0


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


def _overlaps(source: Source, others: list[Source]) -> list[Row]:
    """The profiles that a source holds and one of the others holds too; none where nobody can look any more."""
    shared = [(other, registry.slug) for other in others for registry in source.loaded.registries]
    try:
        return [
            {"profile": f"{registry}/{slug}", "source": other.label}
            for other, registry in shared
            if registry_of(other, registry) is not None
            for slug in _common(source, other, registry)
        ]
    except LiveryError:
        return []


def _common(one: Source, other: Source, registry: str) -> list[str]:
    """The profiles of a registry that two sources hold; for a few of one not all of the other are listed."""
    few, many = sorted((one, other), key=lambda source: _count(source, registry))
    names = _names(few, registry)
    if len(names) > _FEW:
        known = set(_names(many, registry))
        return [slug for slug in names if slug in known]
    return [slug for slug in names if _holds(many, registry, slug)]


def _count(source: Source, registry: str) -> int:
    snapshot = source.loaded.snapshot
    if snapshot is not None:
        return snapshot.count(registry)
    held = registry_of(source, registry)
    return len(held.profiles) if held is not None else 0


def _names(source: Source, registry: str) -> list[str]:
    snapshot = source.loaded.snapshot
    if snapshot is not None:
        return snapshot.names(registry)
    held = registry_of(source, registry)
    return sorted(held.profiles) if held is not None else []


def _holds(source: Source, registry: str, slug: str) -> bool:
    snapshot = source.loaded.snapshot
    if snapshot is not None:
        return snapshot.names(registry, prefix=slug, limit=1) == [slug]
    held = registry_of(source, registry)
    return held is not None and slug in held.profiles


def _facts(source: Source) -> StoreFacts:
    """The size of a source, and of a database the version of its schema; nothing where nobody can look."""
    store = source.store
    try:
        if isinstance(store, HistoryStore):
            return store.facts()
        sizes = [size for path in (store.watched() if store is not None else ()) for size in _sizes(path)]
    except (LiveryError, OSError):
        return StoreFacts()
    return StoreFacts(sum(sizes) if sizes else None)


def _sizes(path: Path) -> Iterator[int]:
    """The size of a file, or of each file that lies directly in a directory."""
    if not path.is_dir():
        yield from [path.stat().st_size] if path.is_file() else []
        return
    with os.scandir(path) as entries:
        yield from (entry.stat().st_size for entry in entries if entry.is_file() and not entry.name.startswith("."))
