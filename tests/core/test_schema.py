"""What a settings schema knows: places, marks, defaults, and the words of its faults."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest

from livery.core.contract import profile_schema, registry_schema
from livery.core.reasons import reasons_of
from livery.core.schema import FREE, SettingsSchema, dotted
from livery.settings import ai_schema
from tests.core.builders import SMALL, section


def test_a_place_is_known_or_not() -> None:
    assert SMALL.node(("chat", "engine")) == {"type": "string", "default": "gpt-4"}
    assert SMALL.node(("chat", "engin")) is None
    assert SMALL.node(("client", "headers", "anything")) == {"type": "string"}
    assert SMALL.node(("model_info", "metadata", "a", "b")) == {}
    assert FREE.node(("anything", "at", "all")) == {}


def test_marks_count_for_everything_beneath_them() -> None:
    assert SMALL.is_secret(("client", "cookie"))
    assert SMALL.is_secret(("api", "keys", "any", "deeper"))
    assert not SMALL.is_secret(("client", "headers"))
    assert SMALL.is_sensitive(("client", "base_url"))
    assert SMALL.is_sensitive(("client", "cookie"))
    assert not FREE.is_secret(("anything",))


def test_the_leaves_below_a_place_are_those_of_the_schema() -> None:
    below = [".".join(path) for path in SMALL.leaves_below(("model_info",))]
    assert below == ["model_info.name", "model_info.cost.input", "model_info.cost.output", "model_info.metadata"]
    assert list(SMALL.leaves_below(("chat", "engine"))) == [("chat", "engine")]
    assert list(SMALL.leaves_below(("nothing",))) == []
    assert list(FREE.leaves_below(("any",))) == [("any",)]


def test_defaults_are_a_tree_of_what_has_one() -> None:
    schema = SettingsSchema(
        "s", section({"a": section({"x": {"default": 0}, "y": {}}), "b": section({"z": {"default": {}}})})
    )
    assert schema.defaults == {"a": {"x": 0}, "b": {"z": {}}}
    assert FREE.defaults == {}


def test_sections_of_other_programs_are_taken_as_they_are() -> None:
    wider = SMALL.with_sections(["mine", "chat"])
    assert wider.reasons({"mine": {"any": [1]}}) == []
    assert wider.reasons({"yours": {}}) == [(("yours",), "unknown field 'yours'")]
    assert wider.sections() == (*SMALL.sections(), "mine")
    assert wider.units == SMALL.units and wider.is_secret(("client", "cookie"))
    assert SMALL.with_sections(["mine"]) is wider
    assert SMALL.with_sections(["chat"]) is SMALL
    assert FREE.with_sections(["mine"]) is FREE


def reasons(schema: dict[str, Any], value: Any) -> dict[str, str]:
    found = reasons_of(jsonschema_rs.validator_for(schema), schema, value)
    return {".".join(path): reason for path, reason in found}


@pytest.mark.parametrize(
    ("schema", "value", "reason"),
    [
        ({"type": "integer"}, 1.5, "expected a whole number, got a number"),
        ({"type": ["string", "null"]}, 5, "expected text or null, got a number"),
        ({"anyOf": [{"type": "string"}, {"type": "array"}, {"type": "null"}]}, True,
         "expected text, a list or null, got true/false"),
        ({"minimum": 1}, 0, "must be at least 1"),
        ({"exclusiveMaximum": 1}, 1, "must be less than 1"),
        ({"multipleOf": 2}, 3, "breaks the rule 'multipleOf' of its schema"),
        ({"minLength": 1}, "", "cannot be empty"),
        ({"maxLength": 2}, "SECRET", "has more than 2 characters"),
        ({"pattern": "^a"}, "SECRET", "does not match ^a"),
        ({"const": True}, "SECRET", "must be True"),
        ({"uniqueItems": True}, ["SECRET", "SECRET"], "holds the same item twice"),
        ({"minItems": 2}, ["SECRET"], "needs at least 2 items"),
        ({"required": ["a"]}, {}, "'a' is missing"),
        ({"propertyNames": {"pattern": "^x"}}, {"a": "SECRET"}, "the key 'a' does not match ^x"),
        ({"enum": ["openai", "claude"]}, "opena", "'opena' is not one of openai, claude; did you mean 'openai'?"),
        ({"enum": ["openai"], "x-secret": True}, "SECRET", "is not one of openai"),
        ({"enum": [1, 2]}, 3, "is not one of 1, 2"),
        ({"not": {"type": "string"}}, "SECRET", "breaks the rule 'not' of its schema"),
        ({"anyOf": [{"type": "string", "maxLength": 2}, {"type": "null"}]}, "SECRET", "has more than 2 characters"),
        (False, "SECRET", "breaks the rule 'falseSchema' of its schema"),
    ],
)  # fmt: skip
def test_a_fault_is_told_in_plain_words_without_the_value(schema: Any, value: Any, reason: str) -> None:
    assert reasons({"properties": {"x": schema}}, {"x": value}) == {"x": reason}


def test_of_several_forms_the_faults_of_the_nearest_are_told() -> None:
    one, other = section({"name": {"type": "string"}, "id": {}}), section({"path": {"type": "string"}})
    schema = {"anyOf": [{"type": "string"}, one, other]}
    assert reasons(schema, {"name": 5}) == {"name": "expected text, got a number"}
    assert reasons(schema, {"path": "x", "pth": "y"}) == {"pth": "unknown field 'pth'; did you mean 'path'?"}


def test_faults_behind_a_reference_are_found() -> None:
    schema = {"$defs": {"a": section({"x": {"enum": ["b"]}})}, "properties": {"q": {"$ref": "#/$defs/a"}}}
    assert reasons(schema, {"q": {"x": "c", "y": 1}}) == {"q.x": "'c' is not one of b", "q.y": "unknown field 'y'"}


@pytest.mark.parametrize(
    ("path", "text"), [((), "a"), (("b", "c"), "a.b.c"), (("b", "0", "c"), "a.b[0].c"), (("x.y@v1",), "a.x.y@v1")]
)
def test_a_field_is_written_with_positions_in_brackets(path: tuple[str, ...], text: str) -> None:
    assert dotted("a", path) == text


def test_the_published_schemas_of_the_ai_settings_take_what_people_write() -> None:
    profile = jsonschema_rs.validator_for(profile_schema(ai_schema()))
    patch = {
        "chat": {"engine": {"$secret": "env:A"}, "stop": {"$append": ["x"]}, "top_p": None},
        "client": {"$unset": True},
    }
    assert profile.is_valid({"runtime": {"step_settings_patch": patch}})
    assert not profile.is_valid({"runtime": {"step_settings_patch": {"chat": {"engin": "x"}}}})
    assert jsonschema_rs.meta.is_valid(registry_schema(ai_schema()))
