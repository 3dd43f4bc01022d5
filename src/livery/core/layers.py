"""One contribution to a resolution: a prepared runtime document and where it came from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from livery.core.names import type_name, unknown_field
from livery.core.paths import KEYED_LISTS, RUNTIME_FIELDS, SETTINGS, Path, text_of
from livery.core.redact import COMMANDS, is_secret, is_secret_reference, literal, literal_argument, secret_argument
from livery.core.schema import SettingsSchema, dotted
from livery.core.values import (
    MAX_DEPTH,
    UNSET,
    Atom,
    KeyedEdit,
    ListEdit,
    Replace,
    SecretLiteral,
    TypedText,
    Unset,
    has_surrogate,
    number_fault,
    plain_number,
)
from livery.errors import Fault, ValidationError

LayerKind = Literal["schema", "base", "defaults", "extends", "profile", "operator", "enforced", "request"]


class Origin(NamedTuple):
    """Where a value came from: the kind of layer and, where it has one, its registry, profile, source and version."""

    layer: LayerKind
    registry: str = ""
    profile: str = ""
    source: str = ""
    version: int = 0
    name: str = ""

    def __str__(self) -> str:
        where = f"{self.registry}/{self.profile}" if self.profile else self.registry or self.name
        text = {
            "schema": "schema default",
            "base": "base settings",
            "defaults": f"defaults of {where}",
            "extends": f"base {where}",
            "profile": f"profile {where}",
            "operator": f"operator layer {where}",
            "enforced": f"enforced by {where}",
            "request": "request override",
        }[self.layer]
        return f"{text} ({self.source})" if self.source else text


class Layer(NamedTuple):
    """A prepared runtime document under the name of its origin, and what deserved a warning when it was read."""

    origin: Origin
    values: dict[str, Any]
    warnings: tuple[str, ...] = ()


class Prepared(NamedTuple):
    """A runtime document that was read and checked: its values, every fault, and what deserves a warning."""

    values: dict[str, Any]
    faults: list[Fault]
    warnings: list[str]


_ANOTHER = {"middlewares": "give one of them another id", "servers": "give one of them another name"}
_LIST_EDITS = {"$append": "append", "$prepend": "prepend", "$remove": "remove"}
DIRECTIVE_NAMES = frozenset(("$append", "$prepend", "$remove", "$edits", "$replace", "$unset", "$literal"))
_SCALARS = frozenset((str, int, float, bool))  # looked up first: most values are one, and isinstance(Mapping) is slow


def prepare(runtime: Mapping[str, Any], schema: SettingsSchema, field: str = "runtime") -> Prepared:
    """A runtime document as the merge wants it: numbers in one form, directives and secrets told apart from data.

    ``extensions`` may stand beside the runtime's own fields. Nothing is raised: every fault is in the answer, with
    the field where it stands, and what is faulty is left out of the values.
    """
    reader = _Reader(schema, field)
    values = reader.top(runtime)
    return Prepared(values, reader.faults, reader.warnings)


def layer_of(origin: Origin, runtime: Mapping[str, Any], schema: SettingsSchema, field: str) -> Layer:
    """A runtime document as a layer, or a ValidationError with every fault."""
    values, faults, warnings = prepare(runtime, schema, field)
    if faults:
        raise ValidationError.of(faults)
    return Layer(origin, values, tuple(warnings))


def under(layer: Layer, schema: SettingsSchema) -> Layer:
    """A layer as a further schema sees it: what that one calls a secret or a unit becomes one as well."""
    if SETTINGS not in layer.values:
        return layer
    settings = _under((), layer.values[SETTINGS], schema)
    return layer._replace(values={**layer.values, SETTINGS: settings})


def _under(path: Path, value: Any, schema: SettingsSchema) -> Any:
    kind = type(value)
    if kind is dict:
        read = {key: _under((*path, key), child, schema) for key, child in value.items()}
        return Replace(read) if path in schema.units else read
    if kind is list:
        return [_under((*path, str(position)), item, schema) for position, item in enumerate(value)]
    if kind is Replace:
        inner = _under(path, value.value, schema)
        return inner if type(inner) is Replace else Replace(inner)
    if kind is ListEdit:
        return value._replace(items=_under(path, value.items, schema))
    secret = kind in (str, int, float, TypedText) and is_secret((SETTINGS, *path), value, schema)
    return literal((SETTINGS, *path), value, schema) if secret else value


class _Reader:
    """One pass over one document; collects what is wrong with it on the way."""

    def __init__(self, schema: SettingsSchema, field: str) -> None:
        self.schema = schema
        self.field = field
        self.faults: list[Fault] = []
        self.warnings: list[str] = []
        self.positions: dict[Path, Path] = {}
        """Where the elements of keyed lists stand in the document, by the path that they get."""

    def fault(self, path: Path, reason: str) -> None:
        path = (*self.positions.get(path[:2], path[:2]), *path[2:])
        beside = path[:1] == ("extensions",) and self.field.endswith(".runtime")
        field = self.field.removesuffix(".runtime") if beside else self.field
        self.faults.append(Fault(dotted(field, path), reason))

    def top(self, runtime: Any) -> dict[str, Any]:
        values: dict[str, Any] = {}
        if not isinstance(runtime, Mapping):
            self.fault((), f"expected a mapping, got {type_name(runtime)}")
            return values
        for name, value in self.items((), runtime):
            path = (name,)
            if name in KEYED_LISTS:
                read = self.keyed(path, value)
            elif name == "system_prompt":
                read = self.prompt(path, value)
            elif name == "tools":
                read = self.tools(path, value)
            elif name in (SETTINGS, "extensions"):
                read = self.mapping_field(path, value)
            else:
                self.fault(path, unknown_field(name, RUNTIME_FIELDS))
                continue
            if read is not None:
                values[name] = read
        return values

    def mapping_field(self, path: Path, value: Any) -> Any:
        read = self.value(path, value)
        if _is_mapping_or_unset(read):
            return read
        self.fault(path, f"expected a mapping, got {type_name(value)}")
        return None

    def prompt(self, path: Path, value: Any) -> Any:
        """``""`` keeps the base, so it is as good as absent."""
        read = self.value(path, value)
        if isinstance(read, str | Unset | Atom | SecretLiteral):
            return None if read == "" else read
        self.fault(path, f"expected text, got {type_name(value)}")
        return None

    def tools(self, path: Path, value: Any) -> Any:
        read = self.value(path, value)
        items = read.value if type(read) is Replace else read.items if type(read) is ListEdit else read
        if isinstance(items, Unset):
            return read
        if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
            self.fault(path, "expected a list of tool names")
            return None
        if len(set(items)) < len(items):
            self.fault(path, "the same tool is named twice")
        return read

    # Keyed lists: middlewares by (name, id), servers by name, as mappings from key to element.

    def keyed(self, path: Path, value: Any) -> Any:
        if value is None:
            return UNSET
        if isinstance(value, Mapping):
            return self.keyed_directive(path, value)
        if value == []:
            self.warnings.append(f"{path[0]}: [] adds nothing; null or {{$replace: []}} clears what the bases gave")
            return None
        return self.elements(path, value)

    def keyed_directive(self, path: Path, value: Mapping[str, Any]) -> Any:
        name = self.directive(path, value)
        if name is None:
            self.fault(path, "expected a list or a directive")
            return None
        payload = value[name]
        if name == "$unset":
            return UNSET
        if name == "$edits":
            self.fault(path, "takes one directive; $edits is for lists of values")
            return None
        if name == "$remove":
            return KeyedEdit("remove", dict.fromkeys(self.names(path, payload)))
        elements = self.elements((*path, name), payload)
        if name in ("$append", "$literal"):
            return elements
        return KeyedEdit("prepend", elements) if name == "$prepend" else Replace(elements)

    def names(self, path: Path, value: Any) -> list[str]:
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return value
        self.fault((*path, "$remove"), "expected a list of names (name or name#id)")
        return []

    def elements(self, path: Path, value: Any) -> dict[str, Any]:
        if not isinstance(value, list):
            self.fault(path, f"expected a list, got {type_name(value)}")
            return {}
        elements: dict[str, Any] = {}
        for index, item in enumerate(value):
            key = self.element_key(path, index, item)
            if key is None:
                continue
            if key in elements:
                self.fault((*path, str(index)), f"{key!r} stands twice in one layer; {_ANOTHER[path[0]]}")
                continue
            self.positions[path[0], key] = (*path, str(index))
            element = self.value((path[0], key), item)
            if type(element) is dict:  # anything else has a directive among its fields, which is a fault already
                self.element_fields((path[0], key), element)
                elements[key] = element
        return elements

    def element_key(self, path: Path, index: int, item: Any) -> str | None:
        if not isinstance(item, Mapping):
            self.fault((*path, str(index)), f"expected a mapping with a name, got {type_name(item)}")
            return None
        name, ident = item.get("name"), item.get("id", "")
        if not isinstance(name, str) or not name.strip() or "#" in name:
            self.fault((*path, str(index), "name"), "a name is needed: text without '#'")
            return None
        if path[0] == "servers":
            return name
        if not isinstance(ident, str):
            self.fault((*path, str(index), "id"), f"expected text, got {type_name(ident)}")
            return None
        return f"{name}#{ident}" if ident else name

    def element_fields(self, path: Path, element: dict[str, Any]) -> None:
        """A middleware's fields are known here; those of servers belong to the schema of servers."""
        if path[0] != "middlewares":
            return
        if element.get("id") == "":
            del element["id"]
        for name, value in element.items():
            if name not in ("name", "id", "enabled", "config"):
                self.fault((*path, name), unknown_field(name, ("name", "id", "enabled", "config")))
            elif name == "enabled" and not isinstance(value, bool | Unset):
                self.fault((*path, name), "expected true or false")
            elif name == "config" and not _is_mapping_or_unset(value):
                self.fault((*path, name), "expected a mapping")

    # Values: mappings with directives, and data.

    def value(self, path: Path, value: Any) -> Any:
        """The prepared form of what stands at a place that layers merge."""
        if value is None:
            return UNSET
        kind = type(value)
        if kind is not dict and (kind in _SCALARS or not isinstance(value, Mapping)):
            return self.data(path, value)
        if len(value) == 1 and ("$secret" in value or "$redacted" in value):
            return self.atom(path, value)
        name = self.directive(path, value)
        if name is not None:
            return self.apply_directive(path, name, value[name])
        if len(path) > MAX_DEPTH:
            self.fault(path[:4], f"nested deeper than {MAX_DEPTH}")
            return {}
        return self.whole(path, {key: self.value((*path, key), child) for key, child in self.items(path, value)})

    def whole(self, path: Path, read: Any) -> Any:
        """What was read, as a replacement where the schema says that a mapping is one unit."""
        unit = type(read) is dict and path[0] == SETTINGS and path[1:] in self.schema.units
        return Replace(read) if unit else read

    def directive(self, path: Path, value: Mapping[str, Any]) -> str | None:
        """The directive that a mapping is, if it is one."""
        if DIRECTIVE_NAMES.isdisjoint(value):
            return None
        found = [key for key in value if key in DIRECTIVE_NAMES]
        if len(value) > 1:
            self.fault(path, f"{found[0]} must be the only key of its mapping")
        return found[0]

    def apply_directive(self, path: Path, name: str, payload: Any) -> Any:
        if name == "$unset":
            if payload is not True:
                self.fault(path, "$unset takes true")
            return UNSET
        if name == "$literal":
            return self.whole(path, self.data(path, payload))
        if name == "$replace":
            return self.replacement(path, payload)
        if not isinstance(payload, list):
            self.fault(path, f"{name} takes a list, got {type_name(payload)}")
            return ListEdit("append", [])
        if name == "$edits":
            return ListEdit("edits", self.edits(path, payload))
        return ListEdit(_LIST_EDITS[name], self.data(path, payload))  # type: ignore[arg-type]

    def edits(self, path: Path, payload: list[Any]) -> list[ListEdit]:
        """Several changes of one list, in their order."""
        read = []
        for position, item in enumerate(payload):
            name = self.directive((*path, str(position)), item) if isinstance(item, Mapping) else None
            if name in _LIST_EDITS:
                read.append(self.apply_directive(path, name, item[name]))
            else:
                self.fault((*path, str(position)), "$edits takes $append, $prepend and $remove, each in a mapping")
        return read

    def replacement(self, path: Path, payload: Any) -> Replace:
        if not isinstance(payload, Mapping | list):
            self.fault(path, f"$replace takes a mapping or a list, got {type_name(payload)}")
            return Replace({})
        inner = self.directive(path, payload) if isinstance(payload, Mapping) else None
        if inner not in (None, "$literal"):
            self.fault(path, f"$replace takes the value itself, not {inner}")
            return Replace({})
        read = self.value(path, payload)
        return read if type(read) is Replace else Replace(read)

    def data(self, path: Path, value: Any) -> Any:
        """The prepared form of plain data: no directive is looked for."""
        if isinstance(value, str):
            return self.text(path, value)
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int | float):
            return self.number(path, value)
        if isinstance(value, Mapping) and len(value) == 1 and ("$secret" in value or "$redacted" in value):
            return self.atom(path, value)
        if len(path) > MAX_DEPTH:
            self.fault(path[:4], f"nested deeper than {MAX_DEPTH}")
            return None
        if isinstance(value, Mapping):
            return {key: self.data((*path, key), child) for key, child in self.items(path, value)}
        if isinstance(value, list | tuple):
            return self.list_items(path, list(value))
        self.fault(path, f"{type_name(value)} is not a JSON value")
        return None

    def list_items(self, path: Path, items: list[Any]) -> list[Any]:
        command = path[-1] in COMMANDS
        return [
            literal_argument(items, index)
            if command and secret_argument(items, index)
            else self.data((*path, str(index)), item)
            for index, item in enumerate(items)
        ]

    def items(self, path: Path, value: Mapping[Any, Any]) -> list[tuple[str, Any]]:
        sound: list[tuple[str, Any]] = []
        for key, child in value.items():
            if not isinstance(key, str):
                self.fault(path, f"the key {key!r} is not text; quote it")
            elif not key.isascii() and has_surrogate(key):
                self.fault(path, f"the key {key!r} holds half of a surrogate pair, which UTF-8 cannot")
            else:
                sound.append((key, child))
        return sound

    def text(self, path: Path, value: str) -> Any:
        if not value.isascii() and has_surrogate(value):
            self.fault(path, "holds half of a surrogate pair, which UTF-8 cannot")
            return ""
        return self.secret(path, value) if is_secret(path, value, self.schema) else value

    def secret(self, path: Path, value: Any) -> SecretLiteral:
        if path[0] != "servers":  # an `env` is full of values that are no secrets, and is never shown either
            where = text_of(path)
            reference = "${NAME}" if self.schema.variables else '{"$secret": "env:NAME"}'
            self.warnings.append(f"{where} holds a secret in clear; better is a reference: {reference}")
        return literal(path, value, self.schema)

    def number(self, path: Path, value: float) -> Any:
        secret = is_secret(path, value, self.schema)
        reason = number_fault(value)
        if reason:
            self.fault(path, "the number cannot be used: it is too large or not finite" if secret else reason)
            return 1  # stands in, so that one fault is told once
        number = plain_number(value)
        return self.secret(path, number) if secret else number

    def atom(self, path: Path, value: Mapping[str, Any]) -> Any:
        if "$redacted" in value:
            self.fault(path, "a redacted value can only stand where there is a value to keep")
        elif not is_secret_reference(value):
            self.fault(path, "$secret takes 'env:NAME' or 'file:/path'")
        elif path[0] == SETTINGS and (self.schema.node(path[1:]) or {}).get("type") == "object":
            self.fault(path, "expected a mapping, got a reference to a secret")
        return Atom(value)


def _is_mapping_or_unset(read: Any) -> bool:
    inner = read.value if type(read) is Replace else read
    return type(inner) in (dict, Unset)


def settled(values: Mapping[str, Any]) -> dict[str, Any]:
    """Prepared values as plain ones for a check of types: directives applied to nothing, references left out."""
    plain: dict[str, Any] = {}
    for key, value in values.items():
        kind = type(value)
        if kind in _SCALARS:
            plain[key] = value
            continue
        if kind is Replace:
            value = value.value
            kind = type(value)
        if kind is dict:
            plain[key] = settled(value)
        elif kind is ListEdit:
            plain[key] = _shown(_items(value))
        elif kind not in (Unset, Atom):
            plain[key] = _shown(value)
    return plain


def _items(edit: ListEdit) -> list[Any]:
    """The values that an edit speaks of."""
    return [item for one in edit.items for item in one.items] if edit.kind == "edits" else edit.items


def _shown(data: Any) -> Any:
    """Data with its secrets in clear: for a check of types, never for output."""
    if type(data) is SecretLiteral:
        return data.value
    if type(data) is TypedText:
        return str(data)
    if type(data) is list:
        return [_shown(item) for item in data]
    return {key: _shown(child) for key, child in data.items()} if type(data) is dict else data
