"""Errors of a resolution with the files and lines that they come from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from livery.core.catalogue import Catalogue
from livery.core.check import Finding
from livery.core.explain import HistoryEntry
from livery.core.layers import Origin
from livery.core.paths import path_of
from livery.errors import Fault, LineageError, LiveryError, MergeConflict, Place
from livery.service.reading import field_of
from livery.service.soundness import unresolvable
from livery.stores.chain import Chain
from livery.stores.protocols import Field


@contextmanager
def located_errors(chain: Chain, catalogue: Catalogue) -> Iterator[None]:
    """Whatever a resolution raises, with the lines of a reference that leads nowhere and of values that clash."""
    try:
        yield
    except (LineageError, MergeConflict) as error:
        raise located(error, chain, catalogue) from None


def located(error: LiveryError, chain: Chain, catalogue: Catalogue) -> LiveryError:
    """An error of a resolution with the lines of a reference that leads nowhere, or of values that clash."""
    if isinstance(error, LineageError):
        return _lineage(error, chain, catalogue)
    return _conflict(error, chain, catalogue) if isinstance(error, MergeConflict) else error


def clashes(chain: Chain, catalogue: Catalogue) -> Iterator[Finding]:
    """The profiles that do not resolve although each of their layers is sound."""
    for stack, error in unresolvable(catalogue):
        fault = Fault(f"registry.profiles[{stack.reference.profile}]", str(located(error, chain, catalogue)))
        yield Finding(*stack.reference, stack.layers[-1].source, fault)


def _lineage(error: LineageError, chain: Chain, catalogue: Catalogue) -> LineageError:
    registry, _, slug = error.chain[-2].partition("/")
    stack = catalogue.registries[registry].profiles[slug]
    layer = next(layer for layer in reversed(stack.layers) if layer.profile.bases)
    place = _place(layer.source, Field(registry, slug, error.field.rpartition("].")[2]), chain)
    return LineageError(error.kind, error.reason, field=error.field, chain=error.chain, origin=place)


def _conflict(error: MergeConflict, chain: Chain, catalogue: Catalogue) -> MergeConflict:
    below, above = (_named(origin, error.path, chain, catalogue) for origin in error.origins)
    return MergeConflict(error.path, below, above, error.reason)


def _named(origin: Origin, path: str, chain: Chain, catalogue: Catalogue) -> str:
    """A layer, and where the value of it stands in a file."""
    if not origin.source:
        return str(origin)
    field = field_of(HistoryEntry(origin, None, path_of(path)), catalogue)
    place = _place(origin.source, field, chain)
    return f"{origin}, {place}" if place else str(origin)


def _place(label: str, field: Field, chain: Chain) -> Place | None:
    source = chain.source_named(label)
    return chain.places(source, [field])[0] if source else None
