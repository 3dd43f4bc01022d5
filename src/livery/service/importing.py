"""What it takes to bring registries in: which writes, in which order, made before anything is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from msgspec import UNSET
from msgspec.structs import replace

from livery.core.catalogue import Catalogue, RegistryView
from livery.core.diff import Difference
from livery.core.names import Reference
from livery.core.profile import Metadata, Profile, Registry
from livery.core.stack import ProfileStack
from livery.core.values import same
from livery.errors import Invalid, LiveryError
from livery.service.differences import differences_of, written_fields
from livery.service.incoming import Incoming
from livery.service.writes import layer_of
from livery.stores.chain import Instead

Kind = Literal["created", "updated", "deleted"]
_FEW = 1_000  # profiles that are looked up one by one; for more all that there are are read


class Step(NamedTuple):
    """One write; an empty ``profile`` is the registry's own fields.

    ``before`` is what the written source says, or what lies below it where it says nothing; ``expected`` is the version
    there, ``floor`` that of what lies below. ``field`` is what faults call the document.
    """

    kind: Kind
    registry: str
    profile: str
    before: Profile | Registry | None
    after: Profile | Registry | None
    expected: int = 0
    floor: int = 0
    field: str = ""

    @property
    def reference(self) -> Reference:
        return Reference(self.registry, self.profile)

    @property
    def name(self) -> str:
        return str(self.reference) if self.profile else self.registry

    @property
    def from_version(self) -> int:
        return self.before.version if self.before is not None else 0

    @property
    def bases(self) -> tuple[Reference, ...]:
        """What the profile extends, or extended where it goes."""
        item = self.after or self.before
        return item.bases if isinstance(item, Profile) else ()

    def differences(self, catalogue: Catalogue) -> list[Difference]:
        """What it changes, secrets hidden; the catalogue is that after the write, or before it."""
        return differences_of(self.before, self.after, catalogue.view(self.registry).schema)


class Plan(NamedTuple):
    """The writes in their order, how many items are the same already, and the profiles that cannot be compared."""

    steps: list[Step]
    unchanged: int
    unreadable: list[LiveryError]

    def instead(self) -> list[Instead]:
        """The written source as it will be."""
        heads = {step.registry: step.after for step in self.steps if not step.profile}
        profiles: dict[str, dict[str, Profile | None]] = {slug: {} for slug in heads}
        for step in self.steps:
            if step.profile:
                after = step.after if isinstance(step.after, Profile) else None
                profiles.setdefault(step.registry, {})[step.profile] = after
        return [Instead(slug, _registry(heads.get(slug)), changed) for slug, changed in profiles.items()]


def _registry(item: Profile | Registry | None) -> Registry | None:
    return item if isinstance(item, Registry) else None


def plan_of(incoming: Sequence[Incoming], catalogue: Catalogue, *, replace_all: bool) -> Plan:
    """The writes that make the written source say what comes in; with ``replace_all`` nothing else in these registries.

    Without it, fields of a registry that its document leaves out stay as they are; a profile is always a whole.
    Heads of new registries come first, then profiles, bases before their users, then other heads, then what goes.
    """
    plan = Plan([], 0, [])
    unchanged = 0
    for one in incoming:
        view = catalogue.registries.get(one.registry.slug)
        steps = [*_profiles(one, view, plan.unreadable, replace_all=replace_all)]
        head = _head(one, view, is_needed=bool(steps), replace_all=replace_all)
        unchanged += len(one.registry.profiles) - sum(step.kind != "deleted" for step in steps) + (head is None)
        plan.steps.extend([*steps, *([head] if head else [])])
    return Plan(_ordered(plan.steps), unchanged, plan.unreadable)


def _head(one: Incoming, view: RegistryView | None, *, is_needed: bool, replace_all: bool) -> Step | None:
    """The write of the registry's own fields; an empty one where the written source needs a place for profiles."""
    new = replace(one.registry, profiles={})
    if view is None:
        return Step("created", new.slug, "", None, new, field=one.field)
    own = next((layer.head for layer in view.layers if layer.writer), None)
    old = own if own is not None else view.head
    wanted = new if replace_all else _laid_over(old, new)
    if _is_same(wanted, old) or _is_same(wanted, view.head):
        empty = Registry(slug=new.slug)
        is_missing = own is None and is_needed
        return Step("created", new.slug, "", None, empty, floor=view.head.version) if is_missing else None
    if own is None:
        return Step("created", new.slug, "", view.head, new, floor=view.head.version, field=one.field)
    return Step("updated", new.slug, "", own, wanted, own.version, field=one.field)


def _laid_over(old: Registry, new: Registry) -> Registry:
    """The new fields, and the old ones where the new document says nothing."""
    empty = Registry(slug=new.slug)
    kept = {
        field: getattr(old, field)
        for field in new.__struct_fields__
        if field not in ("slug", "profiles", "metadata") and getattr(new, field) == getattr(empty, field)
    }
    tags = new.metadata.tags if new.metadata.tags is not UNSET else old.metadata.tags
    return replace(new, **kept, metadata=Metadata(tags=tags))


def _profiles(
    one: Incoming, view: RegistryView | None, unreadable: list[LiveryError], *, replace_all: bool
) -> Iterator[Step]:
    new = dict(one.registry.profiles)
    for stack in _stacks(view, new, every=replace_all or len(new) > _FEW):
        slug = stack.reference.profile
        if slug in new:
            try:
                yield from _change(stack, new.pop(slug), f"{one.field}.profiles[{slug}]")
            except LiveryError as error:
                unreadable.append(error)
        elif replace_all and (layer := layer_of(stack)) is not None:
            yield Step("deleted", one.registry.slug, slug, layer.profile, None, layer.profile.version)
    for slug, profile in new.items():
        yield Step("created", one.registry.slug, slug, None, profile, field=f"{one.field}.profiles[{slug}]")


def _stacks(view: RegistryView | None, names: Iterable[str], *, every: bool) -> Iterable[ProfileStack]:
    if view is None:
        return ()
    if every:
        return view.profiles.every()
    return [stack for name in list(names) if (stack := view.profiles.get(name)) is not None]


def _change(stack: ProfileStack, new: Profile, field: str) -> Iterator[Step]:
    """The write of a profile that is there, if it would change anything."""
    if not stack.layers:
        raise stack.fault or Invalid(f"profile '{stack.reference}' cannot be read")
    layer = layer_of(stack)
    if layer is not None:
        if not _is_same(new, layer.profile) and not _is_same(new, _seen(stack)):
            yield Step("updated", *stack.reference, layer.profile, new, layer.profile.version, field=field)
        return
    below = stack.profile
    if not _is_same(new, below):
        metadata = Metadata(tags=new.metadata.tags, runtime_version=below.runtime_version)
        new = replace(new, metadata=metadata)
        yield Step("created", *stack.reference, below, new, floor=stack.public.profile.version, field=field)


def _seen(stack: ProfileStack) -> Profile | None:
    """The profile over all sources; None where they do not fit together."""
    if len(stack.layers) == 1:
        return None
    try:
        return stack.profile
    except Invalid:
        return None


def _is_same(new: Profile | Registry, old: Profile | Registry | None) -> bool:
    return old is not None and same(written_fields(new), written_fields(old))


def _ordered(steps: Sequence[Step]) -> list[Step]:
    heads = [step for step in steps if not step.profile]
    first = [step for step in heads if not step.expected]
    kept = [step for step in steps if step.profile and step.kind != "deleted"]
    gone = [step for step in steps if step.kind == "deleted"]
    later = [step for step in heads if step.expected]
    return [*first, *_bases_first(kept), *later, *reversed(_bases_first(gone))]


def _bases_first(steps: Sequence[Step]) -> list[Step]:
    """The steps so that each profile comes after its bases, as far as these are among them."""
    by_name = {step.reference: step for step in steps}
    ordered: dict[Reference, Step] = {}
    for step in steps:
        waiting = [step.reference] if step.reference not in ordered else []
        on_the_way: set[Reference] = set()
        while waiting:
            at = waiting[-1]
            missing = [base for base in by_name[at].bases if _comes_before(base, by_name, ordered, on_the_way)]
            on_the_way.add(at)
            if missing:
                waiting += missing[:1]
            else:
                ordered.setdefault(at, by_name[at])
                waiting.pop()
    return list(ordered.values())


def _comes_before(
    base: Reference, steps: Mapping[Reference, Step], ordered: Mapping[Reference, Step], on_the_way: set[Reference]
) -> bool:
    return base in steps and base not in ordered and base not in on_the_way
