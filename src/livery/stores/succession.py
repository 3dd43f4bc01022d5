"""From one state of the whole to the next: what an edit broke stays as it was, what is the same is known to be."""

from __future__ import annotations

from collections.abc import Sequence

from livery.core.catalogue import Catalogue, RegistryView
from livery.core.check import Finding
from livery.core.lineage import check_graph
from livery.core.names import Reference
from livery.core.profile import Profile, equal
from livery.core.stack import ProfileStack
from livery.errors import LineageError, LiveryError, SourceUnavailable
from livery.stores.findings import is_of_lineage
from livery.stores.protocols import BrokenItem
from livery.stores.source import Source, registry_of


def keep_last_good(sources: Sequence[Source], before: Catalogue, now: Catalogue, findings: Sequence[Finding]) -> bool:
    """Put back, in their sources, profiles that were sound and are no longer; whether there were any."""
    kept = False
    for finding in findings:
        if finding.blocking and finding.profile and not is_of_lineage(finding):
            reference = Reference(finding.registry, finding.profile)
            error = now.registries[reference.registry].profiles[reference.profile].known_fault
            if error is not None and _was_sound(before, reference):
                kept |= _put_back(sources, before, now, reference, error)
    if any(finding.blocking and is_of_lineage(finding) for finding in findings):
        kept |= _keep_lineages(sources, before, now)
    return kept


def _keep_lineages(sources: Sequence[Source], before: Catalogue, catalogue: Catalogue) -> bool:
    """The same for references that can be followed no longer."""
    known = {tuple(error.chain[-2:]) for error in _lineage_errors(before)}
    kept = False
    for error in _lineage_errors(catalogue):
        user, base = (Reference(*step.split("/", 1)) for step in error.chain[-2:])
        if _was_sound(before, user) and tuple(error.chain[-2:]) not in known:
            stood_on_it = base in before.registries[user.registry].profiles[user.profile].bases
            at_fault = base if stood_on_it else user  # the base has vanished, or an edit names one that is not there
            kept |= _put_back(sources, before, catalogue, at_fault, error)
    return kept


def _lineage_errors(catalogue: Catalogue) -> list[LineageError]:
    held = (stack.reference for view in catalogue.registries.values() for stack in view.profiles.held)
    return check_graph(held, catalogue.bases_at_hand, catalogue.names_like)


def _was_sound(before: Catalogue, reference: Reference) -> bool:
    stack = _found(before, reference)
    return stack is not None and stack.is_read and stack.known_fault is None


def _put_back(
    sources: Sequence[Source], before: Catalogue, now: Catalogue, reference: Reference, error: LiveryError
) -> bool:
    """Keep the earlier documents of a profile in the sources whose documents of it have changed."""
    earlier, present = _documents(before, reference), _documents(now, reference)
    kept = False
    for source in sources:
        old, new = earlier.get(source.label), present.get(source.label)
        is_held = registry_of(source, reference.registry) is not None
        if is_held and old is not None and not (new is not None and equal(old, new)):
            source.keep(old, BrokenItem(*reference, error))
            kept = True
    return kept


def _documents(catalogue: Catalogue, reference: Reference) -> dict[str, Profile]:
    """What each source says of a profile, as far as it was read."""
    stack = _found(catalogue, reference)
    layers = stack.layers if stack is not None else ()
    return {layer.source: layer.profile for layer in layers if layer.is_read}


def _found(catalogue: Catalogue, reference: Reference) -> ProfileStack | None:
    """A profile, as far as anybody can still say what it was."""
    try:
        return catalogue.find(reference)
    except SourceUnavailable:
        return None


def read_again(before: Catalogue, catalogue: Catalogue) -> None:
    """Read the profiles that were in use: what is made of them holds only as long as they are the same."""
    for old in before.registries.values():
        for stack in old.profiles.held:
            new = catalogue.find(stack.reference) if stack.is_deferred and stack.is_read else None
            _ = new.fault if new is not None else None


def keep_stamps(before: Catalogue, catalogue: Catalogue) -> None:
    for slug, old in before.registries.items():
        view = catalogue.registries.get(slug)
        if view is not None and _same(old, view):
            view.stamp = old.stamp


def _same(old: RegistryView, new: RegistryView) -> bool:
    """Whether two views come from equal documents of the same sources; of profiles, those that are held count."""
    before, now = (_held(view) for view in (old, new))
    if len(old.layers) != len(new.layers) or before.keys() != now.keys():
        return False
    return all(
        one.source == other.source and (one.head is other.head or equal(one.head, other.head))
        for one, other in zip(old.layers, new.layers, strict=True)
    ) and all(_same_stack(stack, now[slug]) for slug, stack in before.items())


def _held(view: RegistryView) -> dict[str, ProfileStack]:
    return {stack.reference.profile: stack for stack in view.profiles.held}


def _same_stack(old: ProfileStack, new: ProfileStack) -> bool:
    """Whether two stacks are equally usable; of profiles that are read when needed, whether those in use are equal."""
    if (old.known_fault is None) != (new.known_fault is None):
        return False
    if not old.is_deferred or not old.is_read or old.known_fault is not None:
        return True
    pairs = zip(old.layers, new.layers, strict=True)
    return new.is_read and all(equal(one.profile, other.profile) for one, other in pairs)
