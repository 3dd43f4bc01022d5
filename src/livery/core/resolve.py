"""The pipeline: selection, lineage, merge, policy, effective runtime, fingerprint. Read this file first.

One function answers for every source and every door, so that a list, a run and an explanation can never disagree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from livery.core.catalogue import Catalogue, ProfileStack, RegistryView
from livery.core.fingerprint import digest, fingerprint
from livery.core.layers import Layer, Origin, layer_of, settled
from livery.core.lineage import expand, with_nearest
from livery.core.merge import Merged, merge
from livery.core.overrides import read_overrides, setting_faults
from livery.core.paths import SETTINGS, text_of
from livery.core.policy import Decision, OwnedPolicy, combine, decide
from livery.core.profile import PolicySpec, ResolveInput
from livery.core.resolved import LineageEntry, ResolvedProfile, runtime_document
from livery.core.schema import SettingsSchema
from livery.core.selection import Selection, select
from livery.errors import Fault, LineageError, PolicyViolation, ValidationError


def resolve(request: ResolveInput, catalogue: Catalogue, free_standing: SettingsSchema) -> ResolvedProfile:
    """The effective runtime that a request means, with the origin of every value.

    ``free_standing`` is the schema of base settings that are resolved where no profile exists. Raises what the steps
    raise: not found, CallerDenied, LineageError, MergeConflict, ValidationError, PolicyViolation.
    """
    return resolve_selected(select(request, catalogue), request, catalogue, free_standing)


def resolve_selected(
    selection: Selection, request: ResolveInput, catalogue: Catalogue, free_standing: SettingsSchema
) -> ResolvedProfile:
    """The effective runtime of a profile that is already selected."""
    lineage = lineage_of(selection, catalogue)
    registries = _registries_of(lineage, catalogue)
    schema = registries[-1].schema if registries else free_standing
    foreign = tuple(section for view in registries for section in view.head.foreign_sections)

    layers = list(_layers(request, lineage, registries, schema, foreign))
    merged = merge(layers)
    decisions = _lay_overrides(request, merged, _policies(request, lineage, registries), schema, foreign)
    _check_effective(merged, schema, foreign)
    return _finish(selection, request, lineage, merged, decisions, schema, layers)


def lineage_of(selection: Selection, catalogue: Catalogue) -> list[ProfileStack]:
    """The profiles that a selected one is made of, base first, itself last."""
    if selection.reference is None:
        return []
    catalogue.stack(selection.reference)
    try:
        references = expand(selection.reference, catalogue.bases_of)
    except LineageError as error:
        raise with_nearest(error, catalogue.index()) from None
    return [catalogue.stack(reference) for reference in references]


def _registries_of(lineage: list[ProfileStack], catalogue: Catalogue) -> list[RegistryView]:
    """The registries of a lineage, each once, the selected profile's own last."""
    slugs = dict.fromkeys(stack.reference.registry for stack in reversed(lineage))
    return [catalogue.view(slug) for slug in reversed(slugs)]


def _layers(
    request: ResolveInput,
    lineage: list[ProfileStack],
    registries: list[RegistryView],
    schema: SettingsSchema,
    foreign: tuple[str, ...],
) -> Iterator[Layer]:
    """Everything below the request's own overrides, lowest first; schema defaults are laid under the result."""
    if request.base_step_settings:
        base = {SETTINGS: request.base_step_settings}
        yield _checked(layer_of(Origin("base"), base, schema, "base"), schema, "base_step_settings", foreign)
    if lineage:
        yield from registries[-1].defaults
        for stack in lineage[:-1]:
            for layer in stack.layers:
                yield layer.as_base
        for layer in lineage[-1].layers:
            yield layer.as_selected
    for name, runtime in request.operator_layers:
        operator = layer_of(Origin("operator", name=name), runtime, schema, f"operator_layers[{name}]")
        yield _checked(operator, schema, f"operator_layers[{name}]", foreign)
    for view in registries:
        yield from view.enforced


def _checked(layer: Layer, schema: SettingsSchema, field: str, foreign: tuple[str, ...]) -> Layer:
    faults = setting_faults(layer.values.get(SETTINGS), schema, field, foreign)
    if faults:
        raise ValidationError.of(faults)
    return layer


def _policies(request: ResolveInput, lineage: list[ProfileStack], registries: list[RegistryView]) -> list[OwnedPolicy]:
    policies = [owned for view in registries for owned in view.policies]
    policies += [owned for stack in lineage for owned in stack.policies]
    if request.app_policy is not None:
        policies.append(OwnedPolicy("application", 0, request.app_policy))
    return policies


class Decided(NamedTuple):
    """The combined policy of a lineage, and its decisions on the overrides of a request."""

    policy: PolicySpec
    decisions: tuple[Decision, ...]


def _lay_overrides(
    request: ResolveInput,
    merged: Merged,
    policies: list[OwnedPolicy],
    schema: SettingsSchema,
    foreign: tuple[str, ...],
) -> Decided:
    """Lay the request's overrides over the rest if the policies allow every leaf of them, else PolicyViolation."""
    combined = combine(owned.policy for owned in policies)
    if not request.request_overrides:
        return Decided(combined, ())
    overrides = read_overrides(request.request_overrides, schema, foreign)
    decisions = tuple(decide(overrides.values, merged, policies, schema))
    if not all(decision.allowed for decision in decisions):
        raise PolicyViolation(decisions)
    merged.lay(overrides)
    return Decided(combined, decisions)


def _check_effective(merged: Merged, schema: SettingsSchema, foreign: tuple[str, ...]) -> None:
    """ValidationError where the merged settings break the schema; each fault names the layer that gave the value."""
    settings = settled(merged.values.get(SETTINGS, {}))
    for section in foreign:
        settings.pop(section, None)
    reasons = schema.reasons(settings)
    if reasons:
        rows = [((SETTINGS, *path), reason) for path, reason in reasons]
        raise ValidationError.of(
            [Fault(text_of(path), f"{reason} (from {merged.winner(path) or 'the merge'})") for path, reason in rows]
        )


def _finish(
    selection: Selection,
    request: ResolveInput,
    lineage: list[ProfileStack],
    merged: Merged,
    decided: Decided,
    schema: SettingsSchema,
    layers: list[Layer],
) -> ResolvedProfile:
    effective = effective_values(merged.values, schema)
    entries = tuple(_entry(stack) for stack in lineage)
    registry, profile = selection.reference or ("", "")
    by_default = selection.how in ("default", "base only")
    runtime_digest = digest(runtime_document(effective))
    return ResolvedProfile(
        selection=selection,
        runtime_key=(request.runtime_key_fallback or profile) if by_default else profile,
        lineage=entries,
        policy=decided.policy,
        decisions=decided.decisions,
        warnings=(*selection.warnings, *(warning for layer in layers for warning in layer.warnings)),
        runtime_digest=runtime_digest,
        runtime_fingerprint=fingerprint(
            registry, profile, ((e.registry, e.profile, e.runtime_version) for e in entries), runtime_digest
        ),
        effective=effective,
        merged=merged,
        schema=schema,
    )


def _entry(stack: ProfileStack) -> LineageEntry:
    public = stack.public.profile
    sources = ", ".join(layer.source for layer in stack.layers)
    return LineageEntry(*stack.reference, public.version, public.runtime_version, sources)


_MIDDLEWARE_DEFAULTS: dict[str, Any] = {"name": "", "id": "", "enabled": True, "config": {}}


def effective_values(values: Mapping[str, Any], schema: SettingsSchema) -> dict[str, Any]:
    """Merged values with the defaults laid under them; keyed lists are still mappings."""
    middlewares = values.get("middlewares", {})
    return {
        SETTINGS: _over(schema.defaults, values.get(SETTINGS, {})),
        "system_prompt": values.get("system_prompt", ""),
        "middlewares": {key: _over(_MIDDLEWARE_DEFAULTS, element) for key, element in middlewares.items()},
        "tools": values.get("tools", list(schema.default_tools)),
        "servers": values.get("servers", {}),
        "extensions": values.get("extensions", {}),
    }


def _over(defaults: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    result = dict(defaults)
    for key, value in values.items():
        below = defaults.get(key)
        result[key] = _over(below, value) if below and type(below) is dict and type(value) is dict else value
    return result
