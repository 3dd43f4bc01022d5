"""The examples of the documentation load without a fault, and say what they are there to show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from livery import ResolveInput, open_registry
from livery.service import RegistryService

EXAMPLES = Path(__file__).resolve().parent.parent / "docs" / "examples"
PINNED = {
    "team.yaml": ["assistant", "base", "coder"],
    "profile-store": ["chat", "code", "default"],
    "config-profiles": ["default", "ci", "incident"],
}


@pytest.mark.parametrize("name", PINNED)
def test_an_example_has_its_profiles_and_no_fault(name: str) -> None:
    service = open_registry(EXAMPLES / name)
    assert [summary.slug for summary in service.list_profiles()] == PINNED[name]
    assert [finding.fault for finding in service.located_findings()] == []
    assert service.sources[0].broken == ()


def test_every_example_is_pinned() -> None:
    assert sorted(path.name for path in EXAMPLES.iterdir()) == sorted(PINNED)


def resolved(service: RegistryService, **request: Any) -> Any:
    return service.resolve_effective_profile(ResolveInput(**request))


def test_the_profile_store_gives_each_client_its_own_servers() -> None:
    service = open_registry(EXAMPLES / "profile-store")
    names = {
        caller: [server["name"] for server in resolved(service, caller=caller).effective_servers]
        for caller in ("vscode", "claude-desktop", "nobody")
    }
    assert names == {"vscode": ["git", "issues"], "claude-desktop": ["notes"], "nobody": ["clock"]}


def test_the_profile_store_names_the_variables_it_needs() -> None:
    service = open_registry(EXAMPLES / "profile-store")
    (missing,) = service.unset_variables({})
    assert str(missing.fault.place) == f"{EXAMPLES}/profile-store/profiles/code.yaml:13:9"
    assert "'ISSUES_TOKEN' is not set (server 'issues')" in missing.fault.reason
    assert service.unset_variables({"ISSUES_TOKEN": "x"}) == []


def test_the_config_profiles_show_inheritance_and_list_edits() -> None:
    service = open_registry(EXAMPLES / "config-profiles")
    settings = resolved(service, profile_slug="incident").effective_step_settings
    assert settings["general"] == {"log_level": "debug", "log_format": "json"}
    assert settings["ingest"] == {"poll_interval_ms": 50, "panes": {"include": ["*", "scratch"]}}
