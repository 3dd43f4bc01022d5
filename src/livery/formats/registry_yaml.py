"""Registry documents in YAML: one registry, a bundle of them, and the older forms that are read but never written.

Told apart by shape: ``registries:`` is a bundle, ``slug:`` or ``profiles:`` a registry, any other mapping the legacy
map ``profile -> section -> flag: value``. ``inference_settings`` in a profile is read as ``step_settings_patch``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from msgspec.structs import replace

from livery.core.documents import ReadRegistry, is_bundle, read_bundle, read_registry
from livery.core.names import type_name
from livery.core.profile import Registry
from livery.core.reasons import MOST_FAULTS
from livery.core.values import same
from livery.errors import Fault, Place, ValidationError
from livery.formats import yaml_outline
from livery.formats.yaml import locate_all, read_yaml, write_yaml
from livery.formats.yaml_outline import Block

Shape = Literal["empty", "registry", "bundle", "legacy"]
LEGACY_REGISTRY = "default"
_PROFILE_NAME = re.compile(r"(?:registry|registries\[[^\]]*\])\.profiles\[([^\]]*)\]", re.DOTALL)
_CONTENT = re.compile(r"(?!---\s*$|%)[^\s#]")  # of a line that is no comment and no head of a document
OLD_PROFILE_FIELDS = ("inference_settings", "stack")
"""Fields of a profile that are read under their older names and never written."""
ProfileFaults = dict[tuple[str, str], list[Fault]]
"""Faults by (registry, profile); an empty registry is the only one of its file."""
PART = 256 * 1024
"""Characters; a text of more than eight parts is read part by part: a parser holds many times the text it is at."""

_ANCHOR = re.compile(r"&(?<![^\s,\[{:?]&)[\w-]")  # at the beginning of a token
_LONE_RETURN = re.compile(r"\r(?!\n)")


class RegistryFile(NamedTuple):
    """What a file holds: its shape, the document as read, the registries of it, and faults of the file as a whole."""

    shape: Shape
    document: Any
    registries: list[ReadRegistry]
    faults: list[Fault]

    @property
    def all_faults(self) -> list[Fault]:
        return [*self.faults, *(fault for read in self.registries for fault in read.all_faults)]


def read_registries(text: str | bytes, file: str) -> RegistryFile:
    """The registries of a YAML text; ValidationError with file, line and column where it is no YAML at all.

    Faults of its content are in the answer. An empty text holds no registry.
    """
    document = _read_document(text, file)
    try:
        shape = shape_of(document)
    except ValidationError as error:
        raise ValidationError.of(placed(error.faults, document, text, file)) from None
    if shape == "empty":
        return RegistryFile(shape, None, [], [])
    if shape == "legacy":
        return _legacy_file(document)
    faults: ProfileFaults = {}
    modern = _without_inference_settings(document, faults)
    if shape == "bundle":
        registries, own = read_bundle(modern)
    else:
        registries, own = _single(read_registry(modern))
    return RegistryFile(shape, document, [_isolated(_with_faults(read, faults)) for read in registries], own)


def _single(read: ReadRegistry) -> tuple[list[ReadRegistry], list[Fault]]:
    """The one registry of a file; without a slug nobody knows which one it is, and the whole file is at fault."""
    nameless = any(fault.field == "registry.slug" for fault in read.faults)
    return ([], read.all_faults) if nameless else ([read], [])


def _read_document(text: str | bytes, file: str) -> Any:
    """What :func:`read_yaml` reads; whatever is unusual about a large text, or wrong, is left to that."""
    if len(text) > 8 * PART:
        try:
            decoded = text if isinstance(text, str) else text.decode()
            return _read_in_parts(decoded.removeprefix("\ufeff"))
        except (_NotInParts, UnicodeDecodeError, ValidationError):
            pass
    return read_yaml(text, file)


class _NotInParts(Exception):
    """The text may mean something else in parts, or it cannot be told where they begin."""


def _read_in_parts(text: str) -> dict[str, Any]:
    """The document of a block mapping, some entries at a time.

    A line at the column of the entries, in a text that was sound so far, can only begin the next entry or stand within
    quotes or brackets. Those end with the part too early, which makes it no YAML at all.
    """
    if text.startswith("%") or "\n%" in text or _LONE_RETURN.search(text) or ("&" in text and _ANCHOR.search(text)):
        raise _NotInParts  # directives and anchors reach into other parts
    document = yaml_outline.whole(text)
    return _entries(text, document, yaml_outline.children(text, document), levels=3)


def _entries(text: str, block: Block, children: list[Block], levels: int) -> dict[str, Any]:
    """The entries of a block mapping; large ones are split too, as many levels down as the profiles of a bundle are."""
    keys = {child.key for child in children}
    if not children or len(keys) < len(children) or "<<" in keys:
        raise _NotInParts
    children[0] = children[0]._replace(start=block.body)  # with the comments before it
    found: dict[str, Any] = {}
    for part in _parts(children):
        found.update(_entry(text, part[0], levels) if len(part) == 1 and levels else _small_entries(text, part))
    return found


def _parts(children: list[Block]) -> Iterator[list[Block]]:
    """Neighbours that make up a part together; one that is larger is alone."""
    part: list[Block] = []
    for child in children:
        if part and child.end - part[0].start > PART:
            yield part
            part = []
        part.append(child)
    yield part


def _small_entries(text: str, part: list[Block]) -> dict[str, Any]:
    found = read_yaml(text[part[0].start : part[-1].end], "")
    if not isinstance(found, dict) or list(found) != [child.key for child in part]:
        raise _NotInParts
    return found


def _entry(text: str, block: Block, levels: int) -> dict[str, Any]:
    """The entry of one key; a large one in parts too, where it is a block mapping of its own."""
    head = text[block.start : block.body]
    children = yaml_outline.children(text, block) if block.end - block.start > PART and "!" not in head else []
    if not children:
        return _small_entries(text, [block])
    if read_yaml(head, "") != {block.key: None}:
        raise _NotInParts
    return {block.key: _entries(text, block, children, levels - 1)}


def _with_faults(read: ReadRegistry, faults: ProfileFaults) -> ReadRegistry:
    """A registry in which the profiles with faults of their older form are broken too."""
    own = {slug: found for (registry, slug), found in faults.items() if registry in ("", read.registry.slug)}
    if not own:
        return read
    broken = dict(read.broken)
    for slug, found in own.items():
        broken[slug] = [*found, *broken.get(slug, ())]
    profiles = {slug: profile for slug, profile in read.registry.profiles.items() if slug not in broken}
    return ReadRegistry(replace(read.registry, profiles=profiles), read.faults, broken)


def _isolated(read: ReadRegistry) -> ReadRegistry:
    """A registry in which a profile's name that cannot be used breaks that profile and not the whole."""
    faults: list[Fault] = []
    broken = dict(read.broken)
    for fault in read.faults:
        name = _PROFILE_NAME.fullmatch(fault.field)
        slug = name[1].strip().lower() if name else ""
        if slug:
            broken[slug] = [*broken.get(slug, ()), fault]
        else:
            faults.append(fault)
    if len(faults) == len(read.faults):
        return read
    profiles = {slug: profile for slug, profile in read.registry.profiles.items() if slug not in broken}
    return ReadRegistry(replace(read.registry, profiles=profiles), faults, broken)


def placed(faults: Sequence[Fault], document: Any, text: str | bytes, file: str) -> list[Fault]:
    """The same faults of a file's document, the first of very many with their line and column."""
    paths = [path_of_field(document, fault.field.removeprefix("registry.")) for fault in faults[:MOST_FAULTS]]
    places = locate_all(text if isinstance(text, str) else text.decode(), file, paths)
    more = [None] * (len(faults) - len(places))
    return [fault._replace(place=at or Place(file)) for fault, at in zip(faults, [*places, *more], strict=True)]


def shape_of(document: Any) -> Shape:
    """Which of the known shapes a document has; a ValidationError for a list or a scalar."""
    if document is None or document == {}:
        return "empty"
    if not isinstance(document, Mapping):
        raise ValidationError("", f"a registry file is a mapping at its top level, not {type_name(document)}")
    if is_bundle(document):
        return "bundle"
    if "profiles" in document or isinstance(document.get("slug"), str):
        return "registry"
    if isinstance(document.get("servers"), list):
        raise ValidationError(
            "servers", "MCP servers in a single file: livery migrate profile-store makes a store of it"
        )
    return "legacy"


def _legacy_file(document: Mapping[str, Any]) -> RegistryFile:
    registry, faults = registry_of_legacy(document)
    read = _with_faults(read_registry(registry), faults)
    return RegistryFile("legacy", document, [read], [])


def registry_of_legacy(
    document: Mapping[str, Any], slug: str = LEGACY_REGISTRY
) -> tuple[dict[str, Any], ProfileFaults]:
    """The registry document of a legacy map: flags become fields, sections of other programs are kept and listed.

    The default profile is the one named ``default``, else the first by name.
    """
    from livery.settings import settings_of_legacy

    profiles: dict[str, Any] = {}
    faults: ProfileFaults = {}
    foreign: dict[str, None] = {}
    for name, sections in document.items():
        profiles[name] = {}
        if not isinstance(sections, Mapping):
            reason = f"must map to section settings, not {type_name(sections)}"
            faults["", name.strip().lower()] = [Fault(name, reason)]
            continue
        read = settings_of_legacy(sections, name)
        if read.faults:
            faults["", name.strip().lower()] = read.faults
        foreign.update(dict.fromkeys(read.foreign_sections))
        profiles[name] = {"runtime": {"step_settings_patch": read.step_settings_patch}}
    registry: dict[str, Any] = {"slug": slug, "profiles": profiles}
    if profiles:
        names = sorted(name.strip().lower() for name in profiles)
        registry["default_profile_slug"] = "default" if "default" in names else names[0]
    if foreign:
        registry["foreign_sections"] = list(foreign)
    return registry, faults


def _without_inference_settings(document: Mapping[str, Any], faults: ProfileFaults) -> dict[str, Any]:
    """A registry or bundle with every profile's ``inference_settings`` as its ``step_settings_patch``."""
    modern = dict(document)
    if isinstance(document.get("registries"), Mapping):
        modern["registries"] = {
            slug: _modern_registry(registry, f"registries[{slug}]", slug.strip().lower(), faults)
            for slug, registry in document["registries"].items()
        }
    result: dict[str, Any] = _modern_registry(modern, "registry", "", faults)
    return result


def _modern_registry(registry: Any, field: str, slug: str, faults: ProfileFaults) -> Any:
    if not isinstance(registry, Mapping) or not isinstance(registry.get("profiles"), Mapping):
        return registry
    profiles = registry["profiles"]
    if not any(isinstance(profile, Mapping) and "inference_settings" in profile for profile in profiles.values()):
        return registry
    modern: dict[str, Any] = {}
    for name, profile in profiles.items():
        modern[name], own = _modern_profile(profile, f"{field}.profiles[{name}]")
        if own:
            faults[slug, name.strip().lower()] = own
    return {**registry, "profiles": modern}


def _modern_profile(profile: Any, field: str) -> tuple[Any, list[Fault]]:
    if not isinstance(profile, Mapping) or "inference_settings" not in profile:
        return profile, []
    from livery.settings import settings_of_inference

    where = f"{field}.inference_settings"
    modern = {key: value for key, value in profile.items() if key != "inference_settings"}
    blocks = profile["inference_settings"]
    runtime = modern.get("runtime", {})
    if not isinstance(blocks, Mapping | None):
        return modern, [Fault(where, f"expected a mapping, got {type_name(blocks)}")]
    if not isinstance(runtime, Mapping) or "step_settings_patch" in runtime:
        return modern, [Fault(where, "stands beside runtime.step_settings_patch; give one of them")]
    read = settings_of_inference(blocks or {}, where)
    modern["runtime"] = {**runtime, "step_settings_patch": read.step_settings_patch}
    return modern, read.faults


def registry_text(registry: Registry) -> str:
    """A registry as a new YAML document."""
    return write_yaml(registry.document())


def as_bundle(text: str, slug: str, file: str) -> str:
    """The text of one registry as a bundle of that one: its lines are kept, indented below its name."""
    document = {"registries": {slug: read_yaml(text, file)}}
    bundle = _indented(text, slug)
    try:
        return bundle if same(read_yaml(bundle, file), document) else write_yaml(document)
    except ValidationError:
        return write_yaml(document)


def _indented(text: str, slug: str) -> str:
    mark = text[: text.startswith("\ufeff")]
    lines = text.removeprefix("\ufeff").split("\n")
    first = next((number for number, line in enumerate(lines) if _CONTENT.match(line)), 0)
    end = "\r" if lines[0].endswith("\r") else ""
    below = [f"    {line}" if line.rstrip("\r") else line for line in lines[first:]]
    return mark + "\n".join([*lines[:first], f"registries:{end}", f"  {slug}:{end}", *below])


def bundle_document(registries: list[Registry]) -> dict[str, Any]:
    """Several registries as one bundle document."""
    return {"registries": {registry.slug: registry.document() for registry in registries}}


def path_of_field(document: Any, field: str) -> tuple[str | int, ...]:
    """Where in a document a fault's field stands (``profiles[a].runtime.tools[0]``); as far as it can be followed.

    Keys may hold dots, so at each mapping the longest key that the field goes on with is taken.
    """
    path: list[str | int] = []
    rest = field.lstrip(".")
    while rest:
        if isinstance(document, Mapping):
            key = _key_at(document, rest)
            if key is None:
                break
            rest = rest[len(key) + 2 :] if rest.startswith("[") else rest[len(key) :]
            path.append(key)
            document = document[key]
        elif isinstance(document, list):
            digits = rest.lstrip("[").partition("]")[0].partition(".")[0]
            if not digits.isdigit() or int(digits) >= len(document):
                break
            rest = rest[len(digits) + (2 if rest.startswith("[") else 0) :]
            path.append(int(digits))
            document = document[int(digits)]
        else:
            break
        rest = rest.removeprefix(".")
    return tuple(path)


def _key_at(document: Mapping[str, Any], rest: str) -> str | None:
    if rest.startswith("["):
        inner = rest[1:].partition("]")[0]
        folded = [key for key in document if key == inner] or [k for k in document if k.strip().lower() == inner]
        return folded[0] if folded and len(folded[0]) == len(inner) else None
    fits = [key for key in document if rest == key or rest.startswith((f"{key}.", f"{key}["))]
    return max(fits, key=len, default=None)
