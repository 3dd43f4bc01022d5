"""Lists, documents and resolutions through the service."""

from __future__ import annotations

from pathlib import Path

import pytest

import livery
from livery.core.profile import ResolveInput
from livery.errors import CallerDenied, ProfileNotFound, RegistryNotFound, ValidationError
from livery.service import RegistryService
from tests.support.registries import engine, opened, resolved, settings, write

TEAM = """\
    slug: team
    display_name: The team
    default_profile_slug: coder
    callers: {vscode: writer}
    profiles:
      writer: {extends: [coder]}
      coder:
        display_name: Coder
        description: Writes code
        runtime: {step_settings_patch: {chat: {engine: one}}}
        metadata: {version: 3, updated_at_ms: 5, tags: [a, b]}
      locked: {policy: {read_only: true}}
      broken: {nonsense: 1}
      lost: {extends: [gone]}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write(tmp_path / "team.yaml", TEAM)


@pytest.fixture
def service(path: Path) -> RegistryService:
    return opened(path)


def test_profiles_are_listed_by_name_with_what_a_person_needs(service: RegistryService, path: Path) -> None:
    rows = {row.slug: row for row in service.list_profiles("team")}
    assert list(rows) == ["broken", "coder", "locked", "lost", "writer"]
    coder = rows["coder"]
    assert (coder.display_name, coder.description, coder.version, coder.tags) == ("Coder", "Writes code", 3, ("a", "b"))
    assert (coder.is_default, coder.read_only, coder.updated_at_ms, coder.source) == (True, False, 5, f"yaml:{path}")
    assert rows["locked"].read_only and not rows["writer"].is_default


def test_a_profile_that_cannot_be_used_is_listed_with_its_reason(service: RegistryService) -> None:
    errors = {row.slug: row.error for row in service.list_profiles("team") if row.error}
    assert list(errors) == ["broken", "lost"]
    assert "team.yaml:13:" in errors["broken"] and "nonsense" in errors["broken"]
    assert "team.yaml:14:" in errors["lost"] and "'team/gone'" in errors["lost"]


def test_a_star_lists_every_registry(tmp_path: Path) -> None:
    service = opened(
        write(tmp_path / "t.yaml", "registries: {b: {profiles: {x: {}}}, a: {profiles: {y: {}, x: {}}}}\n")
    )
    assert [(row.registry, row.slug) for row in service.list_profiles("*")] == [("a", "x"), ("a", "y"), ("b", "x")]


def test_without_a_name_the_default_registry_is_listed(service: RegistryService) -> None:
    assert service.list_profiles() == service.list_profiles(" Team ")
    with pytest.raises(RegistryNotFound, match="did you mean 'team'"):
        service.list_profiles("taem")


def test_a_registry_is_summed_up(service: RegistryService, path: Path) -> None:
    (row,) = service.list_registries()
    assert (row.slug, row.display_name, row.default_profile, row.profile_count) == ("team", "The team", "coder", 5)
    assert (row.version, row.sources, row.writable, row.is_default) == (1, (f"yaml:{path}",), True, True)


def test_a_legacy_map_is_not_writable_from_the_first_list_on(tmp_path: Path) -> None:
    service = opened(write(tmp_path / "old.yaml", "agent: {ai-chat: {ai-engine: x}}\n"))
    assert service.list_registries()[0].writable is False
    assert service.writer is None


def test_a_write_to_a_legacy_map_says_how_to_convert_it(tmp_path: Path) -> None:
    path = write(tmp_path / "old.yaml", "agent: {ai-chat: {ai-engine: x}}\n")
    for sources in (("builtin:", path), (path, "builtin:")):
        with pytest.raises(livery.SourceReadOnly, match=f"livery migrate registry {path} --in-place"):
            opened(*sources).create_profile("default", {"slug": "x"})


def test_list_get_resolve_and_explain_mean_the_same_default(tmp_path: Path) -> None:
    service = opened(write(tmp_path / "t.yaml", "slug: t\nprofiles: {z: {}, b: {}}\n"))
    assert [row.slug for row in service.list_profiles() if row.is_default] == ["b"]
    found = resolved(service)
    assert (found.profile_slug, service.select(ResolveInput()).reference) == ("b", ("t", "b"))
    assert service.list_registries()[0].default_profile == "b"
    assert any("names no default profile; 'b' is taken" in warning for warning in found.warnings)


def test_a_document_is_found_as_a_resolution_finds_it(tmp_path: Path) -> None:
    text = "registries: {default: {profiles: {a: {}}}, far: {profiles: {b: {description: far}}}}\n"
    service = opened(write(tmp_path / "t.yaml", text))
    assert service.get_profile(None, "b").description == "far"
    assert service.get_profile(None, "far/b").description == "far"
    with pytest.raises(ProfileNotFound, match="'default/b' not found"):
        service.get_profile("default", "b")


def test_a_registry_is_got_with_its_sound_profiles(service: RegistryService) -> None:
    registry = service.get_registry()
    assert (registry.slug, list(registry.profiles)) == ("team", ["coder", "locked", "lost", "writer"])


def test_what_is_changed_in_an_answer_changes_nothing_here(service: RegistryService) -> None:
    found = resolved(service, "coder")
    found.effective_step_settings["chat"]["engine"] = "changed"
    assert engine(service, "coder") == "one"
    memory = opened("memory:")
    memory.create_registry({"slug": "t", "profiles": {"a": settings(engine="one")}})
    answers = [
        memory.get_profile("t", "a"),
        memory.get_registry("t").profiles["a"],
        memory.update_profile("t", "a", {}),
    ]
    for answer in answers:
        answer.runtime.step_settings_patch["chat"]["engine"] = "changed"  # type: ignore[index]
    assert engine(memory, "a") == memory.get_profile("t", "a").runtime.step_settings_patch["chat"]["engine"] == "one"  # type: ignore[index]


def test_a_caller_gets_its_profile_and_an_unknown_one_the_default(service: RegistryService, path: Path) -> None:
    assert service.resolve_effective_profile(ResolveInput(caller=" vscode ")).profile_slug == "writer"
    unknown = service.resolve_effective_profile(ResolveInput(caller="VSCode")).selection
    assert (unknown.reference, unknown.fallback) == (("team", "coder"), True)
    path.write_text(path.read_text().replace("callers:", "fallback: deny\ncallers:"))
    service.refresh()
    with pytest.raises(CallerDenied, match="knows no caller 'VSCode'"):
        service.resolve_effective_profile(ResolveInput(caller="VSCode"))


def test_without_any_registry_base_settings_stand_alone() -> None:
    service = opened("memory:")
    base = {"chat": {"engine": "mine"}}
    found = service.resolve_effective_profile(ResolveInput(base_step_settings=base, runtime_key_fallback="host"))
    assert (found.effective_step_settings["chat"]["engine"], found.runtime_key) == ("mine", "host")
    assert (service.list_registries(), service.list_profiles("*")) == ([], [])
    with pytest.raises(RegistryNotFound, match="no source holds any registry"):
        service.list_profiles()


def test_a_configured_default_registry_that_is_not_there_is_an_error(path: Path) -> None:
    with pytest.raises(RegistryNotFound, match="'other'"):
        resolved(opened(path, default_registry="other"))


def test_layers_are_shown_lowest_first(path: Path, tmp_path: Path) -> None:
    upper = write(tmp_path / "u.yaml", "slug: team\nprofiles: {coder: {description: mine}}\n")
    layers = opened(path, upper).profile_layers("team", "coder")
    assert [(Path(layer.source).name, layer.writer) for layer in layers] == [("team.yaml", False), ("u.yaml", True)]
    assert opened(path, upper).get_profile("team", "coder").description == "mine"


def test_findings_name_everything_that_is_wrong_once(service: RegistryService) -> None:
    found = [(finding.profile, finding.fault.field) for finding in service.findings if finding.blocking]
    assert found == [("lost", "registry.profiles[lost].extends[0]")]


def test_a_library_user_may_name_files_by_path_objects(path: Path) -> None:
    assert engine(livery.open_registry(path), "coder") == "one"


def test_the_built_in_registry_answers_without_any_source() -> None:
    assert engine(livery.open_registry()) == "echo"


def test_default_tools_and_extension_schemas_of_the_application_count(path: Path) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}}
    service = livery.open_registry(str(path), default_tools=["clock"], extension_schemas={"a.b@v1": schema})
    assert resolved(service, "coder").effective_tools == ["clock"]
    with pytest.raises(ValidationError, match=r"profile\.extensions\[a\.b@v1\]\.n"):
        service.create_profile("team", {"slug": "x", "extensions": {"a.b@v1": {"n": "one"}}})
