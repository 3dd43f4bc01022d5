"""What the files of a profile store have to say alike, and where ``runtime.yaml`` overrules a profile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from livery.core.paths import SETTINGS, Path, text_of
from livery.core.redact import redact
from livery.core.schema import SettingsSchema
from livery.core.values import same
from livery.settings.schema import schema_named

SHARED = ("rpc", "observability")
"""What one process has once: it cannot be another thing for each profile."""

Settings = Mapping[str, Any]
_ADVICE = "; set it once, in runtime.yaml"
_NOTHING = object()


class Remark(NamedTuple):
    """Something to say of a setting of a profile."""

    path: Path
    reason: str


def disagreements(profile: str, settings: Settings, default: Settings, runtime: Settings) -> list[Remark]:
    """Where a profile has something else for the whole process than the profile ``default``, beneath ``runtime``."""
    schema = schema_named("profile-store")
    own, others = ({**_leaves(whole), **_leaves(runtime)} for whole in (settings, default))
    paths = [path for path in dict.fromkeys([*own, *others]) if path[0] in SHARED]
    pairs = ((path, _value(own, path, schema), _value(others, path, schema)) for path in paths)
    return [
        Remark(path, _difference(profile, path, one, other, schema))
        for path, one, other in pairs
        if not same(one, other)
    ]


def shadowed(settings: Settings, runtime: Settings) -> Iterator[Remark]:
    """The settings of a profile that ``runtime.yaml`` gives another value."""
    schema = schema_named("profile-store")
    winners = _leaves(runtime)
    for path, value in _leaves(settings).items():
        winner = winners.get(path, _NOTHING)
        if winner is not _NOTHING and not same(winner, value):
            told = _told(path, winner, schema)
            yield Remark(path, f"is set by runtime.yaml{f' ({told})' if told else ''} and has no effect here")


def _difference(profile: str, path: Path, own: Any, other: Any, schema: SettingsSchema) -> str:
    here, there = _told(path, own, schema), _told(path, other, schema)
    told = f" {here} here, {there} in default" if here and there else " differs from default's"
    return f"profile {profile!r}: {path[0]} config must match across profiles ({text_of(path)}{told}){_ADVICE}"


def _leaves(value: Any, path: Path = ()) -> dict[Path, Any]:
    """Every value that is no mapping, by its path."""
    if not isinstance(value, Mapping):
        return {path: value}
    return {leaf: found for key, child in value.items() for leaf, found in _leaves(child, (*path, key)).items()}


def _value(leaves: Mapping[Path, Any], path: Path, schema: SettingsSchema) -> Any:
    return leaves[path] if path in leaves else (schema.node(path) or {}).get("default")


def _told(path: Path, value: Any, schema: SettingsSchema) -> str:
    """A value in a few words; empty where it holds a secret."""
    if redact(value, schema, (SETTINGS, *path)) != value:
        return ""
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 60 else text[:57] + "..."
