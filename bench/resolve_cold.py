"""A resolution that nobody made before: six layers merged with origins, checked, decided upon and fingerprinted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from bench import merges
from bench.layers import LAYERS, OVERRIDE, REGISTRY, assignments
from bench.results import Gate, Result, figures
from bench.rounds import Rounds, microseconds
from livery import RegistryService, ResolveInput, open_registry
from livery.core.catalogue import Catalogue, RegistryLayer, RegistryView
from livery.core.resolve import resolve
from livery.core.stack import ProfileLayer, ProfileStack
from livery.settings import ai_schema

NAME = "resolve-cold"
MOST_TIMES_A_MERGE = 15
LEAST_TIMES_OMEGACONF = 50
AIMED_US = 150

PLAIN = ResolveInput(registry_slug="team", profile_slug="coder")
OVERRIDDEN = ResolveInput(registry_slug="team", profile_slug="coder", request_overrides=OVERRIDE)

_REFERENCE = "bare merge, sharing"
_RESOLVE = "resolve"
_OVERRIDE = "resolve with 3 allowed overrides"
_OMEGACONF = "OmegaConf.merge, nodes built before"


def run(*, quick: bool) -> Result:
    registry = team()
    _demand_same_result(registry)
    schema = ai_schema()
    subjects: dict[str, Callable[[], Any]] = {
        _REFERENCE: lambda: merges.sharing(LAYERS),
        "bare merge, copying": lambda: merges.copying(LAYERS),
        _RESOLVE: lambda: resolve(PLAIN, registry.catalogue, schema),
        _OVERRIDE: lambda: resolve(OVERRIDDEN, registry.catalogue, schema),
        "resolve, the first after a load": lambda: resolve(PLAIN, unprepared(registry.catalogue), schema),
        "Dynaconf object_merge, with the copies it needs": merges.dynaconf(LAYERS),
        "only those copies": merges.copies(LAYERS),
        _OMEGACONF: merges.omegaconf(LAYERS),
    }
    with merges.hydra(LAYERS) as compose:
        rounds = microseconds({**subjects, "Hydra compose, no file read": compose}, rounds=5 if quick else 61)
    return _result(rounds)


def _result(rounds: Rounds) -> Result:
    size = sum(len(orjson.dumps(layer)) for layer in LAYERS)
    omegaconf = rounds.ratio(_OMEGACONF, _RESOLVE)
    return Result(
        NAME,
        f"core.resolve over a prepared catalogue: {len(LAYERS)} layers, {sum(map(assignments, LAYERS))} assignments, "
        f"{size} bytes of JSON; origins, policy, schema check and fingerprint included",
        f"a bare recursive merge of the same layers that shares what it can ({rounds.median(_REFERENCE):.1f} us)",
        figures=figures(rounds, "us", _REFERENCE),
        gates=[
            Gate("resolve, in bare merges", rounds.ratio(_RESOLVE, _REFERENCE), MOST_TIMES_A_MERGE, "x"),
            Gate(
                "resolve with overrides, in bare merges", rounds.ratio(_OVERRIDE, _REFERENCE), MOST_TIMES_A_MERGE, "x"
            ),
            Gate("OmegaConf.merge, in resolves", omegaconf, LEAST_TIMES_OMEGACONF, "x", at_least=True),
        ],
        notes=[
            f"the aim for a resolution without overrides is {AIMED_US} us",
            "the libraries only merge: no origins, policy, schema check or fingerprint",
        ],
    )


def team() -> RegistryService:
    """The registry of the six layers, in memory, without a fault."""
    registry = open_registry("memory:")
    registry.create_registry(REGISTRY)
    faults = [finding.fault for finding in registry.findings if finding.blocking]
    if faults:
        raise AssertionError(f"the layers of the benchmark have faults: {faults}")
    return registry


def unprepared(catalogue: Catalogue) -> Catalogue:
    """The same registry as after a load: no layer of it is prepared."""
    view = catalogue.view("team")
    stacks = {
        slug: ProfileStack(stack.reference, [ProfileLayer(own.source, own.profile, own.schema) for own in stack.layers])
        for slug, stack in view.profiles.items()
    }
    heads = [RegistryLayer(layer.source, layer.head, layer.schema) for layer in view.layers]
    return Catalogue({"team": RegistryView("team", heads, stacks, view.schema)})


def _demand_same_result(registry: RegistryService) -> None:
    """What is compared must be the same work: both bare merges and the resolution give the same values."""
    bare = merges.sharing(LAYERS)
    resolved = registry.resolve_effective_profile(PLAIN)
    runtime = {
        "step_settings_patch": resolved.effective_step_settings,
        "system_prompt": resolved.effective_system_prompt,
        "tools": resolved.effective_tools,
    }
    if merges.copying(LAYERS) != bare or not _holds(runtime, bare):
        raise AssertionError("the merges that are compared differ in their results")


def _holds(whole: Any, part: Any) -> bool:
    """Whether every leaf of ``part`` stands in ``whole``, where schema defaults may stand beside them."""
    if not isinstance(part, dict):
        return bool(whole == part)
    return isinstance(whole, dict) and all(key in whole and _holds(whole[key], child) for key, child in part.items())
