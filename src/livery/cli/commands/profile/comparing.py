"""Comparing profiles: ``diff``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from livery.cli.changes import drawn
from livery.cli.command import Command
from livery.cli.documents import has_path, put_at, value_at
from livery.cli.options import list_output, name_argument
from livery.cli.output import emit, emit_document, note
from livery.cli.selection import choose, named
from livery.cli.session import Session, pass_session
from livery.core.diff import Difference
from livery.core.effective import runtime_document
from livery.core.patch import leaf_paths
from livery.core.profile import Profile
from livery.core.schema import SettingsSchema
from livery.errors import UsageError
from livery.service.differences import differences, written_fields
from livery.settings import schema_named

_MOST_DIGITS = 15  # of a version


@click.command("diff", cls=Command)
@name_argument("one")
@name_argument("other", required=False)
@click.option("--from", "from_version", type=click.IntRange(min=1), metavar="N", help="Compare version N of ONE.")
@click.option("--to", "to_version", type=click.IntRange(min=1), metavar="M", help="With version M, not with the last.")
@click.option("--resolved", is_flag=True, help="Compare what they amount to, not what is stored.")
@click.option("--exit-code", is_flag=True, help="Exit with 1 if they differ.")
@list_output
@pass_session
@click.pass_context
def diff_command(
    ctx: click.Context,
    session: Session,
    one: str,
    other: str | None,
    from_version: int | None,
    to_version: int | None,
    resolved: bool,
    exit_code: bool,
    form: str,
) -> None:
    """Show how profile OTHER differs from ONE; of one profile alone, what the written source changes in it.

    Versions of one profile are compared with --from and --to; NAME@N is version N of a profile, too.

    \b
    livery profile diff coder --from 3
    livery profile diff coder@3 pilot
    """
    if from_version is None and to_version is None:
        changes = _changes(session, one, other, resolved=resolved)
    elif other is not None or resolved or from_version is None:
        raise UsageError("--from N [--to M] compares two versions of one profile, as they were stored")
    else:
        changes = session.service.profile_diff(*named(session, one), from_version, to_version)
    if form == "table":
        for line in drawn(changes, session.color):
            emit(line)
        if not changes:
            note("no difference")
    else:
        emit_document([change._asdict() for change in changes], form)
    if changes and exit_code:
        ctx.exit(1)


def _changes(session: Session, one: str, other: str | None, *, resolved: bool) -> list[Difference]:
    if other is None:
        if resolved:
            raise UsageError("--resolved compares two profiles; name the other one")
        return _own_changes(session, one)
    if resolved:
        return differences(_runtime(session, one), _runtime(session, other), _schema(session, other))
    before, after = _stored(session, one), _stored(session, other)
    return differences(written_fields(before), written_fields(after), _schema_of(session, after))


def _stored(session: Session, name: str) -> Profile:
    """A profile as it is stored over all sources; ``NAME@N`` as the written source had it in version N."""
    name, at, version = name.partition("@")
    if not at:
        return session.service.get_profile(*named(session, name))
    if not version.isdecimal() or len(version) > _MOST_DIGITS:
        raise UsageError(f"{version!r} is no version; write NAME@N")
    return session.service.profile_revision(*named(session, name), int(version))


def _runtime(session: Session, name: str) -> Mapping[str, Any]:
    """The effective runtime in the shape of a profile's, so that its paths have their usual names."""
    resolved = session.service.resolve_effective_profile(choose(session, name).request)
    runtime = runtime_document(resolved.effective)
    return {"runtime": {"step_settings_patch": runtime.pop("settings"), **runtime}}


def _schema(session: Session, name: str) -> SettingsSchema:
    return _schema_of(session, session.service.get_profile(*named(session, name)))


def _schema_of(session: Session, profile: Profile) -> SettingsSchema:
    view = session.service.catalogue.registries.get(profile.registry)
    return view.schema if view is not None else schema_named("ai")


def _own_changes(session: Session, name: str) -> list[Difference]:
    """What the written layer says, against what the highest of the others says in the same places."""
    layers = session.service.profile_layers(*named(session, name))
    own = [written_fields(layer.profile) for layer in layers if layer.writer]
    others = [written_fields(layer.profile) for layer in reversed(layers) if not layer.writer]
    if not own:
        return []
    before: dict[str, Any] = {}
    for path in leaf_paths(own[0]):
        said = [value_at(other, path) for other in others if has_path(other, path)]
        if said:
            put_at(before, path, _same_elements(said[0], value_at(own[0], path)))
    return differences(before, own[0], layers[0].schema)


def _same_elements(value: Any, own: Any) -> Any:
    """Of a list of named elements those that the other list names too; they are merged one by one."""
    if not isinstance(value, list) or not isinstance(own, list):
        return value
    names = [_identity(element) for element in own]
    return [element for element in value if not isinstance(element, Mapping) or _identity(element) in names]


def _identity(element: Any) -> tuple[Any, Any]:
    return (element.get("name"), element.get("id") or "") if isinstance(element, Mapping) else (element, None)
