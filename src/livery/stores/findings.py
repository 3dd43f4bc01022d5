"""What is wrong in a state of the whole, and where in which file: faults that stop a profile, and warnings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from livery.core.catalogue import Catalogue, RegistryView
from livery.core.check import Finding, check, check_lineages, check_profile
from livery.core.names import Reference
from livery.core.stack import ProfileStack
from livery.errors import Fault, Invalid, LiveryError, MergeConflict, Place, ValidationError
from livery.stores.protocols import Field
from livery.stores.source import Source

_MOST_PLACES = 50  # finding a line parses the file again; nobody reads more faults than this at once


def findings_of(catalogue: Catalogue, sources: Sequence[Source]) -> list[Finding]:
    """What is wrong in what was read, the first blocking ones with file and line; profiles at fault get their error."""
    findings = located([*check(catalogue), *_clashes(catalogue), *_notices(sources)], sources)
    _set_faults(catalogue, findings)
    return findings


def inspect(catalogue: Catalogue, known: Iterable[Finding], sources: Sequence[Source]) -> list[Finding]:
    """Every finding with file and line, also of profiles that are read only when they are needed: they are read now."""
    for view in catalogue.registries.values():
        for stack in view.profiles.held:
            _ = stack.fault
    later = [*check(catalogue), *_clashes(catalogue), *_of_asked(catalogue, sources), *_remarks(sources)]
    found = (located(list(findings), sources, warnings=True) for findings in (known, later))
    return list(dict.fromkeys(finding for findings in found for finding in findings))


def examined(view: RegistryView, sources: Sequence[Source], stack: ProfileStack) -> LiveryError | None:
    """Why a profile that was read only now cannot be used."""
    try:
        found = [finding for layer in stack.layers if layer.profile for finding in check_profile(layer, view)]
        if len(stack.layers) > 1:
            _ = stack.profile
    except LiveryError as error:
        return error
    blocking = located([finding for finding in found if finding.blocking], sources)
    return ValidationError.of([finding.fault for finding in blocking]) if blocking else None


def _clashes(catalogue: Catalogue) -> Iterator[Finding]:
    """The profiles whose layers, each sound by itself, do not fit together; their error is given to them too."""
    for view in catalogue.registries.values():
        for stack in view.profiles.held:
            if len(stack.layers) > 1 and stack.is_read and stack.fault is None:
                try:
                    _ = stack.profile
                except MergeConflict as error:
                    stack.known_fault = error
                    field = f"registry.profiles[{stack.reference.profile}].runtime"
                    yield Finding(*stack.reference, stack.layers[-1].source, Fault(field, str(error)))
                except Invalid:
                    pass  # a fault of one layer alone, which is found there


def _of_asked(catalogue: Catalogue, sources: Sequence[Source]) -> Iterator[Finding]:
    """What is wrong with the profiles that are only read when they are asked for: all of them are, one by one."""
    asking = {source.label for source in sources if source.loaded.snapshot is not None}
    for view in catalogue.registries.values() if asking else ():
        held = {stack.reference for stack in view.profiles.held}
        for stack in view.profiles.every():
            if stack.reference not in held:
                yield from _of_stack(stack, view, next(iter(asking)))
                yield from check_lineages(catalogue, [stack.reference])


def _of_stack(stack: ProfileStack, view: RegistryView, source: str) -> Iterator[Finding]:
    found = [finding for layer in stack.layers for finding in check_profile(layer, view)]
    yield from found
    if stack.fault is not None and not any(finding.blocking for finding in found):
        where = stack.layers[-1].source if stack.layers else source
        yield Finding(*stack.reference, where, Fault(f"registry.profiles[{stack.reference.profile}]", str(stack.fault)))


def _notices(sources: Sequence[Source]) -> Iterator[Finding]:
    for source in sources:
        for notice in source.loaded.notices:
            yield Finding(notice.registry, notice.profile, source.label, notice.fault, notice.blocking)


def _remarks(sources: Sequence[Source]) -> Iterator[Finding]:
    """What stores have to say of profiles that they listed without reading them."""
    for source in sources:
        for registry in source.loaded.registries if source.loaded.remarks is not None else ():
            for slug in registry.profiles:
                for fault in source.loaded.remarks(registry.slug, slug) if source.loaded.remarks else ():
                    yield Finding(registry.slug, slug, source.label, fault, blocking=False)


def _set_faults(catalogue: Catalogue, findings: Iterable[Finding]) -> None:
    """Give every profile with a blocking finding its error, with the lines of the first few."""
    by_profile: dict[Reference, list[Fault]] = {}
    for finding in findings:
        if finding.blocking and finding.profile and not is_of_lineage(finding):
            by_profile.setdefault(Reference(finding.registry, finding.profile), []).append(finding.fault)
    for reference, faults in by_profile.items():
        stack = catalogue.registries[reference.registry].profiles[reference.profile]
        stack.known_fault = stack.known_fault or ValidationError.of(faults)


def is_of_lineage(finding: Finding) -> bool:
    return finding.fault.field.startswith(f"registry.profiles[{finding.profile}].extends")


def located(findings: list[Finding], sources: Sequence[Source], *, warnings: bool = False) -> list[Finding]:
    """The findings with the file and line of the first blocking ones, and of warnings where that is wanted."""
    blocking = [finding for finding in findings if finding.blocking or warnings][:_MOST_PLACES]
    found: dict[Finding, Place | None] = {}
    for source in sources:
        own = [finding for finding in blocking if finding.source == source.label]
        found.update(zip(own, places(source, [_field_of(finding) for finding in own]), strict=True))
    return [
        finding._replace(fault=finding.fault._replace(place=finding.fault.place or found.get(finding)))
        for finding in findings
    ]


def places(source: Source, wanted: Sequence[Field]) -> list[Place | None]:
    """The lines of fields of one source's documents."""
    if source.store is None or not wanted:
        return [None] * len(wanted)
    return source.store.places(wanted, source.loaded.token)


def _field_of(finding: Finding) -> Field:
    field = finding.fault.field.removeprefix("registry.").removeprefix(f"profiles[{finding.profile}].")
    return Field(finding.registry, finding.profile, field)
