"""A directory of config profiles as people and programs leave them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from livery.core.profile import Profile, RuntimeSpec
from livery.stores.config_profiles import ConfigProfilesStore

BASE = """\
# the base
name = "wa"  # who we are

[log]
level = "info"
format = "pretty"
"""
OVERLAY = """\
# louder
[log]
level = "debug"  # all of it
"""


def directory(path: Path, **overlays: str) -> Path:
    """A directory `wa` with a base file, these overlays and a manifest that lists them."""
    profiles = path / "wa" / "profiles"
    profiles.mkdir(parents=True)
    (path / "wa" / "wa.toml").write_text(BASE)
    for name, text in overlays.items():
        (profiles / f"{name}.toml").write_text(text)
    write_manifest(path / "wa", *({"name": name, "path": f"{name}.toml"} for name in overlays))
    return path / "wa"


def opened_up(path: Path) -> Path:
    """A path to which the way is open for every user."""
    for part in (path, *path.parents):
        if part.stat().st_uid == os.geteuid() and part != Path(part.anchor):
            part.chmod(part.stat().st_mode | 0o055)
    return path


def write_manifest(path: Path, *entries: Any, **top: Any) -> Path:
    manifest = path / "profiles" / "manifest.json"
    manifest.write_text(json.dumps({"version": 1, "profiles": entries, **top}))
    return manifest


def manifest_of(path: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((path / "profiles" / "manifest.json").read_text())
    return read


def entry_of(path: Path, name: str) -> dict[str, Any]:
    entry: dict[str, Any] = next(entry for entry in manifest_of(path)["profiles"] if entry["name"] == name)
    return entry


def listed(store: ConfigProfilesStore) -> list[str]:
    (registry,) = store.load_registries().registries
    return list(registry.profiles)


def notices(store: ConfigProfilesStore) -> str:
    return "\n".join(str(notice.fault) for notice in store.load_registries().notices)


def whole(store: ConfigProfilesStore, slug: str) -> Profile:
    found = store.get_profile("wa", slug)
    assert found is not None
    return found


def overlay(slug: str, **settings: Any) -> Profile:
    return Profile(slug=slug, registry="wa", runtime=RuntimeSpec(step_settings_patch=settings))
