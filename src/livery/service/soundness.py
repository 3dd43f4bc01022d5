"""Whether the whole would be sound after a write: what was usable before it has to be usable after it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import partial

from livery.core.catalogue import Catalogue
from livery.core.check import check_profile, check_registry
from livery.core.lineage import check_graph, expand
from livery.core.merge import merge
from livery.core.names import Reference
from livery.core.profile import ResolveInput
from livery.core.resolve import check_effective, ground_of, layers_below, resolve_selected
from livery.core.resolved import ResolvedProfile
from livery.core.selection import Selection
from livery.core.stack import ProfileStack
from livery.errors import Fault, LineageError, LiveryError, ValidationError

UsersOf = Callable[[Reference], Iterable[ProfileStack]]


def demand_sound(before: Catalogue, after: Catalogue, changed: Collection[Reference]) -> frozenset[Reference]:
    """LineageError, or why a changed profile or one that stands on it would resolve no longer.

    What it gives are the profiles that were looked at.
    """
    concerned = [*changed, *standing_on(changed, after.users_of)]
    if any(_bases(before, reference) != _bases(after, reference) for reference in changed):
        _demand_graph(before, after, concerned)
    for reference in concerned:
        fault = fault_of(after, reference)
        if fault is None or fault_of(before, reference) is not None:
            continue  # it is sound, or it was not before
        if reference in changed:
            raise fault
        raise ValidationError("profile", f"'{reference}' stands on it and would no longer resolve: {fault}")
    return frozenset(base for reference in concerned for base in _lineage(after, reference))


def demand_sound_registry(before: Catalogue, after: Catalogue, slug: str) -> frozenset[Reference]:
    """ValidationError with everything that a new head breaks in its registry; then what :func:`demand_sound` says."""
    known = set(_registry_faults(before, slug))
    new = [fault for fault in dict.fromkeys(_registry_faults(after, slug)) if fault not in known]
    if new:
        raise ValidationError.of(new)
    return demand_sound(
        before, after, {stack.reference: None for stack in after.registries[slug].profiles.every()}.keys()
    )


def unresolvable(catalogue: Catalogue) -> Iterator[tuple[ProfileStack, LiveryError]]:
    """The profiles that are sound, as their bases are, and do not resolve all the same: their layers clash."""
    held = (stack for view in catalogue.registries.values() for stack in view.profiles.held)
    known = {id(stack.fault) for stack in held if stack.fault is not None}
    for stack in (stack for view in catalogue.registries.values() for stack in view.profiles.every()):
        error = fault_of(catalogue, stack.reference) if stack.fault is None else None
        if error is not None and id(error) not in known and not isinstance(error, LineageError):
            yield stack, error


def resolved(catalogue: Catalogue, reference: Reference) -> ResolvedProfile:
    """The effective runtime of exactly this profile."""
    schema = catalogue.view(reference.registry).schema
    return resolve_selected(Selection(reference, "exact"), ResolveInput(), catalogue, schema)


def _registry_faults(catalogue: Catalogue, slug: str) -> Iterable[Fault]:
    view = catalogue.registries.get(slug)
    if view is None:
        return
    layers = (layer for stack in view.profiles.every() for layer in stack.layers)
    yield from (finding.fault for finding in check_registry(view) if finding.blocking)
    yield from (finding.fault for layer in layers for finding in check_profile(layer, view) if finding.blocking)


def _demand_graph(before: Catalogue, after: Catalogue, concerned: Sequence[Reference]) -> None:
    """LineageError where a way down from one of these profiles has a fault that it had not before."""
    known = {str(error) for error in check_graph(concerned, partial(all_bases, before), before.names_like)}
    for error in check_graph(concerned, partial(all_bases, after), after.names_like):
        if str(error) not in known:
            raise error


def all_bases(catalogue: Catalogue, reference: Reference) -> Sequence[Reference] | None:
    """The bases of a profile, those of one that was not read yet too; a broken one leads nowhere."""
    stack = catalogue.find(reference)
    if stack is None:
        return None
    return stack.bases if stack.known_fault is None else ()


def _lineage(catalogue: Catalogue, reference: Reference) -> list[Reference]:
    try:
        return expand(reference, partial(all_bases, catalogue))
    except LineageError:
        return [reference]


def _bases(catalogue: Catalogue, reference: Reference) -> tuple[Reference, ...]:
    stack = catalogue.find(reference)
    return stack.bases if stack else ()


def standing_on(changed: Collection[Reference], users_of: UsersOf) -> list[Reference]:
    """The profiles that extend one of these, directly or not."""
    found: dict[Reference, None] = {}
    waiting = list(changed)
    while waiting:
        for user in users_of(waiting.pop()):
            if user.reference not in found and user.reference not in changed:
                found[user.reference] = None
                waiting.append(user.reference)
    return list(found)


def fault_of(catalogue: Catalogue, reference: Reference) -> LiveryError | None:
    """Why a profile does not resolve; None where it does, or is not there."""
    view = catalogue.registries.get(reference.registry)
    if view is None or catalogue.find(reference) is None:
        return None
    try:
        ground = ground_of(Selection(reference, "exact"), catalogue, view.schema)
        check_effective(merge(layers_below(ResolveInput(), ground)), ground.schema)
    except LiveryError as error:
        return error
    return None
