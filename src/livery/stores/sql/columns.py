"""The columns of profiles and registries, in the order in which rows are written and read."""

from __future__ import annotations

from typing import Final

HEADING_COLUMNS: Final = (
    "registry_slug", "slug", "display_name", "description", "policy_json", "version", "created_at_ms", "updated_at_ms",
    "created_by", "updated_by", "metadata_json", "runtime_version", "last_applied_at_ms",
)  # fmt: skip
"""What a profile has besides its runtime, bases and extensions."""

PROFILE_COLUMNS: Final = (*HEADING_COLUMNS, "runtime_json", "extends_json", "extensions_json", "typed_json")
REGISTRY_COLUMNS: Final = (
    "slug", "display_name", "default_profile_slug", "created_at_ms", "updated_at_ms", "metadata_json", "description",
    "version", "defaults_json", "enforced_json", "policy_json", "callers_json", "fallback", "settings_schema",
    "foreign_sections_json", "created_by", "updated_by", "last_applied_at_ms", "typed_json",
)  # fmt: skip
KEPT_METADATA: Final = ("source", "tags", "deleted_versions")
"""What of the metadata has no column of its own and stands in ``metadata_json``."""


def selected(columns: tuple[str, ...], alias: str) -> str:
    """Columns as a statement names them."""
    return ", ".join(f"{alias}.{column}" for column in columns)
