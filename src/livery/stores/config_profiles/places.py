"""Where in its file a field of a profile or of the base stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from livery.errors import Place
from livery.formats.overlay import PROFILE, Overlay, directives_of
from livery.formats.registry_yaml import path_of_field
from livery.formats.toml_places import locate_toml

Path = tuple[str | int, ...]
_SETTINGS = ("runtime.step_settings_patch", "defaults.step_settings_patch")


class _Directives(NamedTuple):
    """Where ``[_profile]`` says something of a path, and these paths as tables within tables."""

    places: Mapping[Path, Path]
    tree: Mapping[str | int, Any]


def locate(text: str, file: str, overlay: Overlay, fields: list[str]) -> list[Place | None]:
    """File and line of each field; of a setting that is unset or edited, those of the directive."""
    directives = _directives(overlay)
    paths = [_path(overlay, directives, field) for field in fields]
    return [place or Place(file) for place in locate_toml(text, file, paths)]


def _directives(overlay: Overlay) -> _Directives:
    """The directives of a file; of several for one path that which counts first."""
    told = directives_of(overlay.document.get(PROFILE, {}), [], [])
    edits = [(names, at) for by_names in reversed(told.edits.values()) for names, (at, _) in by_names.items()]
    found: list[tuple[Path, Path]] = [*edits, *told.unset.items()]
    return _Directives(dict(found), _tree(names for names, _ in found))


def _path(overlay: Overlay, directives: _Directives, field: str) -> Path:
    if field.startswith("extends"):
        return (PROFILE, "extends")
    for prefix in _SETTINGS:
        if field.startswith(prefix):
            return _path_of_setting(overlay, directives, field.removeprefix(prefix))
    return ()


def _path_of_setting(overlay: Overlay, directives: _Directives, rest: str) -> Path:
    written = path_of_field(overlay.document, rest)
    asked = path_of_field(directives.tree, rest)
    depth = next((depth for depth in range(len(asked), 0, -1) if asked[:depth] in directives.places), 0)
    is_itself_written = len(written) > depth or not isinstance(_at(overlay.document, written), Mapping)
    return directives.places[asked[:depth]] if depth and not is_itself_written else written


def _tree(paths: Iterable[Path]) -> dict[str | int, Any]:
    tree: dict[str | int, Any] = {}
    for path in paths:
        table = tree
        for part in path:
            table = table.setdefault(part, {})
    return tree


def _at(value: Any, path: Path) -> Any:
    for part in path:
        value = value[part]
    return value
