"""From the old file to the store: read, plan, prove, put into place."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from livery.core.names import registry_slug
from livery.errors import AlreadyExists, ValidationError
from livery.migrate.profile_store.clients import NO_CHOICES, Choices
from livery.migrate.profile_store.monolith import read_monolith
from livery.migrate.profile_store.plan import Plan, plan_of
from livery.migrate.profile_store.proof import prove_equal
from livery.migrate.profile_store.scaffold import holds_exactly, is_free, put_into_place, scaffold_of
from livery.migrate.profile_store.secrets import without_secrets
from livery.settings import schema_named
from livery.stores.files import read_file
from livery.stores.profile_store.reading import SCHEMA


class MigratedStore(NamedTuple):
    """What a migration did or would do: whether it is a change, and what to tell a person.

    ``files`` are those of a trial: text by path inside the store, secrets hidden.
    """

    files: dict[str, str]
    changed: bool
    lines: tuple[str, ...]


def migrate_profile_store(
    path: Path, directory: Path, choices: Choices = NO_CHOICES, *, dry_run: bool = False, force: bool = False
) -> MigratedStore:
    """Make a profile store of an old file, which stays as it is; every client sees of it what it saw before.

    Where the directory holds exactly that store already, nothing is done. Raises ValidationError for a file with faults
    or open decisions, AlreadyExists for a directory that is not empty (``force`` replaces the store in it and keeps the
    old one beside it), MigrationDiffers where a client would see something else; then nothing is written.
    """
    schema = schema_named(SCHEMA)
    plan = plan_of(read_monolith(read_file(path), str(path), choices), choices, schema)
    if holds_exactly(directory, plan.files):
        return MigratedStore({}, False, (f"{directory} holds this store already: nothing to change",))
    if not is_free(directory) and not force and not dry_run:
        raise AlreadyExists("directory", str(directory))
    done = _tried(plan, directory, force) if dry_run else _made(plan, path, directory)
    shown = {file: without_secrets(text, schema) for file, text in plan.files.items()} if dry_run else {}
    return MigratedStore(shown, True, (*plan.lines, *done))


def _tried(plan: Plan, directory: Path, force: bool) -> list[str]:
    with scaffold_of(plan.files, None) as scaffold:
        lines = prove_equal(plan, scaffold)
    if not is_free(directory):
        kept = f"the store in it is replaced, and kept as {directory}.bak-N"
        lines.append(f"{directory} is not empty: " + (kept if force else f"with --force {kept}"))
    return [*lines, "nothing was written"]


def _made(plan: Plan, path: Path, directory: Path) -> list[str]:
    with scaffold_of(plan.files, directory) as scaffold:
        lines = prove_equal(plan, scaffold)
        kept = put_into_place(scaffold, directory)
    if kept is not None:
        lines.append(f"kept: {kept}, the store that was in {directory}")
    return [*lines, f"written: {directory}; {path} stays as it is", *_name_advice(directory)]


def _name_advice(directory: Path) -> Iterator[str]:
    """A registry has the name of its directory, where that is one."""
    try:
        registry_slug(directory.absolute().name)
    except ValidationError:
        yield f"the name of {directory} is no name of a registry; give one: profile-store:{directory}?registry=NAME"
