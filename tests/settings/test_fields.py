"""Every field of the AI settings against a table written by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from livery.settings import PROVIDERS, SecretReference, StepSettings, ai_schema, legacy_of_settings
from livery.settings.sections import ApiType

ROWS = json.loads((Path(__file__).parents[1] / "golden" / "settings_fields.json").read_text())


def nodes(node: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, child in node.get("properties", {}).items():
        yield (*path, name), child
        yield from nodes(child, (*path, name))


FIELDS = {path: node for path, node in nodes(ai_schema().plain) if len(path) > 1}


def type_of(node: Mapping[str, Any]) -> str:
    if "enum" in node:
        return "|".join(sorted(node["enum"]))
    if node["type"] == "array":
        return f"list of {node['items']['type']}"
    if node["type"] == "object" and node.get("additionalProperties") is not False:
        return f"map of {node.get('additionalProperties', {}).get('type', 'anything')}"
    return "mapping" if node["type"] == "object" else node["type"]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["field"])
def test_the_schema_says_what_the_table_says(row: dict[str, Any]) -> None:
    path = tuple(row["field"].split("."))
    node = FIELDS[path]
    assert type_of(node) == "|".join(sorted(row["type"].split("|")))  # in whatever order
    assert node.get("default") == row["default"]
    assert node.get("x-flag") == row["flag"]
    assert ai_schema().is_sensitive(path) == row.get("sensitive", False)
    assert ai_schema().is_secret(path) == row.get("secret", False)
    assert ai_schema().is_secret((*path, "some-api-key")) == (
        row.get("secret_values", False) or row.get("secret", False)
    )


def test_the_table_has_every_field_of_the_schema() -> None:
    assert {".".join(path) for path in FIELDS} == {row["field"] for row in ROWS}


def test_every_section_and_field_is_described() -> None:
    undescribed = [path for path, node in nodes(ai_schema().plain) if not node.get("description")]
    assert undescribed == []


def test_every_entry_of_a_map_is_described() -> None:
    entries = [node["additionalProperties"] for node in FIELDS.values() if node.get("additionalProperties")]
    assert all(entry["description"] for entry in entries)


def test_the_flag_of_a_field_is_the_table_s() -> None:
    for row in ROWS:
        flag = legacy_of_settings(tuple(row["field"].split(".")))
        assert (".".join(flag) if flag else None) == row["flag"]


def test_every_provider_that_can_be_chosen_is_known() -> None:
    assert set(get_args(ApiType)) == set(PROVIDERS)


def test_typed_defaults_are_the_schema_s() -> None:
    built = msgspec.to_builtins(StepSettings())
    for (section, name, *rest), node in FIELDS.items():
        if not rest and "default" in node:
            assert built[section][name] == (tuple(node["default"]) if node["type"] == "array" else node["default"])


def test_the_prices_of_a_model_are_one_unit() -> None:
    assert ai_schema().units == {("model_info", "cost")}


def test_the_plain_schema_has_neither_references_nor_null() -> None:
    text = json.dumps(ai_schema().plain)
    assert "$ref" not in text and "anyOf" not in text and '"null"' not in text
    assert SecretReference.__name__ not in text
