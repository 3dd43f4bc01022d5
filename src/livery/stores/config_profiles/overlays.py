"""From the files to records: an overlay with its entry is a profile, the base file the ``default`` one."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from livery.core.names import Reference
from livery.core.profile import Metadata, Profile, Registry, RuntimeSpec
from livery.errors import LiveryError, SourceNotFound, SourceUnavailable, ValidationError
from livery.formats.manifest import BASE, NAME_RULE, Entry, Manifest, folded_name
from livery.formats.manifest_records import metadata_of, version_of
from livery.formats.overlay import Overlay, read_base, read_overlay
from livery.stores.config_profiles.layout import Layout
from livery.stores.files import digest, read_file


class Base(NamedTuple):
    """The base file: what it sets, its bytes (None: there is no file), and why it cannot be used."""

    overlay: Overlay
    data: bytes | None = None
    error: LiveryError | None = None

    def demand_sound(self) -> None:
        if self.error is not None:
            raise self.error


def base_of(layout: Layout, found: bytes | LiveryError) -> Base:
    """The base that a file with this content is, or that cannot be read for this reason; a missing one is empty."""
    nothing = read_base("", str(layout.base))
    if isinstance(found, SourceNotFound):
        if os.path.lexists(layout.base):
            return Base(nothing, error=SourceUnavailable(str(layout.base), "it is a link that leads to nothing"))
        return Base(nothing)
    if isinstance(found, LiveryError):
        return Base(nothing, error=found)
    try:
        return Base(sound(read_base(found, str(layout.base))), found)
    except ValidationError as error:
        return Base(nothing, found, error)


def sound(overlay: Overlay) -> Overlay:
    """The overlay, if nothing is wrong with it; else a ValidationError with every fault."""
    if overlay.faults:
        raise ValidationError.of(overlay.faults)
    return overlay


def sound_overlay(data: bytes, path: Path) -> Overlay:
    """What the file of an overlay says; a ValidationError with every fault and its line."""
    return sound(read_overlay(data, str(path)))


def default_profile(layout: Layout, manifest: Manifest, base: Base) -> Profile:
    """The profile that the base file is."""
    base.demand_sound()
    return Profile(slug=BASE, registry=layout.slug, runtime=_runtime(base), metadata=base_metadata(manifest, base))


def registry_head(layout: Layout, manifest: Manifest, base: Base) -> Registry:
    """The registry without its profiles; it is at the version of the base file."""
    metadata = replace(
        base_metadata(manifest, base),
        runtime_version=UNSET,
        last_applied_at_ms=UNSET,
        deleted_versions=manifest.deleted_versions,
    )
    return Registry(
        slug=layout.slug,
        default_profile_slug=BASE,
        defaults=_runtime(base),
        settings_schema="free",
        metadata=metadata,
    )


def _runtime(base: Base) -> RuntimeSpec:
    return RuntimeSpec(step_settings_patch=base.overlay.settings) if base.overlay.settings else RuntimeSpec()


def base_metadata(manifest: Manifest, base: Base) -> Metadata:
    """What is recorded of the base file."""
    return metadata_at(manifest.base, digest(base.data or b""))


def heading(layout: Layout, entry: Entry, told: str = "") -> Profile:
    """What the manifest alone says of a profile; ``told`` is the digest of its file, where that is known."""
    metadata = metadata_at(entry.fields, told) if told else metadata_of(entry.fields)
    return Profile(slug=entry.name, registry=layout.slug, description=description_of(entry.fields), metadata=metadata)


def profile_of(layout: Layout, entry: Entry, path: Path, data: bytes) -> Profile:
    """The profile that an entry and its file make; a ValidationError with every fault of the file."""
    overlay = sound_overlay(data, path)
    return replace(
        heading(layout, entry, digest(data)),
        extends=_extends(layout, overlay, data, path),
        runtime=RuntimeSpec(step_settings_patch=overlay.settings) if overlay.settings else RuntimeSpec(),
    )


def _extends(layout: Layout, overlay: Overlay, data: bytes, path: Path) -> tuple[Reference, ...] | UnsetType:
    """The bases of a profile; that it stands on ``default`` goes without saying."""
    if overlay.extends is None:
        return UNSET
    names = [folded_name(name) for name in overlay.extends]
    if None in names:
        from livery.formats.toml_places import locate_toml

        reason = f"{overlay.extends[names.index(None)][:80]!r} is no name of a profile: {NAME_RULE}"
        (place,) = locate_toml(data.decode(), str(path), [("_profile", "extends")])
        raise ValidationError("extends", reason, place)
    return tuple(dict.fromkeys(Reference(layout.slug, name) for name in names if name is not None and name != BASE))


def bases_of(layout: Layout, manifest: Manifest) -> dict[str, tuple[Reference, ...]]:
    """What the profiles extend, as far as they say so and can be read; most need no more than a look."""
    found: dict[str, tuple[Reference, ...]] = {}
    for name, entry in manifest.entries.items():
        with suppress(LiveryError):
            path, data = overlay_content(layout, entry)
            if b"extends" in data or b"\\" in data:  # escapes may spell it too
                bases = _extends(layout, sound_overlay(data, path), data, path)
                found |= {name: bases} if bases else {}
    return found


def description_of(fields: Mapping[str, Any]) -> str:
    """The description in an entry; anything but text is as good as none."""
    description = fields.get("description")
    return description if type(description) is str else ""


def metadata_at(fields: Mapping[str, Any], told: str) -> Metadata:
    """What was recorded of a file that has this digest now.

    A record is of the content that it names. Other content was edited by hand, or its writer died before it had
    recorded it: it is the next version, written by nobody knows whom.
    """
    recorded = fields.get("digest")
    if not isinstance(recorded, str) or recorded == told:
        return metadata_of(fields)
    metadata = metadata_of(fields, version_of(fields) + 1)
    return replace(metadata, runtime_version=UNSET, updated_by="", source="")


def overlay_content(layout: Layout, entry: Entry, read: Callable[[Path], bytes] = read_file) -> tuple[Path, bytes]:
    """The file of an entry; SourceNotFound, naming both, where it is not there, a ValidationError for a bad path."""
    path = layout.overlay(entry)
    try:
        return path, read(path)
    except SourceNotFound:
        where = f"(profile {entry.name!r} is listed in {layout.manifest}; put the file back, or delete the profile)"
        raise SourceNotFound(str(path), where=where) from None
