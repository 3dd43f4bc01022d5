"""What was: versions, the way back, the audit, earlier states. On both databases."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from livery.core.profile import ResolveInput
from livery.errors import (
    ProfileNotFound,
    ProfileReadOnly,
    RegistryNotFound,
    SourceReadOnly,
    Unsupported,
    ValidationError,
    VersionConflict,
)
from livery.service import RegistryService
from livery.stores.protocols import EventQuery, Retention, WriteOptions
from livery.stores.sql import open_database
from tests.support.asked_rows import note_asked_rows
from tests.support.registries import ALICE, BOB, engine, expecting, opened, settings, write

CODER = {"slug": "coder", "display_name": "Coder", **settings(engine="one", temperature=0.5)}
KEY = "sk-very-secret-key"


@pytest.fixture
def service(database_url: str) -> Iterator[RegistryService]:
    """Three versions of a profile: at 1 s engine one, at 2 s engine two, at 3 s described."""
    service = opened("builtin:", database_url)
    service.create_registry({"slug": "team"}, ALICE)
    service.create_profile("team", CODER, ALICE)
    service.update_profile("team", "coder", settings(engine="two"), BOB)
    service.update_profile("team", "coder", {"description": "Writes code"}, BOB._replace(at_ms=3_000))
    yield service
    service.close()


def content(service: RegistryService, version: int) -> dict[str, Any]:
    document = service.profile_revision("team", "coder", version).document()
    del document["metadata"]
    return document


# History


def test_the_changes_of_a_profile_are_listed_newest_first(service: RegistryService) -> None:
    events = service.history("team", "coder")
    assert [(e.from_version, e.to_version, e.actor, e.at_ms) for e in events] == [
        (2, 3, "bob", 3_000),
        (1, 2, "bob", 2_000),
        (0, 1, "alice", 1_000),
    ]
    assert [event.scope for event in events] == ["presentation", "runtime", "runtime"]


def test_a_history_is_read_page_by_page(service: RegistryService) -> None:
    (newest,) = service.history("team", "coder", limit=1)
    rest = service.history("team", "coder", before=newest.seq)
    assert [event.to_version for event in rest] == [2, 1]
    assert service.history("team", "coder", before=rest[-1].seq) == []


def test_a_registry_has_a_history_of_its_own_fields(service: RegistryService) -> None:
    service.update_registry("team", {"display_name": "Team"}, BOB)
    assert [event.to_version for event in service.history("team")] == [2, 1]


def test_a_deleted_profile_has_a_history(service: RegistryService) -> None:
    service.delete_profile("team", "coder", BOB)
    assert [event.to_version for event in service.history("team", "coder")] == [0, 3, 2, 1]


def test_what_was_never_there_is_not_found(service: RegistryService) -> None:
    with pytest.raises(ProfileNotFound, match="did you mean 'team/coder'"):
        service.history("team", "codr")
    with pytest.raises(RegistryNotFound):
        service.history("teem", "coder")


def test_a_bare_name_is_looked_for_in_all_registries(service: RegistryService) -> None:
    assert len(service.history(None, "coder")) == 3


def test_a_profile_of_another_source_has_no_history_here(service: RegistryService) -> None:
    assert service.history("default", "default") == []
    with pytest.raises(ProfileNotFound, match="nothing of it was ever written"):
        service.profile_revision("default", "default", 1)


# Versions


def test_each_version_can_be_read(service: RegistryService) -> None:
    assert content(service, 1) == {"display_name": "Coder", **settings(engine="one", temperature=0.5)}
    assert content(service, 3)["description"] == "Writes code"


def test_a_version_that_is_not_there_names_those_that_are(service: RegistryService) -> None:
    with pytest.raises(ProfileNotFound, match=r"'team/coder@7' not found \(there are the versions 1 to 3\)"):
        service.profile_revision("team", "coder", 7)


def test_a_version_that_was_dropped_says_so(service: RegistryService) -> None:
    assert service.prune_history(Retention(keep=2)) == 1
    with pytest.raises(ProfileNotFound, match="no longer kept; the newest version is 3"):
        service.profile_revision("team", "coder", 1)
    assert len(service.history("team", "coder")) == 3


def test_versions_are_compared(service: RegistryService) -> None:
    (change,) = service.profile_diff("team", "coder", 1, 2)
    assert (change.path, change.before, change.after) == ("chat.engine", "one", "two")
    assert [change.path for change in service.profile_diff("team", "coder", 1)] == ["chat.engine", "description"]


def test_secrets_are_compared_and_never_shown(service: RegistryService) -> None:
    keys = {"runtime": {"step_settings_patch": {"api": {"api_keys": {"openai-api-key": KEY}}}}}
    service.update_profile("team", "coder", keys, BOB)
    (change,) = service.profile_diff("team", "coder", 3)
    assert change.after == {"$redacted": True}
    assert KEY not in str(service.events(EventQuery()))


# Rollback


def test_a_rollback_is_a_new_version_with_the_old_content(service: RegistryService) -> None:
    profile = service.rollback_profile("team", "coder", 1, BOB)
    assert (profile.version, profile.description) == (4, "")
    assert content(service, 4) == content(service, 1)
    assert service.history("team", "coder")[0].action == "rollback"


def test_a_rollback_to_the_present_content_writes_nothing(service: RegistryService) -> None:
    assert service.rollback_profile("team", "coder", 3, BOB).version == 3
    assert len(service.history("team", "coder")) == 3


def test_a_deleted_profile_comes_back_and_its_versions_go_on(service: RegistryService) -> None:
    service.delete_profile("team", "coder", BOB)
    profile = service.rollback_profile("team", "coder", 2, BOB)
    assert profile.version == 4
    assert engine(service, "coder", registry_slug="team") == "two"


def test_a_rollback_expects_the_version_that_it_is_given(service: RegistryService) -> None:
    with pytest.raises(VersionConflict):
        service.rollback_profile("team", "coder", 1, expecting(2))
    assert service.rollback_profile("team", "coder", 1, expecting(3)).version == 4


def test_a_read_only_profile_is_not_rolled_back(service: RegistryService) -> None:
    service.update_profile("team", "coder", {"policy": {"read_only": True}}, BOB)
    with pytest.raises(ProfileReadOnly):
        service.rollback_profile("team", "coder", 1, BOB)


def test_a_rollback_that_would_not_resolve_is_refused(service: RegistryService) -> None:
    service.create_profile("team", {"slug": "base"}, ALICE)
    service.update_profile("team", "coder", {"extends": ["base"]}, BOB)
    service.update_profile("team", "coder", {"extends": None}, BOB)
    service.delete_profile("team", "base", BOB)
    with pytest.raises(Exception, match="base"):
        service.rollback_profile("team", "coder", 4, BOB)
    assert service.get_profile("team", "coder").version == 5


def test_the_fields_of_a_registry_are_rolled_back(service: RegistryService) -> None:
    patch = {"callers": {"vscode": "coder"}, "defaults": {"step_settings_patch": {"chat": {"stop": {"$unset": True}}}}}
    service.update_registry("team", patch, BOB)
    service.update_registry("team", {"callers": None, "defaults": None, "description": "new"}, BOB)
    registry = service.rollback_registry("team", 2, BOB)
    assert (registry.callers, registry.description, registry.version) == ({"vscode": "coder"}, "", 4)
    assert "coder" in registry.profiles


def test_a_deleted_registry_comes_back_with_its_profiles(service: RegistryService) -> None:
    service.create_profile("team", {"slug": "gone"}, ALICE)
    service.delete_profile("team", "gone", BOB)
    service.create_profile("team", {"slug": "user", "extends": ["coder"]}, ALICE)
    service.delete_registry("team", BOB)
    registry = service.rollback_registry("team", 1, BOB)
    assert (registry.version, sorted(registry.profiles)) == (2, ["coder", "user"])
    assert engine(service, "user", registry_slug="team") == "two"
    assert service.get_profile("team", "coder").version == 4


def test_what_another_program_has_spoilt_stays_away_alone(
    service: RegistryService, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    spoilt = "INSERT INTO profiles (registry_slug, slug, runtime_json) VALUES ('team', 'spoilt', '{')"
    with closing(open_database(database_url)) as database:
        database.write("profiles", lambda connection: connection.execute(spoilt))
    service.delete_registry("team", BOB)
    assert sorted(service.rollback_registry("team", 1, BOB).profiles) == ["coder"]
    assert "profile 'team/spoilt' does not come back" in caplog.text


def test_what_was_deleted_right_before_its_registry_stays_away(service: RegistryService) -> None:
    for slug in ("by-another", "by-request"):
        service.create_profile("team", {"slug": slug}, ALICE)
    service.delete_profile("team", "by-another", ALICE._replace(at_ms=BOB.at_ms))
    service.delete_profile("team", "by-request", BOB._replace(request_id="r1"))
    service.delete_registry("team", BOB)
    assert sorted(service.rollback_registry("team", 1, BOB).profiles) == ["coder"]


def test_what_comes_back_is_taken_from_its_revisions_alone(
    service: RegistryService, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.create_profile("team", {"slug": "other"}, ALICE)
    service.delete_registry("team", BOB)
    asked = note_asked_rows(monkeypatch)
    assert sorted(service.registry_to_restore("team", 1).profiles) == ["coder", "other"]
    assert asked == []


# Audit


def test_the_audit_says_who_did_what_when_and_what_is_different(service: RegistryService) -> None:
    event = service.events(EventQuery())[0]
    assert (event.actor, event.action, event.registry, event.profile) == ("bob", "update", "team", "coder")
    assert event.diff == '[{"path":"description","kind":"added","before":null,"after":"Writes code"}]'


def test_the_audit_is_asked_by_actor_and_time(service: RegistryService) -> None:
    assert {event.actor for event in service.events(EventQuery(actor="alice"))} == {"alice"}
    found = service.events(EventQuery(since_ms=2_000, until_ms=3_000))
    assert [event.to_version for event in found] == [2]


# Earlier states


def test_a_profile_resolves_as_it_did_then(service: RegistryService) -> None:
    def at(at_ms: int) -> Any:
        resolved = service.resolve_at(ResolveInput(registry_slug="team", profile_slug="coder"), at_ms)
        return resolved.effective_step_settings["chat"]["engine"]

    assert [at(1_000), at(1_999), at(2_000), at(2**50)] == ["one", "one", "two", "two"]


def test_before_the_first_change_there_is_nothing_of_the_database(service: RegistryService) -> None:
    with pytest.raises(RegistryNotFound):
        service.resolve_at(ResolveInput(registry_slug="team", profile_slug="coder"), 999)
    assert [row.slug for row in service.as_of(999).list_registries()] == ["default"]


def test_sources_without_history_are_taken_as_they_are_now_and_named(service: RegistryService) -> None:
    request = ResolveInput(registry_slug="team", profile_slug="coder")
    resolved = service.resolve_at(request, 1_000)
    assert resolved.warnings == ("builtin: keeps no history: it is taken as it is now",)
    assert service.resolve_effective_profile(request).warnings == ()


def test_an_earlier_state_is_explained(service: RegistryService) -> None:
    rows = service.explain_at(ResolveInput(registry_slug="team", profile_slug="coder"), 1_000)
    (row,) = [row for row in rows if row.key == "chat.engine"]
    assert (row.value, row.history[-1].origin.version) == ("one", 1)


def test_what_has_been_cannot_be_written(service: RegistryService) -> None:
    with pytest.raises(SourceReadOnly):
        service.as_of(1_000).update_profile("team", "coder", {"description": "late"}, BOB)


def test_the_number_of_the_last_change_up_to_a_time(service: RegistryService) -> None:
    assert [service.seq_at(999), service.seq_at(2_000), service.seq_at(2**50)] == [0, 3, 4]


# Where there is no history


def test_files_keep_no_history(tmp_path: Path) -> None:
    service = opened(write(tmp_path / "team.yaml", "slug: team\nprofiles: {coder: {}}\n"))
    for call in (
        lambda: service.history("team", "coder"),
        lambda: service.profile_revision("team", "coder", 1),
        lambda: service.rollback_profile("team", "coder", 1),
        lambda: service.resolve_at(ResolveInput(), 1_000),
        lambda: service.prune_history(Retention(keep=2)),
        lambda: service.events(EventQuery()),
    ):
        with pytest.raises(Unsupported, match="sqlite: or postgresql:"):
            call()


def test_a_source_that_is_only_read_shows_its_history(service: RegistryService, tmp_path: Path) -> None:
    database = next(source for source in service.sources if source.label != "builtin:")
    if database.url.kind != "sqlite":  # one kind is enough: the option is not of the store
        return
    with closing(opened("builtin:", f"{database.url.text}?readonly=1")) as reading:
        assert len(reading.history("team", "coder")) == 3
        with pytest.raises(SourceReadOnly):
            reading.rollback_profile("team", "coder", 1)


def test_an_item_that_is_written_without_an_actor_has_none(database_url: str) -> None:
    with closing(opened(database_url)) as service:
        service.create_registry({"slug": "team"}, WriteOptions())
        assert service.history("team")[0].actor == ""


def test_a_rollback_is_checked_against_the_schema_of_now(service: RegistryService) -> None:
    service.update_registry("team", {"foreign_sections": ["elsewhere"]}, BOB)
    patch = {"runtime": {"step_settings_patch": {"elsewhere": {"flag": 1}}}}
    service.update_profile("team", "coder", patch, BOB)
    service.update_profile("team", "coder", {"runtime": {"step_settings_patch": {"elsewhere": None}}}, BOB)
    service.update_registry("team", {"foreign_sections": None}, BOB)
    with pytest.raises(ValidationError, match="elsewhere"):
        service.rollback_profile("team", "coder", 4, BOB)
