"""Settings of old files in today's field names: sections of flags, and blocks of ``inference_settings``.

Which flag is which field stands in the sections' annotations alone; here they are only read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from livery.core.names import type_name, unknown_field
from livery.core.paths import Path, text_of
from livery.errors import Fault
from livery.settings.schema import plain_ai_schema

Node = Mapping[str, Any]

_WHOLE = re.compile(r"[+-]?[0-9]+", re.ASCII)
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?", re.ASCII)


class Flag(NamedTuple):
    """One setting as command lines know it: its section, ``--name``, the field it sets, the field's schema."""

    section: str
    name: str
    path: Path
    schema: Node


class LegacySettings(NamedTuple):
    """What an old document says: today's patch, the sections of other programs in it, and what was wrong."""

    step_settings_patch: dict[str, Any]
    foreign_sections: tuple[str, ...]
    faults: list[Fault]


@cache
def flags() -> tuple[Flag, ...]:
    """Every flag, in the order of the sections; those with open names (``*-api-key``) are not listed."""
    found = []
    for path, node in _nodes(plain_ai_schema()):
        section, _, name = node.get("x-flag", "").partition(".")
        if name:
            found.append(Flag(section, name, path, node))
    return tuple(found)


@cache
def _flag_by_path() -> Mapping[Path, tuple[str, str]]:
    return {flag.path: (flag.section, flag.name) for flag in flags()}


def legacy_of_settings(path: Path) -> tuple[str, str] | None:
    """The section and the flag that set a field; None for a field that never had a flag."""
    return _flag_by_path().get(path)


def settings_of_legacy(sections: Mapping[str, Any], field: str = "step_settings_patch") -> LegacySettings:
    """Section → flag → value as a patch; sections that are not ours are kept as they stand, and listed.

    Flags are read with or without the section's prefix, in kebab or snake case, and by the field's own name.
    """
    reader = _Reader()
    foreign = []
    for name, values in sections.items():
        own = _section_of().get(_fold(str(name)))
        if own is not None:
            reader.read_section(own, values, f"{field}.{name}")
        elif isinstance(values, Mapping):
            reader.patch[str(name)] = dict(values)
            foreign.append(str(name))
        else:
            reader.faults.append(Fault(f"{field}.{name}", f"expected a mapping, got {type_name(values)}"))
    return LegacySettings(reader.patch, tuple(foreign), reader.faults)


def settings_of_inference(document: Mapping[str, Any], field: str = "inference_settings") -> LegacySettings:
    """The blocks of an ``inference_settings`` document as a patch; a block that is not ours is a fault."""
    reader = _Reader()
    for name, values in document.items():
        own = _section_of().get(_fold(str(name)))
        if name == "api_keys":
            reader.faults.append(Fault(f"{field}.{name}", f"is now called 'api': rename it to {field}.api"))
        elif own is None:
            reader.faults.append(Fault(f"{field}.{name}", unknown_field(str(name), plain_ai_schema()["properties"])))
        else:
            reader.read_section(own, values, f"{field}.{name}")
    return LegacySettings(reader.patch, (), reader.faults)


class _Reader:
    """Collects one patch from several old sections, so that a field given twice is seen wherever it was."""

    def __init__(self) -> None:
        self.patch: dict[str, Any] = {}
        self.faults: list[Fault] = []
        self._given: dict[Path, str] = {}
        self._above_given: set[Path] = set()

    def read_section(self, section: str, values: Any, field: str) -> None:
        if values is None:
            return
        if not isinstance(values, Mapping):
            self.faults.append(Fault(field, f"expected a mapping, got {type_name(values)}"))
        elif _is_directive(values):
            self._put((section,), values, field)
        else:
            for name, value in values.items():
                self._read_field(section, str(name), value, f"{field}.{name}")

    def _read_field(self, section: str, name: str, value: Any, field: str) -> None:
        path = _spellings(section).get(_fold(name)) or _map_entry(section, name)
        if path is None:
            self.faults.append(Fault(field, unknown_field(name, _known_names(section))))
        else:
            self._read_value(path, _node(path), value, field)

    def _read_value(self, path: Path, node: Node, value: Any, field: str) -> None:
        """A leaf goes into the patch; a mapping entry by entry, so that each is known by its own path."""
        if node.get("type") != "object" or not isinstance(value, Mapping) or not value or _is_directive(value):
            self._put(path, _coerced(node, value), field)
            return
        names = {_fold(name): name for name in node.get("properties", ())}
        for name, child in value.items():
            known = _entry_name(path, str(name)) if _is_open(node) else names.get(_fold(str(name)))
            if known is None:
                self.faults.append(Fault(f"{field}.{name}", unknown_field(str(name), names.values())))
            else:
                below = (*path, known)
                self._read_value(below, _node(below), child, f"{field}.{name}")

    def _put(self, path: Path, value: Any, field: str) -> None:
        above = [path[:length] for length in range(1, len(path))]
        if path in self._given or path in self._above_given or any(part in self._given for part in above):
            before = next(given for given in self._given if _overlap(given, path))
            self.faults.append(Fault(field, f"sets {text_of(path)} again, after {self._given[before]}"))
            return
        self._given[path] = field
        self._above_given.update(above)
        target = self.patch
        for part in path[:-1]:
            target = target.setdefault(part, {})
        target[path[-1]] = value


def _overlap(one: Path, other: Path) -> bool:
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]


def _is_directive(value: Mapping[str, Any]) -> bool:
    return len(value) == 1 and str(next(iter(value))).startswith("$")


def _is_open(node: Node) -> bool:
    return node.get("additionalProperties") is not False


def _entry_name(path: Path, name: str) -> str:
    """The name of a map's entry; opt-ins were also written ``<provider>-allow-http``."""
    return name.removesuffix("-" + path[-1].replace("_", "-")) if path[0] == "api" else name


def _nodes(node: Node, path: Path = ()) -> Iterator[tuple[Path, Node]]:
    for name, child in node.get("properties", {}).items():
        yield (*path, name), child
        yield from _nodes(child, (*path, name))


def _node(path: Path) -> Node:
    node: Node = plain_ai_schema()
    for part in path:
        children = node.get("properties", {})
        node = children[part] if part in children else node.get("additionalProperties", {})
    return node


def _fold(name: str) -> str:
    """A name without what tells snake, kebab and camel case apart."""
    return name.replace("-", "").replace("_", "").lower()


@cache
def _section_of() -> Mapping[str, str]:
    """Today's section by every name of it, folded: its own, and the one it has on command lines."""
    names: dict[str, str] = {}
    for section, node in plain_ai_schema()["properties"].items():
        names[_fold(section)] = section
        names.setdefault(_fold(node.get("x-section", section)), section)
    return names


@cache
def _spellings(section: str) -> Mapping[str, Path]:
    """The field by every folded spelling of it in a section; spellings of two fields lead nowhere."""
    prefix = _node((section,)).get("x-prefix", "")
    found: dict[str, set[Path]] = {}
    for spelling, path in _written_names(section):
        for name in (spelling, prefix + spelling, spelling.removeprefix(prefix)):
            found.setdefault(_fold(name), set()).add(path)
    return {name: paths.pop() for name, paths in found.items() if len(paths) == 1}


def _written_names(section: str) -> Iterator[tuple[str, Path]]:
    section_node = _node((section,))
    for name, node in section_node["properties"].items():
        for spelling in (name, *node.get("x-aliases", ())):
            yield spelling, (section, name)
    for flag in flags():
        if flag.section == section_node.get("x-section"):
            yield flag.name, flag.path


def _known_names(section: str) -> list[str]:
    return [name for name, _ in _written_names(section)]


def _map_entry(section: str, name: str) -> Path | None:
    """The entry of an open map that a flag like ``fireworks-api-key`` names, if the section has such."""
    slug = _node((section,)).get("x-section")
    flag = name.replace("_", "-")
    for path, node in _nodes(plain_ai_schema()):
        for pattern in node.get("x-flag-patterns", ()):
            suffix = pattern.removeprefix(f"{slug}.*")
            if suffix != pattern and flag.endswith(suffix) and flag != suffix:
                return (*path, flag)
    return None


def _coerced(node: Node, value: Any) -> Any:
    """A text that is the number, truth value or text of a field that holds one; anything else as it is."""
    kind = node.get("type")
    if kind == "string" and type(value) is int:
        return str(value)
    if not isinstance(value, str):
        return value
    text = value.strip()
    if kind in ("integer", "number") and _WHOLE.fullmatch(text):
        return int(text)
    if kind == "number" and _NUMBER.fullmatch(text):
        return float(text)
    if kind == "boolean" and text.lower() in ("true", "false"):
        return text.lower() == "true"
    return value
