"""What a directory of config profiles has room for, and what it does not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import UNSET

from livery.core.layers import DIRECTIVE_NAMES
from livery.core.names import Reference
from livery.core.profile import PolicySpec, Profile, Registry, RuntimeSpec
from livery.errors import Unsupported, ValidationError
from livery.formats.manifest import BASE, NAME_RULE, folded_name

LAYOUT = "a directory of config profiles"
_ADVICE = "a registry in YAML or a database can"
_DEVICE = re.compile(r"con|prn|aux|nul|com[1-9]|lpt[1-9]")
_SETTINGS = "step_settings_patch"


def demand_room(item: Profile | Registry) -> None:
    """Unsupported, naming the first thing in a profile, or a registry with its profiles, that could not be written."""
    if isinstance(item, Profile):
        demand_room_for_profile(item)
        return
    demand_room_for_head(item)
    for profile in item.profiles.values():
        demand_room_for_profile(profile)


def demand_room_for_profile(profile: Profile) -> None:
    """The same for a profile."""
    fields = [*_of_profile(profile), *_of_runtime("runtime", profile.runtime)]
    if profile.slug == BASE:
        fields += [name for name in ("description", "extends") if getattr(profile, name) not in ("", UNSET, ())]
        fields += _directives(profile.runtime.step_settings_patch, f"runtime.{_SETTINGS}")
    _refuse(fields)


def demand_room_for_head(registry: Registry) -> None:
    """The same for what stands above the profiles of a registry."""
    given = {
        "display_name": registry.display_name,
        "description": registry.description,
        "default_profile_slug": registry.default_profile_slug not in ("", BASE),
        "enforced": registry.enforced.given(),
        "policy": registry.policy != PolicySpec(),
        "callers": registry.callers,
        "fallback": registry.fallback,
        "settings_schema": registry.settings_schema not in ("", "free"),
        "foreign_sections": registry.foreign_sections,
        "metadata.tags": registry.metadata.tags if registry.metadata.tags is not UNSET else (),
    }
    fields = [name for name, value in given.items() if value]
    fields += [*_of_runtime("defaults", registry.defaults)]
    fields += _directives(registry.defaults.step_settings_patch, f"defaults.{_SETTINGS}")
    _refuse(fields)


def demand_new_name(slug: str) -> None:
    """A ValidationError where no new file may have this name."""
    if folded_name(slug) != slug:
        raise ValidationError("profile.slug", f"{slug!r} cannot be a config profile: its name is {NAME_RULE}")
    if slug.startswith("-"):
        raise ValidationError("profile.slug", f"{slug!r} would be read as an option of a command")
    if _DEVICE.fullmatch(slug):
        raise ValidationError("profile.slug", f"{slug!r} is the name of a device on Windows; no file can have it there")


def _refuse(fields: list[str]) -> None:
    if fields:
        raise Unsupported(fields[0], LAYOUT, _ADVICE)


def _of_profile(profile: Profile) -> Iterator[str]:
    given = {
        "display_name": profile.display_name,
        "policy": profile.policy != PolicySpec(),
        "extensions": profile.extensions,
        "metadata.tags": profile.metadata.tags if profile.metadata.tags is not UNSET else (),
        "extends": [base for base in profile.bases if _is_elsewhere(base, profile)],
    }
    yield from (name for name, value in given.items() if value)


def _is_elsewhere(base: Reference, profile: Profile) -> bool:
    return base.registry != profile.registry


def _of_runtime(field: str, runtime: RuntimeSpec) -> Iterator[str]:
    given = runtime.given()
    yield from (f"{field}.{name}" for name in given if name != _SETTINGS)
    settings = given.get(_SETTINGS, {})
    if not isinstance(settings, dict) or not DIRECTIVE_NAMES.isdisjoint(settings):
        yield f"{field}.{_SETTINGS}"  # a file is laid over what is below it, never put in its place


def _directives(settings: Any, path: str) -> Iterator[str]:
    """Where settings say what is to become of those below, which a base file has not."""
    if settings is None or (isinstance(settings, Mapping) and not DIRECTIVE_NAMES.isdisjoint(settings)):
        yield path
    elif isinstance(settings, Mapping):
        for key, value in settings.items():
            yield from _directives(value, f"{path}.{key}")
