"""Config profiles through the service: named by URL or path, resolved over the base, written like all others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from livery.core.names import Reference
from livery.errors import LiveryError, StillReferenced, ValidationError
from livery.stores.config_profiles import ConfigProfilesStore, directory_of
from livery.stores.opening import open_source
from livery.stores.urls import parse_source
from tests.support.config_profiles import OVERLAY, directory
from tests.support.registries import opened, resolved

NIGHT = '[_profile]\nextends = "incident"\nunset = ["log.format"]\n'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return directory(tmp_path, incident=OVERLAY, night=NIGHT)


def settings(path: Path, profile: str | None = None) -> Any:
    return resolved(opened(path), profile).effective_step_settings


# ---- naming


def test_without_a_path_it_is_the_applications_directory(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(path.parent))
    source = open_source("config-profiles:?app=wa")
    assert isinstance(source.store, ConfigProfilesStore)
    assert (source.store.directory, source.label) == (path, "config-profiles:?app=wa")


@pytest.mark.parametrize("home", ["", "relative"])
def test_without_a_home_for_configurations_it_is_the_usual_one(home: str) -> None:
    assert directory_of("wa", {"XDG_CONFIG_HOME": home, "HOME": "/somewhere"}) == Path("/somewhere/.config/wa")


@pytest.mark.parametrize("app", ["../x", "a/b", ""])
def test_an_application_is_no_path(app: str) -> None:
    with pytest.raises(ValidationError, match="app"):
        open_source(f"config-profiles:?app={app}")


def test_two_applications_are_two_sources(path: Path) -> None:
    (path / "wb.toml").write_text('name = "wb"')
    service = opened(f"config-profiles:{path}?app=wa", f"config-profiles:{path}?app=wb")
    assert {registry.slug for registry in service.list_registries()} == {"wa", "wb"}


def test_a_read_only_source_is_not_written(path: Path) -> None:
    source = open_source(f"config-profiles:{path}?readonly=1")
    assert not source.writable


@pytest.mark.parametrize(
    ("files", "kind"),
    [
        (["profiles/manifest.json", "profiles/a.yaml"], "config-profiles"),
        (["wa.toml", "profiles/a.yaml"], "config-profiles"),
        (["profiles/a.yaml", "profiles/a.toml"], "profile-store"),
        (["profiles/a.yml", "other.toml"], "profile-store"),
        (["profiles/a.toml"], "config-profiles"),
        (["other.toml"], "config-profiles"),
        (["one.toml", "two.toml"], "profile-store"),
        ([".hidden.toml"], "profile-store"),
        ([], "profile-store"),
    ],
)
def test_a_directory_is_told_by_what_lies_in_it(tmp_path: Path, files: list[str], kind: str) -> None:
    for name in files:
        (tmp_path / "wa" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "wa" / name).write_text("")
    (tmp_path / "wa").mkdir(exist_ok=True)
    assert parse_source(str(tmp_path / "wa")).kind == kind


# ---- resolving


def test_an_overlay_lies_over_the_base_and_its_bases(path: Path) -> None:
    base = {"name": "wa", "log": {"level": "info", "format": "pretty"}}
    assert settings(path) == settings(path, "default") == base
    assert settings(path, "incident") == {"name": "wa", "log": {"level": "debug", "format": "pretty"}}
    assert settings(path, "night") == {"name": "wa", "log": {"level": "debug"}}


def test_a_broken_overlay_breaks_no_other(path: Path) -> None:
    (path / "profiles" / "incident.toml").write_text("a =")
    assert settings(path)["name"] == "wa"
    with pytest.raises(LiveryError, match=r"incident\.toml:1"):
        settings(path, "incident")


def test_an_edit_by_hand_is_seen_and_a_broken_one_keeps_the_last_good(path: Path) -> None:
    service = opened(path)
    assert resolved(service, "incident").effective_step_settings["log"]["level"] == "debug"
    (path / "profiles" / "incident.toml").write_text('log.level = "trace"')
    service.refresh()
    assert resolved(service, "incident").effective_step_settings["log"]["level"] == "trace"
    (path / "profiles" / "incident.toml").write_text("log.level =")
    service.refresh()
    assert resolved(service, "incident").effective_step_settings["log"]["level"] == "trace"


# ---- writing


def test_a_profile_is_created_changed_and_deleted(path: Path) -> None:
    service = opened(path)
    document = {"slug": "loud", "runtime": {"step_settings_patch": {"log": {"level": "trace"}}}}
    assert service.create_profile(None, document).version == 1
    patch = {"runtime": {"step_settings_patch": {"log": {"level": None, "color": True}}}}
    assert service.update_profile(None, "loud", patch).version == 2
    assert (path / "profiles" / "loud.toml").read_text() == "[log]\ncolor = true\n"
    service.delete_profile(None, "loud")
    assert not (path / "profiles" / "loud.toml").exists()


def test_a_patch_of_default_edits_the_base_file(path: Path) -> None:
    service = opened(path)
    service.update_profile(None, "default", {"runtime": {"step_settings_patch": {"log": {"format": None}}}})
    assert "format" not in (path / "wa.toml").read_text()
    assert "# who we are" in (path / "wa.toml").read_text()


def test_a_profile_that_others_extend_is_not_deleted(path: Path) -> None:
    with pytest.raises(StillReferenced, match="night"):
        opened(path).delete_profile(None, "incident")


def test_a_renamed_profile_takes_those_that_extend_it_along(path: Path) -> None:
    opened(path).rename_profile(None, "incident", "outage")
    assert settings(path, "night") == {"name": "wa", "log": {"level": "debug"}}
    assert 'extends = "outage"' in (path / "profiles" / "night.toml").read_text()
    assert not (path / "profiles" / "incident.toml").exists()


def test_the_first_profile_of_an_application_makes_its_directory(tmp_path: Path) -> None:
    service = opened(f"config-profiles:{tmp_path / 'wa'}")
    service.create_registry({"slug": "wa"})
    service.create_profile("wa", {"slug": "quiet"})
    assert (tmp_path / "wa" / "profiles" / "quiet.toml").read_bytes() == b""


def test_using_a_profile_through_the_service_moves_its_pointer(path: Path) -> None:
    service = opened(path)
    assert service.use_profile(Reference("wa", "night"))
    assert service.active_profile() == Reference("wa", "night")
    assert service.use_previous_profile() == Reference("wa", "default")
