"""The writes of one profile: each changes a row, keeps the revision, and is told of."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from livery.core.names import Reference
from livery.core.profile import Profile
from livery.errors import ValidationError
from livery.stores.protocols import WriteOptions
from livery.stores.sql.absent import demand_registry, no_profile, no_registry
from livery.stores.sql.changes import Changes, demand_texts
from livery.stores.sql.columns import PROFILE_COLUMNS
from livery.stores.sql.database import Row
from livery.stores.sql.reading import can_be_asked_for
from livery.stores.sql.revisions import ADD_PROFILE, KEEP_PROFILE, LAST_OF_PROFILE, profile_revision_row
from livery.stores.sql.rows import profile_of
from livery.stores.sql.statements import (
    ADD_BASE,
    DELETE_PROFILE,
    DROP_BASES,
    INSERT_PROFILE,
    STORED_PROFILE,
    UPDATE_PROFILE,
)
from livery.stores.sql.written import demand_storable, written_profile
from livery.stores.versions import expect, next_profile

_LAST_IF_THERE: Final = f"SELECT ({LAST_OF_PROFILE}) FROM profile_registries WHERE slug = ?"
PROFILE_VERSION: Final = PROFILE_COLUMNS.index("version")


def save_profile(changes: Changes, profile: Profile, options: WriteOptions) -> Profile:
    demand_storable(profile)
    demand_texts(options)
    last = changes.new_registries.last_of_unwritten(profile.reference)
    row = changes.row(STORED_PROFILE, (profile.registry, profile.slug)) if last is None else None
    if row is None:
        last = _demand_registry(changes, profile.reference) if last is None else last
        expect("profile", profile.slug, options, 0)
        return new_profile(changes, profile, options, last)
    stored = profile_of(row[:-1])
    expect("profile", profile.slug, options, stored.version)
    if not row[-1]:
        changes.execute(KEEP_PROFILE, profile_revision_row(stored, written_profile(stored)))
    return _changed_profile(changes, stored, next_profile(stored, profile, options), options)


def _changed_profile(changes: Changes, stored: Profile, saved: Profile, options: WriteOptions) -> Profile:
    written, reference = written_profile(saved), saved.reference
    revision = profile_revision_row(saved, written)
    changes.update(UPDATE_PROFILE, (*written.row[2:], *reference, stored.version), ADD_PROFILE, revision)
    if stored.extends != saved.extends:
        changes.execute(DROP_BASES, reference)
        _add_bases(changes, saved)
    changes.tell(*reference, stored.version, saved.version, options, "update", _scope(stored, saved))
    return saved


def _demand_registry(changes: Changes, reference: Reference) -> int:
    """The last version that there ever was of a profile; RegistryNotFound where its registry is not there."""
    key = (*reference, reference.registry)
    row = changes.connection.execute(_LAST_IF_THERE, key).fetchone() if can_be_asked_for(*key) else None
    if row is None:
        raise no_registry(changes.connection, reference.registry)
    return row[0] or 0


def new_profile(changes: Changes, profile: Profile, options: WriteOptions, last: int) -> Profile:
    """Store a profile that is not there, in a registry that is; ``last`` is the last version that there ever was."""
    saved = next_profile(None, profile, options, last)
    written = written_profile(saved)
    changes.new_registries.note_written(saved.reference)
    if not changes.insert(INSERT_PROFILE, written.row, ADD_PROFILE, profile_revision_row(saved, written)):
        return save_profile(changes, profile, options)  # another writer was quicker: now it can be seen
    _add_bases(changes, saved)
    changes.tell(*saved.reference, 0, saved.version, options, "create")
    return saved


def delete_profile(changes: Changes, reference: Reference, options: WriteOptions) -> None:
    demand_texts(options)
    row = changes.row(STORED_PROFILE, reference)
    if row is None:
        demand_registry(changes.connection, reference.registry)
        raise no_profile(changes.connection, reference)
    version = row[PROFILE_VERSION]
    expect("profile", reference.profile, options, version)
    keep_profile(changes, row)
    changes.demand_one(changes.execute(DELETE_PROFILE, (*reference, version)))
    changes.tell(*reference, version, 0, options, "delete")


def keep_profile(changes: Changes, row: Row) -> None:
    """Keep the revision of a stored row that another program has written, as far as it can be read."""
    if not row[-1]:
        with suppress(ValidationError):
            stored = profile_of(row[:-1])
            changes.execute(KEEP_PROFILE, profile_revision_row(stored, written_profile(stored)))


def _add_bases(changes: Changes, profile: Profile) -> None:
    changes.later(ADD_BASE, [(*base, *profile.reference) for base in profile.bases])


def _scope(stored: Profile, saved: Profile) -> str:
    """``presentation`` where extends, runtime and policy are as they were."""
    is_same = saved.runtime_version == stored.runtime_version and saved.policy == stored.policy
    return "presentation" if is_same else "runtime"
