"""Older files become today's, and nothing is written that would not resolve to the same."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from livery.errors import AlreadyExists, MigrationDiffers, SourceNotFound, UsageError, ValidationError
from livery.formats.registry_yaml import RegistryFile, read_registries
from livery.formats.yaml import read_yaml
from livery.migrate.registry import migrate_registry, prove_equal
from tests.support.registries import engine, opened, resolved, write

LEGACY = """\
    # our models
    Agent:
      ai-chat: {ai-engine: gpt-4o-mini, ai-temperature: "0.3"}
      ai-client: {timeout: 17}
      openai-chat: {openai-api-key: hunter2}
      myapp: {verbose: true, nested: {a: [1]}}
    gemini-2.5-pro:
      ai-chat: {ai-engine: gemini-2.5-pro, ai-api-type: gemini}
"""
OLD = """\
    slug: team
    default_profile_slug: z
    callers: {vscode: a}
    profiles:
      z: {inference_settings: {chat: {engine: z}}, display_name: Z, metadata: {version: 4, tags: [t]}}
      a:
        stack: [{registry_slug: team, profile_slug: z}]
        policy: {allow_overrides: true, allowed_override_keys: [chat.engine]}
        extensions: {app.custom@v1: {items: [{enabled: true}, note]}}
"""


@pytest.fixture
def legacy(tmp_path: Path) -> Path:
    return write(tmp_path / "profiles.yaml", LEGACY)


def read(text: str) -> RegistryFile:
    return read_registries(text, "f.yaml")


def names(path: Path) -> list[str]:
    return sorted(entry.name for entry in path.parent.iterdir())


def test_a_legacy_map_becomes_a_registry_in_place_and_the_old_file_stays_beside_it(legacy: Path) -> None:
    old = legacy.read_bytes()
    report = migrate_registry(legacy, in_place=True)
    assert report.changed
    document = read_yaml(legacy.read_text(), "")
    assert (document["slug"], document["default_profile_slug"]) == ("default", "agent")
    assert list(document["profiles"]) == ["agent", "gemini-2.5-pro"]
    assert (legacy.parent / "profiles.yaml.bak").read_bytes() == old
    assert names(legacy) == ["profiles.yaml", "profiles.yaml.bak"]


def test_every_profile_resolves_to_what_it_did_before(legacy: Path) -> None:
    before = opened(legacy)
    old = {slug: resolved(before, slug).runtime_digest for slug in ("agent", "gemini-2.5-pro")}
    migrate_registry(legacy, in_place=True)
    assert {slug: resolved(opened(legacy), slug).runtime_digest for slug in old} == old
    assert engine(opened(legacy)) == "gpt-4o-mini"


def test_sections_of_other_programs_are_kept(legacy: Path) -> None:
    document = read_yaml(migrate_registry(legacy).text, "")
    assert document["foreign_sections"] == ["myapp"]
    patch = document["profiles"]["agent"]["runtime"]["step_settings_patch"]
    assert patch["myapp"] == {"verbose": True, "nested": {"a": [1]}}
    assert patch["api"] == {"api_keys": {"openai-api-key": "hunter2"}}


def test_after_the_conversion_the_file_can_be_written(legacy: Path) -> None:
    migrate_registry(legacy, in_place=True)
    assert opened(legacy).update_profile("default", "agent", {"description": "x"}).version == 2


def test_an_older_registry_keeps_everything_but_its_spelling(tmp_path: Path) -> None:
    path = write(tmp_path / "team.yaml", OLD)
    before = opened(path)
    migrate_registry(path, in_place=True)
    after = opened(path)
    assert after.get_registry("team") == before.get_registry("team")
    text = path.read_text()
    assert "stack" not in text and "inference_settings" not in text and "step_settings_patch" in text


def test_a_bundle_is_converted_registry_by_registry(tmp_path: Path) -> None:
    text = "registries:\n  A: {profiles: {x: {inference_settings: {chat: {engine: x}}}}}\n  b: {profiles: {y: {}}}\n"
    path = write(tmp_path / "both.yaml", text)
    report = migrate_registry(path, in_place=True)
    assert "2 profiles resolve to what they did before" in report.lines[0]
    assert list(read_yaml(path.read_text(), "")["registries"]) == ["a", "b"]
    assert engine(opened(path), "x", registry_slug="a") == "x"


@pytest.mark.parametrize("text", [LEGACY, OLD])
def test_a_second_run_changes_nothing(tmp_path: Path, text: str) -> None:
    path = write(tmp_path / "profiles.yaml", text)
    migrate_registry(path, in_place=True)
    once, files = path.read_bytes(), names(path)
    report = migrate_registry(path, in_place=True)
    assert not report.changed and "nothing to change" in report.lines[0]
    assert (path.read_bytes(), names(path)) == (once, files)


def test_an_earlier_backup_is_not_lost(legacy: Path) -> None:
    (legacy.parent / "profiles.yaml.bak").write_text("precious")
    report = migrate_registry(legacy, in_place=True)
    assert (legacy.parent / "profiles.yaml.bak").read_text() == "precious"
    assert (legacy.parent / "profiles.yaml.bak.2").exists()
    assert "profiles.yaml.bak.2" in report.lines[-1]


def test_another_file_gets_the_new_document_and_the_old_one_stays(legacy: Path, tmp_path: Path) -> None:
    old, output = legacy.read_bytes(), tmp_path / "new" / "team.yaml"
    migrate_registry(legacy, output=output)
    assert legacy.read_bytes() == old
    assert names(legacy) == ["new", "profiles.yaml"]
    assert stat.S_IMODE(output.stat().st_mode) == 0o600
    migrate_registry(legacy, output=output)  # again: it is there already
    output.write_text("slug: mine\n")
    with pytest.raises(AlreadyExists, match=r"team\.yaml"):
        migrate_registry(legacy, output=output)
    assert output.read_text() == "slug: mine\n"


def test_a_dry_run_and_a_run_without_a_target_write_nothing(legacy: Path, tmp_path: Path) -> None:
    old = legacy.read_bytes()
    texts = [
        migrate_registry(legacy, in_place=True, dry_run=True).text,
        migrate_registry(legacy, output=tmp_path / "x.yaml", dry_run=True).text,
        migrate_registry(legacy).text,
    ]
    assert len(set(texts)) == 1 and texts[0].startswith("slug: default\n")
    assert (legacy.read_bytes(), names(legacy)) == (old, ["profiles.yaml"])


def test_mode_and_link_of_the_file_stay(legacy: Path, tmp_path: Path) -> None:
    legacy.chmod(0o640)
    link = tmp_path / "link.yaml"
    link.symlink_to(legacy)
    migrate_registry(link, in_place=True)
    assert link.is_symlink() and stat.S_IMODE(legacy.stat().st_mode) == 0o640
    assert stat.S_IMODE((tmp_path / "link.yaml.bak").stat().st_mode) == 0o600


def test_comments_that_are_not_carried_over_are_told(legacy: Path) -> None:
    assert any("comments are not carried over (1 in the old file" in line for line in migrate_registry(legacy).lines)


def test_a_file_with_faults_is_refused_with_their_lines(tmp_path: Path) -> None:
    path = write(tmp_path / "old.yaml", "a:\n  ai-chat: {ai-engin: x}\nb: 5\n")
    with pytest.raises(ValidationError) as caught:
        migrate_registry(path, in_place=True)
    assert [fault.place.line if fault.place else None for fault in caught.value.faults] == [2, 3]
    assert names(path) == ["old.yaml"]


def test_a_file_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(SourceNotFound, match=r"none\.yaml"):
        migrate_registry(tmp_path / "none.yaml", in_place=True)
    assert list(tmp_path.iterdir()) == []


def test_two_targets_are_one_too_many(legacy: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        migrate_registry(legacy, output=tmp_path / "x", in_place=True)


def test_an_empty_file_has_nothing_to_convert(tmp_path: Path) -> None:
    report = migrate_registry(write(tmp_path / "empty.yaml", "# nothing\n"), in_place=True)
    assert not report.changed and names(tmp_path / "x") == ["empty.yaml"]


# ---- the proof

BEFORE = (
    "slug: t\ndefault_profile_slug: a\nprofiles:\n  a: {inference_settings: {chat: {engine: x}}}\n  b: {extends: [a]}\n"
)


def differences(after: str, before: str = BEFORE) -> list[str]:
    with pytest.raises(MigrationDiffers) as caught:
        prove_equal(read(before), read(after))
    return list(caught.value.differences)


def test_equal_files_are_proven_equal_whatever_their_form() -> None:
    modern = BEFORE.replace(
        "inference_settings: {chat: {engine: x}}", "runtime: {step_settings_patch: {chat: {engine: x}}}"
    )
    assert prove_equal(read(BEFORE), read(modern)) == 2


def test_a_value_that_differs_is_named_for_every_profile_that_sees_it() -> None:
    assert differences(BEFORE.replace("engine: x", "engine: y")) == [
        "t/a: chat.engine: 'x' became 'y'",
        "t/b: chat.engine: 'x' became 'y'",
    ]


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("default_profile_slug: a", "default_profile_slug: b", "t: default_profile_slug"),
        ("  b: {extends: [a]}\n", "", "t/b: "),
        ("  b: {extends: [a]}\n", "  b: {extends: [a]}\n  c: {}\n", "t/c: "),
        ("slug: t", "slug: u", "t: "),
        ("default_profile_slug: a", "default_profile_slug: a\ncallers: {v: b}", "t: callers.v"),
        ("extends: [a]", "extends: [a], policy: {allow_overrides: true}", "t/b: policy.allow_overrides"),
        ("extends: [a]", "extends: [a], display_name: B", "t/b: display_name"),
        ("extends: [a]", "extends: [gone]", "t/b: error"),
    ],
)
def test_whatever_is_lost_or_added_differs(old: str, new: str, what: str) -> None:
    assert any(line.startswith(what) for line in differences(BEFORE.replace(old, new)))


def test_a_secret_that_differs_is_told_and_not_shown() -> None:
    text = (
        "slug: t\nprofiles:\n  a:\n    runtime:\n"
        "      step_settings_patch: {api: {api_keys: {openai-api-key: hunter2}}}\n"
        "      servers: [{name: git, cmd: [x, --token=hunter2], env: {FOO: hunter2}}]\n"
    )
    found = "\n".join(differences(text.replace("hunter2", "hunter3"), text))
    assert "openai-api-key" in found and "env.FOO" in found and "cmd" in found
    assert "hunter" not in found


def test_a_refusal_names_every_difference() -> None:
    with pytest.raises(
        MigrationDiffers, match=r"(?s)the migrated profiles differ.*t/a: chat\.engine.*t/b: chat\.engine"
    ):
        prove_equal(read(BEFORE), read(BEFORE.replace("engine: x", "engine: y")))
