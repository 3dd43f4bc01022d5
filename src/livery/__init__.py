"""Livery: named, layered, policy-guarded runtime profiles for AI applications, resolved and explained.

import livery

registry = livery.open_registry("yaml:team.yaml")
resolved = registry.resolve_effective_profile(livery.ResolveInput(profile_slug="coder"))
resolved.effective_step_settings["chat"]["engine"]
"""

from __future__ import annotations

TYPE_CHECKING = False  # as checkers understand it; `typing` alone would double the time of the import
if TYPE_CHECKING:
    from typing import Any

    from livery.core.fingerprint import fingerprint
    from livery.core.profile import PolicySpec, Profile, Registry, ResolveInput, RuntimeSpec
    from livery.core.resolved import ResolvedProfile
    from livery.errors import (
        AlreadyExists,
        LineageError,
        LiveryError,
        MergeConflict,
        PolicyViolation,
        ProfileNotFound,
        ProfileReadOnly,
        RegistryNotFound,
        SourceReadOnly,
        SourceUnavailable,
        StillReferenced,
        ValidationError,
        VersionConflict,
    )
    from livery.library import open_registry
    from livery.service import RegistryService
    from livery.settings import StepSettings
    from livery.stores.protocols import WriteOptions

__version__ = "0.1.0"

__all__ = [
    "open_registry",
    "RegistryService",
    "WriteOptions",
    "Profile",
    "Registry",
    "RuntimeSpec",
    "PolicySpec",
    "ResolveInput",
    "ResolvedProfile",
    "StepSettings",
    "fingerprint",
    "LiveryError",
    "ValidationError",
    "MergeConflict",
    "LineageError",
    "RegistryNotFound",
    "ProfileNotFound",
    "PolicyViolation",
    "ProfileReadOnly",
    "SourceReadOnly",
    "SourceUnavailable",
    "VersionConflict",
    "AlreadyExists",
    "StillReferenced",
]

_HOMES = {
    "open_registry": "library",
    "RegistryService": "service",
    "WriteOptions": "stores.protocols",
    "Profile": "core.profile",
    "Registry": "core.profile",
    "RuntimeSpec": "core.profile",
    "PolicySpec": "core.profile",
    "ResolveInput": "core.profile",
    "ResolvedProfile": "core.resolved",
    "StepSettings": "settings",
    "fingerprint": "core.fingerprint",
}


def __getattr__(name: str) -> Any:
    """A public name, from its home; ``import livery`` alone costs next to nothing."""
    if name not in __all__:
        raise AttributeError(f"module 'livery' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"livery.{_HOMES.get(name, 'errors')}"), name)
    globals()[name] = value  # found directly from now on
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
