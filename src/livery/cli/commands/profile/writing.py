"""Changes of profiles: ``set``, ``unset``, ``rename``, ``delete``, ``default``."""

from __future__ import annotations

from collections.abc import Sequence

import click

from livery.cli.asking import confirm
from livery.cli.assignments import key_of, patch_of, removal_of
from livery.cli.changes import write
from livery.cli.command import Command
from livery.cli.documents import has_path
from livery.cli.options import name_argument, writing_options, yes_option
from livery.cli.output import warn
from livery.cli.selection import Named
from livery.cli.session import Session, pass_session
from livery.cli.written import existing, layers_of, told, view_of, write_options
from livery.core.patch import leaf_paths
from livery.core.paths import Path
from livery.core.profile import Profile, Registry


@click.command("set", cls=Command)
@name_argument()
@click.argument("assignments", nargs=-1, required=True, metavar="KEY=VALUE...")
@writing_options
@pass_session
def set_command(
    session: Session, name: str, assignments: tuple[str, ...], if_version: int | None, dry_run: bool
) -> None:
    """Set fields of a profile, in the source that is written.

    KEY is a settings path (chat.engine), system_prompt, tools, middlewares, servers, display_name, description,
    extends, tags, policy.FIELD or extensions."KEY". VALUE is read as YAML: numbers, true and false, lists, mappings.
    null stores an unset, which removes what the bases give; `unset` removes the field itself.

    \b
    livery profile set coder chat.temperature=0.2 tools='[calculator]'
    """
    who = existing(session, name)
    patch = patch_of(assignments, view_of(session, who))
    write(
        session,
        lambda service: service.update_profile(who.registry, who.slug, patch, write_options(if_version)),
        lambda profile: told(session, profile, "saved"),
        dry_run=dry_run,
    )


@click.command("unset", cls=Command)
@name_argument()
@click.argument("keys", nargs=-1, required=True, metavar="KEY...")
@writing_options
@pass_session
def unset_command(session: Session, name: str, keys: tuple[str, ...], if_version: int | None, dry_run: bool) -> None:
    """Remove fields from a profile, in the source that is written; what other sources and bases give shows again."""
    who = existing(session, name)
    patch = removal_of(keys, view_of(session, who))
    _warn_of_others(session, who, list(leaf_paths(patch)))
    write(
        session,
        lambda service: service.update_profile(who.registry, who.slug, patch, write_options(if_version)),
        lambda profile: told(session, profile, "saved"),
        dry_run=dry_run,
    )


def _warn_of_others(session: Session, who: Named, paths: Sequence[Path]) -> None:
    """Say which fields are not there to be removed, or will still be set by another source."""
    layers = layers_of(view_of(session, who), who.slug)
    for path in paths:
        key = key_of(path)
        setters = [layer for layer in layers if has_path(layer.profile.document(), path)]
        if not any(layer.writer for layer in setters):
            warn(f"{key} is not set there; null removes what bases or other sources give: set {key}=null")
        for layer in setters:
            if not layer.writer:
                warn(f"{key} is still set by {layer.source}")


@click.command("rename", cls=Command)
@name_argument()
@click.argument("new", metavar="NEW")
@writing_options
@pass_session
def rename_command(session: Session, name: str, new: str, if_version: int | None, dry_run: bool) -> None:
    """Give a profile the name NEW; profiles that extend it, callers and the default follow."""
    who = existing(session, name)
    write(
        session,
        lambda service: service.rename_profile(who.registry, who.slug, new, write_options(if_version)),
        lambda profile: told(session, profile, f"is the new name of {who.slug}"),
        dry_run=dry_run,
    )


@click.command("delete", cls=Command)
@name_argument()
@click.option("--revert", is_flag=True, help="Drop only what the written source lays over the profile of another one.")
@yes_option
@writing_options
@pass_session
def delete_command(session: Session, name: str, revert: bool, yes: bool, if_version: int | None, dry_run: bool) -> None:
    """Delete a profile from the source that is written; refused while something needs it."""
    who = existing(session, name)
    reference = f"{view_of(session, who).slug}/{who.slug}"
    if not dry_run:
        confirm(f"Delete the profile {reference}?", yes=yes)

    def done(below: Profile | None) -> str:
        return f"{reference} deleted" if below is None else f"{below.reference} reverted to version {below.version}"

    write(
        session,
        lambda service: service.delete_profile(who.registry, who.slug, write_options(if_version), revert=revert),
        done,
        dry_run=dry_run,
    )


@click.command("default", cls=Command)
@name_argument()
@writing_options
@pass_session
def default_command(session: Session, name: str, if_version: int | None, dry_run: bool) -> None:
    """Make a profile the default of its registry. --if-version is the registry's version."""
    who = existing(session, name)

    def done(registry: Registry) -> str:
        return f"{registry.slug}/{registry.default_profile_slug} is the default of {registry.slug}"

    write(
        session,
        lambda service: service.set_default_profile(who.registry, who.slug, write_options(if_version)),
        done,
        dry_run=dry_run,
    )
