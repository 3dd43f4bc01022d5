"""The ``extends`` graph: which profiles lie under a profile, base first; the one check of it for every entry point."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from livery.core.names import Reference, nearest
from livery.errors import LineageError

MAX_DEPTH = 32
_MOST_HINTS = 50  # looking for the nearest name takes its time

BasesOf = Callable[[Reference], Sequence[Reference] | None]
"""The bases of a profile in declared order; None where there is no such profile."""

NamesLike = Callable[[Reference], Iterable[Reference]]
"""The profiles that a reference to one that is not there may have been meant for."""


def expand(selected: Reference, bases_of: BasesOf, max_depth: int = MAX_DEPTH) -> list[Reference]:
    """The profiles that make up ``selected``: depth first in declared order, each once, bases first, itself last.

    LineageError for a cycle, a missing base, and more than ``max_depth`` profiles on one way down; ``field`` is the
    reference that leads there (``registry.profiles[b].extends[0]``), ``chain`` the way from ``selected``.
    """
    heights: dict[Reference, int] = {}
    _visit(selected, bases_of, max_depth, [], heights)
    return list(heights)


def _visit(
    at: Reference, bases_of: BasesOf, max_depth: int, way: list[Reference], heights: dict[Reference, int]
) -> None:
    """Add ``at`` and what lies under it to ``heights``: how many profiles stand on the longest way down from each."""
    way.append(at)
    height = 1
    for position, base in enumerate(bases_of(at) or ()):
        if base in way:
            chain = " -> ".join(map(str, [*way[way.index(base) :], base]))
            raise _fault("cycle", f"profile '{at}' closes a cycle: {chain}", way, base, position)
        if base not in heights:
            if bases_of(base) is None:
                raise _fault("missing", f"profile '{at}' extends unknown '{base}'", way, base, position)
            if len(way) < max_depth:
                _visit(base, bases_of, max_depth, way, heights)
        if len(way) + heights.get(base, 1) > max_depth:
            chain = " -> ".join(map(str, [*way, base]))
            raise _fault("depth", f"bases deeper than max_depth={max_depth}: {chain}", way, base, position)
        height = max(height, 1 + heights[base])
    way.pop()
    heights[at] = height


def _fault(kind: str, reason: str, way: Sequence[Reference], base: Reference, position: int) -> LineageError:
    field = f"registry.profiles[{way[-1].profile}].extends[{position}]"
    return LineageError(kind, reason, field=field, chain=[str(step) for step in (*way, base)])


def check_graph(
    references: Iterable[Reference], bases_of: BasesOf, names_like: NamesLike, max_depth: int = MAX_DEPTH
) -> list[LineageError]:
    """Every fault of some profiles, each once: dangling references with the nearest names, cycles, too deep ways."""
    found: dict[object, LineageError] = {}
    for reference in references:
        if bases_of(reference):
            try:
                expand(reference, bases_of, max_depth)
            except LineageError as error:
                found.setdefault(_same_fault(error), error)
    errors = list(found.values())
    return [with_nearest(error, names_like) for error in errors[:_MOST_HINTS]] + errors[_MOST_HINTS:]


def _same_fault(error: LineageError) -> object:
    """A cycle is one fault wherever one enters it; anything else is known by the reference at fault."""
    if error.kind == "cycle":
        return frozenset(error.chain[error.chain.index(error.chain[-1]) :])
    return (error.kind, error.chain[-2:], error.field)


def with_nearest(error: LineageError, names_like: NamesLike) -> LineageError:
    """The same error; where a base is missing, with the existing name most like it."""
    missing = error.chain[-1]
    known = names_like(Reference(*missing.split("/", 1))) if error.kind == "missing" else ()
    close = nearest(missing, map(str, known), 1)
    if not close:
        return error
    reason = f"{error.reason}; did you mean '{close[0]}'?"
    return LineageError(error.kind, reason, field=error.field, chain=error.chain, origin=error.origin)
