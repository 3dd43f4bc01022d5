"""The records: a profile, its runtime and policy, a registry. Frozen values; "change" means a new value.

They hold documents as they were written, with directives and ``null`` in place; :mod:`livery.core.resolve` makes the
effective runtime of them. ``UNSET`` is a field that the document does not have.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

from livery.core.names import Reference
from livery.core.values import TypedText

Json = Any
_TEXTS = (TypedText,)


class RuntimeSpec(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a profile asks of the runtime; each field is partial and may hold directives (``{"$append": [...]}``).

    ``step_settings_patch`` maps section to field to value; ``middlewares`` are ``{name, id?, enabled?, config?}``,
    merged by (name, id); ``servers`` are MCP servers, merged by name; ``tools`` are tool ids.
    """

    step_settings_patch: dict[str, Json] | UnsetType | None = UNSET
    system_prompt: str | dict[str, Json] | UnsetType | None = UNSET
    middlewares: list[dict[str, Json]] | dict[str, Json] | UnsetType | None = UNSET
    tools: list[str] | dict[str, Json] | UnsetType | None = UNSET
    servers: list[dict[str, Json]] | dict[str, Json] | UnsetType | None = UNSET

    def __repr__(self) -> str:
        """Without the values, which may be secrets: a record in a log or a traceback shows only what it sets."""
        return f"RuntimeSpec({', '.join(self.given())})"

    def given(self) -> dict[str, Any]:
        """The fields that the document has, as they were written; shared with it, not to be changed."""
        fields = {name: getattr(self, name) for name in self.__struct_fields__}
        return {name: value for name, value in fields.items() if value is not UNSET}


class PolicySpec(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a request may override, and whether the profile may be written.

    ``allow_overrides`` absent inherits, and everything is denied where nobody says true. ``allowed_override_keys``
    absent allows all but sensitive keys, an empty list nothing. Patterns: ``chat.temperature``, ``chat.*``, ``*``.
    """

    allow_overrides: bool | UnsetType = UNSET
    allowed_override_keys: tuple[str, ...] | UnsetType = UNSET
    denied_override_keys: tuple[str, ...] = ()
    read_only: bool = False


class Metadata(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the store keeps of a document: version (from 1), who, and when (UTC epoch milliseconds)."""

    source: str = ""
    version: int = 1
    runtime_version: int | UnsetType = UNSET
    created_at_ms: int | UnsetType = UNSET
    updated_at_ms: int | UnsetType = UNSET
    last_applied_at_ms: int | UnsetType = UNSET
    created_by: str = ""
    updated_by: str = ""
    tags: tuple[str, ...] | UnsetType = UNSET
    deleted_versions: dict[str, int] = {}
    """Of a registry: the last versions of profiles that were deleted, so that versions never start anew."""


class Profile(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A named runtime preset and its policy, as written in one source or merged over several.

    ``extends`` are its bases in order. Equal profiles compare equal; ``document()`` is the JSON form.
    """

    slug: str
    registry: str = ""
    display_name: str = ""
    description: str = ""
    extends: tuple[Reference, ...] | UnsetType = UNSET
    runtime: RuntimeSpec = RuntimeSpec()
    policy: PolicySpec = PolicySpec()
    metadata: Metadata = Metadata()
    extensions: dict[str, Json] = {}

    def __repr__(self) -> str:
        return f"Profile({self.reference}, version {self.version}, {self.runtime!r})"

    @property
    def reference(self) -> Reference:
        return Reference(self.registry, self.slug)

    @property
    def bases(self) -> tuple[Reference, ...]:
        """``extends``, empty where the document has none."""
        return self.extends if self.extends is not UNSET else ()

    @property
    def version(self) -> int:
        return self.metadata.version

    @property
    def runtime_version(self) -> int:
        """The version at which ``extends`` or ``runtime`` last changed."""
        version = self.metadata.runtime_version
        return version if version is not UNSET else self.metadata.version

    def document(self) -> dict[str, Any]:
        """The profile as JSON values, without its slug and registry: what stands under its name in a registry."""
        fields: dict[str, Any] = msgspec.to_builtins(self, builtin_types=_TEXTS)
        del fields["slug"]
        fields.pop("registry", None)
        if self.extends is not UNSET:
            fields["extends"] = [base.profile if base.registry == self.registry else str(base) for base in self.extends]
        return {name: value for name, value in fields.items() if value != {} or name == "extends"}


class Registry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A named set of profiles with a default, registry-level settings and a caller map, as written in one source."""

    slug: str
    display_name: str = ""
    description: str = ""
    default_profile_slug: str = ""
    defaults: RuntimeSpec = RuntimeSpec()
    enforced: RuntimeSpec = RuntimeSpec()
    policy: PolicySpec = PolicySpec()
    callers: dict[str, str] = {}
    fallback: str = ""
    settings_schema: str = ""
    foreign_sections: tuple[str, ...] = ()
    profiles: dict[str, Profile] = {}
    metadata: Metadata = Metadata()

    @property
    def version(self) -> int:
        return self.metadata.version

    def __repr__(self) -> str:
        return f"Registry({self.slug}, version {self.version}, {len(self.profiles)} profiles)"

    def head(self) -> dict[str, Any]:
        """The registry-level fields as JSON values, without the profiles."""
        fields: dict[str, Any] = msgspec.to_builtins(msgspec.structs.replace(self, profiles={}), builtin_types=_TEXTS)
        return {name: value for name, value in fields.items() if value != {}}

    def document(self) -> dict[str, Any]:
        """The whole registry as JSON values, profiles included."""
        profiles = {slug: profile.document() for slug, profile in self.profiles.items()}
        head = self.head()
        metadata = head.pop("metadata", None)
        return {**head, "profiles": profiles, **({"metadata": metadata} if metadata else {})}


class ResolveInput(Struct, frozen=True, kw_only=True):
    """What to resolve: which profile (none: the default), over which base, with what a request asks for.

    ``base_step_settings`` come from the host application, ``operator_layers`` (name, runtime document) from its
    environment and flags, never from a network request. ``request_overrides`` is
    ``{system_prompt?, middlewares?, tools?, step_settings_patch?}`` or the short form ``{"chat.temperature": 0.2}``.
    """

    registry_slug: str | None = None
    profile_slug: str | None = None
    caller: str | None = None
    runtime_key_fallback: str | None = None
    base_step_settings: Mapping[str, Any] | None = None
    operator_layers: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    app_policy: PolicySpec | None = None
    request_overrides: Mapping[str, Any] | None = None

    def __repr__(self) -> str:
        given = [name for name in self.__struct_fields__ if getattr(self, name)]
        return f"ResolveInput({', '.join(given)})"  # names alone: the values may hold secrets


_ENCODER = msgspec.msgpack.Encoder(enc_hook=str)


def mark(record: Profile | Registry) -> bytes:
    """A short digest, equal for equal records (but for the order of keys): it stands for a record in comparisons."""
    return blake2b(_ENCODER.encode(record), digest_size=16).digest()


def equal(one: Profile | Registry, other: Profile | Registry) -> bool:
    """Whether two records say the same, values told apart as JSON does: Python calls 1 and true equal."""
    return one is other or (one == other and _ENCODER.encode(one) == _ENCODER.encode(other))
