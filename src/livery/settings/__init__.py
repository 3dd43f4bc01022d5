"""The AI settings: their sections, the schema they are checked by, and what a profile still lacks.

Light on purpose: nothing is compiled and no validator is loaded before :func:`ai_schema` is asked.
"""

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
from livery.settings.providers import PROVIDERS, Provider
from livery.settings.readiness import ReadinessProblem, readiness
from livery.settings.sampling import Sampling, sampling
from livery.settings.schema import SCHEMA_NAMES, ai_schema, schema_named
from livery.settings.sections import ModelCost, ModelInfo, SecretReference, StepSettings
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
]
