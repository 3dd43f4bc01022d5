"""A registry out of a profile store's files. What is broken breaks itself and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from livery.core.names import nearest, profile_slug
from livery.core.paths import text_of
from livery.core.profile import Profile, Registry, RuntimeSpec
from livery.errors import Fault, LiveryError, Place, SourceUnavailable, ValidationError
from livery.formats.profile_store import CallersFile, ProfileFile, RuntimeFile
from livery.stores.profile_store.agreement import Remark, disagreements, shadowed
from livery.stores.profile_store.layout import shown
from livery.stores.profile_store.parts import Parts, has_old_form, old_form
from livery.stores.profile_store.places import caller_spot, places_of, setting_spot
from livery.stores.protocols import BrokenItem, Notice

DEFAULT = "default"
SCHEMA = "profile-store"

_MOST_PLACES = 50  # a line is found by going through its file once more


class Reading(NamedTuple):
    """What a store holds: ``registry``, None where it was deleted, has the sound profiles alone."""

    parts: Parts
    registry: Registry | None
    broken: tuple[BrokenItem, ...] = ()
    notices: tuple[Notice, ...] = ()

    def error_of(self, profile: str) -> LiveryError | None:
        """Why a profile (empty: the registry itself) cannot be used."""
        return next((item.error for item in self.broken if item.profile == profile), None)


def reading_of(parts: Parts, slug: str) -> Reading:
    """The registry ``slug`` that the files are."""
    if parts.layout.is_empty and parts.sidecar.sidecar.deleted_registry_version:
        return Reading(parts, None)
    errors = {
        **{name: file for name, file in parts.profiles.items() if isinstance(file, LiveryError)},
        **_missing(parts),
        **_disagreeing(parts),
        **_misnamed(parts),
    }
    head = _head_faults(parts)
    broken = [BrokenItem(slug, "", ValidationError.of(head))] if head else []
    broken += [BrokenItem(slug, name, errors[name]) for name in sorted(errors)]
    sound = {name: file for name, file in sorted(parts.sound_profiles().items()) if name not in errors}
    return Reading(parts, _registry(parts, slug, sound), tuple(broken), tuple(_notices(parts, slug, sound)))


def _registry(parts: Parts, slug: str, files: dict[str, ProfileFile]) -> Registry:
    records = parts.sidecar.sidecar
    gone = {name: records.last_version(name) for name in records.profiles if name not in parts.profiles}
    metadata = records.registry_metadata(parts.digest_of_registry(), {**records.deleted_versions, **gone})
    return Registry(
        slug=slug,
        default_profile_slug=DEFAULT,
        enforced=RuntimeSpec(step_settings_patch=dict(parts.settings)) if parts.settings else RuntimeSpec(),
        callers=dict(parts.caller_map),
        fallback=parts.fallback,
        settings_schema=SCHEMA,
        profiles={name: _profile(parts, slug, name, file) for name, file in files.items()},
        metadata=metadata,
    )


def _profile(parts: Parts, registry: str, slug: str, file: ProfileFile) -> Profile:
    metadata = parts.sidecar.sidecar.profile_metadata(slug, parts.digest_of_profile(slug))
    return Profile(slug=slug, registry=registry, runtime=runtime_of(file), metadata=metadata)


def runtime_of(file: ProfileFile) -> RuntimeSpec:
    """What a profile's file asks of the runtime; ``servers: []``, which must stand there, asks for nothing."""
    given: dict[str, Any] = {"servers": file.servers, "step_settings_patch": file.settings}
    return RuntimeSpec(**{name: value for name, value in given.items() if value})


# ---- what is broken


def _head_faults(parts: Parts) -> list[Fault]:
    """Every fault of what stands above the profiles, of both files in one report."""
    faults: list[Fault] = []
    for error in (parts.runtime, parts.callers):
        if isinstance(error, ValidationError):
            faults += error.faults
        elif isinstance(error, SourceUnavailable):
            faults.append(Fault("", error.reason, Place(error.source)))
        elif isinstance(error, LiveryError):
            faults.append(Fault("", str(error)))
    return faults


def _missing(parts: Parts) -> dict[str, LiveryError]:
    """The profiles that must be there and are not: the default, and those that callers get."""
    errors: dict[str, LiveryError] = {}
    callers = [(c, slug) for c, slug in sorted(parts.caller_map.items()) if slug not in parts.profiles]
    places = places_of(parts, [caller_spot(parts, caller) for caller, _ in callers])
    faults = [_missing_profile(parts, *pair, place) for pair, place in zip(callers, places, strict=True)]
    for slug in dict.fromkeys(slug for _, slug in callers):
        errors[slug] = ValidationError.of([f for (_, s), f in zip(callers, faults, strict=True) if s == slug])
    if DEFAULT not in parts.profiles:
        errors[DEFAULT] = _missing_default(parts)
    return errors


def _missing_profile(parts: Parts, caller: str, slug: str, place: Place | None) -> Fault:
    close = nearest(slug, parts.profiles, 1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return Fault(f"callers[{caller}]", f"there is no profile {slug!r}{hint}", place)


def _missing_default(parts: Parts) -> ValidationError:
    advice = f"put it back, or make an empty one: livery store init {shown(parts.layout.directory)}"
    place = Place(shown(parts.layout.profiles_directory))
    return ValidationError("", f"there is no file of the profile {DEFAULT!r} here; {advice}", place)


def _disagreeing(parts: Parts) -> dict[str, LiveryError]:
    """The profiles that have another connection for the whole process than the default."""
    default = parts.profiles.get(DEFAULT)
    if parts.settings is None or not isinstance(default, ProfileFile):
        return {}
    errors: dict[str, LiveryError] = {}
    for slug, file in parts.sound_profiles().items():
        found = disagreements(slug, file.settings, default.settings, parts.settings)
        if found:
            errors[slug] = ValidationError.of(_placed(parts, [(slug, remark) for remark in found]))
    return errors


def _placed(parts: Parts, remarks: list[tuple[str, Remark]]) -> list[Fault]:
    spots = [setting_spot(parts, slug, remark.path) for slug, remark in remarks]
    places = [*places_of(parts, spots[:_MOST_PLACES]), *(Place(shown(s.file)) for s in spots[_MOST_PLACES:])]
    return [Fault(text_of(r.path), r.reason, place) for (_, r), place in zip(remarks, places, strict=True)]


def _misnamed(parts: Parts) -> dict[str, LiveryError]:
    """An error for each file that has no name of a profile, under a name that no other profile has."""
    errors: dict[str, LiveryError] = {}
    for path in parts.layout.misnamed:
        errors[_free_name(path, {*parts.profiles, *errors})] = _name_error(path)
    return errors


def _name_error(path: Path) -> LiveryError:
    try:
        profile_slug(path.stem)
    except ValidationError as error:
        return ValidationError("", f"the file's name is no name of a profile: {error.reason}", Place(shown(path)))
    raise AssertionError(path)


def _free_name(path: Path, taken: set[str]) -> str:
    name = re.sub(r"[^a-z0-9._-]+", "-", path.stem.lower())[:100].strip("._-") or "unnamed"
    numbered = (f"{name}-{number}" for number in range(2, len(taken) + 3))
    return next(free for free in (name, *numbered) if free not in taken)


# ---- what deserves a warning


def _notices(parts: Parts, slug: str, files: dict[str, ProfileFile]) -> Iterator[Notice]:
    if parts.sidecar.fault:
        yield Notice(slug, "", parts.sidecar.fault)
    if has_old_form(parts):
        yield Notice(slug, "", old_form(Place(shown(parts.layout.runtime[0]))).faults[0])
    for head in (parts.runtime, parts.callers):
        if isinstance(head, RuntimeFile | CallersFile):
            yield from (Notice(slug, "", warning) for warning in head.warnings)
    for name, file in files.items():
        yield from (Notice(slug, name, warning) for warning in file.warnings)
    yield from _shadowed(parts, slug, files)
    yield from _unmapped(parts, slug, files)


def _shadowed(parts: Parts, slug: str, files: dict[str, ProfileFile]) -> list[Notice]:
    settings = parts.settings or {}
    remarks = [(name, remark) for name, file in files.items() for remark in shadowed(file.settings, settings)]
    faults = _placed(parts, remarks)
    return [Notice(slug, name, fault) for (name, _), fault in zip(remarks, faults, strict=True)]


def _unmapped(parts: Parts, slug: str, files: dict[str, Any]) -> Iterator[Notice]:
    if isinstance(parts.callers, LiveryError):
        return  # nobody can tell who gets what
    mapped = {DEFAULT, *parts.caller_map.values()}
    for name in files:
        if name not in mapped:
            place = Place(shown(parts.layout.profiles[name][0]))
            yield Notice(slug, name, Fault("", "no caller gets this profile (callers.yaml)", place))
