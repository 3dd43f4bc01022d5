"""The settings of registries: the sections and schema of the AI settings, what a profile still lacks, and what the
files of a profile store may hold.

Light on purpose: a module is loaded when one of its names is asked for (none is called like one of the names), and
nothing is compiled before :func:`ai_schema` is called.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from livery.settings.checks import cross_faults
    from livery.settings.cost import Usage, cost_usd
    from livery.settings.endpoint import Endpoint, endpoint_of
    from livery.settings.legacy import (
        Flag,
        LegacySettings,
        flags,
        legacy_of_settings,
        settings_of_inference,
        settings_of_legacy,
    )
    from livery.settings.limits import ContextLimits, context_limits
    from livery.settings.outbound import check_outbound_url
    from livery.settings.profile_store import plain_profile_store_schema
    from livery.settings.providers import PROVIDERS, Provider
    from livery.settings.ready import ReadinessProblem, readiness
    from livery.settings.runtime_keys import REPLACED_KEYS, ReadSettings, read_settings
    from livery.settings.schema import SCHEMA_NAMES, ai_schema, schema_named
    from livery.settings.sections import ModelCost, ModelInfo, SecretReference, StepSettings
    from livery.settings.servers import ReadServers, read_server, read_servers, server_defaults, server_faults
    from livery.settings.turn import Sampling, sampling
    from livery.settings.typed import step_settings_of

__all__ = [
    "StepSettings",
    "ModelInfo",
    "ModelCost",
    "SecretReference",
    "step_settings_of",
    "ai_schema",
    "schema_named",
    "SCHEMA_NAMES",
    "cross_faults",
    "readiness",
    "ReadinessProblem",
    "PROVIDERS",
    "Provider",
    "Endpoint",
    "endpoint_of",
    "check_outbound_url",
    "Sampling",
    "sampling",
    "ContextLimits",
    "context_limits",
    "Usage",
    "cost_usd",
    "Flag",
    "flags",
    "LegacySettings",
    "legacy_of_settings",
    "settings_of_legacy",
    "settings_of_inference",
    "plain_profile_store_schema",
    "REPLACED_KEYS",
    "ReadSettings",
    "read_settings",
    "ReadServers",
    "read_server",
    "read_servers",
    "server_defaults",
    "server_faults",
]

_HOMES = {
    "cross_faults": "checks",
    "Usage": "cost",
    "cost_usd": "cost",
    "Endpoint": "endpoint",
    "endpoint_of": "endpoint",
    "Flag": "legacy",
    "LegacySettings": "legacy",
    "flags": "legacy",
    "legacy_of_settings": "legacy",
    "settings_of_inference": "legacy",
    "settings_of_legacy": "legacy",
    "ContextLimits": "limits",
    "context_limits": "limits",
    "check_outbound_url": "outbound",
    "plain_profile_store_schema": "profile_store",
    "PROVIDERS": "providers",
    "Provider": "providers",
    "ReadinessProblem": "ready",
    "readiness": "ready",
    "Sampling": "turn",
    "sampling": "turn",
    "REPLACED_KEYS": "runtime_keys",
    "ReadSettings": "runtime_keys",
    "read_settings": "runtime_keys",
    "SCHEMA_NAMES": "schema",
    "ai_schema": "schema",
    "schema_named": "schema",
    "ModelCost": "sections",
    "ModelInfo": "sections",
    "SecretReference": "sections",
    "StepSettings": "sections",
    "ReadServers": "servers",
    "read_server": "servers",
    "read_servers": "servers",
    "server_defaults": "servers",
    "server_faults": "servers",
    "step_settings_of": "typed",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{home}"), name)
