"""Where in its file a field of a profile or of the base stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from livery.errors import Place
from livery.formats.overlay import Overlay
from livery.formats.registry_yaml import path_of_field
from livery.formats.toml_places import locate_toml

Path = tuple[str | int, ...]
_SETTINGS = ("runtime.step_settings_patch", "defaults.step_settings_patch")
_DIRECTIVES = {"$append": "append", "$prepend": "prepend", "$remove": "remove", "$replace": "unset"}


def locate(text: str, file: str, overlay: Overlay, fields: list[str]) -> list[Place | None]:
    """File and line of each field; of a setting that is unset or edited, those of the directive."""
    return [place or Place(file) for place in locate_toml(text, file, [_path(overlay, field) for field in fields])]


def _path(overlay: Overlay, field: str) -> Path:
    if field.startswith("extends"):
        return ("_profile", "extends")
    for prefix in _SETTINGS:
        if field.startswith(prefix):
            return _path_of_setting(overlay, field.removeprefix(prefix))
    return ()


def _path_of_setting(overlay: Overlay, rest: str) -> Path:
    written = path_of_field(overlay.document, rest)
    asked = path_of_field(overlay.settings, rest)
    directive = _directive(overlay.settings, asked)
    return ("_profile", directive) if directive and len(written) < len(asked) else written


def _directive(settings: Any, path: Path) -> str:
    """The table of ``[_profile]`` that says something of a path, or of what it is in; empty where none does."""
    for part in path:
        settings = settings[part]
        if settings is None:
            return "unset"
        if isinstance(settings, Mapping):
            found = next((name for key, name in _DIRECTIVES.items() if key in settings), "")
            if found:
                return found
    return ""
