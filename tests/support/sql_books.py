"""The audit of a database by a test: rows, revisions and events have to tell the same story, without a gap."""

from __future__ import annotations

from typing import Any

from livery.core.profile import Profile, Registry
from livery.stores.protocols import Event, EventQuery, HistoryStore
from tests.support.sql_processes import number_of


class Books:
    """What a store's log says so far, checked as it is read: every version once and in order, each with a revision."""

    def __init__(self, store: HistoryStore) -> None:
        self._store = store
        self.seq = 0
        self.versions: dict[tuple[str, str], tuple[int, bool]] = {}
        """Of each item its last version, and whether it is there now."""
        self.written: dict[tuple[str, int, int], int] = {}
        """Of each profile, by version before and after, the number that was written (0: deleted)."""

    def read_on(self) -> None:
        """Read what is new in the log; an AssertionError where it does not fit."""
        while new := self._store.events(EventQuery(after=self.seq, newest_first=False, limit=1000)):
            for event in new:
                self._enter(event)

    def demand(self, said: list[list[Any]]) -> None:
        """Every write that was acknowledged is there, with what was written."""
        self.read_on()
        for slug, before, after, number in said:
            assert self.written.get((slug, before, after)) == (number if after else 0), (slug, before, after, number)

    def close(self) -> None:
        """Nobody writes any more: the rows are those of the last revisions, and nothing was written twice."""
        self.read_on()
        loaded = self._store.load_registries()
        assert loaded.broken == ()
        rows: dict[tuple[str, str], Profile | Registry] = {(r.slug, ""): r for r in loaded.registries}
        rows |= {(r.slug, slug): profile for r in loaded.registries for slug, profile in r.profiles.items()}
        assert set(rows) == {item for item, (_, there) in self.versions.items() if there}
        for (registry, slug), row in rows.items():
            assert row.version == self.versions[registry, slug][0]
            if slug:
                assert self._store.revision(registry, slug, row.version) == row
        numbers = [number for number in self.written.values() if number]
        assert len(numbers) == len(set(numbers)), "a write was done twice"

    def _enter(self, event: Event) -> None:
        assert event.seq == self.seq + 1, f"{event} comes after {self.seq}"
        self.seq = event.seq
        item = (event.registry, event.profile)
        last, there = self.versions.get(item, (0, False))
        assert event.from_version == (last if there else 0), f"{event} comes after version {last}"
        assert event.to_version == last + 1 or (event.to_version == 0 and there), f"{event} comes after version {last}"
        self.versions[item] = (event.to_version or last, bool(event.to_version))
        if event.profile:
            self.written[event.profile, event.from_version, event.to_version] = self._number(event)

    def _number(self, event: Event) -> int:
        if not event.to_version:
            return 0
        revision = self._store.revision(event.registry, event.profile, event.to_version)
        assert isinstance(revision, Profile), f"{event} has no revision"
        assert revision.version == event.to_version
        return number_of(revision)
