"""Preparing a runtime document: numbers in one form, directives and secrets told apart, every fault with its place."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from livery.core.layers import Origin, Prepared, layer_of, prepare, settled, under
from livery.core.schema import FREE, SettingsSchema
from livery.core.values import UNSET, Atom, KeyedEdit, ListEdit, Replace, SecretLiteral
from livery.errors import ValidationError
from tests.core.builders import SMALL


def prepared(schema: SettingsSchema = FREE, **runtime: Any) -> Prepared:
    return prepare(runtime, schema)


def value(written: Any, schema: SettingsSchema = FREE) -> Any:
    """The prepared form of what stands at settings path ``x.y``."""
    read = prepared(schema, step_settings_patch={"x": {"y": written}})
    assert read.faults == []
    return read.values["step_settings_patch"]["x"]["y"]


def faults(schema: SettingsSchema = FREE, **runtime: Any) -> dict[str, str]:
    return {fault.field: fault.reason for fault in prepared(schema, **runtime).faults}


def settings_faults(written: Any) -> dict[str, str]:
    return faults(step_settings_patch={"x": {"y": written}})


@pytest.mark.parametrize(
    ("written", "form"),
    [(1.0, 1), (-0.0, 0), (1e15, 10**15), (2.0**53, 2.0**53), (1e16, 1e16), (1.5, 1.5), (True, True), (False, False),
     (0, 0), ("", ""), ([], []), (2**53 - 1, 2**53 - 1), ([1.0, [2.0, -0.0]], [1, [2, 0]])],
)  # fmt: skip
def test_numbers_have_one_form_and_other_values_stay(written: Any, form: Any) -> None:
    read = value(written)
    assert read == form
    assert repr(read) == repr(form)  # 1 is not 1.0 and not True


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf"), 2**53, -(2**53), 10**40])
def test_numbers_that_json_cannot_hold_are_refused_with_their_path(number: float) -> None:
    assert list(settings_faults(number)) == ["runtime.step_settings_patch.x.y"]
    assert list(settings_faults([0, {"z": number}])) == ["runtime.step_settings_patch.x.y[1].z"]


@pytest.mark.parametrize("text", ["\ud800", "a\udfff", "\udc00\ud800"])
def test_half_a_surrogate_pair_is_refused_with_its_path(text: str) -> None:
    assert list(settings_faults([text])) == ["runtime.step_settings_patch.x.y[0]"]
    assert list(settings_faults({text: 1})) == ["runtime.step_settings_patch.x.y"]
    assert value("\U0001f600") == "\U0001f600"


@pytest.mark.parametrize("key", [1, None, True, 1.5])
def test_a_key_that_is_no_text_is_refused(key: object) -> None:
    assert "quote it" in settings_faults({key: 1})["runtime.step_settings_patch.x.y"]


def nested(depth: int, leaf: Any = 1) -> Any:
    for _ in range(depth):
        leaf = {"a": leaf}
    return leaf


def test_64_levels_are_enough_and_65_are_refused() -> None:
    assert not faults(step_settings_patch=nested(64))
    assert list(faults(step_settings_patch=nested(65))) == ["runtime.step_settings_patch.a.a.a"]
    lists: Any = 1
    for _ in range(63):
        lists = [lists]
    assert not faults(step_settings_patch={"a": lists})
    assert faults(step_settings_patch={"a": [lists]})


@pytest.mark.parametrize("wrap", ["a", "$literal", "$replace", "$append"])
def test_no_depth_crashes_the_reader(wrap: str) -> None:
    deep: Any = [1] if wrap == "$append" else {}
    for _ in range(50_000):
        deep = {wrap: [deep]} if wrap == "$append" else {wrap: deep}
    assert faults(step_settings_patch={"x": deep})
    assert faults(middlewares=[{"name": "a", "config": deep}])


@pytest.mark.parametrize(
    ("written", "form"),
    [
        (None, UNSET),
        ({"$unset": True}, UNSET),
        ({"$append": [1]}, ListEdit("append", [1])),
        ({"$edits": [{"$remove": [1]}]}, ListEdit("edits", [ListEdit("remove", [1])])),
        ({"$prepend": [{"$append": 1}]}, ListEdit("prepend", [{"$append": 1}])),
        ({"$remove": []}, ListEdit("remove", [])),
        ({"$replace": {"a": None}}, Replace({"a": UNSET})),
        ({"$replace": [1]}, Replace([1])),
        ({"$replace": {"$literal": {"$append": [1]}}}, Replace({"$append": [1]})),
        ({"$literal": {"$append": [1], "b": None}}, {"$append": [1], "b": None}),
        ({"$literal": None}, None),
        ({"$other": 1}, {"$other": 1}),
        ({"$ref": "#/x", "$y": 2}, {"$ref": "#/x", "$y": 2}),
        ([{"$append": [1]}, None], [{"$append": [1]}, None]),
        ({"$secret": "env:A"}, Atom({"$secret": "env:A"})),
    ],
)
def test_directives_are_told_apart_from_data(written: Any, form: Any) -> None:
    read = value(written)
    assert (type(read), read) == (type(form), form)


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ({"$append": [1], "b": 2}, "only key"),
        ({"$append": [1], "$remove": [2]}, "only key"),
        ({"$secret": "env:A", "$unset": True}, "only key"),
        ({"$append": 1}, "takes a list"),
        ({"$edits": {"$append": [1]}}, "takes a list"),
        ({"$edits": [{"$append": [1], "$remove": [2]}]}, "only key"),
        ({"$edits": [{"$unset": True}]}, "each in a mapping"),
        ({"$remove": None}, "takes a list"),
        ({"$unset": False}, "takes true"),
        ({"$replace": "a"}, "takes a mapping or a list"),
        ({"$replace": None}, "takes a mapping or a list"),
        ({"$replace": {"$append": [1]}}, "takes the value itself, not $append"),
        ({"$replace": {"$replace": []}}, "takes the value itself, not $replace"),
        ({"$secret": "A"}, "'env:NAME' or 'file:/path'"),
        ({"$secret": "env:"}, "'env:NAME' or 'file:/path'"),
        ({"$secret": {"a": 1}}, "'env:NAME' or 'file:/path'"),
        ({"$redacted": True}, "value to keep"),
        ([{"$redacted": True}], "value to keep"),
    ],
)
def test_a_directive_that_is_written_wrong_is_a_fault(written: Any, reason: str) -> None:
    (found,) = settings_faults(written).values()
    assert reason in found


def test_a_reference_cannot_stand_where_the_schema_wants_a_mapping() -> None:
    assert faults(SMALL, step_settings_patch={"chat": {"$secret": "env:A"}}) == {
        "runtime.step_settings_patch.chat": "expected a mapping, got a reference to a secret"
    }


def test_a_unit_is_read_as_a_replacement_however_it_is_written() -> None:
    for written in ({"input": 1}, {"$replace": {"input": 1}}, {"$literal": {"input": 1}}):
        read = prepared(SMALL, step_settings_patch={"model_info": {"cost": written}})
        assert read.values["step_settings_patch"]["model_info"]["cost"] == Replace({"input": 1})


@pytest.mark.parametrize("field", ["step_settings_patch", "extensions"])
@pytest.mark.parametrize("written", [5, "x", [], {"$replace": []}, {"$secret": "env:A"}, {"$append": []}])
def test_a_mapping_field_takes_nothing_else(field: str, written: Any) -> None:
    assert list(faults(**{field: written})) == [f"runtime.{field}"]


@pytest.mark.parametrize("written", [{}, None, {"$unset": True}, {"$replace": {}}, {"$literal": {}}])
def test_a_mapping_field_takes_null_and_replacements(written: Any) -> None:
    assert not faults(step_settings_patch=written)


def test_an_unknown_field_of_a_runtime_is_named_with_the_nearest() -> None:
    assert faults(system_promt="x") == {
        "runtime.system_promt": "unknown field 'system_promt'; did you mean 'system_prompt'?"
    }


def test_a_runtime_that_is_no_mapping_is_a_fault() -> None:
    with pytest.raises(ValidationError, match="expected a mapping, got a list"):
        layer_of(Origin("base"), [], FREE, "runtime")  # type: ignore[arg-type]


@pytest.mark.parametrize("written", [5, [], {"text": "x"}, {"$append": ["x"]}, {"$replace": ["x"]}, {"$literal": None}])
def test_a_prompt_is_text(written: Any) -> None:
    assert list(faults(system_prompt=written)) == ["runtime.system_prompt"]


def test_an_empty_prompt_is_as_good_as_none_and_null_is_not() -> None:
    assert prepared(system_prompt="").values == {}
    assert prepared(system_prompt={"$literal": ""}).values == {}
    assert prepared(system_prompt=None).values == {"system_prompt": UNSET}


@pytest.mark.parametrize("written", ["a", [1], {"a": 1}, [None], {"$append": [5]}, {"$secret": "env:A"}])
def test_tools_are_a_list_of_names(written: Any) -> None:
    assert list(faults(tools=written)) == ["runtime.tools"]


def test_the_same_tool_twice_in_one_layer_is_a_fault() -> None:
    assert "twice" in faults(tools=["a", "a"])["runtime.tools"]


def test_keyed_lists_become_mappings_by_name_and_id() -> None:
    read = prepared(
        middlewares=[{"name": "a", "id": "x"}, {"name": "a"}, {"name": "b", "id": ""}], servers=[{"name": "s"}]
    )
    assert list(read.values["middlewares"]) == ["a#x", "a", "b"]
    assert read.values["middlewares"]["b"] == {"name": "b"}
    assert list(read.values["servers"]) == ["s"]


@pytest.mark.parametrize(
    ("written", "form"),
    [
        (None, UNSET),
        ({"$unset": True}, UNSET),
        ({"$remove": ["a", "b#c"]}, KeyedEdit("remove", {"a": None, "b#c": None})),
        ({"$append": [{"name": "a"}]}, {"a": {"name": "a"}}),
        ({"$literal": [{"name": "a"}]}, {"a": {"name": "a"}}),
        ({"$prepend": [{"name": "a"}]}, KeyedEdit("prepend", {"a": {"name": "a"}})),
        ({"$replace": [{"name": "a"}]}, Replace({"a": {"name": "a"}})),
        ({"$replace": []}, Replace({})),
    ],
)
def test_keyed_lists_take_directives(written: Any, form: Any) -> None:
    read = prepared(middlewares=written)
    assert not read.faults
    assert read.values["middlewares"] == form


def test_an_empty_keyed_list_adds_nothing_and_warns() -> None:
    read = prepared(middlewares=[])
    assert read.values == {}
    assert "adds nothing" in read.warnings[0]


@pytest.mark.parametrize(
    ("written", "field"),
    [
        ([{"name": "a"}, {"name": "a"}], "runtime.middlewares[1]"),
        ([{"name": "a", "id": ""}, {"name": "a"}], "runtime.middlewares[1]"),
        ([{"id": "a"}], "runtime.middlewares[0].name"),
        ([{"name": " "}], "runtime.middlewares[0].name"),
        ([{"name": "a#b"}], "runtime.middlewares[0].name"),
        ([{"name": "a", "id": 5}], "runtime.middlewares[0].id"),
        (["a"], "runtime.middlewares[0]"),
        ([{"name": "a", "enabled": "no"}], "runtime.middlewares[0].enabled"),
        ([{"name": "a", "config": [1]}], "runtime.middlewares[0].config"),
        ([{"name": "a", "config": {"$replace": [1]}}], "runtime.middlewares[0].config"),
        ([{"name": "a", "config": {"x": 2**60}}], "runtime.middlewares[0].config.x"),
        ([{"name": "a", "enabld": True}], "runtime.middlewares[0].enabld"),
        ([{"name": "a", "$append": [1]}], "runtime.middlewares[0]"),
        ({"$append": {"name": "a"}}, "runtime.middlewares.$append"),
        ({"$append": [{"name": "a", "enabled": 1}]}, "runtime.middlewares.$append[0].enabled"),
        ({"$remove": [1]}, "runtime.middlewares.$remove"),
        ({"name": "a"}, "runtime.middlewares"),
        ("a", "runtime.middlewares"),
    ],
)
def test_a_fault_of_an_element_says_where_it_stands(written: Any, field: str) -> None:
    assert list(faults(middlewares=written)) == [field]


def test_a_fault_of_an_extension_stands_beside_the_runtime() -> None:
    read = prepare({"extensions": {"a.b@v1": {"x": 2**60}}}, FREE, "registry.profiles[p].runtime")
    assert [fault.field for fault in read.faults] == ["registry.profiles[p].extensions.a.b@v1.x"]


@pytest.mark.parametrize("path", [{"api": {"keys": {"openai": "sk-1"}}}, {"client": {"cookie": "c"}}])
def test_secrets_are_known_by_the_schema_and_warned_of(path: Any) -> None:
    read = prepared(SMALL, step_settings_patch=path)
    assert "SecretLiteral(...)" in repr(read.values)
    assert "holds a secret in clear" in read.warnings[0]
    assert "sk-1" not in repr(read)


def test_a_number_at_a_secret_place_is_not_repeated_in_its_fault() -> None:
    found = faults(step_settings_patch={"chat": {"api_key": 12345678901234567890}})
    assert list(found) == ["runtime.step_settings_patch.chat.api_key"]
    assert "1234" not in str(found)


def test_what_is_faulty_is_left_out_and_every_fault_is_there() -> None:
    read = prepared(system_prompt=5, tools=[1], middlewares=[{"name": "a"}, 5], bogus=1)
    assert read.values == {"middlewares": {"a": {"name": "a"}}}
    assert len(read.faults) == 4


def test_preparing_changes_nothing_and_shares_nothing() -> None:
    document = {"step_settings_patch": {"a": {"l": [[1], {"x": {"$secret": "env:A"}}]}}, "tools": ["t"]}
    before = copy.deepcopy(document)
    read = prepared(**document)
    read.values["step_settings_patch"]["a"]["l"][0].append(2)
    read.values["tools"].append("u")
    assert document == before


def test_settled_values_leave_out_unsets_and_references() -> None:
    read = prepared(
        step_settings_patch={
            "a": {"x": None, "s": {"$secret": "env:A"}, "l": {"$append": [1]}, "m": {"$replace": {"k": 1}}}
        }
    )
    assert settled(read.values["step_settings_patch"]) == {"a": {"l": [1], "m": {"k": 1}}}


def test_a_layer_under_another_schema_has_its_secrets_and_units_too() -> None:
    patch = {"client": {"cookie": "c", "headers": {"$replace": {"x": "y"}}}, "model_info": {"cost": {"input": 1}}}
    free = layer_of(Origin("base"), {"step_settings_patch": patch}, FREE, "runtime")
    seen = under(free, SMALL).values["step_settings_patch"]
    assert seen["client"] == {"cookie": SecretLiteral("c"), "headers": Replace({"x": "y"})}
    assert seen["model_info"] == {"cost": Replace({"input": 1})}
    assert free.values["step_settings_patch"]["client"]["cookie"] == "c"


@pytest.mark.parametrize(
    ("origin", "text"),
    [
        (Origin("schema"), "schema default"),
        (Origin("base"), "base settings"),
        (Origin("defaults", "team", "", "yaml:a", 1), "defaults of team (yaml:a)"),
        (Origin("extends", "team", "base", "yaml:a", 2), "base team/base (yaml:a)"),
        (Origin("profile", "team", "coder"), "profile team/coder"),
        (Origin("operator", name="flags"), "operator layer flags"),
        (Origin("enforced", "team", "", "yaml:a", 1), "enforced by team (yaml:a)"),
        (Origin("request"), "request override"),
    ],
)
def test_an_origin_reads_as_words(origin: Origin, text: str) -> None:
    assert str(origin) == text
