"""The shapes of bodies, as the OpenAPI document shows them. Requests are checked against theirs; answers are made as
ready bytes, and the tests hold them against these.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


class ResolveRequest(_Strict):
    """Which profile to resolve (none: the default), and what the request asks for beside it."""

    registry: str | None = None
    profile: str | None = Field(default=None, description="a slug, or `registry/slug`")
    caller: str | None = Field(default=None, description="counts where no profile is named")
    overrides: dict[str, Any] | None = Field(
        default=None, description='e.g. `{"chat.temperature": 0.2}`; the policy decides'
    )
    explain: bool = Field(default=False, description="adds the origin of every value")


class RegistryRow(_Strict):
    """One registry of a list."""

    slug: str
    display_name: str
    default_profile: str
    profile_count: int
    sources: list[str]
    writable: bool


class RegistryList(_Strict):
    """Every registry, by slug."""

    items: list[RegistryRow]


class ProfileRow(_Strict):
    """One profile of a list."""

    slug: str
    registry: str
    display_name: str
    description: str
    read_only: bool
    version: int
    source: str
    tags: list[str]
    is_default: bool
    updated_at_ms: int
    error: str | None = Field(default=None, description="only where the profile cannot be used: why")


class ProfileList(_Strict):
    """One page of profiles, by registry and slug."""

    registry: str
    default_profile: str = Field(description="its slug; over all registries `registry/slug`")
    items: list[ProfileRow]
    next_cursor: str | None


class LayerDocument(_Strict):
    """What one source says of a profile."""

    source: str
    version: int
    writable: bool
    document: dict[str, Any]


class ProfileDocument(_Strict):
    """The merged stored document of a profile, and its layers, the lowest first."""

    registry: str
    slug: str
    display_name: str
    description: str
    extends: list[str]
    runtime: dict[str, Any]
    policy: dict[str, Any]
    metadata: dict[str, Any]
    extensions: dict[str, Any]
    is_default: bool
    layers: list[LayerDocument]


class LineageRow(_Strict):
    """One profile of a lineage."""

    registry: str
    profile: str
    version: int
    runtime_version: int
    source: str


class DecisionRow(_Strict):
    """The verdict on one key of the overrides."""

    key: str
    allowed: bool
    rule: str
    profile: str
    version: int


class ExplainedValue(_Strict):
    """One value of the effective runtime; `value` is missing where it is unset and has no default."""

    value: Any = None
    origin: dict[str, Any]
    history: list[dict[str, Any]] = Field(description="everybody who spoke of it, the lowest layer first")
    rule: str


class Resolution(_Strict):
    """The effective runtime of one profile; a secret is `{"$redacted": true}`."""

    registry_slug: str
    profile_slug: str
    runtime_key: str
    runtime_fingerprint: str
    runtime_digest: str
    selected_by: str
    fallback: bool
    effective_step_settings: dict[str, Any]
    effective_system_prompt: Any
    effective_middlewares: list[dict[str, Any]]
    effective_tools: list[Any]
    effective_servers: list[dict[str, Any]]
    extensions: dict[str, Any]
    policy: dict[str, Any]
    lineage: list[LineageRow]
    decisions: list[DecisionRow]
    warnings: list[str]
    metadata: dict[str, Any]
    explain: dict[str, ExplainedValue] | None = Field(
        default=None, description="by dotted path; only where it was asked for"
    )


class BrokenRow(_Strict):
    """A profile, or a registry as a whole, that a source holds and that cannot be used as it stands there."""

    registry: str
    profile: str
    error: str


class FindingRow(_Strict):
    """One thing wrong in a source; those that are not blocking are warnings."""

    registry: str
    profile: str
    field: str
    reason: str
    place: str
    blocking: bool


class OverlapRow(_Strict):
    """A profile that two sources hold, and the other source."""

    profile: str
    source: str


class SourceRow(_Strict):
    """One source of the chain."""

    source: str = Field(description="its URL, credentials masked")
    kind: str
    writable: bool
    is_writer: bool
    trusted: bool
    health: str = Field(description="`ok`, `broken`, `stale`, `unavailable` or `skipped`")
    error: str
    stale_since_ms: int | None
    registries: list[str]
    profile_count: int
    size_bytes: int | None = Field(description="of its files or tables; null where nobody can say")
    schema_version: int | None = Field(description="of a database: which migrations it has had")
    seq: int | None = Field(description="of a database: the number of its last change")
    broken: list[BrokenRow]
    findings: list[FindingRow]
    shadows: list[OverlapRow]
    shadowed_by: list[OverlapRow]


class SourceList(_Strict):
    """Every source of the chain, the lowest first."""

    items: list[SourceRow]


class Health(_Strict):
    """That the server answers; once it is ready, from which state of its sources."""

    status: str
    generation: int | None = None


class FieldError(BaseModel):
    """One fault of a request or of a stored document."""

    field: str
    reason: str
    place: str | None = None


class ProblemDocument(BaseModel):
    """What went wrong (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    field: str | None = None
    errors: list[FieldError] | None = None
    current_version: int | None = None
    decisions: list[DecisionRow] | None = None
    omitted: int | None = Field(default=None, description="rows of long lists that are left out")
