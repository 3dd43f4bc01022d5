"""An edit that breaks a profile leaves it as it was, and everything else of the same edit counts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from livery import ResolveInput, open_registry
from livery.formats.yaml import write_yaml
from livery.service import RegistryService


def document(**profiles: Any) -> str:
    return write_yaml({"slug": "team", "profiles": profiles})


def engine(name: str, **more: Any) -> dict[str, Any]:
    return {"runtime": {"step_settings_patch": {"chat": {"engine": name}}}, **more}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "team.yaml"
    path.write_text(document(a=engine("one"), b=engine("one", extends=["a"]), c=engine("one")))
    return path


@pytest.fixture
def service(file: Path) -> RegistryService:
    service = open_registry(f"yaml:{file}")
    assert engine_of(service, "a") == "one"
    return service


def engine_of(service: RegistryService, profile: str) -> Any:
    request = ResolveInput(registry_slug="team", profile_slug=profile)
    return service.resolve_effective_profile(request).effective_step_settings["chat"]["engine"]


def broken(service: RegistryService) -> list[str]:
    return [f"{item.profile}: {item.error}" for item in service.sources[0].broken]


def test_an_unknown_setting_keeps_the_profile_and_lets_the_rest_of_the_edit_in(
    service: RegistryService, file: Path
) -> None:
    wrong = {"runtime": {"step_settings_patch": {"chat": {"engin": "two"}}}}
    file.write_text(document(a=wrong, b=engine("one", extends=["a"]), c=engine("two")))
    service.refresh()
    assert (engine_of(service, "a"), engine_of(service, "c")) == ("one", "two")
    (report,) = broken(service)
    assert report.startswith("a: ") and "engin" in report and "team.yaml:7" in report
    assert service.source_rows()[0]["stale_since_ms"]


def test_a_mended_profile_counts_and_nothing_is_stale(service: RegistryService, file: Path) -> None:
    wrong = {"runtime": {"step_settings_patch": {"chat": {"engin": "two"}}}}
    file.write_text(document(a=wrong, b=engine("one"), c=engine("one")))
    service.refresh()
    file.write_text(document(a=engine("three"), b=engine("one"), c=engine("one")))
    service.refresh()
    assert engine_of(service, "a") == "three"
    assert broken(service) == []
    assert service.source_rows()[0]["stale_since_ms"] is None


def test_a_profile_that_stays_broken_is_kept_over_further_edits(service: RegistryService, file: Path) -> None:
    wrong = {"runtime": {"step_settings_patch": {"chat": {"engin": "two"}}}}
    for other in ("two", "three"):
        file.write_text(document(a=wrong, b=engine("one"), c=engine(other)))
        service.refresh()
        assert (engine_of(service, "a"), engine_of(service, "c")) == ("one", other)


def test_an_edit_that_names_a_base_which_is_not_there_is_taken_back(service: RegistryService, file: Path) -> None:
    file.write_text(document(a=engine("one"), b=engine("two", extends=["gone"]), c=engine("two")))
    service.refresh()
    assert (engine_of(service, "b"), engine_of(service, "c")) == ("one", "two")
    assert "extends unknown 'team/gone'" in broken(service)[0]


def test_a_base_that_vanishes_is_kept_as_long_as_others_stand_on_it(service: RegistryService, file: Path) -> None:
    file.write_text(document(b=engine("one", extends=["a"]), c=engine("two")))
    service.refresh()
    assert [engine_of(service, name) for name in "abc"] == ["one", "one", "two"]
    file.write_text(document(b=engine("one"), c=engine("two")))
    service.refresh()
    assert [summary.slug for summary in service.list_profiles("team")] == ["b", "c"]


def test_what_was_broken_from_the_start_stays_so(tmp_path: Path) -> None:
    path = tmp_path / "team.yaml"
    path.write_text(document(a=engine("one", extends=["gone"]), c=engine("one")))
    service = open_registry(f"yaml:{path}")
    assert engine_of(service, "c") == "one"
    path.write_text(document(a=engine("two", extends=["gone"]), c=engine("two")))
    service.refresh()
    assert engine_of(service, "c") == "two"
    assert broken(service) == []
    assert any("extends unknown" in str(finding.fault) for finding in service.findings)


# Profiles that are read when they are needed


@pytest.fixture
def overlays(tmp_path: Path) -> Path:
    (tmp_path / "wa/profiles").mkdir(parents=True)
    (tmp_path / "wa/wa.toml").write_text("")
    (tmp_path / "wa/profiles/a.toml").write_text('[chat]\nengine = "one"\n')
    (tmp_path / "wa/profiles/b.toml").write_text('[_profile]\nextends = "a"\n')
    return tmp_path / "wa/profiles"


@pytest.fixture
def deferred(overlays: Path) -> RegistryService:
    service = open_registry(f"config-profiles:{overlays.parent}?app=team")
    (overlays.parent / "team.toml").write_text("")
    assert [engine_of(service, name) for name in "ab"] == ["one", "one"]
    return service


@pytest.mark.parametrize("text", ["[chat\n", '[_profile]\nextends = "gone"\n[chat]\nengine = "two"\n'])
def test_a_broken_overlay_keeps_the_last_version_that_was_used(
    deferred: RegistryService, overlays: Path, text: str
) -> None:
    (overlays / "b.toml").write_text(text)
    deferred.refresh()
    assert engine_of(deferred, "b") == "one"
    assert [report.partition(":")[0] for report in broken(deferred)] == ["b"]
    (overlays / "b.toml").write_text('[chat]\nengine = "three"\n')
    deferred.refresh()
    assert (engine_of(deferred, "b"), broken(deferred)) == ("three", [])


def test_an_overlay_that_is_listed_no_longer_is_kept_under_those_that_extend_it(
    deferred: RegistryService, overlays: Path
) -> None:
    (overlays / "manifest.json").write_text('{"version": 1, "profiles": [{"name": "b", "path": "b.toml"}]}')
    deferred.refresh()
    assert [engine_of(deferred, name) for name in "ab"] == ["one", "one"]
    assert "extends unknown 'team/a'" in broken(deferred)[0]


def test_what_was_kept_is_let_go_when_another_source_takes_the_reason_away(tmp_path: Path) -> None:
    low, high = tmp_path / "low.yaml", tmp_path / "high.yaml"
    low.write_text(document(a=engine("one")))
    high.write_text(document(b={"extends": ["a"]}))
    service = open_registry(f"yaml:{low}", f"yaml:{high}")
    assert engine_of(service, "b") == "one"
    high.write_text(document(b={"extends": ["new"]}))
    service.refresh()
    assert engine_of(service, "b") == "one"
    low.write_text(document(a=engine("one"), new=engine("two")))
    service.refresh()
    assert engine_of(service, "b") == "two"
    assert (service.sources[1].broken, service.sources[1].stale_since_ms) == ((), None)
