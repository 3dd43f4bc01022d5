"""Whether the whole would be sound after a write: what was usable before it has to be usable after it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from livery.core.catalogue import Catalogue, ProfileStack
from livery.core.check import check_profile, check_registry
from livery.core.lineage import check_graph
from livery.core.merge import merge
from livery.core.names import Reference
from livery.core.profile import ResolveInput
from livery.core.resolve import check_effective, ground_of, layers_below, resolve_selected
from livery.core.resolved import ResolvedProfile
from livery.core.selection import Selection
from livery.errors import Fault, LineageError, LiveryError, ValidationError


def demand_sound(before: Catalogue, after: Catalogue, changed: Collection[Reference]) -> None:
    """LineageError, or why a changed profile or one that stands on it would resolve no longer."""
    if any(_bases(before, reference) != _bases(after, reference) for reference in changed):
        _demand_graph(before, after)
    for reference in [*changed, *_standing_on(changed, after)]:
        fault = _fault_of(after, reference)
        if fault is None or _fault_of(before, reference) is not None:
            continue  # it is sound, or it was not before
        if reference in changed:
            raise fault
        raise ValidationError("profile", f"'{reference}' stands on it and would no longer resolve: {fault}")


def demand_sound_registry(before: Catalogue, after: Catalogue, slug: str) -> None:
    """ValidationError with everything that a new head breaks in its registry; then what :func:`demand_sound` says."""
    known = set(_registry_faults(before, slug))
    new = [fault for fault in dict.fromkeys(_registry_faults(after, slug)) if fault not in known]
    if new:
        raise ValidationError.of(new)
    demand_sound(before, after, [stack.reference for stack in after.registries[slug].profiles.values()])


def unresolvable(catalogue: Catalogue) -> Iterator[tuple[ProfileStack, LiveryError]]:
    """The profiles that are sound, as their bases are, and do not resolve all the same: their layers clash."""
    stacks = [stack for view in catalogue.registries.values() for stack in view.profiles.values()]
    known = {id(stack.fault) for stack in stacks if stack.fault is not None}
    for stack in stacks:
        error = _fault_of(catalogue, stack.reference) if stack.fault is None else None
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
    layers = [layer for stack in view.profiles.values() for layer in stack.layers]
    findings = [*check_registry(view), *(finding for layer in layers for finding in check_profile(layer, view))]
    yield from (finding.fault for finding in findings if finding.blocking)


def _demand_graph(before: Catalogue, after: Catalogue) -> None:
    known = {str(error) for error in check_graph(before.index())}
    for error in check_graph(after.index()):
        if str(error) not in known:
            raise error


def _bases(catalogue: Catalogue, reference: Reference) -> tuple[Reference, ...]:
    view = catalogue.registries.get(reference.registry)
    stack = view.profiles.get(reference.profile) if view else None
    return stack.bases if stack else ()


def _standing_on(changed: Collection[Reference], catalogue: Catalogue) -> list[Reference]:
    """The profiles that extend one of these, directly or not."""
    users: dict[Reference, list[Reference]] = {}
    for reference, bases in catalogue.index().items():
        for base in bases:
            users.setdefault(base, []).append(reference)
    found: dict[Reference, None] = {}
    waiting = list(changed)
    while waiting:
        for user in users.get(waiting.pop(), ()):
            if user not in found and user not in changed:
                found[user] = None
                waiting.append(user)
    return list(found)


def _fault_of(catalogue: Catalogue, reference: Reference) -> LiveryError | None:
    """Why a profile does not resolve; None where it does, or is not there."""
    view = catalogue.registries.get(reference.registry)
    if view is None or reference.profile not in view.profiles:
        return None
    try:
        ground = ground_of(Selection(reference, "exact"), catalogue, view.schema)
        check_effective(merge(layers_below(ResolveInput(), ground)), ground.schema)
    except LiveryError as error:
        return error
    return None
