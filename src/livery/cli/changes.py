"""What a write changes, or would change: the differences of documents, with secrets compared and never shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from livery.cli.output import brief, emit, note, style
from livery.core.diff import Difference
from livery.core.schema import SettingsSchema
from livery.service.differences import differences, written_fields

if TYPE_CHECKING:
    from livery.cli.session import Session
    from livery.core.catalogue import Catalogue, RegistryView
    from livery.service import RegistryService

Result = TypeVar("Result")
_SIGNS = {"added": ("+", "green"), "removed": ("-", "red"), "changed": ("~", "yellow")}


def write(
    session: Session, action: Callable[[RegistryService], Result], told: Callable[[Result], str], *, dry_run: bool
) -> None:
    """Do a write and say what was done; with ``dry_run`` try it on a copy and show what it would change."""
    if not dry_run:
        emit(told(action(session.service)))
        return
    rehearsal = session.service.rehearsal()
    before = rehearsal.catalogue
    action(rehearsal)
    emit_changes(before, rehearsal.catalogue, session.color)
    note("nothing was written (--dry-run)")


class _Document(NamedTuple):
    """What is written of a registry itself or of a profile, and what its settings may be."""

    fields: Mapping[str, Any]
    schema: SettingsSchema


def emit_changes(before: Catalogue, after: Catalogue, color: bool) -> None:
    """The differences between two states, each registry's and profile's under its name."""
    for name, old, new in sorted(_changed(before, after), key=itemgetter(0)):
        sign = "+" if old is None else "-" if new is None else "~"
        emit(f"{sign} {name}")
        schema = (new or old).schema  # type: ignore[union-attr]
        for line in drawn(differences(old.fields if old else {}, new.fields if new else {}, schema), color):
            emit(f"    {line}")


def _changed(before: Catalogue, after: Catalogue) -> Iterator[tuple[str, _Document | None, _Document | None]]:
    """The items that are not the same in both, as they are seen over all sources."""
    logged = after.logged if after.generation == before.generation + 1 else None
    for slug in {**before.registries, **after.registries}:
        old, new = before.registries.get(slug), after.registries.get(slug)
        names = None if logged is None else {change.profile for change in logged if change.registry == slug}
        for name in ("", *_profiles(old, new, names)):
            one, other = _document(old, name), _document(new, name)
            if one != other:
                yield f"{slug}/{name}" if name else slug, one, other


def _profiles(old: RegistryView | None, new: RegistryView | None, logged: Iterable[str] | None) -> Iterable[str]:
    """The profiles that may not be the same: of those that are only asked for the ones that a log tells of."""
    if old is new:
        return ()
    views = [view for view in (old, new) if view is not None]
    has_new_schema = old is not None and new is not None and old.schema is not new.schema
    if logged is None or has_new_schema:
        return {name for view in views for name in view.profiles}
    return {*filter(None, logged), *(name for view in views for name in view.profiles.held_names)}


def _document(view: RegistryView | None, name: str) -> _Document | None:
    """An item as it is seen over all sources; None where it is not there, or cannot be used."""
    if view is None:
        return None
    if not name:
        return _Document(written_fields(view.head), view.schema)
    stack = view.profiles.get(name)
    return _Document(written_fields(stack.profile), view.schema) if stack is not None and not stack.fault else None


def drawn(changes: list[Difference], color: bool) -> Iterator[str]:
    """One line for each difference."""
    for change in changes:
        sign, tone = _SIGNS[change.kind]
        sides = {"added": (change.after,), "removed": (change.before,)}.get(change.kind, (change.before, change.after))
        yield style(f"{sign} {change.path}: {' → '.join(map(brief, sides))}", color, fg=tone)
