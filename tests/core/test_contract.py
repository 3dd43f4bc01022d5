"""The JSON Schemas of documents: the records' own fields, and the same verdict as the reader."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livery.core import contract
from livery.core.check import profile_faults
from livery.core.contract import profile_schema, registry_schema
from livery.core.documents import read_profile
from livery.core.profile import Metadata, PolicySpec, Profile, Registry, RuntimeSpec
from tests.core.builders import SMALL, catalogue, registry
from tests.core.strategies import law


@pytest.mark.parametrize(
    ("schema", "record", "only_in_documents", "only_in_records"),
    [
        (contract.PROFILE, Profile, {"id"}, {"registry"}),
        (contract.REGISTRY_HEAD, Registry, {"id"}, set()),
        (contract.RUNTIME, RuntimeSpec, set(), set()),
        (contract.POLICY, PolicySpec, set(), set()),
        (contract.METADATA, Metadata, set(), set()),
    ],
)
def test_a_schema_has_the_fields_of_its_record(
    schema: Any, record: Any, only_in_documents: set[str], only_in_records: set[str]
) -> None:
    assert set(schema["properties"]) - only_in_documents == set(record.__struct_fields__) - only_in_records


def test_the_published_schemas_are_valid_json_schemas() -> None:
    for schema in (profile_schema(SMALL), registry_schema(SMALL), SMALL.document_schema(), SMALL.effective_schema()):
        assert jsonschema_rs.meta.is_valid(schema)


VIEW = catalogue(registry()).registries["default"]
VALIDATOR = jsonschema_rs.validator_for(profile_schema(SMALL))


def reader_takes(document: dict[str, Any]) -> bool:
    profile, faults = read_profile(document, registry="default", slug="x")
    return not faults and profile is not None and not profile_faults(profile, VIEW)


def directives(value: Any) -> st.SearchStrategy[Any]:
    around = [{name: value} for name in ("$literal", "$replace", "$append", "$prepend", "$remove", "$apend")]
    wrong = [{"$literal": {"bogus": None}}, {"$replace": 5}, {"$append": 5}, {"$append": value, "x": 1}, {}]
    references = [{"$secret": "env:A"}, {"$secret": "A"}, {"$secret": 5}, {"$redacted": True}]
    return st.sampled_from([None, {"$unset": True}, {"$unset": 1}, *around, *wrong, *references])


def field(*values: Any, around: Any) -> st.SearchStrategy[Any]:
    return st.one_of(st.sampled_from([*values, 5, "text", [], True]), directives(around))


CHAT = st.fixed_dictionaries(
    {},
    optional={
        "engine": field("gpt", around="gpt"),
        "temperature": field(0.5, 3, -1, around=1),
        "stream": field(False, around=True),
        "stop": field(["a"], [1], around=["a"]),
        "api_type": field("openai", "opena", around="openai"),
        "bogus": st.just(1),
    },
)
ELEMENTS = st.sampled_from(
    [[], [{"name": "a"}], [{"name": "a", "id": "b", "enabled": False, "config": {"x": [1]}}], [{"id": "b"}],
     [{"name": "a", "bogus": 1}], [{"name": "a", "enabled": {"$unset": True}}], [{"name": "a", "enabled": 5}],
     [{"name": "a", "config": {"$replace": {"x": 1}}}], [5], [{"name": ""}]]
)  # fmt: skip
RUNTIMES = st.fixed_dictionaries(
    {},
    optional={
        "step_settings_patch": st.one_of(
            st.fixed_dictionaries({}, optional={"chat": st.one_of(CHAT, field(around={"engine": "x"}))}),
            st.builds(lambda chat: {"$replace": {"chat": chat}}, CHAT),
            field(around={"chat": {}}),
        ),
        "system_prompt": field("text", "", around="text"),
        "tools": field(["a"], [1], ["a", "a"], around=["a"]),
        "middlewares": st.one_of(
            ELEMENTS, st.builds(lambda x: {"$append": x}, ELEMENTS), field(around=[{"name": "a"}])
        ),
    },
)


@law
@given(RUNTIMES)
def test_the_schema_of_documents_and_the_reader_agree(runtime: dict[str, Any]) -> None:
    document = {"runtime": runtime}
    assert VALIDATOR.is_valid(document) == reader_takes(document)


@pytest.mark.parametrize(
    "document",
    [
        {"extends": ["a", {"registry": "b", "profile": "c"}]},
        {"extends": None},
        {"metadata": {"version": 1, "tags": []}, "policy": {"read_only": True}},
        {"display_name": None},
        {"extends": "a"},
        {"policy": {"allow_overrides": None}},
        {"metadata": {"version": 2**53}},
        {"runtime": None},
        {"extensions": []},
    ],
)
def test_the_schema_and_the_reader_agree_on_the_other_fields(document: dict[str, Any]) -> None:
    assert VALIDATOR.is_valid(document) == reader_takes(document)


def test_effective_settings_take_values_and_references_and_no_directives() -> None:
    validator = jsonschema_rs.validator_for(SMALL.effective_schema())
    assert validator.is_valid({"chat": {"engine": {"$secret": "env:A"}, "temperature": 1}})
    assert not validator.is_valid({"chat": {"engine": None}})
    assert not validator.is_valid({"chat": {"stop": {"$append": []}}})
