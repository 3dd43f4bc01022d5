"""Registries out of this chain and into it: export to a document, import from a document or another source."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from livery.core.catalogue import Catalogue
from livery.core.names import registry_slug
from livery.core.profile import Profile, Registry
from livery.errors import LiveryError
from livery.formats.bulk import collector_paused
from livery.service.differences import diff_text, written_fields
from livery.service.exporting import Exported, Told, exported, silent
from livery.service.import_checks import as_one, refusals, unsound, without_room
from livery.service.importing import Plan, Step, plan_of
from livery.service.incoming import Bundle
from livery.service.profile_writes import ProfileWrites
from livery.service.protocols import NO_OPTIONS
from livery.service.registry_writes import RegistryWrites
from livery.stores.protocols import HistoryStore, Overtaken, WritableProfileStore, WriteOptions

_EVERY = 100  # writes between two words about how far it is


class Imported(NamedTuple):
    """What an import has changed, or would change, in the order of the writes; how many items were the same already.

    ``schemas`` is the state that the differences are to be shown with.
    """

    steps: list[Step]
    unchanged: int
    after: Catalogue


class Transfer(ProfileWrites, RegistryWrites):
    """Export and import."""

    def export_registries(self, registries: Sequence[str] = (), *, told: Told = silent) -> Exported:
        """The bundle of some registries (none: of all) as they are seen over all sources, with secrets hidden."""
        catalogue = self._chain.catalogue()
        if not registries:
            catalogue.demand_complete()
        slugs = [registry_slug(name, "registry") for name in registries] or sorted(catalogue.registries)
        with collector_paused():
            return exported(catalogue, list(dict.fromkeys(slugs)), told)

    def import_registries(
        self,
        bundle: Bundle,
        options: WriteOptions = NO_OPTIONS,
        *,
        replace_all: bool = False,
        dry_run: bool = False,
        told: Told = silent,
    ) -> Imported:
        """Make the written source say what comes in: new items are created, differing ones updated, equal ones left.

        With ``replace_all`` profiles of these registries that do not come in are deleted. Everything that speaks
        against any of it is one error, before anything is written. A database takes all of it or nothing; of files, one
        after the other, a note of the error says what was written. With ``dry_run`` nothing is.
        """

        def work() -> Imported:
            before, plan = self._planned(bundle, replace_all)
            after = self._chain.trial(*plan.instead())
            try:
                self._demand_importable(plan, before, after, told)
            except LiveryError as error:
                raise bundle.located(error) from None
            if not dry_run and plan.steps:
                self._write_all(plan, before, after, options, told)
            return Imported(plan.steps, plan.unchanged, after)

        with collector_paused():
            return self._written(work, options._replace(expected_version=None))

    def _planned(self, bundle: Bundle, replace_all: bool) -> tuple[Catalogue, Plan]:
        self._writer()  # SourceReadOnly comes before everything else
        catalogue = self._look()
        incoming = bundle.registries(catalogue)
        for one in incoming:
            _demand_answerable(one.registry.slug, catalogue)
        return catalogue, plan_of(incoming, catalogue, replace_all=replace_all)

    def _demand_importable(self, plan: Plan, before: Catalogue, after: Catalogue, told: Told) -> None:
        """Everything that speaks against the plan, as one error."""
        errors = [
            *refusals(plan, before, self._chain.writer.label if self._chain.writer else ""),
            *self._overruled(plan, before),
            *without_room(plan, self._writer().demand_room),
            *unsound(plan, before, after, told),
        ]
        if errors:
            raise as_one(errors)

    def _overruled(self, plan: Plan, before: Catalogue) -> list[LiveryError]:
        """The values that a source above the written one would go on to give."""
        above = self._labels()[1]
        errors: list[LiveryError] = []
        for step in plan.steps if above else ():
            if step.after is None:
                continue
            try:
                self._demand_seen(step.after, before, above)
            except LiveryError as error:
                errors.append(error)
        return errors

    def _demand_seen(self, item: Profile | Registry, before: Catalogue, above: Collection[str]) -> None:
        if isinstance(item, Registry):
            view = before.registries.get(item.slug)
            if view is not None:
                self._demand_effective_head(view, written_fields(item), view.head.head())
            return
        stack = before.find(item.reference)
        if stack is not None and any(layer.source in above for layer in stack.layers):
            self._demand_effective(stack, item.document(), stack.profile.document())

    def _write_all(self, plan: Plan, before: Catalogue, after: Catalogue, options: WriteOptions, told: Told) -> None:
        options = options._replace(action=options.action or "import", at_ms=options.at_ms or self._clock())
        is_whole = isinstance(self._chain.writer_store(), HistoryStore)
        is_logged = is_whole or self._journal is not None
        steps = plan.steps if is_whole else _together(plan.steps)
        written: list[Step] = []
        try:
            with self._transaction(exclusive=True) as store:
                if not _is_as_logged(before, self._chain.refresh(self._clock())):
                    raise Overtaken
                for number, step in enumerate(steps):
                    if number % _EVERY == 0:
                        told("writing", number, len(steps))
                    diff = diff_text(step.before, step.after, after.view(step.registry).schema) if is_logged else ""
                    stamped = self._stamped(options._replace(diff=diff), step.expected, step.floor)
                    _write(step, store, stamped)
                    written.append(step)
        except BaseException as error:
            if written and not is_whole:
                error.add_note(_what_was_written(written, steps))
            raise
        finally:
            self._chain.refresh(self._clock())


def _demand_answerable(slug: str, catalogue: Catalogue) -> None:
    """Why nobody can say what is there of a registry; a written source that is yet to be made has nothing."""
    for name, error in catalogue.unavailable.items():
        if name in (slug, None):
            raise error.with_traceback(None)  # the same error is raised every time


def _is_as_logged(before: Catalogue, now: Catalogue) -> bool:
    """Whether no change was logged meanwhile; a database that has just been made has no log yet."""
    logs = ({label: seq for label, seq in catalogue.seqs.items() if seq} for catalogue in (before, now))
    return now is before or next(logs) == next(logs)


def _write(step: Step, store: WritableProfileStore, options: WriteOptions) -> None:
    if isinstance(step.after, Profile):
        store.save_profile(step.after, options)
    elif isinstance(step.after, Registry):
        store.save_registry(step.after, options)
    else:
        store.delete_profile(step.reference, options)


def _together(steps: Sequence[Step]) -> list[Step]:
    """The steps so that a registry that is new to the store brings its profiles along in one write.

    Those that lie over another source's count on from there, and are written by themselves.
    """
    brought: dict[str, dict[str, Profile]] = {}
    heads = {step.registry for step in steps if not step.profile and not step.expected}
    for step in steps:
        if step.registry in heads and isinstance(step.after, Profile) and not step.floor:
            brought.setdefault(step.registry, {})[step.profile] = step.after
    return [
        step._replace(after=replace(step.after, profiles=brought.get(step.registry, {})))
        if isinstance(step.after, Registry) and step.registry in heads
        else step
        for step in steps
        if step.profile not in brought.get(step.registry, {})
    ]


def _what_was_written(written: Sequence[Step], steps: Sequence[Step]) -> str:
    rest = [step.name for step in steps[len(written) :]]
    done = ", ".join(f"{step.name} ({step.kind})" for step in written)
    return f"written before that: {done}; not written: {', '.join(rest)}"
