"""What a write changes, or would change: the differences of documents, with secrets compared and never shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from livery.cli.output import brief, emit, note, style
from livery.core.diff import Difference
from livery.core.schema import SettingsSchema
from livery.service.differences import differences, written_fields

if TYPE_CHECKING:
    from livery.cli.session import Session
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
    before = dict(_documents(rehearsal))
    action(rehearsal)
    emit_changes(before, dict(_documents(rehearsal)), session.color)
    note("nothing was written (--dry-run)")


_Documents = dict[str, tuple[Mapping[str, Any], SettingsSchema]]


def _documents(service: RegistryService) -> Iterator[tuple[str, tuple[Mapping[str, Any], SettingsSchema]]]:
    """Every registry's own fields and every profile, as they are seen over all sources."""
    for slug, view in sorted(service.catalogue.registries.items()):
        yield slug, (written_fields(view.head), view.schema)
        for stack in view.profiles.every():
            if stack.fault is None:
                yield str(stack.reference), (written_fields(stack.profile), view.schema)


def emit_changes(before: _Documents, after: _Documents, color: bool) -> None:
    """The differences of each document under its name."""
    for name in sorted({*before, *after}):
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        schema = (new or old)[1]  # type: ignore[index]
        sign = "+" if old is None else "-" if new is None else "~"
        emit(f"{sign} {name}")
        for line in drawn(differences(old[0] if old else {}, new[0] if new else {}, schema), color):
            emit(f"    {line}")


def drawn(changes: list[Difference], color: bool) -> Iterator[str]:
    """One line for each difference."""
    for change in changes:
        sign, tone = _SIGNS[change.kind]
        sides = {"added": (change.after,), "removed": (change.before,)}.get(change.kind, (change.before, change.after))
        yield style(f"{sign} {change.path}: {' → '.join(map(brief, sides))}", color, fg=tone)
