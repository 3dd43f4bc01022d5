"""Resolutions that were made before, as long as nothing they depend on has changed."""

from __future__ import annotations

import threading
from collections import OrderedDict
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec
import orjson

from livery.core.catalogue import Catalogue
from livery.core.names import Reference
from livery.core.profile import ResolveInput, equal
from livery.core.profiles import HeldProfiles
from livery.core.resolved import ResolvedProfile
from livery.core.selection import select
from livery.core.stack import ProfileLayer

Key = tuple[Any, ...]


class CacheCounts(NamedTuple):
    """How often a resolution was answered from the cache, and how often it was made; how many are held."""

    hits: int
    misses: int
    size: int


class _Entry:
    """A resolution, the generation it is known to hold for, and the registries and profiles that it is made of."""

    __slots__ = ("generation", "layers", "resolved", "stamps")

    def __init__(self, resolved: ResolvedProfile, catalogue: Catalogue) -> None:
        self.resolved = resolved
        self.generation = catalogue.generation
        self.stamps = _stamps(resolved, catalogue)
        self.layers = _layers(resolved, catalogue)


def _layers(resolved: ResolvedProfile, catalogue: Catalogue) -> tuple[ProfileLayer, ...]:
    """What the sources say of those of its profiles that are asked for: no stamp of a registry speaks for them."""
    found = (
        catalogue.find(Reference(entry.registry, entry.profile))
        for entry in resolved.lineage
        if not isinstance(catalogue.registries[entry.registry].profiles, HeldProfiles)
    )
    return tuple(layer for stack in found if stack is not None and stack.fault is None for layer in stack.layers)


def _stamps(resolved: ResolvedProfile, catalogue: Catalogue) -> tuple[tuple[str, int], ...]:
    slugs = {entry.registry for entry in resolved.lineage}
    return tuple(
        (slug, catalogue.registries[slug].stamp if slug in catalogue.registries else 0) for slug in sorted(slugs)
    )


def _is_same(old: ProfileLayer, new: ProfileLayer) -> bool:
    return old is new or (old.source == new.source and equal(old.profile, new.profile))


class ResolveCache:
    """A bounded cache (least recently used goes first). A hit does no I/O and computes no merge. Safe for threads."""

    def __init__(self, size: int = 4096) -> None:
        self._size = size
        self._entries: OrderedDict[Key, _Entry] = OrderedDict()
        self._lock = threading.Lock()
        self._hits = 0
        self._misses = 0

    def get(self, key: Key, request: ResolveInput, catalogue: Catalogue) -> ResolvedProfile | None:
        """The resolution under a key if it holds in this generation."""
        entry = self._entries.get(key)
        holds = entry is not None and self._holds(entry, request, catalogue)
        with self._lock:
            self._hits += holds
            self._misses += not holds
            if holds and key in self._entries:
                self._entries.move_to_end(key)
        return entry.resolved if entry is not None and holds else None

    def _holds(self, entry: _Entry, request: ResolveInput, catalogue: Catalogue) -> bool:
        if entry.generation == catalogue.generation:
            return True
        if _stamps(entry.resolved, catalogue) != entry.stamps:
            return False
        layers = _layers(entry.resolved, catalogue)
        if len(layers) != len(entry.layers) or not all(map(_is_same, entry.layers, layers)):
            return False
        if select(request, catalogue) != entry.resolved.selection:
            return False
        entry.generation = catalogue.generation
        return True

    def put(self, key: Key, resolved: ResolvedProfile, catalogue: Catalogue) -> None:
        entry = _Entry(resolved, catalogue)
        with self._lock:
            self._entries[key] = entry
            self._entries.move_to_end(key)
            while len(self._entries) > self._size:
                self._entries.popitem(last=False)

    @property
    def counts(self) -> CacheCounts:
        return CacheCounts(self._hits, self._misses, len(self._entries))


def key_of(request: ResolveInput) -> Key | None:
    """What tells one request from another; None where its values are no plain JSON (the resolution will say so)."""
    plain = (request.registry_slug, request.profile_slug, request.caller, request.runtime_key_fallback)
    if not (request.base_step_settings or request.operator_layers or request.app_policy or request.request_overrides):
        return plain
    layers = [[name, runtime] for name, runtime in request.operator_layers]
    values = [request.base_step_settings, layers, request.request_overrides]
    try:
        written = orjson.dumps(values, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        return None
    if orjson.loads(written) != values:  # NaN, dates, tuples: written like something else
        return None
    policy = msgspec.json.encode(request.app_policy)
    return (*plain, blake2b(written).digest(), policy)
