"""Databases among other sources: what is lost, broken or written meanwhile disturbs nothing else and is told right."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from livery import open_registry
from livery.core.changes import Change
from livery.core.profile import ResolveInput
from livery.errors import LineageError, MergeConflict, SourceReadOnly, SourceUnavailable, StillReferenced
from livery.service import RegistryService
from livery.stores.protocols import EventQuery
from tests.support.registries import engine, resolved, settings, write
from tests.support.waiting import until

Open = Callable[..., RegistryService]
TEAM: dict[str, Any] = {"slug": "team", "profiles": {"a": settings(engine="one")}}


@pytest.fixture
def opening(tmp_path: Path) -> Iterator[Open]:
    """Opens sources by their names: ``x.db`` is a database, ``y.yaml`` a file."""
    with ExitStack() as stack:

        def opened(*names: str, **options: Any) -> RegistryService:
            urls = [f"{'sqlite' if name.endswith('.db') else 'yaml'}:{tmp_path / name}" for name in names]
            service = open_registry(*urls, **options)
            stack.callback(service.close)
            _ = service.catalogue
            return service

        yield opened


def file(directory: Path, **registry: Any) -> Path:
    return write(directory / "file.yaml", json.dumps(registry))


@contextmanager
def lost(path: Path) -> Iterator[None]:
    """Without a database for a while."""
    away = path.with_suffix(".away")
    path.rename(away)
    yield
    away.rename(path)


def told_by(service: RegistryService) -> list[Change]:
    told: list[Change] = []
    service.subscribe(lambda catalogue, changes: told.extend(changes))
    return told


def meanwhile(service: RegistryService, work: Callable[[], object]) -> None:
    """Let something happen between the checks of the next write in a transaction and its beginning."""
    store: Any = service.writer.store if service.writer else None
    begin, waiting = store.transaction, [work]

    def late(**options: Any) -> Any:
        if waiting:
            waiting.pop()()
        return begin(**options)

    store.transaction = late


def row(service: RegistryService, kind: str) -> dict[str, Any]:
    return next(row for row in service.source_rows() if row["kind"] == kind)


# Two databases


def test_a_profile_of_two_databases_is_counted_once(opening: Open) -> None:
    low, high = opening("low.db"), opening("high.db")
    low.create_registry(TEAM), high.create_registry({"slug": "team", "profiles": {"b": {}}})
    both = opening("low.db", "high.db")
    assert both.list_registries()[0].profile_count == 2
    low.create_profile("team", {"slug": "b"})
    both.refresh()
    assert both.list_registries()[0].profile_count == 2


def test_changes_of_a_profile_of_two_databases_are_told_with_its_public_versions(opening: Open) -> None:
    low, high = opening("low.db"), opening("high.db")
    low.create_registry(TEAM), high.create_registry({"slug": "team"})
    both = opening("low.db", "high.db")
    told = told_by(both)
    both.update_profile("team", "a", settings(engine="two"))
    low.update_profile("team", "a", {"description": "below"})
    both.refresh()
    both.delete_profile("team", "a", revert=True)
    until(lambda: len(told) >= 3)
    assert [change[2:6] for change in told] == [
        ("updated", 1, 2, "runtime"), ("updated", 2, 2, "presentation"), ("updated", 2, 2, "runtime")
    ]  # fmt: skip


def test_a_word_of_one_database_and_a_tag_of_another_find_a_profile(opening: Open) -> None:
    opening("low.db").create_registry({"slug": "team", "profiles": {"a": {"description": "needle"}}})
    opening("high.db").create_registry({"slug": "team", "profiles": {"a": {"metadata": {"tags": ["t"]}}}})
    both = opening("low.db", "high.db")
    assert [profile.slug for profile in both.list_profiles("team", words="needle", tags=["t"])] == ["a"]


# A database that is lost, replaced or broken


@pytest.mark.parametrize("registry", ["mine", "team"])
def test_an_edit_of_a_file_is_seen_while_a_database_is_lost(tmp_path: Path, opening: Open, registry: str) -> None:
    file(tmp_path, slug=registry, profiles={"h": {}})
    opening("x.db").create_registry(TEAM)
    service = opening("file.yaml", "x.db")
    with lost(tmp_path / "x.db"):
        named = {"h": {"description": "new"}, "a" if registry == "team" else "h2": {}}
        file(tmp_path, slug=registry, default_profile_slug="h", profiles=named)
        service.refresh()
        assert service.get_profile(registry, "h").description == "new"
        with pytest.raises(SourceUnavailable):
            service.list_profiles("team")
    service.refresh()
    assert engine(service, "a", registry_slug="team") == "one"


def test_a_change_is_made_up_for_where_the_state_could_not_be_built(
    tmp_path: Path, opening: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    file(tmp_path, slug="mine", profiles={"h": {}})
    service = opening("file.yaml")
    file(tmp_path, slug="mine", profiles={"h": {"description": "new"}})
    with monkeypatch.context() as patch:
        patch.setattr("livery.stores.chain.build", lambda *given: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            service.refresh()
    assert service.refresh()
    assert service.get_profile("mine", "h").description == "new"


def test_other_changes_are_told_where_another_database_was_put_in_the_place_of_one(
    tmp_path: Path, opening: Open
) -> None:
    for name, slug in (("x.db", "a"), ("other.db", "b")):
        made = opening(name)
        made.create_registry({"slug": "team", "default_profile_slug": slug, "profiles": {slug: {}}})
        made.close()
    file(tmp_path, slug="mine", profiles={"h": {}})
    service = opening("file.yaml", "x.db")
    told = told_by(service)
    file(tmp_path, slug="mine", profiles={"h": {"description": "new"}})
    shutil.copy(tmp_path / "other.db", tmp_path / "copy.db")
    (tmp_path / "copy.db").rename(tmp_path / "x.db")
    service.refresh()
    until(lambda: {("mine", "h", "updated"), ("team", "a", "deleted")} <= {change[:3] for change in told})
    assert service.get_profile("team", "b").slug == "b"


def test_a_registry_whose_row_breaks_stays_as_it_was(tmp_path: Path, opening: Open) -> None:
    writer = opening("x.db")
    writer.create_registry(TEAM)
    service = opening("x.db")
    with sqlite3.connect(tmp_path / "x.db") as db:
        db.execute("UPDATE profile_registries SET defaults_json = '{' WHERE slug = 'team'")
    db.close()
    writer.create_registry({"slug": "other"})
    service.refresh()
    assert engine(service, "a", registry_slug="team") == "one"
    assert row(service, "sqlite")["stale_since_ms"] and "defaults_json" in row(service, "sqlite")["broken"][0]["error"]


def test_a_base_that_vanishes_under_a_file_stays_until_nobody_stands_on_it(tmp_path: Path, opening: Open) -> None:
    file(tmp_path, slug="team", profiles={"h": {"extends": ["a"]}})
    alone = opening("x.db")
    alone.create_registry(TEAM)
    service = opening("file.yaml", "x.db")
    alone.delete_profile("team", "a")  # it knows nothing of the file
    service.refresh()
    assert engine(service, "h", registry_slug="team") == "one"
    assert row(service, "sqlite")["broken"][0]["profile"] == "a"
    alone.create_profile("team", {"slug": "z"})
    service.refresh()
    assert [profile.slug for profile in service.list_profiles("team")] == ["a", "h", "z"]
    assert row(service, "sqlite")["stale_since_ms"]
    file(tmp_path, slug="team", profiles={"h": {}})
    service.refresh()
    assert [profile.slug for profile in service.list_profiles("team")] == ["h", "z"]
    assert row(service, "sqlite")["health"] == "ok"


# First writes


def test_the_first_writes_of_a_database_are_told_one_by_one(opening: Open) -> None:
    service = opening("new.db")
    told = told_by(service)
    service.create_registry({"slug": "team", "profiles": {"a": {}, "b": {}, "c": {}}})
    service.update_profile("team", "c", {"description": "x"})
    until(lambda: told and told[-1].to_version == 2)
    changes = [(change.profile, change.kind) for change in told if change.seq]
    assert changes == [("", "created"), ("a", "created"), ("b", "created"), ("c", "created"), ("c", "updated")]


def test_two_first_writes_into_one_database_make_no_cycle(tmp_path: Path, opening: Open) -> None:
    write(tmp_path / "one.yaml", json.dumps({"slug": "one", "profiles": {"a": {}}}))
    write(tmp_path / "two.yaml", json.dumps({"slug": "two", "profiles": {"b": {}}}))
    first, second = (opening("one.yaml", "two.yaml", "new.db") for _ in range(2))
    meanwhile(first, lambda: second.update_profile("two", "b", {"extends": ["one/a"]}))
    with pytest.raises(LineageError, match="cycle"):
        first.update_profile("one", "a", {"extends": ["two/b"]})


# Checked, and changed by another process before it was written


def test_a_registry_is_not_deleted_under_a_user_that_is_new(opening: Open) -> None:
    first, second = opening("x.db"), opening("x.db")
    first.create_registry(TEAM)
    meanwhile(first, lambda: second.create_registry({"slug": "far", "profiles": {"u": {"extends": ["team/a"]}}}))
    with pytest.raises(StillReferenced, match="far/u"):
        first.delete_registry("team")


def test_a_new_registry_does_not_stand_on_what_was_deleted_meanwhile(
    opening: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = opening("x.db"), opening("x.db")
    first.create_registry(TEAM)
    store: Any = first.writer.store if first.writer else None
    begin, waiting = store.transaction, [1]

    def late(**given: Any) -> Any:
        if waiting and waiting.pop():
            second.delete_profile("team", "a")
        return begin(**given)

    monkeypatch.setattr(store, "transaction", late)
    with pytest.raises(LineageError, match="unknown 'team/a'"):
        first.create_registry({"slug": "far", "profiles": {"u": {"extends": ["team/a"]}}})


def test_what_a_registry_enforces_fits_profiles_that_are_new_too(opening: Open) -> None:
    def middleware(value: object) -> dict[str, Any]:
        return {"middlewares": [{"name": "x", "config": {"k": value}}]}

    first, second = opening("x.db"), opening("x.db")
    first.create_registry(TEAM)
    meanwhile(first, lambda: second.create_profile("team", {"slug": "new", "runtime": middleware(1)}))
    with pytest.raises(MergeConflict):
        first.update_registry("team", {"enforced": middleware({"v": 1})})
    assert resolved(first, "team/new").effective_middlewares


# Findings and earlier states


def test_the_warning_of_a_registry_without_default_names_the_profile_that_is_taken_now(opening: Open) -> None:
    service = opening("x.db")
    service.create_registry({"slug": "team"})
    for slug in ("m", "a"):
        service.create_profile("team", {"slug": slug})
        (finding,) = service.findings
        assert f"'{slug}' is taken" in finding.fault.reason


@pytest.mark.parametrize("names", [("file.yaml", "x.db"), ("x.db", "file.yaml")])
def test_a_moment_ago_every_version_was_what_it_is_now(tmp_path: Path, opening: Open, names: tuple[str, str]) -> None:
    file(tmp_path, **TEAM)
    service = opening(*names, writer=f"sqlite:{tmp_path / 'x.db'}")
    for number in range(3):
        service.update_profile("team", "a", {"extensions": {"x.y@v1": {"n": number}}})
    now = service.resolve_effective_profile(ResolveInput(profile_slug="team/a"))
    then = service.resolve_at(ResolveInput(profile_slug="team/a"), 2**50)
    assert (then.metadata, then.lineage) == (now.metadata, now.lineage)


def test_nothing_is_written_into_the_past(tmp_path: Path, opening: Open) -> None:
    path = file(tmp_path, **TEAM)
    before = path.read_bytes()
    opening("x.db").create_registry({"slug": "db"})
    past = opening("x.db", "file.yaml").as_of(2**50)
    with pytest.raises(SourceReadOnly):
        past.update_profile("team", "a", {"description": "new"})
    assert path.read_bytes() == before


def test_no_time_lies_within_a_rename(opening: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    service = opening("x.db")
    service.create_registry({**TEAM, "default_profile_slug": "a"})
    monkeypatch.setattr(service, "_clock", iter(range(10_000, 20_000)).__next__)
    service.rename_profile("team", "a", "b")
    assert len({event.at_ms for event in service.events(EventQuery(action="rename"))}) == 1
