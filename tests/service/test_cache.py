"""Resolutions that are answered again, and never an old one."""

from __future__ import annotations

import math
import threading
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from livery.core.profile import PolicySpec, ResolveInput
from livery.errors import LiveryError, ProfileNotFound
from livery.service import RegistryService
from livery.service.cache import ResolveCache, key_of
from tests.support.registries import engine, opened, resolved, settings, write

REGISTRIES = {
    "team": {"slug": "team", "default_profile_slug": "a", "profiles": {"a": settings(engine="one"), "b": {}}},
    "far": {"slug": "far", "profiles": {"base": settings(engine="far"), "x": {"extends": ["base"]}}},
}


@pytest.fixture
def service() -> RegistryService:
    service = opened("memory:", default_registry="team")
    for document in REGISTRIES.values():
        service.create_registry(document)
    return service


def counts(service: RegistryService) -> tuple[int, int]:
    return service.cache_counts.hits, service.cache_counts.misses


def test_the_same_request_is_resolved_once(service: RegistryService) -> None:
    assert resolved(service, "a") is resolved(service, "a")
    assert counts(service) == (1, 1)


@pytest.mark.parametrize(
    "other",
    [
        {"profile_slug": "b"},
        {"registry_slug": "team", "profile_slug": "a"},
        {"caller": "x"},
        {"profile_slug": "a", "base_step_settings": {"chat": {"top_p": 0.1}}},
        {"profile_slug": "a", "operator_layers": (("env", {"system_prompt": "x"}),)},
        {"profile_slug": "a", "operator_layers": (("flags", {"system_prompt": "x"}),)},
        {"profile_slug": "a", "app_policy": PolicySpec(allow_overrides=False)},
        {"profile_slug": "a", "runtime_key_fallback": "k"},
    ],
)
def test_another_request_is_another_entry(service: RegistryService, other: dict[str, Any]) -> None:
    resolved(service, "a")
    service.resolve_effective_profile(ResolveInput(**other))
    assert counts(service) == (0, 2)
    service.resolve_effective_profile(ResolveInput(**other))
    assert counts(service) == (1, 2)


def test_the_order_of_keys_makes_no_other_entry(service: RegistryService) -> None:
    one = {"chat": {"top_p": 1, "engine": "x"}, "client": {}}
    two = {"client": {}, "chat": {"engine": "x", "top_p": 1}}
    assert resolved(service, "b", base_step_settings=one) is resolved(service, "b", base_step_settings=two)


def test_an_error_is_not_kept(service: RegistryService) -> None:
    for _ in range(2):
        with pytest.raises(LiveryError):
            resolved(service, "a", base_step_settings={"chat": {"nonsense": 1}})
    assert service.cache_counts == (0, 2, 0)


@pytest.mark.parametrize("value", [math.nan, math.inf, date(2020, 1, 1), {1: 2}, {"a"}, b"x", 10**30])
def test_a_value_that_is_no_json_is_never_answered_from_what_looks_like_it(
    service: RegistryService, value: object
) -> None:
    for like in (None, "2020-01-01"):
        resolved(service, "b", base_step_settings={"chat": {"engine": like}})
    with pytest.raises(LiveryError):
        resolved(service, "b", base_step_settings={"chat": {"engine": value}})


def test_a_secret_in_a_request_is_not_kept_in_the_key() -> None:
    base = {"api": {"api_keys": {"openai-api-key": "hunter2"}}}
    assert "hunter2" not in repr(key_of(ResolveInput(base_step_settings=base)))


def test_a_policy_with_lists_is_as_good_as_one_with_tuples(service: RegistryService) -> None:
    policy = PolicySpec(allow_overrides=True, allowed_override_keys=["chat.top_p"])  # type: ignore[arg-type]
    assert resolved(service, "a", app_policy=policy).profile_slug == "a"


def test_after_a_change_the_new_state_is_answered(service: RegistryService) -> None:
    assert engine(service, "a") == "one"
    service.update_profile("team", "a", settings(engine="two"))
    assert engine(service, "a") == "two"
    service.update_registry("team", {"defaults": {"step_settings_patch": {"client": {"timeout": 5}}}})
    assert resolved(service, "a").effective_step_settings["client"]["timeout"] == 5


def test_a_change_of_a_base_in_another_registry_is_answered(service: RegistryService) -> None:
    service.create_profile("team", {"slug": "c", "extends": ["far/base"]})
    assert engine(service, "c") == "far"
    service.update_profile("far", "base", settings(engine="new"))
    assert engine(service, "c") == "new"


def test_another_default_or_caller_is_answered(service: RegistryService) -> None:
    assert resolved(service).profile_slug == "a"
    assert resolved(service, caller="me").profile_slug == "a"
    service.update_registry("team", {"default_profile_slug": "b", "callers": {"me": "b"}})
    assert resolved(service).profile_slug == resolved(service, caller="me").profile_slug == "b"


def test_a_profile_that_comes_to_stand_before_the_one_found_is_answered(service: RegistryService) -> None:
    assert resolved(service, "x").registry_slug == "far"
    service.create_profile("team", {"slug": "x"})
    assert resolved(service, "x").registry_slug == "team"
    service.delete_profile("team", "x")
    assert resolved(service, "x").registry_slug == "far"


def test_a_profile_that_is_gone_is_not_answered(service: RegistryService) -> None:
    resolved(service, "b")
    service.delete_profile("team", "b")
    with pytest.raises(ProfileNotFound):
        resolved(service, "b")


def test_entries_of_registries_that_did_not_change_stay(service: RegistryService) -> None:
    first = resolved(service, "x", registry_slug="far")
    service.update_profile("team", "a", settings(engine="two"))
    assert resolved(service, "x", registry_slug="far") is first


def test_a_remark_in_a_file_leaves_every_entry(tmp_path: Path) -> None:
    path = write(tmp_path / "t.yaml", "slug: t\nprofiles: {default: {}}\n")
    service = opened(path)
    first = resolved(service)
    path.write_text("# a remark\n" + path.read_text())
    service.refresh()
    assert resolved(service) is first


def test_a_broken_profile_beside_leaves_the_entries_of_others(tmp_path: Path) -> None:
    path = write(tmp_path / "t.yaml", "registries: {a: {profiles: {x: {}, bad: {n: 1}}}, b: {profiles: {y: {}}}}\n")
    service = opened(path)
    first = resolved(service, "x")
    path.write_text(path.read_text().replace("y: {}", "y: {description: new}"))
    service.refresh()
    assert resolved(service, "x") is first


def test_the_entry_that_was_not_asked_for_the_longest_goes_first(service: RegistryService) -> None:
    cache = ResolveCache(size=2)
    catalogue = service.catalogue
    requests = {slug: ResolveInput(registry_slug="team", profile_slug=slug) for slug in ("a", "b", "c")}
    answer = resolved(service, "a")
    cache.put(("a",), answer, catalogue)
    cache.put(("b",), answer, catalogue)
    assert cache.get(("a",), requests["a"], catalogue) is answer
    cache.put(("c",), answer, catalogue)
    assert cache.get(("b",), requests["b"], catalogue) is None
    assert cache.get(("a",), requests["a"], catalogue) is answer
    assert cache.counts == (2, 1, 2)


def test_threads_that_read_while_one_writes_never_see_an_older_state_than_before(service: RegistryService) -> None:
    written, errors = [0], []

    def read() -> None:
        try:
            last = 0
            for _ in range(300):
                floor = written[0]
                seen = resolved(service, "a").effective_step_settings["chat"].get("seed") or 0
                assert seen >= floor and seen >= last
                last = seen
        except Exception as error:
            errors.append(error)

    service.update_registry("team", {"settings_schema": "free"})
    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(1, 30):
        service.update_profile("team", "a", settings(seed=number))
        written[0] = number
    for thread in threads:
        thread.join()
    assert errors == []
    assert sum(counts(service)) == 900
