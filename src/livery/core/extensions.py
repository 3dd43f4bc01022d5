"""Schemas of extensions: the data of applications is checked where its key is registered, else kept untouched."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import jsonschema_rs

from livery.core.names import extension_key
from livery.core.reasons import reasons_of
from livery.core.schema import JsonSchema, dotted, partial_schema
from livery.errors import Fault, ValidationError


class ExtensionSchemas:
    """JSON Schemas by extension key; ``load`` brings more, and is asked only where a document has extensions."""

    def __init__(
        self,
        schemas: Iterable[tuple[str, JsonSchema]] = (),
        load: Callable[[], Iterable[tuple[str, Any]]] | None = None,
    ) -> None:
        self._schemas = _by_key(schemas)
        self._load = load
        self._validators: dict[str, jsonschema_rs.Validator] = {}

    def all(self) -> dict[str, JsonSchema]:
        """Every registered schema, sorted by key; those given directly go before loaded ones."""
        if self._load is not None:
            self._schemas = {**_by_key(self._load()), **self._schemas}
            self._load = None
        return dict(sorted(self._schemas.items()))

    def faults(self, extensions: Mapping[str, Any], field: str) -> list[Fault]:
        """What is wrong with the extensions of one document; nothing is required of it, others may complete it."""
        faults: list[Fault] = []
        for key, value in extensions.items():
            validator = self._validator(key)
            if validator is not None and not validator.is_valid(value):
                reasons = reasons_of(validator, self._schemas[key], value)
                faults += [Fault(dotted(f"{field}[{key}]", path), reason) for path, reason in reasons]
        return faults

    def _validator(self, key: str) -> jsonschema_rs.Validator | None:
        if key not in self._validators:
            schema = self.all().get(key)
            if schema is None:
                return None
            self._validators[key] = jsonschema_rs.validator_for(partial_schema(schema))
        return self._validators[key]


def _by_key(schemas: Iterable[tuple[str, Any]]) -> dict[str, JsonSchema]:
    found: dict[str, JsonSchema] = {}
    for name, schema in schemas:
        key = extension_key(name, "extension_schemas")
        if key in found:
            raise ValidationError("extension_schemas", f"{key!r} is registered twice")
        found[key] = schema() if callable(schema) else schema
    return found


NO_EXTENSION_SCHEMAS = ExtensionSchemas()
