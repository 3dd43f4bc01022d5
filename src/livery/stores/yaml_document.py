"""Where in a registry file a registry, a profile or a field stands, and which edits a change of one is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from livery.core.profile import Profile, Registry
from livery.core.values import same
from livery.formats.edits import Drop, Put
from livery.formats.registry_yaml import OLD_PROFILE_FIELDS, RegistryFile, path_of_field


def profile_changes(file: RegistryFile, stored: Profile | None, saved: Profile) -> list[Any]:
    """The edits for a profile: of a document in today's form only the fields that differ."""
    path = (*container_of(file, saved.registry), "profiles", written_name(file, saved.registry, saved.slug))
    before, new = value_at(file.document, path), saved.document()
    if stored is None or not isinstance(before, dict) or any(field in before for field in OLD_PROFILE_FIELDS):
        return [Put(path, new)]
    old = stored.document()
    drops = [Drop((*path, key)) for key in old if key not in new]
    puts = [Put((*path, key), value) for key, value in new.items() if not same(old.get(key), value)]
    return [*drops, *puts]


def head_changes(file: RegistryFile, stored: Registry | None, saved: Registry) -> list[Any]:
    """The edits for a registry's own fields."""
    path = container_of(file, saved.slug)
    new = saved.head()
    if stored is None:
        head = {key: value for key, value in new.items() if key != "slug" or not path}
        profiles = {slug: profile.document() for slug, profile in saved.profiles.items()}
        return [Put((*path, key), value) for key, value in {**head, "profiles": profiles}.items()]
    old = stored.head()
    drops = [Drop((*path, key)) for key in old if key not in new]
    puts = [Put((*path, key), value) for key, value in new.items() if not same(old.get(key), value)]
    return [*drops, *puts]


def container_of(file: RegistryFile, registry: str) -> tuple[str, ...]:
    """The path of a registry's mapping in the file."""
    if file.shape != "bundle":
        return ()
    keys = [key for key in file.document["registries"] if key.strip().lower() == registry]
    return ("registries", keys[0] if keys else registry)


def path_in_file(file: RegistryFile, registry: str, profile: str, field: str) -> tuple[str | int, ...]:
    """Where a field of a registry or profile stands in the file, also in the older forms of a profile."""
    path: tuple[str | int, ...] = container_of(file, registry)
    if profile:
        name = written_name(file, registry, profile)
        path = (*path, name) if file.shape == "legacy" else (*path, "profiles", name)
    document = value_at(file.document, path)
    return (*path, *path_of_field(document, _as_written(field, document, file.shape)))


def _as_written(field: str, document: Any, shape: str) -> str:
    """A field under the name that it has in an older form."""
    if field.startswith("extends") and isinstance(document, dict) and "stack" in document:
        return "stack" + field.removeprefix("extends")
    setting = field.removeprefix("runtime.step_settings_patch.")
    if setting == field:
        return field
    if shape == "legacy":
        from livery.settings import legacy_of_settings  # only where somebody asks for lines of such a file

        return ".".join(legacy_of_settings(tuple(setting.split("."))) or (setting,))
    if isinstance(document, dict) and "inference_settings" in document:
        return f"inference_settings.{setting}"
    return field


def written_name(file: RegistryFile, registry: str, slug: str) -> str:
    """The key under which a profile stands, as it is written."""
    held = value_at(file.document, container_of(file, registry)) or {}
    profiles = held if file.shape == "legacy" else held.get("profiles") or {}
    return next((key for key in profiles if key.strip().lower() == slug), slug)


def value_at(document: Any, path: Sequence[str | int]) -> Any:
    for part in path:
        if not isinstance(document, dict) or part not in document:
            return None
        document = document[part]
    return document
