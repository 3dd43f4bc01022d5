"""What a registry's settings may hold: the prepared form of a JSON Schema with Livery's annotations.

The annotations, beside the standard keywords: ``default`` (laid under the result), ``x-secret`` (never shown),
``x-sensitive`` (overridden only where a policy names the exact path), ``x-unit`` (a mapping that is replaced whole),
``x-goes-over`` (the fields in whose place this one is used).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import jsonschema_rs

from livery.core.paths import Path
from livery.core.reasons import reasons_of
from livery.core.variables import NAMED, has_reference
from livery.errors import Fault

JsonSchema = Mapping[str, Any]
ServerDefaults = Callable[[Mapping[str, Any], Mapping[str, Any]], dict[str, Any]]
"""What a server has where nobody says anything, by the server and the effective settings."""

SECRET_REFERENCE: JsonSchema = {
    "type": "object",
    "properties": {"$secret": {"type": "string", "pattern": "^(env|file):."}},
    "required": ["$secret"],
    "additionalProperties": False,
}
VARIABLE: JsonSchema = {"type": "string", "pattern": NAMED, "description": "A text that names an environment variable."}


class SettingsSchema:
    """The settings of one kind of application: their shape, defaults, and which of them are secret or sensitive.

    ``plain`` is a JSON Schema without references: sections, fields, defaults, annotations. ``default_tools`` are the
    tools a runtime has where no layer says anything, ``cross_check`` finds what one field says against another in
    settings that are otherwise in order, ``server_defaults`` are laid under each server. With ``variables`` a text that
    names an environment variable (``${NAME}``) may stand for any scalar. Compiled once; every method is pure and cheap.
    """

    def __init__(
        self,
        name: str,
        plain: JsonSchema,
        *,
        default_tools: tuple[str, ...] = (),
        cross_check: Callable[[Mapping[str, Any]], Iterable[tuple[Path, str]]] | None = None,
        server_defaults: ServerDefaults | None = None,
        variables: bool = False,
    ) -> None:
        self.name = name
        self.cross_check = cross_check
        self.plain = plain
        self.default_tools = default_tools
        self.server_defaults = server_defaults
        self.variables = variables
        self.defaults: dict[str, Any] = _defaults_of(plain) or {}
        self.units: frozenset[Path] = frozenset(_marked(plain, "x-unit", ()))
        self._partial = partial_schema(plain)
        self._validator = jsonschema_rs.validator_for(self._partial)
        self._widened: dict[tuple[str, ...], SettingsSchema] = {}
        self._secret: dict[Path, bool] = {}
        self._sensitive: dict[Path, bool] = {}

    def __repr__(self) -> str:
        return f"SettingsSchema({self.name!r})"

    @property
    def open(self) -> bool:
        """Whether any key is known, as in the schema ``free``."""
        return "properties" not in self.plain

    def sections(self) -> tuple[str, ...]:
        """The names of the known sections, in the order of the schema."""
        return tuple(self.plain.get("properties", ()))

    def with_sections(self, foreign: Iterable[str]) -> SettingsSchema:
        """The schema that also takes sections of other programs, whatever is in them."""
        known = self.plain.get("properties")
        added = tuple(sorted(set(foreign) - set(known or ())))
        if known is None or not added:
            return self
        if added not in self._widened:
            plain = {**self.plain, "properties": {**known, **{name: {"type": "object"} for name in added}}}
            self._widened[added] = SettingsSchema(
                self.name,
                plain,
                default_tools=self.default_tools,
                cross_check=self.cross_check,
                server_defaults=self.server_defaults,
                variables=self.variables,
            )
        return self._widened[added]

    def node(self, path: Path) -> JsonSchema | None:
        """The schema at a settings path, or None where the path is not known."""
        node: JsonSchema = self.plain
        for part in path:
            child = node.get("properties", {}).get(part)
            if child is None and part.isdigit():
                child = node.get("items")
            if child is None:
                child = node.get("additionalProperties", "properties" not in node)
            if child is False:
                return None
            node = {} if child is True else child
        return node

    def is_secret(self, path: Path) -> bool:
        """Whether the schema marks the settings path, or a mapping above it, as secret."""
        return self._marked_on_the_way(path, "x-secret", self._secret)

    def is_sensitive(self, path: Path) -> bool:
        """Whether the schema marks the settings path, or a mapping above it, as sensitive or secret."""
        return self.is_secret(path) or self._marked_on_the_way(path, "x-sensitive", self._sensitive)

    def _marked_on_the_way(self, path: Path, mark: str, known: dict[Path, bool]) -> bool:
        answer = known.get(path)
        if answer is None:
            nodes = (self.node(path[:length]) for length in range(1, len(path) + 1))
            answer = any(node is not None and node.get(mark) is True for node in nodes)
            if len(known) < 4096:  # settings of the schema `free` may have any number of names
                known[path] = answer
        return answer

    def gone_over(self, path: Path) -> list[Path]:
        """The settings paths in whose place the value at a path is used (``x-goes-over``), if it is set."""
        found: list[Path] = []
        for length in range(1, len(path) + 1):
            node = self.node(path[:length]) or {}
            found += [(*over.split("."), *path[length:]) for over in node.get("x-goes-over", ())]
        return found

    def leaves_below(self, path: Path) -> Iterator[Path]:
        """Every leaf that the schema knows at or below a settings path."""
        node = self.node(path)
        if node is None:
            return
        properties = node.get("properties")
        if not properties:
            yield path
            return
        for name in properties:
            yield from self.leaves_below((*path, name))

    def faults(self, settings: Any, field: str) -> list[Fault]:
        """Every fault of partial settings that hold no directives: unknown names, wrong types, values out of range."""
        return [Fault(dotted(field, path), reason) for path, reason in self.reasons(settings)]

    def reasons(self, settings: Any) -> list[tuple[Path, str]]:
        """The same as :meth:`faults`, each with the settings path it is about."""
        if not self._validator.is_valid(settings):
            found = reasons_of(self._validator, self._partial, settings)
            faulty = without_variables(found, settings, self.plain) if self.variables else found
            if faulty:
                return faulty
        return list(self.cross_check(settings)) if self.cross_check else []

    def document_schema(self) -> dict[str, Any]:
        """The JSON Schema of settings as people write them: all optional, directives and references at any leaf."""
        return _document(self.plain, self._references, top=True)

    def effective_schema(self) -> dict[str, Any]:
        """The JSON Schema of settings after the merge: plain values and references."""
        return _effective(self.plain, self._references)

    @property
    def _references(self) -> list[dict[str, Any]]:
        return [dict(SECRET_REFERENCE), *([dict(VARIABLE)] if self.variables else [])]


def without_variables(reasons: Iterable[tuple[Path, str]], value: Any, schema: JsonSchema) -> list[tuple[Path, str]]:
    """The reasons but those against a text that names a variable where the schema wants a scalar."""
    return [
        (path, reason)
        for path, reason in reasons
        if not (isinstance(text := value_at(value, path), str) and has_reference(text))
        or node_at(schema, path).get("type") in ("object", "array")
    ]


def value_at(value: Any, path: Path) -> Any:
    """What stands at a path, positions of lists among its parts; None where nothing does."""
    for part in path:
        if isinstance(value, Mapping):
            value = value.get(part)
        elif isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value


def node_at(schema: JsonSchema, path: Path) -> JsonSchema:
    """The schema at a path, positions of lists among its parts; empty where it says nothing."""
    for part in path:
        below = schema.get("properties", {}).get(part, schema.get("items", schema.get("additionalProperties")))
        schema = below if isinstance(below, Mapping) else {}
    return schema


def dotted(field: str, path: Path) -> str:
    """A fault's field: the container's name, then the path beneath it, list positions in brackets."""
    return field + "".join(f"[{part}]" if part.isdigit() else f".{part}" for part in path)


def _defaults_of(node: JsonSchema) -> Any:
    properties = node.get("properties")
    if properties is None:
        return node.get("default")
    found = {name: _defaults_of(child) for name, child in properties.items()}
    return {name: value for name, value in found.items() if value is not None and value != {}} | {
        name: value
        for name, value in found.items()
        if value == {} and "default" in properties[name]  # a mapping whose default is to be empty
    }


def _marked(node: JsonSchema, mark: str, path: Path) -> Iterator[Path]:
    if node.get(mark) is True:
        yield path
    for name, child in node.get("properties", {}).items():
        yield from _marked(child, mark, (*path, name))


def partial_schema(node: JsonSchema) -> dict[str, Any]:
    """The schema with nothing required at any depth, so that one layer alone can be checked."""
    result = {key: value for key, value in node.items() if key not in ("required", "default")}
    if "properties" in node:
        result["properties"] = {name: partial_schema(child) for name, child in node["properties"].items()}
    if isinstance(node.get("additionalProperties"), Mapping):
        result["additionalProperties"] = partial_schema(node["additionalProperties"])
    return result


def _is_mapping(node: JsonSchema) -> bool:
    return node.get("type") == "object"


def _effective(node: JsonSchema, references: list[dict[str, Any]]) -> dict[str, Any]:
    if not _is_mapping(node):
        return {"anyOf": [dict(node), *references]}
    result = {key: value for key, value in node.items() if key != "required"}
    if "properties" in node:
        result["properties"] = {name: _effective(child, references) for name, child in node["properties"].items()}
    if isinstance(node.get("additionalProperties"), Mapping):
        result["additionalProperties"] = _effective(node["additionalProperties"], references)
    return result


def _document(node: JsonSchema, references: list[dict[str, Any]], *, top: bool = False) -> dict[str, Any]:
    directives = [{"type": "null"}, UNSET_DIRECTIVE, directive("$literal", partial_schema(node))]
    if _is_mapping(node):
        plain = partial_schema(node)
        if "properties" in node:
            plain["properties"] = {name: _document(child, references) for name, child in node["properties"].items()}
        if isinstance(node.get("additionalProperties"), Mapping):
            plain["additionalProperties"] = _document(node["additionalProperties"], references)
        return plain if top else {"anyOf": [plain, *directives, directive("$replace", plain)]}
    plain = partial_schema(node)
    choices = [plain, *directives, *references]
    if _may_be_list(node):
        whole = plain if "type" in node else {"allOf": [plain, {"type": "array"}]}
        edits = [directive(name, whole) for name in ("$append", "$prepend", "$remove")]
        choices += [
            *edits,
            directive("$replace", whole),
            directive("$edits", {"type": "array", "items": {"anyOf": edits}}),
        ]
    kept = {key: node[key] for key in ("title", "description", "default", "x-secret") if key in node}
    return {"anyOf": choices, **kept}


def _may_be_list(node: JsonSchema) -> bool:
    kinds = node.get("type", "array")
    return "array" in (kinds if isinstance(kinds, list) else [kinds])


def directive(name: str, payload: JsonSchema) -> dict[str, Any]:
    """The JSON Schema of a mapping that is one directive."""
    return {
        "type": "object",
        "properties": {name: dict(payload)},
        "required": [name],
        "additionalProperties": False,
    }


UNSET_DIRECTIVE: JsonSchema = directive("$unset", {"const": True})
FREE = SettingsSchema("free", {"type": "object"})
