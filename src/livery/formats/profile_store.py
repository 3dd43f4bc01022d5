"""The three files of a profile store: ``runtime.yaml``, ``profiles/NAME.yaml`` and ``callers.yaml``, text to values.

Every fault of a file is in one answer, each with its place; a ValidationError is only raised for a text that is no YAML
at all. References to environment variables are kept as they are written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from livery.core.json_faults import json_faults
from livery.core.names import nearest, profile_slug, type_name, unknown_field
from livery.errors import Fault, Place, ValidationError
from livery.formats.profile_store_dates import unquoted_dates
from livery.formats.profile_store_keys import read_with_number_keys
from livery.formats.registry_yaml import placed
from livery.formats.yaml import read_yaml
from livery.settings.runtime_keys import read_settings
from livery.settings.servers import read_servers

EMPTY_PROFILE = "the file is empty; write at least servers: []"
_SERVERS_IN_RUNTIME = "servers stand in profiles; move them to profiles/default.yaml"
_CALLERS_ELSEWHERE = "callers stand in callers.yaml; move them there"
_UNKNOWN = 2**31  # lines: what has no place of its own comes last
_LIKE_SERVERS = ("server", "servers", "mcpserver", "mcpservers")
_FALLBACKS = ("default", "deny")


class RuntimeFile(NamedTuple):
    """``runtime.yaml``: the document as read, and its settings in canonical names and their one form."""

    document: Any
    settings: dict[str, Any]
    faults: list[Fault]
    warnings: list[Fault]


class ProfileFile(NamedTuple):
    """A profile's file: the document as read, its servers and its runtime keys, each in their one form."""

    document: Any
    servers: list[dict[str, Any]]
    settings: dict[str, Any]
    faults: list[Fault]
    warnings: list[Fault]


class CallersFile(NamedTuple):
    """``callers.yaml``: caller to profile slug; ``fallback`` is empty where the file does not say it."""

    document: Any
    callers: dict[str, str]
    faults: list[Fault]
    warnings: list[Fault]
    fallback: str = ""


def read_runtime_file(text: str | bytes, file: str) -> RuntimeFile:
    """The settings for all profiles; an empty file has none."""
    document = read_yaml(text, file)
    mapping, faults = _mapping_of(document, "the runtime keys")
    for key, reason in (("servers", _SERVERS_IN_RUNTIME), ("callers", _CALLERS_ELSEWHERE)):
        if key in mapping:
            faults.append(Fault(key, reason))
    read = read_settings({key: value for key, value in mapping.items() if key not in ("servers", "callers")})
    faults, warnings = _placed([*faults, *read.faults], read.warnings, document, text, file)
    return RuntimeFile(document, read.settings, faults, warnings)


def read_profile_file(text: str | bytes, file: str) -> ProfileFile:
    """The servers of a profile and the runtime keys that it sets itself."""
    document = read_yaml(text, file)
    if document is None:
        return ProfileFile(None, [], {}, [Fault("", EMPTY_PROFILE, Place(file))], [])
    mapping, faults = _mapping_of(document, "servers and runtime keys")
    if not faults and "servers" not in mapping:
        faults.append(Fault("servers", "is missing; write at least servers: []"))
    misplaced = {key: reason for key in mapping if (reason := _misplaced_in_profile(key))}
    faults += [Fault(key, reason) for key, reason in misplaced.items()]
    servers = read_servers(mapping.get("servers", []))
    settings = read_settings({key: value for key, value in mapping.items() if key not in ("servers", *misplaced)})
    found = [*faults, *servers.faults, *settings.faults]
    faults, warnings = _placed(found, [*servers.warnings, *settings.warnings], document, text, file)
    return ProfileFile(document, servers.servers, settings.settings, faults, warnings)


def _misplaced_in_profile(key: str) -> str:
    """What a key at the top of a profile's file is instead of a runtime key; empty for every other."""
    if key == "callers":
        return _CALLERS_ELSEWHERE
    is_servers = key != "servers" and key.lower().replace("_", "") in _LIKE_SERVERS
    return f"unknown key {key!r}; the servers of a profile are a list under servers:" if is_servers else ""


def read_callers_file(text: str | bytes, file: str) -> CallersFile:
    """Which caller gets which profile; an empty file maps nobody."""
    document = read_with_number_keys(text, file, "callers")
    mapping, faults = _mapping_of(document, "callers:")
    callers, more = _callers(mapping)
    fallback = mapping.get("fallback", "")
    faults += more
    if "fallback" in mapping and fallback not in _FALLBACKS:
        faults.append(Fault("fallback", "expected default or deny: what an unknown caller gets"))
        fallback = ""
    faults, warnings = _placed(faults, [], document, text, file)
    return CallersFile(document, callers, faults, warnings, fallback)


def _mapping_of(document: Any, content: str) -> tuple[Mapping[str, Any], list[Fault]]:
    if document is None:
        return {}, []
    if not isinstance(document, Mapping):
        return {}, [Fault("", f"expected a mapping with {content} at the top level, got {type_name(document)}")]
    too_large = json_faults(document, "")
    return ({}, [f._replace(field=f.field.lstrip(".")) for f in too_large]) if too_large else (document, [])


def _callers(mapping: Mapping[str, Any]) -> tuple[dict[str, str], list[Fault]]:
    unknown = [key for key in mapping if key not in ("callers", "fallback")]
    if unknown and "callers" not in mapping and not nearest(unknown[0], ("callers", "fallback"), 1):
        return {}, [Fault(unknown[0], "put the callers under callers:")]
    faults = [Fault(key, unknown_field(key, ("callers", "fallback")).replace("field", "key", 1)) for key in unknown]
    written = mapping.get("callers")
    if written is None:
        return {}, faults
    if not isinstance(written, Mapping):
        return {}, [*faults, Fault("callers", f"expected caller: profile, got {type_name(written)}")]
    callers: dict[str, str] = {}
    for key, value in written.items():
        caller = key.strip()
        try:
            if caller in callers:
                raise ValidationError(f"callers[{key}]", f"caller {caller!r} stands here twice")
            callers[caller] = _profile_of(caller, value, f"callers[{key}]")
        except ValidationError as error:
            faults += error.faults
    return callers, faults


def _profile_of(caller: str, value: Any, field: str) -> str:
    if not caller:
        raise ValidationError(field, "the name of a caller cannot be empty")
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise ValidationError(field, f"caller {caller!r} needs the name of a profile, got a number; write it in quotes")
    if not isinstance(value, str) or not value.strip():
        got = "nothing" if value in (None, "") or isinstance(value, str) else type_name(value)
        raise ValidationError(field, f"caller {caller!r} needs the name of a profile, got {got}")
    return profile_slug(value, field)


def _placed(
    faults: list[Fault], warnings: list[Fault], document: Any, text: str | bytes, file: str
) -> tuple[list[Fault], list[Fault]]:
    """Faults and warnings with their places, in the order of the file; unquoted dates are among the faults."""
    faults = [*placed(faults, document, text, file), *unquoted_dates(document, text, file)]
    return sorted(faults, key=_position), sorted(placed(warnings, document, text, file), key=_position)


def _position(fault: Fault) -> tuple[int, int]:
    place = fault.place
    return (place.line or _UNKNOWN, place.column or 0) if place else (_UNKNOWN, 0)
