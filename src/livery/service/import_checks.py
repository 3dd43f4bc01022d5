"""Everything that speaks against an import, found before anything is written."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import partial

from livery.core.catalogue import Catalogue
from livery.core.check import check_profile, check_registry
from livery.core.lineage import check_graph
from livery.core.names import Reference
from livery.core.profile import Profile, Registry
from livery.core.stack import ProfileStack
from livery.core.values import same
from livery.errors import (
    Fault,
    Invalid,
    LineageError,
    LiveryError,
    Place,
    ProfileReadOnly,
    Refused,
    Unsupported,
    ValidationError,
)
from livery.service.exporting import Told
from livery.service.importing import Plan, Step
from livery.service.soundness import UsersOf, all_bases, fault_of, standing_on
from livery.service.writes import layer_of

_EVERY = 500  # profiles between two words about how far it is
_FEW = 1_000  # profiles whose users are asked for one by one; for more all profiles are looked through
_SCHEMA_FIELDS = ("defaults", "enforced", "policy", "settings_schema", "foreign_sections")


def refusals(plan: Plan, before: Catalogue, writer: str) -> Iterator[LiveryError]:
    """Profiles that are read-only, and those that cannot be read where they are: in the written source."""
    for error in plan.unreadable:
        yield _in(writer, error) if isinstance(error, ValidationError) else error
    for step in plan.steps:
        stack = before.find(step.reference) if step.profile and step.before is not None else None
        if stack is not None and stack.read_only_owner is not None:
            yield ProfileReadOnly(step.name, stack.read_only_owner)


def _in(writer: str, error: ValidationError) -> ValidationError:
    return ValidationError.of([f if f.place else f._replace(place=Place(writer)) for f in error.faults])


def without_room(plan: Plan, demand_room: Callable[[Profile | Registry], None]) -> Iterator[LiveryError]:
    """What the layout of the written source has no place for."""
    for step in plan.steps:
        try:
            if step.after is not None:
                demand_room(step.after)
        except Unsupported as error:
            yield Unsupported(f"{step.name} {error.field}", error.layout, error.advice)
        except Invalid as error:
            yield _named(error, step)


def unsound(plan: Plan, before: Catalogue, after: Catalogue, told: Told) -> Iterator[LiveryError]:
    """Documents with faults, references that lead nowhere, layers that clash, and what others would lose."""
    broken: set[Reference] = set()
    steps = {step.reference: step for step in plan.steps if step.profile}
    for fault, reference in _document_faults(steps.values(), after):
        broken.add(reference)
        yield fault
    for lineage in check_graph([r for r in steps if r not in broken], partial(all_bases, after), after.names_like):
        broken.add(_reference(lineage.chain[0]))
        yield _placed(lineage, steps)
    yield from _head_faults(plan, before, after)
    for number, step in enumerate(steps.values()):
        if number % _EVERY == 0:
            told("checking", number, len(steps))
        if broken.intersection(step.bases):  # told already, where it is
            broken.add(step.reference)
        error = fault_of(after, step.reference) if step.after is not None and step.reference not in broken else None
        if error is not None and not isinstance(error, LineageError):
            yield ValidationError(step.field, str(error))
    yield from _lost(plan, steps, before, after)


def _document_faults(steps: Iterable[Step], after: Catalogue) -> Iterator[tuple[ValidationError, Reference]]:
    for step in steps:
        stack = after.find(step.reference) if step.after is not None else None
        layer = layer_of(stack) if stack is not None else None
        findings = check_profile(layer, after.view(step.registry)) if layer is not None else []
        faults = [finding.fault for finding in findings if finding.blocking]
        if faults:
            yield _named(ValidationError.of(faults), step), step.reference


def _named(error: Invalid, step: Step) -> ValidationError:
    """The error with what faults call the document of the step."""
    faults = error.faults if isinstance(error, ValidationError) else (Fault("", str(error)),)
    stored = f"registry.profiles[{step.profile}]" if step.profile else "registry"
    return ValidationError.of(
        [f._replace(field=f.field.replace(stored, step.field, 1) if f.field else step.field) for f in faults]
    )


def _placed(error: LineageError, steps: dict[Reference, Step]) -> LiveryError:
    """A reference that leads nowhere, as a fault of the document that comes in, if it is one of these."""
    step = steps.get(_reference(error.chain[-2]))
    if step is None or step.after is None:
        return error
    return ValidationError(f"{step.field}.{error.field.rpartition('].')[2]}", error.reason)


def _reference(text: str) -> Reference:
    return Reference(*text.split("/", 1))


def _head_faults(plan: Plan, before: Catalogue, after: Catalogue) -> Iterator[LiveryError]:
    """What is wrong with the registries' own fields, or would be, and was not before."""
    fields = {step.registry: step.field for step in plan.steps if not step.profile}
    for slug in dict.fromkeys(step.registry for step in plan.steps):
        old = before.registries.get(slug)
        known = {finding.fault for finding in check_registry(old)} if old is not None else set()
        for finding in check_registry(after.view(slug)):
            if finding.blocking and finding.fault not in known:
                field = finding.fault.field.replace("registry", fields.get(slug) or f"registries[{slug}]", 1)
                yield ValidationError.of([finding.fault._replace(field=field)])


def _lost(plan: Plan, steps: Collection[Reference], before: Catalogue, after: Catalogue) -> Iterator[LiveryError]:
    """The profiles that do not come in, are sound now, and would not be any more."""
    users_of = _users(before) if len(steps) > _FEW else before.users_of
    concerned = dict.fromkeys(standing_on(steps, users_of))
    for slug in _with_other_rules(plan):
        concerned |= dict.fromkeys(stack.reference for stack in after.view(slug).profiles.every())
    for reference in concerned:
        if reference in steps or fault_of(before, reference) is not None:
            continue
        error = fault_of(after, reference) or _own_fault(after, reference)
        if error is not None:
            yield ValidationError(f"profile '{reference}'", f"would no longer resolve: {error}")


def _own_fault(catalogue: Catalogue, reference: Reference) -> LiveryError | None:
    stack, view = catalogue.find(reference), catalogue.view(reference.registry)
    for layer in stack.layers if stack is not None else ():
        faults = [finding.fault for finding in check_profile(layer, view) if finding.blocking]
        if faults:
            return ValidationError.of(faults)
    return None


def _with_other_rules(plan: Plan) -> Iterator[str]:
    """The registries whose own fields change so that every profile of them is concerned."""
    for step in plan.steps:
        if not step.profile and isinstance(step.before, Registry) and isinstance(step.after, Registry):
            old, new = step.before.head(), step.after.head()
            if any(not same(old.get(field), new.get(field)) for field in _SCHEMA_FIELDS):
                yield step.registry


def _users(catalogue: Catalogue) -> UsersOf:
    """What tells the users of a base, from one look at every profile."""
    found: dict[Reference, list[ProfileStack]] = {}
    for view in catalogue.registries.values():
        for stack in view.profiles.every():
            for base in stack.bases if stack.known_fault is None else ():
                found.setdefault(base, []).append(stack)
    return lambda base: found.get(base, ())


def as_one(errors: Sequence[LiveryError]) -> LiveryError:
    """One error that says all of them: a ValidationError, or what they are where nothing is wrong with a document."""
    if len(errors) == 1:
        return errors[0]
    if all(isinstance(error, Refused) for error in errors):
        return Refused("\n".join(map(str, errors)))
    faults = [
        fault
        for error in errors
        for fault in (error.faults if isinstance(error, ValidationError) else (Fault("", str(error)),))
    ]
    return ValidationError.of(list(dict.fromkeys(faults)))
