"""The wire forms of registries, profiles and resolutions, secrets redacted."""

from __future__ import annotations

from typing import Any

from livery.core.explain import Explained
from livery.core.profile import Profile
from livery.core.redact import redact
from livery.core.resolved import ResolvedProfile
from livery.core.schema import SettingsSchema
from livery.core.stack import ProfileLayer
from livery.errors import ProfileNotFound
from livery.http.problems import without_credentials
from livery.service import ProfileSummary, RegistryService, RegistrySummary

Document = dict[str, Any]


def registry_row(summary: RegistrySummary) -> Document:
    """One registry of a list."""
    row: Document = {
        "slug": summary.slug,
        "display_name": summary.display_name,
        "default_profile": summary.default_profile,
        "profile_count": summary.profile_count,
        "sources": list(summary.sources),
        "writable": summary.writable,
    }
    masked: Document = without_credentials(row)
    return masked


def profile_row(summary: ProfileSummary) -> Document:
    """One profile of a list that is fit to be shown; one that cannot be used has ``error`` beside the other fields."""
    row: Document = {
        "slug": summary.slug,
        "registry": summary.registry,
        "display_name": summary.display_name,
        "description": summary.description,
        "read_only": summary.read_only,
        "version": summary.version,
        "source": summary.source,
        "tags": list(summary.tags),
        "is_default": summary.is_default,
        "updated_at_ms": summary.updated_at_ms,
    }
    if summary.error:
        row["error"] = summary.error
    return row


def profile_document(service: RegistryService, registry: str | None, slug: str, version: int | None) -> Document:
    """The merged stored document of a profile, and the layer of every source that holds it, the lowest first."""
    profile = service.get_profile(registry, slug)
    if version is not None and version != profile.version:
        where = f"(the sources keep no earlier versions; it is at version {profile.version})"
        raise ProfileNotFound(f"{profile.reference} at version {version}", where=where)
    layers = service.profile_layers(profile.registry, profile.slug)
    stored = _stored(profile, layers[-1].schema)
    return {
        "registry": profile.registry,
        "slug": profile.slug,
        "display_name": stored.get("display_name", ""),
        "description": stored.get("description", ""),
        "extends": stored.get("extends", []),
        "runtime": stored.get("runtime", {}),
        "policy": stored.get("policy", {}),
        "metadata": {"version": profile.version, **stored.get("metadata", {})},
        "extensions": stored.get("extensions", {}),
        "is_default": service.catalogue.view(profile.registry).default_profile[0] == profile.slug,
        "layers": [_layer_document(layer) for layer in layers],
    }


def _layer_document(layer: ProfileLayer) -> Document:
    return {
        "source": layer.source,
        "version": layer.profile.version,
        "writable": layer.writer,
        "document": _stored(layer.profile, layer.schema),
    }


def _stored(profile: Profile, schema: SettingsSchema) -> Document:
    """A stored document without its secrets. Texts about the profile stay texts; a URL in them loses its user info."""
    document = profile.document()
    redacted: Document = redact(document, schema)
    about = {name: value for name, value in document.items() if name not in ("runtime", "extensions")}
    return {**redacted, **without_credentials(about)}


def resolution_document(resolved: ResolvedProfile, explained: list[Explained] | None = None) -> Document:
    """A resolution, and under ``explain`` the origin of every value by its path where that was asked for."""
    document = resolved.document()
    if explained is not None:
        document["explain"] = {row.key: row.document() for row in explained}
    return document
