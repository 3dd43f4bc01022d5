"""What was saved comes back as it was or is refused; a row that another hand has spoilt breaks nothing else."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from livery.core.names import Reference
from livery.core.profile import Metadata, PolicySpec, Profile, Registry, RuntimeSpec
from livery.core.values import TypedText
from livery.errors import LiveryError, ValidationError
from livery.stores.protocols import BrokenItem, EventQuery, WriteOptions
from livery.stores.sql import Database, SQLStore

ALICE = WriteOptions(actor="alice", at_ms=1_000)
HOSTILE = "'; DROP TABLE profiles; -- \" \\ % %s ? ?1 :a $1 \x01\x7f \u202e \ud7ff\U0010ffff 漢 🦊 \r\n\t"


@pytest.fixture
def team(store: SQLStore) -> SQLStore:
    store.save_registry(Registry(slug="team"), ALICE)
    return store


def settings(**values: Any) -> Profile:
    return Profile(slug="coder", registry="team", runtime=RuntimeSpec(step_settings_patch={"x": values}))


@pytest.mark.parametrize(
    "value",
    [
        None, True, 1, 1.0, -0.0, 1e-300, 2**53 - 1, 2**63, 2**64 - 1, -(2**63), "", HOSTILE, "a\0b", [], {}, [[], {}],
        {"b": 1, "a": 2, "": 3}, {"$append": [None]}, {"a\0": "\0"}, [1, True, 1.0, "1"], "{", "x" * 100_000,
    ],
)  # fmt: skip
def test_a_value_comes_back_as_it_was(team: SQLStore, value: Any) -> None:
    saved = team.save_profile(settings(value=value), ALICE)
    kept, revision = team.get_profile("team", "coder"), team.revision("team", "coder", 1)
    assert kept == saved == revision
    assert isinstance(kept, Profile)
    assert repr(kept.runtime.step_settings_patch) == repr(saved.runtime.step_settings_patch)


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), 2**64, "\ud800", {"\udfff": 1}, datetime.date(2026, 1, 1), {1, 2}, b"x", object()],
)
def test_a_value_that_would_not_come_back_is_refused(team: SQLStore, value: Any) -> None:
    with pytest.raises(ValidationError):
        team.save_profile(settings(value=value), ALICE)
    assert (team.get_profile("team", "coder"), team.facts().seq) == (None, 1)


@pytest.mark.parametrize(
    "fields",
    [
        {"extends": UNSET}, {"extends": ()}, {"extends": (Reference("a", "b"), Reference("team", "x"))},
        {"runtime": RuntimeSpec(tools=None)}, {"runtime": RuntimeSpec(tools=[])}, {"runtime": RuntimeSpec()},
        {"policy": PolicySpec(allowed_override_keys=())}, {"policy": PolicySpec(allow_overrides=False)},
        {"metadata": Metadata(tags=())}, {"metadata": Metadata(tags=("a", HOSTILE))}, {"extensions": {"a.b@v1": None}},
        {"display_name": HOSTILE, "description": HOSTILE},
    ],
)  # fmt: skip
def test_what_is_absent_empty_or_null_stays_so(team: SQLStore, fields: dict[str, Any]) -> None:
    saved = team.save_profile(Profile(slug="coder", registry="team", **fields), ALICE)
    assert team.get_profile("team", "coder") == saved == team.revision("team", "coder", 1)
    assert {name: getattr(saved, name) for name in fields if name != "metadata"} == {
        name: value for name, value in fields.items() if name != "metadata"
    }


def test_a_registry_comes_back_as_it_was(team: SQLStore) -> None:
    full = Registry(
        slug="full", display_name=HOSTILE, description=HOSTILE, default_profile_slug="x",
        defaults=RuntimeSpec(system_prompt=None), enforced=RuntimeSpec(step_settings_patch={"a": {"b": 1.0}}),
        policy=PolicySpec(denied_override_keys=("a",)), callers={HOSTILE.strip(): "x"}, fallback="deny",
        settings_schema="free", foreign_sections=("a", "b"), metadata=Metadata(tags=("t",)),
    )  # fmt: skip
    saved = team.save_registry(full, ALICE)
    heads = {head.slug: head for head in team.follow(None).heads}
    assert heads["full"] == saved == team.revision("full", "", 1)


def test_typed_texts_stay_typed(team: SQLStore) -> None:
    day = TypedText("2026-01-02")
    profile = Profile(
        slug="coder", registry="team", extensions={"a.b@v1": day},
        runtime=RuntimeSpec(step_settings_patch={"x": {"day": day, "days": [day, "2026-01-02"]}}),
    )  # fmt: skip
    saved = team.save_profile(profile, ALICE)
    for kept in (team.get_profile("team", "coder"), team.revision("team", "coder", 1)):
        assert isinstance(kept, Profile)
        assert kept.document() == saved.document()
        assert repr(kept.runtime.step_settings_patch) == repr(saved.runtime.step_settings_patch)
        assert type(kept.extensions["a.b@v1"]) is TypedText


@pytest.mark.parametrize("field", ["display_name", "description"])
@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_a_text_that_one_database_cannot_hold_is_refused_by_both(team: SQLStore, field: str, text: str) -> None:
    bad = Profile(slug="coder", registry="team", **{field: text})
    calls: list[Callable[[], object]] = [
        lambda: team.demand_room(bad),
        lambda: team.save_profile(bad, ALICE),
        lambda: team.save_registry(Registry(slug="new", profiles={"coder": bad}), ALICE),
        lambda: team.save_registry(Registry(slug="team", **{field: text}), ALICE),
    ]
    for call in calls:
        with pytest.raises(ValidationError, match=field):
            call()
    assert team.facts().seq == 1


@pytest.mark.parametrize("field", ["actor", "request_id", "source", "action", "diff"])
def test_circumstances_are_kept_or_refused(team: SQLStore, field: str) -> None:
    team.save_profile(settings(), ALICE._replace(**{field: HOSTILE}))
    assert getattr(team.events(EventQuery())[0], field) == HOSTILE
    with pytest.raises(ValidationError, match=field):
        team.save_profile(settings(), ALICE._replace(**{field: "\0"}))


@pytest.mark.parametrize("name", ["", "\0", "\ud800", HOSTILE, "' OR 1=1 --", "x" * 10_000, "coder\0"])
def test_any_name_can_be_asked_for(team: SQLStore, name: str) -> None:
    team.save_profile(settings(), ALICE)
    snapshot = team.follow(None)
    assert (team.get_profile("team", name), snapshot.profile(name, "coder"), snapshot.page(name, limit=5)) == (
        None,
        None,
        [],
    )
    assert (snapshot.names("team", prefix=name or "x"), snapshot.count(name)) == ([], 0)
    for call in (
        lambda: team.delete_profile(Reference("team", name), ALICE),
        lambda: team.delete_profile(Reference(name, "coder"), ALICE),
        lambda: team.delete_registry(name, ALICE),
        lambda: team.save_profile(Profile(slug="a", registry=name), ALICE),
        lambda: team.save_profile(Profile(slug=name, registry="team"), ALICE),
        lambda: team.save_registry(Registry(slug=name), ALICE),
    ):
        with pytest.raises(LiveryError):
            call()
    assert team.facts().seq == 2


# Rows that another hand has written


def changed(database: Database, sql: str, *parameters: object) -> None:
    with database.writing("profiles") as connection:
        connection.execute(sql, parameters)


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("runtime_json", '{"slug":"default","profiles":'),
        ("runtime_json", "[]"),
        ("runtime_json", '{"tools": 5}'),
        ("runtime_json", "[" * 100_000),
        ("runtime_json", ""),
        ("runtime_json", '{"tols": []}'),
        ("policy_json", '{"read_only": "yes"}'),
        ("policy_json", "null"),
        ("extends_json", '["a/b/c"]'),
        ("extends_json", '"x"'),
        ("extensions_json", '{"no key": 1}'),
        ("metadata_json", "[]"),
        ("metadata_json", '{"tags": 1}'),
    ],
)
def test_a_spoilt_row_is_an_error_of_its_own(team: SQLStore, database: Database, column: str, text: str) -> None:
    team.save_profile(settings(), ALICE)
    fine = team.save_profile(Profile(slug="fine", registry="team"), ALICE)
    changed(database, f"UPDATE profiles SET {column} = ? WHERE slug = 'coder'", text)
    with pytest.raises(ValidationError, match=r"profiles\[team/coder\]"):
        team.get_profile("team", "coder")
    loaded = team.load_registries()
    assert [(item.registry, item.profile) for item in loaded.broken] == [("team", "coder")]
    assert list(loaded.registries[0].profiles.values()) == [fine]
    with pytest.raises(ValidationError):
        team.save_profile(settings(), ALICE)
    team.delete_profile(Reference("team", "coder"), ALICE)


def test_a_spoilt_row_is_listed_as_broken(team: SQLStore, database: Database) -> None:
    team.save_profile(settings(), ALICE)
    fine = team.save_profile(Profile(slug="fine", registry="team"), ALICE)
    changed(database, "UPDATE profiles SET metadata_json = '{' WHERE slug = 'coder'")
    snapshot = team.follow(None)
    broken, other = snapshot.page("team", limit=5)
    assert isinstance(broken, BrokenItem)
    assert (broken.registry, broken.profile, other) == ("team", "coder", fine)
    assert (snapshot.count("team"), snapshot.names("team")) == (2, ["coder", "fine"])


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("version", 0), ("version", 2**53), ("runtime_version", 0), ("runtime_version", 2**60), ("created_at_ms", -1),
        ("updated_at_ms", 2**53), ("updated_at_ms", None), ("last_applied_at_ms", 0), ("slug", "BAD SLUG"),
        ("slug", "-overlay_"), ("description", HOSTILE), ("description", "x" * 100_000),
        ("description", "x" * 1_100_000), ("policy_json", '{"read_only": true}'),
        ("policy_json", '{"theirs": 1}'), ("policy_json", ""),
        ("policy_json", '{"denied_override_keys": ["a..b"]}'), ("metadata_json", '{"tags": null}'),
        ("metadata_json", '{"theirs": 1, "source": "cli", "tags": []}'), ("metadata_json", '{"source": 5}'),
        ("metadata_json", '{"tags": ["\\ud800"]}'), ("metadata_json", '{"deleted_versions": {"a": -1}}'),
        ("metadata_json", '{"deleted_versions": {"a": 1}}'), ("metadata_json", "null"), ("metadata_json", "[" * 10_000),
    ],
    ids=lambda value: str(value)[:30],
)  # fmt: skip
def test_a_list_says_of_a_row_what_the_profile_does(
    team: SQLStore, database: Database, column: str, value: object
) -> None:
    typed = {"a.b@v1": TypedText("a row with such is never read in the quick way")}
    team.save_profile(Profile(slug="coder", registry="team", display_name="Coder", extensions=typed), ALICE)
    changed(database, f"UPDATE profiles SET {column} = ?", value)
    (item,) = team.follow(None).page("team", limit=5)
    try:
        whole = team.get_profile("team", str(value) if column == "slug" else "coder")
        assert item == replace(whole, extensions={})
    except ValidationError:
        assert isinstance(item, BrokenItem)


@pytest.mark.parametrize(
    "texts", [{"system_prompt": "x" * 1_040_000}, {"system_prompt": "\x01" * 100_000}, {"tools": None}]
)
def test_a_row_is_read_alike_with_and_without_typed_texts(team: SQLStore, database: Database, texts: Any) -> None:
    runtime = RuntimeSpec(step_settings_patch={"x": {"day": TypedText("2026-01-02")}}, **texts)
    extends = (Reference("team", "base"), Reference("other", "base"))
    saved = team.save_profile(Profile(slug="coder", registry="team", runtime=runtime, extends=extends), ALICE)
    changed(database, "UPDATE profiles SET typed_json = NULL")
    assert team.get_profile("team", "coder") == saved


@pytest.mark.parametrize(
    ("column", "text"),
    [("slug", "BAD SLUG"), ("slug", ""), ("callers_json", "{"), ("policy_json", "5"), ("defaults_json", '{"x": 1}'),
     ("fallback", "perhaps")],
)  # fmt: skip
def test_a_spoilt_registry_breaks_no_other(team: SQLStore, database: Database, column: str, text: str) -> None:
    team.save_registry(Registry(slug="other"), ALICE)
    changed(database, f"UPDATE profile_registries SET {column} = ? WHERE slug = 'team'", text)
    snapshot = team.follow(None)
    assert [head.slug for head in snapshot.heads] == ["other"]
    assert [(item.registry, item.profile) for item in snapshot.broken] == [(text if column == "slug" else "team", "")]
    assert team.save_profile(Profile(slug="a", registry="other"), ALICE).version == 1


def test_rows_without_history_are_read_and_get_one(team: SQLStore, database: Database) -> None:
    changed(database, "INSERT INTO profile_registries (slug) VALUES ('theirs')")
    changed(database, "INSERT INTO profiles (registry_slug, slug, version) VALUES ('theirs', 'x', 4)")
    before = team.follow(None)
    theirs = before.profile("theirs", "x")
    assert theirs is not None
    assert theirs.version == 4
    saved = team.save_profile(
        Profile(slug="x", registry="theirs", display_name="n"), ALICE._replace(expected_version=4)
    )
    assert (saved.version, before.profile("theirs", "x")) == (5, theirs)
    team.delete_registry("theirs", ALICE)
    assert [head.slug for head in before.heads] == ["team", "theirs"]
    assert before.page("theirs", limit=1) == [theirs]


def test_metadata_of_other_programs_is_passed_over(team: SQLStore, database: Database) -> None:
    changed(database, "UPDATE profile_registries SET metadata_json = ?", '{"theirs": 1, "tags": ["t"]}')
    (registry,) = team.load_registries().registries
    assert registry.metadata.tags == ("t",)


def test_no_message_shows_what_a_row_holds(team: SQLStore, database: Database) -> None:
    team.save_profile(settings(), ALICE)
    changed(database, "UPDATE profiles SET runtime_json = ?", '{"step_settings_patch": {"api_key": "hunter2"}, "x" ')
    with pytest.raises(ValidationError) as caught:
        team.get_profile("team", "coder")
    assert "hunter2" not in str(caught.value)
