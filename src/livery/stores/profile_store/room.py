"""What the files of a profile store have no place for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import UNSET

from livery.core.patch import is_atomic
from livery.core.profile import PolicySpec, Profile, Registry, RuntimeSpec
from livery.errors import Unsupported
from livery.stores.profile_store.reading import DEFAULT, SCHEMA

LAYOUT = "a profile store"
ADVICE = "a registry file (yaml:) or a database (sqlite:, postgresql:) can"
_PLAIN = f"it holds plain values, ${{NAME}} for a variable of the environment among them; {ADVICE}"


def demand_room_for_profile(profile: Profile) -> None:
    """Unsupported, naming the first field that a profile's file cannot hold."""
    for field, reason in _of_profile(profile):
        raise Unsupported(field, LAYOUT, reason)


def demand_room_for_registry(registry: Registry, slug: str) -> None:
    """Unsupported, naming the first field that the files beside the profiles cannot hold."""
    for field, reason in _of_registry(registry, slug):
        raise Unsupported(field, LAYOUT, reason)


def _of_profile(profile: Profile) -> Iterator[tuple[str, str]]:
    given = {
        "display_name": profile.display_name,
        "description": profile.description,
        "extends": profile.extends is not UNSET,
        "policy": profile.policy != PolicySpec(),
        "extensions": profile.extensions,
        "metadata.tags": profile.metadata.tags is not UNSET and profile.metadata.tags,
    }
    yield from ((field, ADVICE) for field, is_given in given.items() if is_given)
    yield from _of_runtime(profile.runtime, "runtime", ("step_settings_patch", "servers"))


def _of_registry(registry: Registry, slug: str) -> Iterator[tuple[str, str]]:
    if registry.slug != slug:
        yield "registries", f"the directory is the registry {slug!r}; {ADVICE} hold several"
    given = {
        "display_name": registry.display_name,
        "description": registry.description,
        "default_profile_slug": registry.default_profile_slug not in ("", DEFAULT),
        "policy": registry.policy != PolicySpec(),
        "settings_schema": registry.settings_schema not in ("", SCHEMA),
        "foreign_sections": registry.foreign_sections,
        "metadata.tags": registry.metadata.tags is not UNSET and registry.metadata.tags,
    }
    yield from ((field, ADVICE) for field, is_given in given.items() if is_given)
    yield from _of_runtime(registry.defaults, "defaults", ())
    yield from _of_runtime(registry.enforced, "enforced", ("step_settings_patch",))


def _of_runtime(runtime: RuntimeSpec, field: str, fields: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for name, value in runtime.given().items():
        if name not in fields:
            yield f"{field}.{name}", ADVICE
        else:
            yield from ((found, _PLAIN) for found in _directives(value, f"{field}.{name}"))


def _directives(value: Any, field: str) -> Iterator[str]:
    """The fields of null, directives and references: the file's own readers know none of them."""
    if value is None or (isinstance(value, Mapping) and is_atomic(value)):
        yield field
    elif isinstance(value, Mapping):
        for key, child in value.items():
            yield from _directives(child, f"{field}.{key}")
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from _directives(item, f"{field}[{position}]")
