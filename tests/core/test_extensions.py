"""Data of applications: checked where its key is registered with a schema, kept as it is elsewhere."""

from __future__ import annotations

from typing import Any

import pytest

from livery.core.extensions import ExtensionSchemas
from livery.errors import ValidationError

STARTERS = {
    "$defs": {"text": {"type": "string", "maxLength": 5}},
    "type": "object",
    "properties": {
        "items": {"type": "array", "items": {"$ref": "#/$defs/text"}},
        "key": {"enum": ["a"], "x-secret": True},
    },
    "required": ["items"],
    "additionalProperties": False,
}


def faults(extensions: Any, **schemas: Any) -> dict[str, str]:
    known = ExtensionSchemas([("webchat.starters@v1", STARTERS), *schemas.items()])
    return {fault.field: fault.reason for fault in known.faults(extensions, "profile.extensions")}


def test_registered_keys_are_checked_and_others_are_not() -> None:
    assert faults({"webchat.starters@v1": {"items": ["a"]}, "vendor.extra@v2": [1, {"any": None}]}) == {}
    assert faults({"webchat.starters@v1": {"itms": []}}) == {
        "profile.extensions[webchat.starters@v1].itms": "unknown field 'itms'; did you mean 'items'?"
    }


def test_one_layer_need_not_be_complete() -> None:
    assert faults({"webchat.starters@v1": {}}) == {}


def test_faults_behind_references_are_told_without_values() -> None:
    found = faults({"webchat.starters@v1": {"items": ["SECRET"], "key": "SECRET"}})
    assert found == {
        "profile.extensions[webchat.starters@v1].items[0]": "has more than 5 characters",
        "profile.extensions[webchat.starters@v1].key": "is not one of a",
    }


def test_keys_are_listed_in_order_and_folded() -> None:
    schemas = ExtensionSchemas([("Zeta.Feature@V1", {}), ("alpha.feature@v1", {})])
    assert list(schemas.all()) == ["alpha.feature@v1", "zeta.feature@v1"]


def test_a_key_can_be_registered_once() -> None:
    with pytest.raises(ValidationError, match="registered twice"):
        ExtensionSchemas([("a.b@v1", {}), ("A.B@v1", {})])


def test_further_schemas_are_loaded_when_they_are_first_needed() -> None:
    asked: list[int] = []

    def load() -> list[tuple[str, Any]]:
        asked.append(1)
        return [("a.b@v1", {"type": "string"}), ("c.d@v1", {"type": "string"})]

    schemas = ExtensionSchemas([("a.b@v1", {"type": "number"})], load)
    assert asked == []
    assert [str(fault) for fault in schemas.faults({"a.b@v1": "x", "c.d@v1": 5}, "e")] == [
        "e[a.b@v1]: expected a number, got text",
        "e[c.d@v1]: expected text, got a number",
    ]
    schemas.faults({"a.b@v1": 1}, "e")
    assert asked == [1]
