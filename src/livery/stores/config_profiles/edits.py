"""From records to files: the text of an overlay or of the base file after a change. Comments and order stay."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import UNSET

from livery.core.profile import Profile
from livery.core.values import same
from livery.errors import Place, ValidationError
from livery.formats.manifest import BASE, folded_name
from livery.formats.overlay import Overlay, read_base
from livery.formats.overlay_changes import overlay_changes
from livery.formats.toml_edit import edit_toml
from livery.stores.config_profiles.overlays import Base, sound, sound_overlay


def overlay_text(path: Path, old: bytes, profile: Profile, base: Base) -> bytes:
    """The file of an overlay with a profile's settings and bases in place of what it says now."""
    before = sound_overlay(old, path)
    settings = settings_of(profile.runtime.step_settings_patch)
    changes = overlay_changes(before, _extends(before, profile), settings, base.overlay.document)
    new = edit_toml(old.decode(), changes, str(path)).encode()
    _demand_meant(sound_overlay(new, path), settings, path)
    return new


def _extends(before: Overlay, profile: Profile) -> tuple[str, ...] | None:
    """The bases to be written: as they stand, where that says the same; ``default`` is under every profile anyway."""
    wanted = tuple(base.profile for base in profile.bases)
    if before.extends and tuple(name for name in map(folded_name, before.extends) if name != BASE) == wanted:
        return before.extends
    return wanted if profile.extends is not UNSET else None


def base_text(path: Path, base: Base, settings: Mapping[str, Any]) -> bytes:
    """The base file with these settings in place of what it says now."""
    changes = overlay_changes(base.overlay, None, dict(settings), base.overlay.document)
    new = edit_toml((base.data or b"").decode(), changes, str(path)).encode()
    _demand_meant(sound(read_base(new, str(path))), settings, path)
    return new


def settings_of(patch: Any) -> dict[str, Any]:
    """The settings of a document as a mapping: absent ones are empty."""
    return patch if isinstance(patch, dict) else {}


def _demand_meant(after: Overlay, settings: Mapping[str, Any], path: Path) -> None:
    """ValidationError where the new text would not say what was asked for."""
    if not same(meaning(after.settings), meaning(settings)):
        reason = "cannot be written in TOML without loss; make this change by hand"
        raise ValidationError("runtime.step_settings_patch", reason, Place(str(path)))


def meaning(value: Any) -> Any:
    """Settings in one of the forms that mean the same: ``null`` for an unset, a plain list for a replaced one."""
    if isinstance(value, Mapping):
        if value.keys() == {"$unset"}:
            return None
        if value.keys() == {"$replace"} and not isinstance(value["$replace"], Mapping):
            return meaning(value["$replace"])
        if value.keys() == {"$literal"}:
            return meaning(value["$literal"])
        return {key: meaning(child) for key, child in value.items()}
    return [meaning(item) for item in value] if isinstance(value, list) else value
