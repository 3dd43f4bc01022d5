"""The runtime keys of ``runtime.yaml`` and of profile files, older names among them, as settings in their one form."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final, NamedTuple

import jsonschema_rs

from livery.core.effective import over
from livery.core.paths import Path
from livery.core.schema import dotted, node_at, partial_schema
from livery.core.values import same
from livery.errors import Fault
from livery.settings.profile_store import plain_profile_store_schema
from livery.settings.profile_store_checks import cross_faults
from livery.settings.schema import schema_named
from livery.settings.written_values import Reasons, normal, value_reasons

REPLACED_KEYS: Final[Mapping[str, str]] = {
    "callerCheckSeconds": "clientCheckSeconds",
    "callerInactiveSeconds": "clientInactiveSeconds",
}
"""Older name of a runtime key → its name now; both are read."""

_TRIMMED: Final = frozenset(
    (
        ("observability", "listenAddress"),
        ("rpc", "listenAddress"),
        ("rpc", "socketMode"),
        ("rpc", "tls", "certFile"),
        ("rpc", "tls", "keyFile"),
        ("rpc", "tls", "caFile"),
        ("proxy", "url"),
    )
)
_NONE_IS_DEFAULT: Final = frozenset((("observability", "listenAddress"), ("rpc", "socketMode")))
"""Texts that mean their default where they are empty, as every word of a list of words does."""
_ZERO_IS_DEFAULT: Final = frozenset((("toolRefreshConcurrency",),))
_BELOW_ONE_IS_DEFAULT: Final = frozenset((("bootstrapConcurrency",), ("bootstrapTimeoutSeconds",)))
_TAGS: Final = (
    "tags are profiles here, and these are not used: set subAgent.enabled: true in the profiles of these clients"
)
_STARTUP: Final = (
    "unknown key 'startupStrategy'; write defaultActivationMode: on-demand instead of lazy, always-on instead of eager "
    "(bootstrapMode says whether servers run briefly at the start)"
)


class ReadSettings(NamedTuple):
    """Settings in canonical names and their one form; the fields of faults and warnings are dotted settings paths."""

    settings: dict[str, Any]
    faults: list[Fault]
    warnings: list[Fault]


def read_settings(written: Mapping[str, Any]) -> ReadSettings:
    """The runtime keys of a file as settings, every fault, and what deserves a warning.

    A number or text that stands for the default (0, "") becomes the default itself: it is said, and it wins over what
    lies below. The rules between keys are asked with the defaults laid under what is written, for a file stands alone.
    """
    current, faults, warnings = _with_new_names(written)
    settings = _normal(current)
    reasons = value_reasons(_schema().validator, _schema().partial, settings)
    reasons += _cross_reasons(settings, reasons)
    return ReadSettings(settings, [*faults, *(Fault(dotted("", p).lstrip("."), r) for p, r in reasons)], warnings)


class _Schema(NamedTuple):
    partial: Mapping[str, Any]
    defaults: dict[str, Any]
    validator: jsonschema_rs.Validator


@cache
def _schema() -> _Schema:
    partial = partial_schema(plain_profile_store_schema())
    return _Schema(partial, schema_named("profile-store").defaults, jsonschema_rs.validator_for(partial))


def _cross_reasons(settings: dict[str, Any], known: Reasons) -> Reasons:
    faulty = {path for path, _ in known}
    return [(path, reason) for path, reason in cross_faults(over(_schema().defaults, settings)) if path not in faulty]


def _with_new_names(written: Mapping[str, Any]) -> tuple[dict[str, Any], list[Fault], list[Fault]]:
    """The keys under their names of today, without those that are no longer used."""
    current: dict[str, Any] = {}
    faults: list[Fault] = []
    warnings: list[Fault] = []
    for key, value in written.items():
        new = REPLACED_KEYS.get(key)
        if new is not None:
            warnings.append(Fault(key, f"is called {new} now"))
            if new in written and not same(written[new], value):
                faults.append(Fault(key, f"stands beside {new} with another value; keep {new}"))
            current.setdefault(new, value)
        elif key == "startupStrategy":
            faults.append(Fault(key, _STARTUP))
        elif key == "subAgent" and isinstance(value, Mapping) and "enabledTags" in value:
            warnings.append(Fault("subAgent.enabledTags", _TAGS))
            current[key] = {name: child for name, child in value.items() if name != "enabledTags"}
        else:
            current[key] = value
    return current, faults, warnings


def _normal(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _defaulted(child, (key,)) for key, child in normal(settings, _schema().partial).items()}


def _defaulted(value: Any, path: Path) -> Any:
    if isinstance(value, dict):
        return {key: _defaulted(child, (*path, key)) for key, child in value.items()}
    if isinstance(value, str) and path in _TRIMMED:
        value = value.strip()
    return _default_at(path) if _means_default(value, path) else value


def _means_default(value: Any, path: Path) -> bool:
    if value == "" and isinstance(value, str):
        return path in _NONE_IS_DEFAULT or "enum" in node_at(_schema().partial, path)
    if type(value) is not int:
        return False
    return (value == 0 and path in _ZERO_IS_DEFAULT) or (value <= 0 and path in _BELOW_ONE_IS_DEFAULT)


def _default_at(path: Path) -> Any:
    value: Any = _schema().defaults
    for part in path:
        value = value[part]
    return value
