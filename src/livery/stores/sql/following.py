"""From the last state that somebody saw to the present one, and to older ones."""

from __future__ import annotations

from typing import Final

from livery.core.profile import Registry
from livery.errors import ValidationError
from livery.stores.protocols import BrokenItem
from livery.stores.sql.database import Connection, Database, NoSuchTable
from livery.stores.sql.events import SINCE, change_of, event_of
from livery.stores.sql.reading import NOTHING, Heads, heads_of, state_of
from livery.stores.sql.revisions import registry_revision
from livery.stores.sql.schema import demand_known
from livery.stores.sql.snapshot import SQLSnapshot

_REGISTRIES_SINCE: Final = """SELECT registry, from_version FROM profile_events
WHERE seq > ? AND profile = '' ORDER BY seq"""


def present(database: Database) -> SQLSnapshot:
    """The present state as a whole; empty where nobody has written anything yet."""
    try:
        with database.reading() as connection:
            state, heads = state_of(connection), heads_of(connection)
            last = change_of(connection, state.seq)
    except NoSuchTable:
        return SQLSnapshot(database, *NOTHING)
    return SQLSnapshot(database, *state, *heads, last=last)


def following(database: Database, snapshot: SQLSnapshot) -> SQLSnapshot:
    """The present state with the changes since a snapshot; that itself where there are none.

    Another database in the place of the old one has nothing in common with it, nor has a restored backup: its log is
    shorter, or tells of another change under the number of the last one.
    """
    try:
        rows = database.fetch(SINCE, (snapshot.seq,))
    except NoSuchTable:
        rows = []
    if not rows:
        return snapshot if not snapshot.identity else present(database)
    identity, seq, version = rows[0][0] or "", rows[0][1] or 0, rows[0][2]
    demand_known(database.label, database.dialect, {"profiles": version or 0})
    events = tuple(event_of(row[3:]) for row in rows if row[3] is not None)
    by_number = {event.seq: event for event in (*events[:1], *events[-1:])}
    if identity != snapshot.identity or seq < snapshot.seq or by_number.get(snapshot.seq) != snapshot.last:
        return present(database)
    if seq == snapshot.seq:
        return snapshot
    events = events[1:] if snapshot.last else events
    if any(not event.profile for event in events):
        heads = _heads_at(database, seq)
    else:
        heads = Heads(snapshot.heads, snapshot.broken)
    return SQLSnapshot(database, identity, seq, *heads, events, snapshot.seq, by_number.get(seq))


def at(database: Database, seq: int) -> SQLSnapshot:
    """The state right after a change."""
    try:
        with database.reading() as connection:
            state = state_of(connection)
            wanted = max(0, min(seq, state.seq))
            heads, last = _heads_then(connection, wanted), change_of(connection, wanted)
    except NoSuchTable:
        return SQLSnapshot(database, *NOTHING)
    return SQLSnapshot(database, state.identity, wanted, *heads, last=last)


def _heads_at(database: Database, seq: int) -> Heads:
    with database.reading() as connection:
        return _heads_then(connection, seq)


def _heads_then(connection: Connection, seq: int) -> Heads:
    """The registries as they were: those of now, but for what has changed since."""
    now = heads_of(connection)
    then: dict[str, int] = {}
    for slug, version in connection.execute(_REGISTRIES_SINCE, (seq,)).fetchall():
        then.setdefault(slug, version)
    if not then:
        return now
    sound = [head for head in now.sound if head.slug not in then]
    broken = [item for item in now.broken if item.registry not in then]
    for slug, version in then.items():
        if version:
            _sort(connection, slug, version, sound, broken)
    return Heads(tuple(sorted(sound, key=lambda head: head.slug)), tuple(broken))


def _sort(connection: Connection, slug: str, version: int, sound: list[Registry], broken: list[BrokenItem]) -> None:
    try:
        head = registry_revision(lambda sql, key: connection.execute(sql, key).fetchall(), slug, version)
    except ValidationError as error:
        broken.append(BrokenItem(slug, "", error))
        return
    if head is not None:
        sound.append(head)
    else:
        reason = f"version {version} of registry {slug} is not kept any more"
        broken.append(BrokenItem(slug, "", ValidationError(f"registry_revisions[{slug}]", reason)))
