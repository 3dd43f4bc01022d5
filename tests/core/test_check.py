"""The check of a whole catalogue: everything that is wrong, once, with its source and field."""

from __future__ import annotations

from typing import Any

import pytest

from livery.core.check import check, profile_faults
from tests.core.builders import catalogue, registry, run, settings, sound


def found(*documents: Any, blocking: bool = True) -> dict[str, str]:
    findings = check(catalogue(*documents))
    return {finding.fault.field: finding.fault.reason for finding in findings if finding.blocking is blocking}


def test_a_sound_catalogue_has_no_findings() -> None:
    document = registry({"p": {"extends": ["b"], **settings(chat={"engine": "x"})}, "b": {}}, callers={"vscode": "b"})
    assert check(catalogue(document)) == []


def test_settings_are_checked_in_every_profile_and_registry_runtime() -> None:
    document = registry(
        {"p": settings(chat={"temprature": 1}), "q": settings(chatt={})},
        defaults={"step_settings_patch": {"chat": {"temperature": "hot"}}},
        enforced={"middlewares": [{"name": "a"}, {"name": "a"}]},
    )
    assert found(document) == {
        "registry.defaults.step_settings_patch.chat.temperature": "expected a number, got text",
        "registry.enforced.middlewares[1]": "'a' stands twice in one layer; give one of them another id",
        "registry.profiles[p].runtime.step_settings_patch.chat.temprature": (
            "unknown field 'temprature'; did you mean 'temperature'?"
        ),
        "registry.profiles[q].runtime.step_settings_patch.chatt": "unknown field 'chatt'; did you mean 'chat'?",
    }


@pytest.mark.parametrize("number", [float("nan"), float("inf"), 2**53])
def test_numbers_that_json_cannot_hold_are_found_with_their_path(number: float) -> None:
    assert list(found(registry({"p": settings(chat={"temperature": number})}))) == [
        "registry.profiles[p].runtime.step_settings_patch.chat.temperature"
    ]


def test_faults_beneath_a_replacement_of_everything_are_found() -> None:
    document = registry({"p": {"runtime": {"step_settings_patch": {"$replace": {"chatt": {}}}}}})
    assert list(found(document)) == ["registry.profiles[p].runtime.step_settings_patch.chatt"]


def test_null_directives_and_references_are_no_faults() -> None:
    patch = {"chat": {"temperature": None, "stop": {"$append": ["x"]}, "engine": {"$secret": "env:A"}}, "client": None}
    assert found(registry({"p": settings(**patch)})) == {}


def test_a_default_and_callers_must_name_profiles_that_are_there() -> None:
    document = registry({"coder": {}}, default_profile_slug="codr", callers={"z": "gone", "vscode": "codre"})
    assert found(document) == {
        "registry.default_profile_slug": "there is no profile 'codr'; did you mean 'coder'?",
        "registry.callers[vscode]": "there is no profile 'codre'; did you mean 'coder'?",
        "registry.callers[z]": "there is no profile 'gone'",
    }


def test_bases_are_checked_over_all_registries() -> None:
    x = registry({"p": {"extends": ["y/q"]}, "d": {"extends": ["gone"]}}, slug="x")
    y = registry({"q": {"extends": ["x/p"]}}, slug="y")
    reasons = found(x, y)
    assert any("cycle" in reason for reason in reasons.values())
    assert reasons["registry.profiles[d].extends[0]"].startswith("profile 'x/d' extends unknown 'x/gone'")


def test_a_finding_names_registry_profile_and_source() -> None:
    (finding,) = check(catalogue(sources=[("low", [registry({"p": {}})]), ("high", [registry({"p": settings(x=1)})])]))
    assert (finding.registry, finding.profile, finding.source) == ("default", "p", "high")


def test_what_is_only_unwise_is_a_warning() -> None:
    document = registry(
        {"p": settings(client={"cookie": "c"})},
        default_profile_slug="",
        defaults={"step_settings_patch": {"client": {"cookie": "c"}}},
    )
    warnings = found(document, blocking=False)
    assert set(warnings) == {"registry.default_profile_slug", "registry.profiles[p].runtime", "registry.defaults"}
    assert found(document) == {}


def test_a_profile_is_checked_before_it_is_stored() -> None:
    view = catalogue(registry()).registries["default"]
    profile = sound(registry({"p": settings(chat={"stop": "x"})})).profiles["p"]
    assert [str(fault) for fault in profile_faults(profile, view)] == [
        "registry.profiles[p].runtime.step_settings_patch.chat.stop: expected a list, got text"
    ]


@pytest.mark.parametrize(
    "profiles",
    [{"p": {"extends": ["q"]}, "q": {"extends": ["p"]}}, {"p": {"extends": ["gone"]}}, {"p": settings(chatt={})},
     {f"p{i}": {"extends": [f"p{i + 1}"]} for i in range(32)} | {"p32": {}}],
)  # fmt: skip
def test_what_the_check_finds_is_what_a_resolution_refuses(profiles: Any) -> None:
    assert found(registry(profiles))
    with pytest.raises(Exception, match=r"cycle|unknown|max_depth"):
        run(registry(profiles))
