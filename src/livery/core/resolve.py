"""The pipeline: selection, lineage, merge, policy, effective runtime, fingerprint. Read this file first.

One function answers for every source and every door, so that a list, a run and an explanation can never disagree.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from livery.core.catalogue import Catalogue, RegistryView
from livery.core.effective import effective_values, runtime_document
from livery.core.fingerprint import digest, fingerprint
from livery.core.layers import Layer, Origin, layer_of, settled, under
from livery.core.lineage import expand, with_nearest
from livery.core.merge import Merged, merge
from livery.core.names import profile_slug
from livery.core.overrides import read_overrides, setting_faults
from livery.core.paths import SETTINGS, text_of
from livery.core.policy import Decision, OwnedPolicy, combine, decide, policy_faults
from livery.core.profile import ResolveInput
from livery.core.resolved import LineageEntry, ResolvedProfile
from livery.core.schema import SettingsSchema
from livery.core.selection import Selection, select
from livery.core.stack import ProfileStack
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
    ground = ground_of(selection, catalogue, free_standing)
    layers = list(layers_below(request, ground))
    merged = merge(layers)
    policies = policies_over(request, ground)
    decisions, overrides = lay_overrides(request, merged, policies, ground.schema)
    check_effective(merged, ground.schema)

    effective = effective_values(merged.values, ground.schema)
    runtime_digest = digest(runtime_document(effective))
    lineage = tuple(_entry(stack) for stack in ground.lineage)
    return ResolvedProfile(
        selection=selection,
        runtime_key=_runtime_key(selection, request),
        lineage=lineage,
        policy=combine(owned.policy for owned in policies),
        decisions=decisions,
        warnings=(*selection.warnings, *_warnings((*layers, *overrides))),
        runtime_digest=runtime_digest,
        runtime_fingerprint=fingerprint(
            *(selection.reference or ("", "")),
            lineage=((entry.registry, entry.profile, entry.runtime_version) for entry in lineage),
            runtime_digest=runtime_digest,
        ),
        effective=effective,
        merged=merged,
        schema=ground.schema,
    )


class Ground(NamedTuple):
    """What a resolution stands on: its profiles (base first, the selected one last), their registries, the schema."""

    lineage: list[ProfileStack]
    registries: list[RegistryView]
    schema: SettingsSchema


def ground_of(selection: Selection, catalogue: Catalogue, free_standing: SettingsSchema) -> Ground:
    """The profiles that a selected one is made of, and the registries of those, its own last."""
    if selection.reference is None:
        return Ground([], [], free_standing)
    catalogue.stack(selection.reference)
    try:
        references = expand(selection.reference, catalogue.bases_of)
    except LineageError as error:
        raise with_nearest(error, catalogue.names_like) from None
    slugs = dict.fromkeys(reference.registry for reference in reversed(references))
    registries = [catalogue.view(slug) for slug in reversed(slugs)]
    foreign = [section for view in registries for section in view.head.foreign_sections]
    lineage = [catalogue.stack(reference) for reference in references]
    return Ground(lineage, registries, registries[-1].schema.with_sections(foreign))


def layers_below(request: ResolveInput, ground: Ground) -> Iterator[Layer]:
    """Everything below the request's own overrides, lowest first; schema defaults are laid under the result."""
    if request.base_step_settings:
        document = {SETTINGS: request.base_step_settings}
        yield _checked(layer_of(Origin("base"), document, ground.schema, "base"), ground.schema, "base_step_settings")
    if ground.lineage:
        yield from ground.registries[-1].defaults
        for stack in ground.lineage[:-1]:
            yield from (_seen_by(ground.schema, layer.schema, layer.as_base) for layer in stack.layers)
        yield from (layer.as_selected for layer in ground.lineage[-1].layers)
    for name, runtime in request.operator_layers:
        field = f"operator_layers[{name}]"
        yield _checked(layer_of(Origin("operator", name=name), runtime, ground.schema, field), ground.schema, field)
    for view in ground.registries:
        yield from (_seen_by(ground.schema, view.schema, layer) for layer in view.enforced)


def _seen_by(schema: SettingsSchema, own: SettingsSchema, layer: Layer) -> Layer:
    """A layer of a registry with another schema: what the selected one's calls a secret is one there as well."""
    return layer if own.name == schema.name else under(layer, schema)


def _checked(layer: Layer, schema: SettingsSchema, field: str) -> Layer:
    """A layer of the host application; those of the sources were checked when they were loaded."""
    faults = setting_faults(layer.values.get(SETTINGS), schema, field)
    if faults:
        raise ValidationError.of(faults)
    return layer


def policies_over(request: ResolveInput, ground: Ground) -> list[OwnedPolicy]:
    """Every policy that has a say: the registries', the profiles', the application's."""
    policies = [owned for view in ground.registries for owned in view.policies]
    policies += [owned for stack in ground.lineage for owned in stack.policies]
    if request.app_policy is not None:
        faults = policy_faults(request.app_policy, "app_policy")
        if faults:
            raise ValidationError.of(faults)
        policies.append(OwnedPolicy("application", 0, request.app_policy))
    return policies


def lay_overrides(
    request: ResolveInput, merged: Merged, policies: list[OwnedPolicy], schema: SettingsSchema
) -> tuple[tuple[Decision, ...], tuple[Layer, ...]]:
    """Lay the request's overrides over the rest if the policies allow every leaf of them, else PolicyViolation.

    The answer has the decisions, and the layer that was laid if there was anything to lay.
    """
    if not request.request_overrides:
        return (), ()
    overrides = read_overrides(request.request_overrides, schema)
    decisions = tuple(decide(overrides.values, merged, policies, schema))
    if not all(decision.allowed for decision in decisions):
        raise PolicyViolation(decisions)
    merged.lay(overrides)
    return decisions, (overrides,)


def check_effective(merged: Merged, schema: SettingsSchema) -> None:
    """ValidationError where the merged settings break the schema; each fault names the layer that gave the value."""
    reasons = schema.reasons(settled(merged.values.get(SETTINGS, {})))
    if reasons:
        paths = [((SETTINGS, *path), reason) for path, reason in reasons]
        raise ValidationError.of(
            [Fault(text_of(path), f"{reason} (from {merged.winner(path) or 'the merge'})") for path, reason in paths]
        )


def _runtime_key(selection: Selection, request: ResolveInput) -> str:
    """The profile's slug; where nobody named one, what the application calls such a runtime."""
    if request.runtime_key_fallback and selection.how in ("default", "base only"):
        return profile_slug(request.runtime_key_fallback, "runtime_key_fallback")
    return selection.reference.profile if selection.reference else ""


def _warnings(layers: Iterable[Layer]) -> Iterator[str]:
    for layer in layers:
        yield from (f"{layer.origin}: {warning}" for warning in layer.warnings)


def _entry(stack: ProfileStack) -> LineageEntry:
    public = stack.public.profile
    sources = ", ".join(layer.source for layer in stack.layers)
    return LineageEntry(*stack.reference, public.version, public.runtime_version, sources)
