"""Every pair of the eight layers, for each kind of field: which one wins, and what the explanation says of both.

``precedence.json`` was written from the order of the layers alone; a layer's value is its own name. Base settings hold
settings and nothing else, so beside another field they say nothing.
"""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from livery.core.resolved import ResolvedProfile
from livery.errors import PolicyViolation
from tests.core.builders import catalogue, registry, rows, run

TABLE = json.loads((Path(__file__).resolve().parents[1] / "golden" / "precedence.json").read_text())
LAYERS = ["schema defaults", "base settings", "registry defaults", "bases", "selected profile", "operator layers",
          "enforced", "request overrides"]  # fmt: skip
FIELDS = ["setting", "system_prompt", "middlewares", "tools", "setting, null above"]
KEYS = {"middlewares": "middlewares.m.config.from", "system_prompt": "system_prompt", "tools": "tools"}
POLICY = {"allow_overrides": True, "allowed_override_keys": ["*", "tools", "middlewares"]}


def runtime(field: str, layer: str, upper: bool) -> dict[str, Any]:
    """A runtime in which a layer gives a field its own name."""
    if field.startswith("setting"):
        value = None if upper and field.endswith("null above") else layer
        return {"step_settings_patch": {"chat": {"engine": value}}}
    if field == "middlewares":
        return {"middlewares": [{"name": "m", "config": {"from": layer}}]}
    return {field: [layer] if field == "tools" else layer}


def resolved(row: dict[str, Any]) -> ResolvedProfile:
    said = {name: runtime(row["field"], name, name == row["upper"]) for name in (row["lower"], row["upper"])}
    document = registry(
        {
            "p": {"extends": ["base"], "runtime": said.get("selected profile", {}), "policy": POLICY},
            "base": {"runtime": said.get("bases", {})},
        },
        defaults=said.get("registry defaults", {}),
        enforced=said.get("enforced", {}),
    )
    return run(
        catalogue(document),
        base_step_settings=said.get("base settings", {}).get("step_settings_patch"),
        operator_layers=(("flags", said["operator layers"]),) if "operator layers" in said else (),
        request_overrides=said.get("request overrides"),
    )


def name_of(row: dict[str, Any]) -> str:
    return f"{row['field']}: {row['upper']} over {row['lower']}"


@pytest.mark.parametrize("row", [row for row in TABLE if "value" in row], ids=name_of)
def test_the_higher_layer_wins_and_the_explanation_tells_both(row: dict[str, Any]) -> None:
    found = rows(resolved(row))[KEYS.get(row["field"], "chat.engine")]
    told = {
        "value": found.value,
        "origin": str(found.origin),
        "rule": found.rule,
        "history": [[str(entry.origin), entry.value] for entry in found.history],
    }
    assert told == {key: row[key] for key in told}


@pytest.mark.parametrize("row", [row for row in TABLE if "denied" in row], ids=name_of)
def test_a_request_never_beats_what_is_enforced(row: dict[str, Any]) -> None:
    with pytest.raises(PolicyViolation) as caught:
        resolved(row)
    denied = [decision for decision in caught.value.decisions if not decision.allowed]
    assert [decision.key for decision in denied] == row["denied"]
    assert {decision.rule for decision in denied} == {"enforced by default (yaml:a)"}
    assert row["denied"][0] in str(caught.value)


@pytest.mark.parametrize("row", [row for row in TABLE if "absent" in row], ids=name_of)
def test_where_neither_layer_can_say_anything_there_is_nothing(row: dict[str, Any]) -> None:
    assert KEYS[row["field"]] not in rows(resolved(row))


def test_the_table_has_every_pair_of_layers_for_every_field() -> None:
    pairs = set(itertools.combinations(LAYERS, 2))
    for field in FIELDS:
        assert {(row["lower"], row["upper"]) for row in TABLE if row["field"] == field} == pairs
    for row in TABLE:
        assert row.get("winner") in (row["upper"], row["lower"], "schema defaults", None)
