"""Registries in a database: profiles are asked for one by one, and every process follows the change log."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from livery import open_registry
from livery.core.changes import Change
from livery.core.names import Reference
from livery.core.profile import Profile, Registry, ResolveInput
from livery.errors import LineageError, ProfileNotFound, SourceUnavailable, StillReferenced, VersionConflict
from livery.service import RegistryService
from livery.stores.protocols import EventQuery, WriteOptions
from tests.support.asked_rows import note_asked_rows
from tests.support.registries import engine, resolved, settings, write
from tests.support.waiting import until


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "profiles.db"


@pytest.fixture
def service(path: Path) -> Iterator[RegistryService]:
    service = open_registry(f"sqlite:{path}")
    profiles = {"base": settings(engine="one"), "mine": {"extends": ["base"]}, "other": settings(engine="other")}
    service.create_registry({"slug": "team", "default_profile_slug": "base", "profiles": profiles})
    yield service
    service.close()


@pytest.fixture
def second(path: Path, service: RegistryService) -> Iterator[RegistryService]:
    """Another process, as far as this one can tell."""
    second = open_registry(f"sqlite:{path}")
    yield second
    second.close()


def fill(path: Path, count: int) -> None:
    with sqlite3.connect(path) as db:
        rows = [(f"p{number:05}",) for number in range(count)]
        db.executemany("INSERT INTO profiles (registry_slug, slug, runtime_json) VALUES ('team', ?, '{}')", rows)
    db.close()


def at_hand(service: RegistryService) -> list[str]:
    return sorted(service.catalogue.registries["team"].profiles.at_hand)


# What is in memory


def test_only_what_was_asked_for_is_in_memory(path: Path, service: RegistryService, second: RegistryService) -> None:
    fill(path, 1_000)
    assert engine(second, "mine") == "one"
    assert len(second.list_profiles("team")) == 1_003
    assert at_hand(second) == ["base", "mine"]


def test_a_change_of_one_profile_lets_the_others_stay_in_memory(service: RegistryService) -> None:
    before = [resolved(service, slug) for slug in ("mine", "other")]
    service.update_profile("team", "other", settings(engine="new"))
    assert resolved(service, "mine") is before[0]
    assert engine(service, "other") == "new"


def test_a_resolution_is_made_anew_when_a_base_of_it_changes_elsewhere(
    service: RegistryService, second: RegistryService
) -> None:
    assert engine(second, "mine") == "one"
    service.update_profile("team", "base", settings(engine="two"))
    assert engine(second, "mine") == "one"
    assert second.refresh()
    assert engine(second, "mine") == "two"


def test_a_generation_shows_one_state_whatever_is_asked_of_it_later(
    service: RegistryService, second: RegistryService
) -> None:
    old = second.catalogue
    service.update_profile("team", "other", {"description": "later"})
    service.create_profile("team", {"slug": "late"})
    service.delete_profile("team", "mine")
    view = old.view("team")
    assert view.stack("other").profile.description == ""
    assert sorted(view.profiles) == ["base", "mine", "other"]
    assert "late" not in view.profiles and len(view.profiles) == 3


def test_a_lost_database_leaves_what_is_in_memory_and_the_rest_says_so(
    path: Path, service: RegistryService, second: RegistryService
) -> None:
    assert engine(second, "mine") == "one"
    for file in path.parent.glob("profiles.db*"):
        file.rename(file.with_name(f"gone-{file.name}"))
    second.refresh()
    assert engine(second, "mine") == "one"
    assert second.source_rows()[0]["health"] == "stale"
    assert [registry.slug for registry in second.list_registries()] == ["team"]
    with pytest.raises((SourceUnavailable, ProfileNotFound)):
        second.get_profile("team", "other")


def test_a_file_is_followed_while_the_database_is_lost(path: Path, service: RegistryService) -> None:
    file = path.with_name("team.yaml")
    write(file, json.dumps({"slug": "team", "profiles": {"base": {"description": "below"}, "low": {}}}))
    both = open_registry(f"yaml:{file}", f"sqlite:{path}")
    assert engine(both, "mine") == "one"
    for lost in path.parent.glob("profiles.db*"):
        lost.rename(lost.with_name(f"gone-{lost.name}"))
    write(file, json.dumps({"slug": "team", "profiles": {"base": {"description": "edited"}, "low": {}}}))
    assert both.refresh()
    assert both.get_profile("team", "base").description == "edited"
    assert {row["source"]: row["health"] for row in both.source_rows()} == {
        f"yaml:{file}": "ok", f"sqlite:{path}": "stale"
    }  # fmt: skip


# Lists


def test_pages_follow_each_other_without_a_gap(path: Path, service: RegistryService, second: RegistryService) -> None:
    fill(path, 120)
    slugs: list[str] = []
    after = None
    while page := second.list_profiles("*", after=after, limit=50):
        slugs += [profile.slug for profile in page]
        after = Reference("team", page[-1].slug)
    assert slugs == sorted(["base", "mine", "other", *(f"p{number:05}" for number in range(120))])


def test_a_list_shows_what_matches(service: RegistryService) -> None:
    service.update_profile("team", "other", {"display_name": "Grüße", "metadata": {"tags": ["red", "blue"]}})
    for words in ("grüsse", "GRÜ blue", "team other", "red"):
        assert [profile.slug for profile in service.list_profiles("team", words=words)] == ["other"]
    assert [profile.slug for profile in service.list_profiles("team", words="mi")] == ["mine"]
    assert [profile.slug for profile in service.list_profiles("team", tags=["red", "blue"])] == ["other"]
    assert service.list_profiles("team", tags=["x"]) == []


def test_a_broken_row_is_listed_with_its_error_and_disturbs_no_other(path: Path, service: RegistryService) -> None:
    with sqlite3.connect(path) as db:
        db.execute("""UPDATE profiles SET policy_json = '{"slug":"default","profiles":' WHERE slug = 'other'""")
    db.close()
    fresh = open_registry(f"sqlite:{path}")
    rows = {profile.slug: profile.error for profile in fresh.list_profiles("team")}
    assert [slug for slug, error in rows.items() if error] == ["other"]
    assert engine(fresh, "mine") == "one"
    with pytest.raises(Exception, match="policy"):
        fresh.get_profile("team", "other")


def test_a_broken_row_is_mended_by_going_back_or_by_deleting_it(path: Path, service: RegistryService) -> None:
    service.update_profile("team", "mine", {"extends": None})
    service.update_profile("team", "other", {"description": "good"})
    with sqlite3.connect(path) as db:
        db.execute("UPDATE profiles SET runtime_json = '{oops' WHERE slug IN ('other', 'mine')")
    db.close()
    fresh = open_registry(f"sqlite:{path}")
    assert fresh.rollback_profile("team", "other", 2).description == "good"
    fresh.delete_profile("team", "mine")
    assert [(row.slug, row.version, row.error) for row in fresh.list_profiles("team")] == [
        ("base", 1, ""), ("other", 3, "")
    ]  # fmt: skip


def test_profiles_of_a_file_and_of_the_database_are_one_list(path: Path, service: RegistryService) -> None:
    file = path.with_name("team.yaml")
    write(file, json.dumps({"slug": "team", "profiles": {"base": {"description": "below"}, "zero": {}}}))
    both = open_registry(f"yaml:{file}", f"sqlite:{path}")
    rows = {profile.slug: profile.source for profile in both.list_profiles("team")}
    assert list(rows) == ["base", "mine", "other", "zero"]
    assert rows["base"] == f"yaml:{file}, sqlite:{path}"
    assert (len(both.catalogue.view("team").profiles), both.get_profile("team", "base").description) == (4, "below")


# Names and references


def test_a_misspelt_name_is_answered_with_the_nearest(service: RegistryService) -> None:
    with pytest.raises(ProfileNotFound, match="did you mean 'team/mine'"):
        service.get_profile("team", "mien")


def test_a_base_in_use_is_kept_whoever_uses_it(service: RegistryService) -> None:
    service.create_registry({"slug": "far", "profiles": {"user": {"extends": ["team/other"]}}})
    with pytest.raises(StillReferenced, match="far/user"):
        service.delete_profile("team", "other")
    with pytest.raises(StillReferenced, match="far/user"):
        service.delete_registry("team")


def test_a_cycle_through_the_database_is_refused_and_nothing_changes(service: RegistryService) -> None:
    with pytest.raises(LineageError, match="cycle"):
        service.update_profile("team", "base", {"extends": ["mine"]})
    assert service.get_profile("team", "base").version == 1


def test_a_rename_takes_its_users_along_in_one_transaction(service: RegistryService, second: RegistryService) -> None:
    changes: list[Change] = []
    second.catalogue  # noqa: B018
    second.subscribe(lambda catalogue, new: changes.extend(new))
    service.rename_profile("team", "base", "ground")
    assert second.refresh()
    until(lambda: len(changes) == 4)
    assert [(change.profile, change.kind) for change in changes] == [
        ("ground", "created"), ("mine", "updated"), ("", "updated"), ("base", "deleted")
    ]  # fmt: skip
    assert engine(second, "mine") == "one"


# Changes


def test_every_change_is_told_once_and_in_order_however_late_one_looks(
    service: RegistryService, second: RegistryService
) -> None:
    told: list[Change] = []
    second.catalogue  # noqa: B018
    second.subscribe(lambda catalogue, changes: told.extend(changes))
    for number in range(30):
        service.update_profile("team", "other", {"description": str(number)})
        if number % 7 == 0:
            second.refresh()
    second.refresh()
    until(lambda: len(told) == 30)
    assert [(change.from_version, change.to_version) for change in told] == [(n, n + 1) for n in range(1, 31)]
    assert [change.seq for change in told] == list(range(told[0].seq, told[0].seq + 30))
    assert {change.scope for change in told} == {"presentation"}


# Writes


def test_a_write_gives_what_it_has_stored_itself(service: RegistryService, second: RegistryService) -> None:
    versions: list[int] = []

    def work(writer: RegistryService) -> None:
        for number in range(25):
            versions.append(writer.update_profile("team", "other", {"description": f"{id(writer)} {number}"}).version)

    threads = [threading.Thread(target=work, args=(writer,)) for writer in (service, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(versions) == list(range(2, 52))


def test_of_two_that_expect_one_version_one_wins(service: RegistryService, second: RegistryService) -> None:
    assert second.get_profile("team", "other").version == 1
    service.update_profile("team", "other", {"description": "first"}, WriteOptions(expected_version=1))
    with pytest.raises(VersionConflict) as caught:
        second.update_profile("team", "other", {"description": "second"}, WriteOptions(expected_version=1))
    assert (caught.value.expected, caught.value.actual) == (1, 2)


def test_what_was_checked_and_has_changed_since_is_checked_again(
    service: RegistryService, second: RegistryService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the check of a new profile and its write another process deletes its base."""
    store = second.writer.store if second.writer else None
    assert store is not None
    save, deleted = store.save_profile, []  # type: ignore[attr-defined]

    def late(profile: Profile, options: WriteOptions) -> Any:
        if not deleted:
            deleted.append(service.delete_profile("team", "other"))
        return save(profile, options)

    monkeypatch.setattr(store, "save_profile", late)
    with pytest.raises(LineageError, match="unknown 'team/other'"):
        second.create_profile("team", {"slug": "new", "extends": ["other"]})
    assert "new" not in [profile.slug for profile in second.list_profiles("team")]


def test_the_audit_names_who_changed_what_and_no_secret(service: RegistryService) -> None:
    key = {"runtime": {"step_settings_patch": {"api": {"api_keys": {"openai-api-key": "sk-very-secret"}}}}}
    service.update_profile("team", "other", key, WriteOptions(actor="alice", source="cli", request_id="r1"))
    event = service.events(EventQuery())[0]
    assert (event.actor, event.action, event.profile, event.from_version, event.to_version) == (
        "alice", "update", "other", 1, 2
    )  # fmt: skip
    assert "openai-api-key" in event.diff and "sk-very-secret" not in event.diff


def test_a_first_layer_over_a_profile_of_a_file_makes_its_registry_too(path: Path) -> None:
    file = path.with_name("team.yaml")
    write(file, json.dumps({"slug": "team", "default_profile_slug": "a", "profiles": {"a": settings(engine="file")}}))
    both = open_registry(f"yaml:{file}", f"sqlite:{path}?optional=1")
    assert both.update_profile("team", "a", settings(engine="mine")).version == 2
    assert engine(both, "a", registry_slug="team") == "mine"
    assert both.delete_profile("team", "a", revert=True) == both.get_profile("team", "a")
    assert engine(both, "a", registry_slug="team") == "file"


def test_a_registry_of_many_profiles_can_be_read_as_a_document(service: RegistryService) -> None:
    registry = service.get_registry("team")
    assert isinstance(registry, Registry)
    assert sorted(registry.document()["profiles"]) == ["base", "mine", "other"]
    assert service.select(ResolveInput(registry_slug="team")).reference == Reference("team", "base")


def test_what_a_file_holds_is_not_asked_for_one_by_one(
    path: Path, service: RegistryService, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = path.with_name("team.yaml")
    write(file, json.dumps({"slug": "team", "profiles": {f"f{number}": {} for number in range(300)} | {"other": {}}}))
    both = open_registry(f"yaml:{file}", f"sqlite:{path}")
    asked = note_asked_rows(monkeypatch)
    assert len(both.list_profiles("team")) == 303
    assert engine(both, "other") == "other"
    assert len(asked) < 30


def test_the_audit_of_a_registry_says_what_it_brings_and_takes(service: RegistryService) -> None:
    service.create_registry({"slug": "new", "display_name": "New", "profiles": {"x": settings(engine="e")}})
    service.delete_registry("new")
    events = service.events(EventQuery(registry="new", newest_first=False))
    changed = [(e.profile, e.action, [row["path"] for row in json.loads(e.diff)]) for e in events]
    assert changed == [
        ("", "create", ["display_name"]), ("x", "create", ["chat.engine"]),
        ("x", "delete", ["chat.engine"]), ("", "delete", ["display_name"]),
    ]  # fmt: skip
