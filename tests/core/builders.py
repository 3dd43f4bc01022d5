"""Registries, catalogues and resolutions from documents, in a line or two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from livery.core.catalogue import Catalogue, RegistryLayer, RegistryView
from livery.core.documents import read_registry
from livery.core.explain import Explained, explain
from livery.core.layers import Layer, Origin, layer_of
from livery.core.merge import Merged, merge
from livery.core.names import Reference
from livery.core.overrides import read_overrides
from livery.core.policy import Decision, OwnedPolicy, decide
from livery.core.profile import PolicySpec, Registry, ResolveInput
from livery.core.resolve import resolve
from livery.core.resolved import ResolvedProfile
from livery.core.schema import FREE, SettingsSchema
from livery.core.stack import ProfileLayer, ProfileStack
from livery.errors import LiveryError

TEXT = {"type": "string"}


def section(properties: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "object", "properties": dict(properties), "additionalProperties": False, **more}


SMALL = SettingsSchema(
    "small",
    section(
        {
            "chat": section(
                {
                    "engine": {**TEXT, "default": "gpt-4"},
                    "api_type": {"enum": ["openai", "claude", "gemini"], "default": "openai"},
                    "temperature": {"type": "number", "minimum": 0, "maximum": 2, "default": 0.7},
                    "max_response_tokens": {"type": "integer"},
                    "stop": {"type": "array", "items": TEXT},
                    "stream": {"type": "boolean", "default": True},
                }
            ),
            "client": section(
                {
                    "timeout": {"type": "integer", "default": 60},
                    "organization": TEXT,
                    "base_url": {**TEXT, "x-sensitive": True},
                    "cookie": {**TEXT, "x-secret": True, "maxLength": 40},
                    "headers": {"type": "object", "additionalProperties": TEXT},
                }
            ),
            "api": section({"keys": {"type": "object", "additionalProperties": {**TEXT, "x-secret": True}}}),
            "model_info": section(
                {
                    "name": TEXT,
                    "cost": section(
                        {"input": {"type": "number", "minimum": 0}, "output": {"type": "number", "minimum": 0}},
                        **{"x-unit": True},
                    ),
                    "metadata": {"type": "object"},
                }
            ),
        }
    ),
    default_tools=("search", "clock"),
)

Sources = Sequence[tuple[str, Sequence[Mapping[str, Any]]]]


def catalogue(
    *documents: Mapping[str, Any],
    sources: Sources | None = None,
    schema: SettingsSchema = SMALL,
    default_registry: str | None = None,
    unavailable: Mapping[str | None, LiveryError] | None = None,
) -> Catalogue:
    """The catalogue of registry documents in one source, or in several (label, documents), the lowest first."""
    sources = sources if sources is not None else [("yaml:a", documents)]
    held = [(label, [sound(document) for document in found]) for label, found in sources]
    slugs = dict.fromkeys(slug for _, found in reversed(held) for slug in sorted(r.slug for r in found))
    views = {slug: _view(slug, held, schema) for slug in slugs}
    return Catalogue(views, default_registry=default_registry, unavailable=unavailable)


def sound(document: Mapping[str, Any]) -> Registry:
    read = read_registry(document)
    assert read.all_faults == []
    return read.registry


def _view(slug: str, held: Sequence[tuple[str, Sequence[Registry]]], default: SettingsSchema) -> RegistryView:
    heads = [(label, registry) for label, found in held for registry in found if registry.slug == slug]
    schema = FREE if any(registry.settings_schema == "free" for _, registry in heads) else default
    layers = [RegistryLayer(label, registry, schema) for label, registry in heads]
    stacks: dict[str, list[ProfileLayer]] = {}
    for label, registry in heads:
        for profile in registry.profiles.values():
            stacks.setdefault(profile.slug, []).append(ProfileLayer(label, profile, schema))
    profiles = {name: ProfileStack(Reference(slug, name), found) for name, found in stacks.items()}
    return RegistryView(slug, layers, profiles, schema)


def registry(profiles: Mapping[str, Any] | None = None, slug: str = "default", **head: Any) -> dict[str, Any]:
    """A registry document; the first profile is the default one unless the head says otherwise."""
    profiles = profiles if profiles is not None else {"default": {}}
    return {"slug": slug, "default_profile_slug": next(iter(profiles), ""), **head, "profiles": dict(profiles)}


def settings(**sections: Any) -> dict[str, Any]:
    """A profile document that holds settings alone."""
    return {"runtime": {"step_settings_patch": sections}}


def runtime(**fields: Any) -> dict[str, Any]:
    """A profile document that holds a runtime alone."""
    return {"runtime": fields}


def run(where: Catalogue | Mapping[str, Any], *, free: SettingsSchema = SMALL, **request: Any) -> ResolvedProfile:
    """The resolution of a request in a catalogue, or in one that a single registry document makes."""
    found = where if isinstance(where, Catalogue) else catalogue(where)
    return resolve(ResolveInput(**request), found, free)


def rows(resolved: ResolvedProfile) -> dict[str, Explained]:
    """The explanation of a resolution by key."""
    return {row.key: row for row in explain(resolved)}


def layer(document: Mapping[str, Any], origin: Origin | str = "base", schema: SettingsSchema = FREE) -> Layer:
    """A layer of a runtime document; an origin may be the name of an operator layer."""
    known = Origin("operator", name=origin) if isinstance(origin, str) else origin
    return layer_of(known, document, schema, "runtime")


def merged(*documents: Mapping[str, Any], schema: SettingsSchema = FREE) -> Merged:
    """Runtime documents merged, base first; their layers are called 1, 2, …"""
    return merge(layer(document, str(number), schema) for number, document in enumerate(documents, 1))


def merged_settings(*patches: Any, schema: SettingsSchema = FREE) -> Any:
    """What settings patches merge to, base first."""
    documents = [{"step_settings_patch": patch} for patch in patches]
    return merged(*documents, schema=schema).values.get("step_settings_patch")


def policy(**fields: Any) -> PolicySpec:
    """A policy with its lists as tuples."""
    return PolicySpec(**{name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()})


def decisions(
    overrides: Mapping[str, Any],
    *policies: PolicySpec,
    below: Mapping[str, Any] | Merged | None = None,
    schema: SettingsSchema = SMALL,
) -> dict[str, Decision]:
    """The decision on each key of overrides, by key."""
    ground = below if isinstance(below, Merged) else merged(below or {}, schema=schema)
    owned = [OwnedPolicy(f"owner{number}", number, given) for number, given in enumerate(policies, 1)]
    values = read_overrides(overrides, schema).values
    return {decision.key: decision for decision in decide(values, ground, owned, schema)}


def allowed(found: Mapping[str, Decision]) -> dict[str, bool]:
    return {key: decision.allowed for key, decision in found.items()}
