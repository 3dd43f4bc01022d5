"""Every write: what it changes, what it leaves, what refuses it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from livery.core.profile import ResolveInput
from livery.core.redact import redact
from livery.errors import (
    AlreadyExists,
    LineageError,
    LiveryError,
    MergeConflict,
    ProfileNotFound,
    ProfileReadOnly,
    RegistryNotFound,
    SourceReadOnly,
    SourceUnavailable,
    StillReferenced,
    ValidationError,
    VersionConflict,
)
from livery.service import RegistryService
from livery.stores.protocols import WriteOptions
from tests.support.registries import ALICE, BOB, engine, expecting, opened, resolved, settings, write

CODER = {"slug": "coder", "display_name": "Coder", **settings(engine="one", temperature=0.5)}
LOWER = """\
    slug: team
    default_profile_slug: coder
    callers: {vscode: coder}
    profiles:
      coder:
        display_name: Coder
        runtime:
          step_settings_patch:
            chat: {engine: lower, temperature: 0.5}
            api: {api_keys: {openai-api-key: from-below}}
        metadata: {version: 4, tags: [below]}
      other: {}
"""


@pytest.fixture(params=["memory", "yaml"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return "memory:" if request.param == "memory" else f"yaml:{tmp_path / 'team.yaml'}"


@pytest.fixture
def service(source: str) -> RegistryService:
    service = opened(source)
    service.create_registry({"slug": "team"}, ALICE)
    service.create_profile("team", CODER, ALICE)
    return service


@pytest.fixture
def lower(tmp_path: Path) -> Path:
    return write(tmp_path / "lower.yaml", LOWER)


@pytest.fixture
def layered(lower: Path, tmp_path: Path) -> RegistryService:
    """A read-only file below, an empty writer above."""
    return opened(f"{lower}?readonly=1", f"{tmp_path / 'upper.yaml'}?optional=1")


def document(service: RegistryService, slug: str = "coder", registry: str = "team") -> dict[str, Any]:
    found = service.get_profile(registry, slug).document()
    found.pop("metadata", None)
    return found


def own_layer(service: RegistryService, slug: str = "coder") -> dict[str, Any]:
    """What the writer itself holds of a profile."""
    (layer,) = [layer for layer in service.profile_layers("team", slug) if layer.writer]
    return layer.profile.document()


def refused(service: RegistryService, expected: type[LiveryError], write_it: Callable[[], object]) -> LiveryError:
    """The error of a write that must change nothing at all."""
    before = service.catalogue
    with pytest.raises(expected) as caught:
        write_it()
    service.refresh()
    assert service.catalogue is before
    return caught.value


# ---- create


def test_a_created_profile_is_version_one_and_names_its_author(service: RegistryService) -> None:
    made = service.create_profile("team", {"slug": " New-One "}, ALICE).metadata
    assert (made.version, made.created_by, made.updated_by, made.source) == (1, "alice", "alice", "seed")
    assert (made.created_at_ms, made.updated_at_ms) == (1_000, 1_000)
    assert service.get_profile("team", "new-one").slug == "new-one"


def test_only_the_tags_of_given_metadata_are_taken(service: RegistryService) -> None:
    given = {"version": 99, "created_by": "mallory", "tags": ["a"]}
    made = service.create_profile("team", {"slug": "new", "metadata": given}, ALICE).metadata
    assert (made.version, made.created_by, made.tags) == (1, "alice", ("a",))


def test_a_taken_name_already_exists(service: RegistryService) -> None:
    error = refused(service, AlreadyExists, lambda: service.create_profile("team", {"slug": "Coder"}, expecting(0)))
    assert "'team/coder' already exists" in str(error)


def test_a_new_profile_cannot_be_of_a_version(service: RegistryService) -> None:
    error = refused(service, VersionConflict, lambda: service.create_profile("team", {"slug": "new"}, expecting(1)))
    assert error.details() == {
        "resource": "profile",
        "slug": "new",
        "expected_version": 1,
        "current_version": 0,
    }


def test_a_profile_is_created_in_the_registry_that_is_named_and_nowhere_else(service: RegistryService) -> None:
    refused(service, RegistryNotFound, lambda: service.create_profile("nowhere", {"slug": "x"}))
    refused(service, ProfileNotFound, lambda: service.update_profile("team", "codr", {}))


def test_what_was_given_may_change_afterwards(service: RegistryService) -> None:
    given = {"slug": "new", **settings(engine="given")}
    service.create_profile("team", given)
    given["runtime"]["step_settings_patch"]["chat"]["engine"] = "changed"
    assert engine(service, "new") == "given"


def test_tuples_are_lists_and_whole_floats_whole(service: RegistryService) -> None:
    service.create_profile("team", {"slug": "new", "runtime": {"tools": ("a", "b")}, "extensions": {"a.b@v1": (2.0,)}})
    found = resolved(service, "new")
    assert (found.effective_tools, found.extensions) == (["a", "b"], {"a.b@v1": [2]})


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"slug": "x", "extensions": {"a.b@v1": float("nan")}}, "profile.extensions"),
        ({"slug": "x", **settings(temperature=float("inf"))}, "profile.runtime.step_settings_patch.chat.temperature"),
        ({"slug": "x", "extensions": {"a.b@v1": 10**40}}, "profile.extensions.a.b@v1"),
        ({"slug": "x", "extensions": {"a.b@v1": {1: 2}}}, "profile.extensions.a.b@v1"),
        ({"slug": "x", "extensions": {"a.b@v1": {"k": {3}}}}, "profile.extensions.a.b@v1.k"),
        ({"slug": "x", "display_name": "\ud800"}, "profile.display_name"),
        ({"slug": "x", "display_name": 5}, "profile.display_name"),
        ({"slug": "x", "dispaly_name": ""}, "profile.dispaly_name"),
        ({"slug": "x", "registry": "other"}, "profile.registry"),
        ({"slug": "no slug"}, "profile.slug"),
        ({}, "profile.slug"),
        ([], "profile"),
        ({"slug": "x", "runtime": {"system_prompt": {"$redacted": True}}}, "profile.runtime.system_prompt"),
        ({"slug": "x", **settings(engin="x")}, "profile.runtime.step_settings_patch.chat.engin"),
    ],
)
def test_a_document_that_is_not_valid_is_refused_with_its_field(
    service: RegistryService, given: Any, field: str
) -> None:
    error = refused(service, ValidationError, lambda: service.create_profile("team", given))
    assert isinstance(error, ValidationError)
    assert error.field.startswith(field)


def test_any_text_survives(service: RegistryService) -> None:
    text = "\0\x07 \u2028 é 漢 🦊 ' \" # : - | \t\r\n  end  "
    service.create_profile("team", {"slug": "new", "display_name": text, "runtime": {"system_prompt": text}})
    assert service.get_profile("team", "new").display_name == text
    assert resolved(service, "new").effective_system_prompt == text


# ---- update


def test_an_update_counts_up_and_keeps_who_created(service: RegistryService) -> None:
    second = service.update_profile("team", "coder", {"description": "x"}, expecting(1)).metadata
    third = service.update_profile("team", "coder", {"description": "y"}, BOB._replace(actor="carol")).metadata
    assert (second.version, second.created_by, second.updated_by, second.updated_at_ms) == (2, "alice", "bob", 2_000)
    assert (third.version, third.created_by, third.updated_by, third.created_at_ms) == (3, "alice", "carol", 1_000)


def test_an_update_of_another_version_changes_nothing(service: RegistryService) -> None:
    error = refused(
        service, VersionConflict, lambda: service.update_profile("team", "coder", {"description": "x"}, expecting(999))
    )
    assert (error.details()["expected_version"], error.details()["current_version"]) == (999, 1)


def test_what_a_patch_does_not_name_stays_and_null_removes(service: RegistryService) -> None:
    patch = {"runtime": {"step_settings_patch": {"chat": {"temperature": None, "top_p": 0.1}}}, "display_name": None}
    service.update_profile("team", "coder", patch)
    assert document(service) == settings(engine="one", top_p=0.1)


def test_an_unset_is_stored_and_takes_away_what_a_base_gives(service: RegistryService) -> None:
    service.create_profile("team", {"slug": "derived", "extends": ["coder"]})
    service.update_profile("team", "derived", settings(engine={"$unset": True}))
    assert document(service, "derived")["runtime"] == settings(engine={"$unset": True})["runtime"]
    assert "engine" not in resolved(service, "derived").merged.values["step_settings_patch"]["chat"]


def test_directives_and_references_are_whole_values_in_a_patch(service: RegistryService) -> None:
    service.update_profile("team", "coder", {"runtime": {"tools": {"$append": ["a"]}}})
    service.update_profile("team", "coder", {"runtime": {"tools": {"$remove": ["b"]}}})
    assert document(service)["runtime"]["tools"] == {"$remove": ["b"]}


def test_a_patch_that_changes_nothing_writes_nothing(service: RegistryService) -> None:
    before = service.catalogue
    for patch in ({}, {"display_name": "Coder"}, {"description": None}, settings(temperature=0.5), {"slug": "CODER"}):
        assert service.update_profile("team", "coder", patch, BOB).metadata.version == 1
    assert service.catalogue is before


def test_a_value_that_python_calls_equal_is_a_change(service: RegistryService) -> None:
    service.update_profile("team", "coder", {"extensions": {"a.b@v1": 1}})
    assert service.update_profile("team", "coder", {"extensions": {"a.b@v1": True}}).version == 3
    assert service.get_profile("team", "coder").extensions["a.b@v1"] is True


def test_tags_are_set_and_removed(service: RegistryService) -> None:
    assert service.update_profile("team", "coder", {"metadata": {"tags": ["a"]}}).metadata.tags == ("a",)
    service.update_profile("team", "coder", {"metadata": {"tags": None}})
    assert "tags" not in service.get_profile("team", "coder").document()["metadata"]


def test_a_patch_renames_nothing(service: RegistryService) -> None:
    for patch in ({"slug": "other"}, {"registry": "other"}, {"id": "team/other"}):
        refused(service, ValidationError, lambda patch=patch: service.update_profile("team", "coder", patch))


@pytest.mark.parametrize("patch", [[], None, "x", {1: 2}, {"runtime": {"tools": {1}}}])
def test_a_patch_that_is_no_document_is_refused(service: RegistryService, patch: Any) -> None:
    refused(service, ValidationError, lambda: service.update_profile("team", "coder", patch))


def test_unknown_extensions_survive_a_change_of_the_name(service: RegistryService) -> None:
    service.update_profile(
        "team", "coder", {"extensions": {"thirdparty.feature@v1": {"x": 1}, "vendor.extra@v2": ["a"]}}
    )
    service.update_profile("team", "coder", {"display_name": "New"})
    assert document(service)["extensions"] == {"thirdparty.feature@v1": {"x": 1}, "vendor.extra@v2": ["a"]}


def test_a_redacted_value_at_its_place_keeps_what_is_there(service: RegistryService) -> None:
    keys = {"runtime": {"step_settings_patch": {"api": {"api_keys": {"openai-api-key": "secret-value"}}}}}
    service.update_profile("team", "coder", keys)
    keys["runtime"]["step_settings_patch"]["api"]["api_keys"]["openai-api-key"] = {"$redacted": True}  # type: ignore[assignment]
    service.update_profile("team", "coder", {**keys, "description": "new"})
    service.replace_profile("team", "coder", keys)
    assert document(service)["runtime"]["step_settings_patch"]["api"]["api_keys"]["openai-api-key"] == "secret-value"


def test_a_redacted_value_where_nothing_is_cannot_be_kept(service: RegistryService) -> None:
    patch = {"runtime": {"step_settings_patch": {"api": {"api_keys": {"claude-api-key": {"$redacted": True}}}}}}
    error = refused(service, ValidationError, lambda: service.update_profile("team", "coder", patch))
    assert "claude-api-key" in str(error)


# ---- replace, copy


def test_a_replacement_is_the_whole_document(service: RegistryService) -> None:
    saved = service.replace_profile("team", "coder", {"description": "only"}, expecting(1))
    assert document(service) == {"description": "only"}
    assert (saved.version, saved.metadata.created_by) == (2, "alice")


def test_a_document_read_and_put_back_is_no_change(service: RegistryService) -> None:
    given = {"slug": "coder", "registry": "team", "id": "team/coder", **service.get_profile("team", "coder").document()}
    assert service.replace_profile("team", "coder", given).version == 1


def test_a_copy_is_a_new_profile_that_can_be_changed(service: RegistryService) -> None:
    service.update_profile("team", "coder", {"policy": {"read_only": True}})
    copy = service.copy_profile("team", "coder", "Twin", BOB)
    assert (copy.slug, copy.version, copy.metadata.created_by) == ("twin", 1, "bob")
    service.update_profile("team", "twin", {"display_name": "Twin"})
    assert resolved(service, "twin").runtime_digest == resolved(service, "coder").runtime_digest
    refused(service, AlreadyExists, lambda: service.copy_profile("team", "coder", "twin"))


# ---- delete


def test_a_deleted_profile_is_gone_and_counts_on_when_it_comes_back(service: RegistryService) -> None:
    service.update_profile("team", "coder", {"description": "x"})
    assert service.delete_profile("team", "coder", expecting(2)) is None
    refused(service, ProfileNotFound, lambda: service.delete_profile("team", "coder"))
    assert service.create_profile("team", CODER).version == 3


def test_what_is_still_used_is_not_deleted_and_every_user_is_named(service: RegistryService) -> None:
    service.create_profile("team", {"slug": "derived", "extends": ["coder"]})
    service.create_registry({"slug": "far", "profiles": {"away": {"extends": ["team/coder"]}}})
    service.update_registry("team", {"callers": {"vscode": "coder"}, "default_profile_slug": "coder"})
    error = refused(service, StillReferenced, lambda: service.delete_profile("team", "coder"))
    for user in ("'team/derived'", "'far/away'", "caller 'vscode'", "registry 'team' as its default"):
        assert user in str(error)


# ---- read-only profiles


def test_a_read_only_profile_takes_no_write(service: RegistryService) -> None:
    service.update_profile("team", "coder", {"policy": {"read_only": True}})
    for write_it in (
        lambda: service.update_profile("team", "coder", {"description": "x"}),
        lambda: service.update_profile("team", "coder", {"policy": {"read_only": False}, "description": "x"}),
        lambda: service.update_profile("team", "coder", {"policy": None}),
        lambda: service.replace_profile("team", "coder", {"policy": {"read_only": False}}),
        lambda: service.delete_profile("team", "coder"),
        lambda: service.rename_profile("team", "coder", "other"),
        lambda: service.delete_registry("team"),
    ):
        error = refused(service, ProfileReadOnly, write_it)
        assert "lift it there, or copy the profile" in str(error)


@pytest.mark.parametrize("lifted", [False, None])
def test_a_patch_of_just_the_mark_lifts_it(service: RegistryService, lifted: bool | None) -> None:
    service.update_profile("team", "coder", {"policy": {"read_only": True}})
    service.update_profile("team", "coder", {"policy": {"read_only": lifted}})
    assert service.update_profile("team", "coder", {"description": "x"}).version == 4


def test_a_base_that_is_read_only_marks_nothing_else(service: RegistryService) -> None:
    service.update_profile("team", "coder", {"policy": {"read_only": True}})
    service.create_profile("team", {"slug": "derived", "extends": ["coder"]})
    assert service.update_profile("team", "derived", {"description": "x"}).version == 2


def test_a_mark_in_a_lower_source_is_lifted_only_there(lower: Path, layered: RegistryService) -> None:
    write(lower, LOWER.replace("other: {}", "other: {policy: {read_only: true}}"))
    layered.refresh()
    error = refused(
        layered, ProfileReadOnly, lambda: layered.update_profile("team", "other", {"policy": {"read_only": False}})
    )
    assert f"yaml:{lower}" in str(error)


# ---- layers


def test_the_first_write_to_a_lower_profile_is_a_layer_with_just_the_patch(layered: RegistryService) -> None:
    saved = layered.update_profile("team", "coder", settings(engine="mine"), expecting(4))
    assert saved.version == 5
    layer = own_layer(layered)
    layer.pop("metadata")
    assert layer == settings(engine="mine")
    found = resolved(layered, "coder").effective_step_settings["chat"]
    assert (found["engine"], found["temperature"]) == ("mine", 0.5)


def test_a_first_write_that_expects_another_version_is_refused(layered: RegistryService) -> None:
    error = refused(
        layered, VersionConflict, lambda: layered.update_profile("team", "coder", {"description": "x"}, expecting(5))
    )
    assert error.details()["current_version"] == 4


def test_an_empty_patch_makes_no_layer(layered: RegistryService, tmp_path: Path) -> None:
    for patch in ({}, {"description": None}, {"runtime": {"tools": None}}):
        assert layered.update_profile("team", "coder", patch).version == 4
    assert not (tmp_path / "upper.yaml").exists()


def test_a_layer_with_a_new_description_rebuilds_nothing(layered: RegistryService) -> None:
    before = resolved(layered, "coder")
    layered.update_profile("team", "coder", {"description": "mine"})
    after = resolved(layered, "coder")
    assert after.lineage[0].version == 5
    assert after.runtime_fingerprint == before.runtime_fingerprint


def test_tags_of_a_lower_source_are_seen_until_the_layer_has_its_own(layered: RegistryService) -> None:
    assert layered.update_profile("team", "coder", {"description": "x"}).metadata.tags == ("below",)
    assert layered.update_profile("team", "coder", {"metadata": {"tags": ["mine"]}}).metadata.tags == ("mine",)


def test_a_layer_is_dropped_only_by_a_revert_and_the_lower_one_comes_back(layered: RegistryService) -> None:
    layered.update_profile("team", "coder", settings(engine="mine"))
    error = refused(layered, SourceReadOnly, lambda: layered.delete_profile("team", "coder"))
    assert "--revert" in str(error)
    back = layered.delete_profile("team", "coder", expecting(5), revert=True)
    assert back is not None
    assert (back.version, engine(layered, "coder")) == (4, "lower")
    assert layered.update_profile("team", "coder", settings(engine="again")).version == 6


def test_a_lower_profile_cannot_be_deleted_from_above(layered: RegistryService, lower: Path) -> None:
    for revert in (False, True):
        error = refused(layered, SourceReadOnly, lambda r=revert: layered.delete_profile("team", "coder", revert=r))
        assert f"yaml:{lower}" in str(error)


def test_a_redacted_value_of_a_lower_source_is_left_to_it(layered: RegistryService) -> None:
    patch = {"runtime": {"step_settings_patch": {"api": {"api_keys": {"openai-api-key": {"$redacted": True}}}}}}
    layered.update_profile("team", "coder", {**patch, "description": "mine"})
    assert "from-below" not in str(own_layer(layered))
    assert resolved(layered, "coder").effective_step_settings["api"]["api_keys"]["openai-api-key"] == "from-below"


def test_a_document_of_a_lower_source_that_is_put_back_redacted_keeps_its_secrets(
    lower: Path, layered: RegistryService
) -> None:
    servers = "{servers: [{name: git, cmd: [x, --token=hunter2], env: {T: hunter3}}]}"
    lower.write_text(lower.read_text().replace("other: {}", f"other: {{runtime: {servers}}}"))
    given = redact(layered.get_profile("team", "other").document())
    assert "hunter" not in str(given)
    layered.replace_profile("team", "other", {**given, "description": "mine"})
    (server,) = resolved(layered, "other").effective_servers
    assert (server["cmd"], server["env"]) == (["x", "--token=hunter2"], {"T": "hunter3"})
    assert "hunter3" not in str(own_layer(layered, "other"))


def test_a_field_that_a_source_above_sets_is_refused_with_owner_file_and_line(lower: Path, tmp_path: Path) -> None:
    top = write(tmp_path / "top.yaml", "slug: team\nprofiles:\n  coder:\n    runtime:\n      tools: [top]\n")
    service = opened(lower, f"{top}?readonly=1")
    for patch, line in (({"runtime": {"tools": ["x"]}}, 5), ({"runtime": None}, 4)):
        error = refused(service, SourceReadOnly, lambda patch=patch: service.update_profile("team", "coder", patch))
        assert f"belongs to yaml:{top} ({top}:{line}:" in str(error)
        assert "change it there" in str(error)
    assert service.update_profile("team", "coder", {"runtime": {"system_prompt": "mine"}}).version == 5


def test_a_value_that_a_source_above_replaces_as_a_whole_cannot_be_written_below(lower: Path, tmp_path: Path) -> None:
    above = "slug: team\nprofiles: {coder: {runtime: {step_settings_patch: {chat: {$replace: {engine: top}}}}}}\n"
    service = opened(lower, f"{write(tmp_path / 'top.yaml', above)}?readonly=1")
    refused(service, SourceReadOnly, lambda: service.update_profile("team", "coder", settings(temperature=0.9)))


def test_what_a_source_above_says_already_may_be_said_again(lower: Path, tmp_path: Path) -> None:
    top = write(tmp_path / "top.yaml", "slug: team\nprofiles: {coder: {description: top}}\n")
    service = opened(lower, f"{top}?readonly=1")
    whole = service.get_profile("team", "coder").document()
    assert service.replace_profile("team", "coder", whole).description == "top"


def test_a_registry_field_that_another_source_decides_is_refused(lower: Path, tmp_path: Path) -> None:
    enforce = "    enforced: {step_settings_patch: {chat: {top_p: 0.5}}}\n"
    write(lower, LOWER.replace("    callers", enforce + "    callers"))
    top = write(tmp_path / "top.yaml", "slug: team\ndefault_profile_slug: other\n")
    service = opened(f"{lower}?readonly=1", "memory:", f"{top}?readonly=1")
    error = refused(service, SourceReadOnly, lambda: service.set_default_profile("team", "coder"))
    assert f"{top}:2" in str(error)
    patch = {"enforced": {"step_settings_patch": {"chat": {"top_p": 0.9}}}}
    error = refused(service, SourceReadOnly, lambda: service.update_registry("team", patch))
    assert f"{lower}:3" in str(error)


def test_a_new_profile_of_a_lower_registry_makes_a_registry_in_the_writer(layered: RegistryService) -> None:
    layered.create_profile("team", {"slug": "new"})
    assert [row.slug for row in layered.list_profiles("team")] == ["coder", "new", "other"]
    assert layered.get_registry("team").default_profile_slug == "coder"


def test_a_copy_of_a_layered_profile_is_the_same_runtime_or_refused(lower: Path, layered: RegistryService) -> None:
    layered.update_profile("team", "coder", settings(engine="mine"))
    layered.copy_profile("team", "coder", "twin")
    assert resolved(layered, "twin").runtime_digest == resolved(layered, "coder").runtime_digest
    lower.write_text(
        lower.read_text().replace("other: {}", "other: {extends: [coder], runtime: {tools: {$append: [b]}}}")
    )
    layered.update_profile("team", "coder", {"runtime": {"tools": ["a"]}})
    layered.update_profile("team", "other", {"description": "two layers"})
    try:
        layered.copy_profile("team", "other", "third")
    except ValidationError as error:
        assert "let the new profile extend it" in str(error)
    else:
        assert resolved(layered, "third").effective_tools == ["a", "b"]


def test_a_broken_layer_in_the_writer_is_never_written_over(lower: Path, tmp_path: Path) -> None:
    upper = write(tmp_path / "upper.yaml", "slug: team\nprofiles:\n  coder: {nonsense: 1}\n")
    service = opened(f"{lower}?readonly=1", upper)
    error = refused(service, ValidationError, lambda: service.update_profile("team", "coder", {"description": "x"}))
    assert "upper.yaml:3" in str(error)
    assert "nonsense: 1" in upper.read_text()


def test_beside_a_broken_profile_the_others_can_be_written(tmp_path: Path) -> None:
    service = opened(write(tmp_path / "a.yaml", "slug: team\nprofiles:\n  bad: {nonsense: 1}\n  good: {}\n"))
    assert service.update_profile("team", "good", {"description": "x"}).version == 2


# ---- the whole


def test_a_base_that_is_missing_or_closes_a_circle_is_refused(service: RegistryService) -> None:
    service.create_profile("team", {"slug": "derived", "extends": ["coder"]})
    error = refused(service, LineageError, lambda: service.update_profile("team", "coder", {"extends": ["derived"]}))
    assert "closes a cycle" in str(error)
    error = refused(service, LineageError, lambda: service.update_profile("team", "coder", {"extends": ["derivd"]}))
    assert "extends unknown 'team/derivd'; did you mean 'team/derived'?" in str(error)
    refused(service, LineageError, lambda: service.create_profile("team", {"slug": "self", "extends": ["self"]}))


def test_a_fault_elsewhere_in_the_graph_hinders_no_other_write(tmp_path: Path) -> None:
    service = opened(write(tmp_path / "a.yaml", "slug: team\nprofiles:\n  bad: {extends: [gone]}\n  a: {}\n  b: {}\n"))
    assert service.update_profile("team", "a", {"extends": ["b"]}).version == 2
    assert service.update_profile("team", "bad", {"extends": ["b"]}).version == 2
    assert resolved(service, "bad").profile_slug == "bad"


def test_a_profile_with_a_fault_is_repaired_by_a_patch(tmp_path: Path) -> None:
    text = "slug: team\nprofiles:\n  a: {runtime: {step_settings_patch: {chat: {engin: x, engine: y}}}}\n"
    service = opened(write(tmp_path / "a.yaml", text))
    refused(service, ValidationError, lambda: service.update_profile("team", "a", {"description": "x"}))
    service.update_profile("team", "a", settings(engin=None))
    assert engine(service, "a") == "y"


def test_a_change_that_would_break_what_stands_on_it_is_refused(tmp_path: Path) -> None:
    service = opened("memory:")
    free = {"runtime": {"step_settings_patch": {"x": 1}}}
    profiles = {"base": {}, "derived": {"extends": ["base"], **free}}
    service.create_registry({"slug": "team", "settings_schema": "free", "profiles": profiles})
    patch = {"runtime": {"step_settings_patch": {"x": {"y": 1}}}}
    error = refused(service, ValidationError, lambda: service.update_profile("team", "base", patch))
    assert "'team/derived' stands on it and would no longer resolve" in str(error)


def test_a_layer_that_does_not_fit_on_the_lower_one_is_refused(tmp_path: Path) -> None:
    text = "slug: team\nsettings_schema: free\nprofiles: {a: {runtime: {step_settings_patch: {x: 1}}}}\n"
    service = opened(f"{write(tmp_path / 'a.yaml', text)}?readonly=1", "memory:")
    patch = {"runtime": {"step_settings_patch": {"x": {"y": 1}}}}
    refused(service, MergeConflict, lambda: service.update_profile("team", "a", patch))


def test_a_revert_that_would_close_a_circle_is_refused(lower: Path, tmp_path: Path) -> None:
    lower.write_text(lower.read_text().replace("other: {}", "other: {extends: [coder]}"))
    service = opened(f"{lower}?readonly=1", "memory:")
    service.update_profile("team", "other", {"extends": []})
    service.update_profile("team", "coder", {"extends": ["other"]})
    refused(service, LineageError, lambda: service.delete_profile("team", "other", revert=True))


# ---- rename


def test_what_names_a_renamed_profile_follows_it(service: RegistryService) -> None:
    service.create_profile("team", {"slug": "derived", "extends": ["coder"]})
    service.create_registry({"slug": "far", "profiles": {"away": {"extends": ["team/coder"]}}})
    service.update_registry("team", {"callers": {"vscode": "coder"}, "default_profile_slug": "coder"})
    renamed = service.rename_profile("team", "coder", "Writer", expecting(1))
    assert (renamed.slug, renamed.display_name) == ("writer", "Coder")
    head = service.get_registry("team")
    assert (head.default_profile_slug, head.callers) == ("writer", {"vscode": "writer"})
    assert engine(service, "derived") == engine(service, "away", registry_slug="far") == "one"
    refused(service, ProfileNotFound, lambda: service.get_profile("team", "coder"))


def test_a_rename_to_a_taken_name_is_refused(service: RegistryService) -> None:
    service.create_profile("team", {"slug": "other"})
    refused(service, AlreadyExists, lambda: service.rename_profile("team", "coder", "other"))
    refused(service, AlreadyExists, lambda: service.rename_profile("team", "coder", "Coder"))
    refused(service, ValidationError, lambda: service.rename_profile("team", "coder", "no slug"))


def test_a_rename_that_cannot_be_finished_is_not_begun(service: RegistryService) -> None:
    service.create_profile("team", {"slug": "derived", "extends": ["coder"], "policy": {"read_only": True}})
    error = refused(service, ProfileReadOnly, lambda: service.rename_profile("team", "coder", "writer"))
    assert "team/derived" in str(error)


def test_a_rename_past_a_source_that_is_not_written_is_refused(lower: Path, tmp_path: Path) -> None:
    far = write(tmp_path / "far.yaml", "slug: far\nprofiles: {away: {extends: [team/other]}}\n")
    service = opened(f"{far}?readonly=1", lower)
    error = refused(service, StillReferenced, lambda: service.rename_profile("team", "other", "new"))
    assert f"'far/away' (yaml:{far})" in str(error)
    layered = opened(f"{lower}?readonly=1", "memory:")
    error = refused(layered, SourceReadOnly, lambda: layered.rename_profile("team", "coder", "new"))
    assert "copy it instead" in str(error)


# ---- registries


def test_a_registry_is_made_with_its_profiles(source: str) -> None:
    service = opened(source)
    profiles = {"a": {"extends": ["b"], "metadata": {"version": 7, "tags": ["t"]}}, "b": {}}
    made = service.create_registry(
        {"slug": "Team", "default_profile_slug": "a", "callers": {"x": "b"}, "profiles": profiles}, ALICE
    )
    assert (made.slug, made.version, made.metadata.created_by) == ("team", 1, "alice")
    profile = service.get_profile("team", "a")
    assert (profile.version, profile.metadata.tags, profile.runtime_version) == (1, ("t",), 1)
    refused(service, AlreadyExists, lambda: service.create_registry({"slug": "team"}))


def test_a_registry_may_be_larger_than_a_profile_may(service: RegistryService) -> None:
    profiles = {f"p{number}": {"description": "x" * 300_000} for number in range(5)}
    service.create_registry({"slug": "large", "profiles": profiles})
    assert len(service.list_profiles("large")) == 5
    profiles["p0"]["description"] = "x" * 1_100_000
    error = refused(service, ValidationError, lambda: service.create_registry({"slug": "x", "profiles": profiles}))
    assert "registry.profiles[p0]: has 1100018 bytes, 1048576 is the most" in str(error)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({}, ValidationError),
        ([], ValidationError),
        ({"slug": "x", "profiles": {"a": {1: 2}}}, ValidationError),
        ({"slug": "x", "profiles": {1: {}}}, ValidationError),
        ({"slug": "x", "profiles": [1]}, ValidationError),
        ({"slug": "x", 1: 2}, ValidationError),
        ({"slug": "x", "profiles": {"a": {"extends": ["b"]}}}, LineageError),
        ({"slug": "x", "default_profile_slug": "b", "profiles": {"a": {}}}, ValidationError),
        ({"slug": "x", "callers": {"v": "b"}}, ValidationError),
        ({"slug": "x", "defaults": {"step_settings_patch": {"chatt": {}}}}, ValidationError),
        ({"slug": "x", "profiles": {"a": settings(engin="x")}}, ValidationError),
        ({"slug": "x", "profiles": {"a": {}, "A": {}}}, ValidationError),
        ({"slug": "x", "settings_schema": "none"}, ValidationError),
    ],
)
def test_a_registry_that_is_not_sound_is_not_made(
    service: RegistryService, document: Any, expected: type[LiveryError]
) -> None:
    refused(service, expected, lambda: service.create_registry(document))


def test_a_registry_is_changed_by_a_patch_of_its_own_fields(service: RegistryService) -> None:
    patched = service.update_registry(
        "team", {"callers": {"a": "coder", "b": "coder"}, "description": "x"}, expecting(1)
    )
    assert patched.version == 2
    patched = service.update_registry("team", {"callers": {"a": None}, "metadata": {"tags": ["t"]}}, expecting(2))
    assert (patched.version, patched.callers, patched.metadata.tags) == (3, {"b": "coder"}, ("t",))
    assert service.update_registry("team", {"description": "x"}).version == 3
    assert engine(service, "coder") == "one"


def test_the_default_is_a_profile_that_is_there_and_stays_over_writes(service: RegistryService, source: str) -> None:
    service.create_profile("team", {"slug": "a"})
    assert service.set_default_profile("team", "coder", expecting(1)).default_profile_slug == "coder"
    service.update_profile("team", "a", {"description": "x"})
    assert resolved(service).profile_slug == "coder"
    if source.startswith("yaml:"):
        assert resolved(opened(source)).profile_slug == "coder"
    refused(service, ProfileNotFound, lambda: service.set_default_profile("team", "gone"))
    refused(service, VersionConflict, lambda: service.set_default_profile("team", "a", expecting(1)))


def test_a_caller_gets_the_profile_it_was_given(service: RegistryService) -> None:
    service.update_registry("team", {"callers": {" VSCode ": "coder"}, "fallback": "deny"})
    found = service.resolve_effective_profile(ResolveInput(registry_slug="team", caller="VSCode"))
    assert (found.profile_slug, found.selection.how) == ("coder", "caller")
    refused(service, ValidationError, lambda: service.update_registry("team", {"callers": {"x": "codr"}}))


def test_a_patch_of_a_registry_touches_neither_its_name_nor_its_profiles(service: RegistryService) -> None:
    for patch in ({"slug": "other"}, {"profiles": {}}, {"id": "other"}, [], {"nonsense": 1}):
        refused(service, ValidationError, lambda patch=patch: service.update_registry("team", patch))
    assert service.update_registry("team", {"slug": "TEAM", "id": "team"}).version == 1


def test_a_change_of_the_registry_that_would_break_its_profiles_is_refused(service: RegistryService) -> None:
    service.update_registry("team", {"foreign_sections": ["myapp"]})
    service.update_profile("team", "coder", {"runtime": {"step_settings_patch": {"myapp": {"x": 1}}}})
    error = refused(service, ValidationError, lambda: service.update_registry("team", {"foreign_sections": []}))
    assert "myapp" in str(error)


def test_a_patch_of_a_lower_registry_is_a_layer_of_its_own(layered: RegistryService, lower: Path) -> None:
    patched = layered.update_registry("team", {"callers": {"cli": "other"}}, expecting(1))
    assert (patched.version, patched.callers) == (2, {"vscode": "coder", "cli": "other"})
    assert layered.update_registry("team", {}).version == 2
    assert "cli" not in lower.read_text()


def test_a_deleted_registry_takes_its_profiles_along(service: RegistryService) -> None:
    service.delete_registry("team", expecting(1))
    with pytest.raises(RegistryNotFound):
        service.get_registry("team")


def test_a_registry_that_others_stand_on_or_hold_is_not_deleted(service: RegistryService, lower: Path) -> None:
    service.create_registry({"slug": "far", "profiles": {"away": {"extends": ["team/coder"]}}})
    error = refused(service, StillReferenced, lambda: service.delete_registry("team"))
    assert "'far/away'" in str(error)
    layered = opened(f"{lower}?readonly=1", "memory:")
    error = refused(layered, SourceReadOnly, lambda: layered.delete_registry("team"))
    assert f"yaml:{lower}" in str(error)


def test_a_registry_is_not_made_while_a_source_that_may_hold_it_cannot_be_read(tmp_path: Path) -> None:
    broken = write(tmp_path / "broken.yaml", "slug: [\n")
    service = opened(f"{broken}?readonly=1", "memory:")
    with pytest.raises(SourceUnavailable, match="it may hold registry 'team'"):
        service.create_registry({"slug": "team"})
    narrow = opened(f"{broken}?readonly=1&registries=other", "memory:")
    assert narrow.create_registry({"slug": "team"}).version == 1


# ---- everywhere the same


def test_one_lifecycle_gives_the_same_in_every_store(tmp_path: Path) -> None:
    def live(service: RegistryService) -> list[Any]:
        service.create_registry({"slug": "team"}, ALICE)
        service.create_profile("team", CODER, ALICE)
        service.create_profile("team", {"slug": "a", "extends": ["coder"]}, BOB)
        service.update_profile("team", "coder", settings(engine="two", temperature=None), BOB)
        service.set_default_profile("team", "a", BOB)
        service.rename_profile("team", "coder", "base", ALICE)
        service.copy_profile("team", "base", "copy", ALICE)
        service.delete_profile("team", "copy", BOB)
        service.create_profile("team", {"slug": "copy"}, ALICE)
        registry = service.get_registry("team")
        return [registry, resolved(service).runtime_fingerprint, service.list_profiles("team")[0]._replace(source="")]

    memory, file = live(opened("memory:")), live(opened(tmp_path / "a.yaml"))
    file_again = opened(tmp_path / "a.yaml").get_registry("team")
    assert memory[1:] == file[1:]
    assert memory[0] == file[0] == file_again


def test_threads_that_write_through_one_service_lose_nothing(service: RegistryService) -> None:
    errors: list[Exception] = []

    def work(worker: int) -> None:
        try:
            for number in range(5):
                service.create_profile("team", {"slug": f"p{worker}-{number}"})
                service.update_profile("team", "coder", {"extensions": {f"a.w{worker}@v1": number}})
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(service.list_profiles("team")) == 16
    assert service.get_profile("team", "coder").version == 16


def test_of_threads_with_one_expected_version_exactly_one_wins(service: RegistryService) -> None:
    outcomes: list[str] = []

    def work(name: str) -> None:
        try:
            service.update_profile("team", "coder", {"display_name": name}, WriteOptions(expected_version=1))
            outcomes.append("won")
        except VersionConflict:
            outcomes.append("lost")

    threads = [threading.Thread(target=work, args=(f"n{number}",)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["lost"] * 5 + ["won"]


def test_after_closing_every_write_is_an_error(service: RegistryService) -> None:
    service.close()
    service.close()
    with pytest.raises(SourceUnavailable, match="closed"):
        service.update_profile("team", "coder", {"description": "x"})


def test_a_rehearsal_makes_a_file_that_is_not_there_only_in_thought(tmp_path: Path) -> None:
    service = opened(tmp_path / "new.yaml")
    assert service.rehearsal().create_registry({"slug": "team"}).version == 1
    assert list(tmp_path.iterdir()) == []


def test_a_rehearsal_refuses_and_shows_what_the_write_would_and_changes_nothing(service: RegistryService) -> None:
    rehearsal = service.rehearsal()
    assert rehearsal.update_profile("team", "coder", {"description": "x"}, expecting(1)).version == 2
    with pytest.raises(LineageError):
        rehearsal.update_profile("team", "coder", {"extends": ["gone"]})
    assert service.get_profile("team", "coder").version == 1
    assert not service.refresh()
