"""The answer of a resolution: the effective runtime, where it came from, and its identity."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from livery.core.effective import runtime_document
from livery.core.merge import Merged
from livery.core.paths import SETTINGS
from livery.core.policy import Decision
from livery.core.profile import PolicySpec
from livery.core.schema import SettingsSchema
from livery.core.selection import Selection
from livery.core.values import hidden, revealed


class LineageEntry(NamedTuple):
    """One profile of a lineage, its versions, and the sources that hold a layer of it, lowest first."""

    registry: str
    profile: str
    version: int
    runtime_version: int
    source: str


class ResolvedProfile:
    """The effective runtime of one profile: immutable, and safe to share and to print.

    ``effective_*`` and ``extensions`` give a fresh copy on every access, with secret references as they were written
    and secret literals in clear (they are for engines); :meth:`document` and :meth:`explain` show neither.
    """

    __slots__ = (
        "decisions", "effective", "lineage", "merged", "policy", "runtime_digest", "runtime_fingerprint", "runtime_key",
        "schema", "selection", "warnings",
    )  # fmt: skip

    def __init__(
        self,
        *,
        selection: Selection,
        runtime_key: str,
        lineage: tuple[LineageEntry, ...],
        policy: PolicySpec,
        decisions: tuple[Decision, ...],
        warnings: tuple[str, ...],
        runtime_digest: str,
        runtime_fingerprint: str,
        effective: Mapping[str, Any],
        merged: Merged,
        schema: SettingsSchema,
    ) -> None:
        self.selection = selection
        self.runtime_key = runtime_key
        self.lineage = lineage
        self.policy = policy
        self.decisions = decisions
        self.warnings = warnings
        self.runtime_digest = runtime_digest
        self.runtime_fingerprint = runtime_fingerprint
        self.effective = effective
        self.merged = merged
        self.schema = schema

    def __repr__(self) -> str:
        return f"ResolvedProfile({self.registry_slug}/{self.profile_slug}, {self.runtime_fingerprint})"

    @property
    def registry_slug(self) -> str:
        """The registry of the selected profile; empty where base settings alone were resolved."""
        return self.selection.reference.registry if self.selection.reference else ""

    @property
    def profile_slug(self) -> str:
        return self.selection.reference.profile if self.selection.reference else ""

    @property
    def effective_step_settings(self) -> dict[str, Any]:
        """Section to field to value, defaults included, without ``null`` and directives."""
        settings: dict[str, Any] = revealed(self.effective[SETTINGS])
        return settings

    @property
    def effective_system_prompt(self) -> str:
        prompt: str = revealed(self.effective["system_prompt"])
        return prompt

    @property
    def effective_middlewares(self) -> list[dict[str, Any]]:
        """``{name, id, enabled, config}`` in order; those switched off are there with ``enabled: false``."""
        middlewares: list[dict[str, Any]] = revealed(list(self.effective["middlewares"].values()))
        return middlewares

    @property
    def effective_tools(self) -> list[str]:
        return list(self.effective["tools"])

    @property
    def effective_servers(self) -> list[dict[str, Any]]:
        servers: list[dict[str, Any]] = revealed(list(self.effective["servers"].values()))
        return servers

    @property
    def extensions(self) -> dict[str, Any]:
        extensions: dict[str, Any] = revealed(self.effective["extensions"])
        return extensions

    @property
    def metadata(self) -> dict[str, Any]:
        """The flat keys that logs, turns and tool calls carry."""
        selected = self.lineage[-1] if self.lineage else LineageEntry("", "", 0, 0, "")
        return {
            "profile.registry.slug": selected.registry,
            "profile.slug": selected.profile,
            "profile.version": selected.version,
            "profile.source": selected.source,
            "profile.runtime_fingerprint": self.runtime_fingerprint,
        }

    def document(self) -> dict[str, Any]:
        """The resolution as JSON values with secrets redacted: what every output prints."""
        shown = hidden(runtime_document(self.effective))
        return {
            "registry_slug": self.registry_slug,
            "profile_slug": self.profile_slug,
            "runtime_key": self.runtime_key,
            "runtime_fingerprint": self.runtime_fingerprint,
            "runtime_digest": self.runtime_digest,
            "selected_by": self.selection.how,
            "fallback": self.selection.fallback,
            "effective_step_settings": shown["settings"],
            "effective_system_prompt": shown["system_prompt"],
            "effective_middlewares": shown["middlewares"],
            "effective_tools": shown["tools"],
            "effective_servers": shown["servers"],
            "extensions": hidden(self.effective["extensions"]),
            "policy": _policy_document(self.policy),
            "lineage": [entry._asdict() for entry in self.lineage],
            "decisions": [decision._asdict() for decision in self.decisions],
            "warnings": list(self.warnings),
            "metadata": self.metadata,
        }


def _policy_document(policy: PolicySpec) -> dict[str, Any]:
    document: dict[str, Any] = msgspec.to_builtins(policy)
    return {"allow_overrides": False, "read_only": False, **document}
