"""Canonical JSON and the identity of a runtime: golden vectors, and the laws that any runtime keeps."""

from __future__ import annotations

import copy
import hashlib
import json
import struct
from pathlib import Path
from typing import Any

import orjson
import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from livery.core.fingerprint import canonical_json, digest, fingerprint
from livery.core.schema import FREE
from livery.core.values import Atom, SecretLiteral
from tests.core.builders import catalogue, registry, run, settings
from tests.core.strategies import JSON, law
from tests.core.test_golden import resolved

GOLDEN = json.loads((Path(__file__).resolve().parents[1] / "golden" / "fingerprints.json").read_text())


@pytest.mark.parametrize("row", GOLDEN["numbers"], ids=lambda row: row["text"])
def test_a_double_has_the_text_of_rfc_8785(row: dict[str, str]) -> None:
    (number,) = struct.unpack(">d", bytes.fromhex(row["ieee754"]))
    assert canonical_json(number) == row["text"].encode()
    assert canonical_json({"a": [number], "b": number}) == f'{{"a":[{row["text"]}],"b":{row["text"]}}}'.encode()


@pytest.mark.parametrize("row", GOLDEN["canonical"], ids=lambda row: row["json"][:20])
def test_a_json_text_has_its_canonical_form(row: dict[str, str]) -> None:
    assert canonical_json(orjson.loads(row["json"])) == row["canonical"].encode()


@pytest.mark.parametrize("row", GOLDEN["runtimes"], ids=lambda row: row["title"])
def test_a_runtime_has_its_digest_and_fingerprint(row: dict[str, Any]) -> None:
    assert canonical_json(row["runtime"]) == row["canonical"].encode()
    assert digest(row["runtime"]) == row["runtime_digest"]
    assert row["runtime_digest"] == "sha256:" + hashlib.sha256(row["canonical"].encode()).hexdigest()
    lineage = [(base["registry"], base["profile"], base["runtime_version"]) for base in row["lineage"]]
    found = fingerprint(row["registry"], row["profile"], lineage, row["runtime_digest"])
    assert found == row["runtime_fingerprint"]


@pytest.mark.parametrize("row", GOLDEN["resolutions"], ids=lambda row: f"{row['case']}-{row['request']}")
def test_a_resolution_keeps_its_identity_for_ever(row: dict[str, str]) -> None:
    found = resolved(row["case"], row["request"])
    assert (found.runtime_digest, found.runtime_fingerprint) == (row["runtime_digest"], row["runtime_fingerprint"])


# Canonical JSON


@law
@given(JSON)
@example([1e-7, 1e16, 1e21, 5e-324, -0.0, 1.0, 1.7976931348623157e308])
@example({"\U0001f600": 1, "\ue000": 2, "\uffff": 3, "a": 4})
@example({"a": "e5", "b": "1e5,", "c": ".0]", "d": "x.0,"})
@example(1e5)
@example(-0.0)
@example("1.0")
@example({"a\U0001f600": "ä", "a\ue000": "\u2028"})
def test_canonical_json_is_that_of_the_reference_implementation(value: Any) -> None:
    assert canonical_json(value) == rfc8785.dumps(value)


@law
@given(st.floats(allow_nan=False, allow_infinity=False))
@example(1e15)
@example(9007199254740992.0)
@example(1e-5)
@example(123456789012345680.0)
def test_every_double_has_one_text(number: float) -> None:
    assert canonical_json([number]) == rfc8785.dumps([number])
    assert canonical_json(number) == rfc8785.dumps(number)


@law
@given(JSON)
def test_the_order_of_keys_never_matters(value: Any) -> None:
    assert canonical_json(backwards(value)) == canonical_json(value)


def backwards(value: Any) -> Any:
    """The same value with every mapping's keys in the other order."""
    if isinstance(value, dict):
        return {key: backwards(value[key]) for key in reversed(value)}
    return [backwards(item) for item in value] if isinstance(value, list) else value


def test_a_secret_enters_as_one_word_and_a_reference_as_it_is() -> None:
    assert canonical_json({"a": SecretLiteral("x"), "b": [SecretLiteral(5)]}) == (
        b'{"a":{"$secret":"literal"},"b":[{"$secret":"literal"}]}'
    )
    assert canonical_json(Atom({"$secret": "env:A"})) == b'{"$secret":"env:A"}'


# Identity of a resolution

PROFILE: dict[str, Any] = {
    "extends": ["base"],
    "runtime": {
        "step_settings_patch": {
            "chat": {"engine": "x", "stop": ["a"]},
            "client": {"base_url": "https://h", "timeout": 5},
        },
        "system_prompt": "p",
        "middlewares": [{"name": "m", "config": {"a": 1, "b": 2}}, {"name": "n"}],
        "tools": ["t", "u"],
        "servers": [{"name": "s", "cmd": ["x", "y"], "env": {"A": "${A}"}}],
    },
}
DOCUMENT = registry({"p": PROFILE, "base": settings(chat={"temperature": 1}), "other": {}})


def identity(document: Any, label: str = "yaml:a", **request: Any) -> tuple[str, str]:
    found = run(catalogue(sources=[(label, [document])]), **request)
    return found.runtime_digest, found.runtime_fingerprint


def changed(path: str, value: Any) -> dict[str, Any]:
    """The document with another value at a path of its profile ``p``."""
    document = copy.deepcopy(DOCUMENT)
    place = document["profiles"]["p"]
    *parents, last = path.split(".")
    for part in parents:
        place = place.setdefault(part, {}) if isinstance(place, dict) else place[int(part)]
    place[last] = value
    return document


def test_the_same_input_has_the_same_identity_from_any_source_in_any_order_of_keys() -> None:
    assert identity(DOCUMENT) == identity(DOCUMENT) == identity(backwards(DOCUMENT), "sqlite:/x.db")


@pytest.mark.parametrize(
    ("path", "value"),
    [("display_name", "X"), ("description", "X"), ("policy", {"allow_overrides": True}), ("metadata", {"tags": ["x"]}),
     ("extensions", {"a.b@v1": 1})],
)  # fmt: skip
def test_what_only_describes_a_profile_changes_nothing(path: str, value: Any) -> None:
    assert identity(changed(path, value)) == identity(DOCUMENT)


def test_a_new_version_with_the_same_runtime_changes_nothing() -> None:
    one, other = ({"version": version, "runtime_version": 3} for version in (3, 9))
    assert identity(changed("metadata", one)) == identity(changed("metadata", other))


def test_a_new_runtime_version_changes_the_fingerprint_alone() -> None:
    one, other = (identity(changed("metadata", {"version": version})) for version in (1, 2))
    assert one[0] == other[0]
    assert one[1] != other[1]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("runtime.step_settings_patch.chat.engine", "y"),
        ("runtime.step_settings_patch.chat.engine", None),
        ("runtime.step_settings_patch.chat.temperature", 0),
        ("runtime.step_settings_patch.chat.stop", []),
        ("runtime.step_settings_patch.client.base_url", "https://i"),
        ("runtime.step_settings_patch.client.timeout", 6),
        ("runtime.system_prompt", "q"),
        ("runtime.tools", ["u", "t"]),
        ("runtime.middlewares", [{"name": "n"}, {"name": "m", "config": {"a": 1, "b": 2}}]),
        ("runtime.middlewares.0.config", {"a": 1, "b": 3}),
        ("runtime.middlewares.0.enabled", False),
        ("runtime.servers.0.cmd", ["y", "x"]),
        ("runtime.servers.0.env", {"A": "${B}"}),
        ("runtime.step_settings_patch.api", {"keys": {"a": {"$secret": "env:B"}}}),
    ],
)
def test_any_change_of_the_effective_runtime_changes_its_digest(path: str, value: Any) -> None:
    before, after = identity(DOCUMENT), identity(changed(path, value))
    assert before[0] != after[0]
    assert before[1] != after[1]


def test_an_override_and_an_operator_layer_change_the_digest() -> None:
    document = changed("policy", {"allow_overrides": True})
    found = {
        identity(document)[0],
        identity(document, request_overrides={"chat.temperature": 0.5})[0],
        identity(document, operator_layers=(("flags", {"system_prompt": "x"}),))[0],
        identity(document, base_step_settings={"client": {"organization": "acme"}})[0],
    }
    assert len(found) == 4


def test_the_order_of_bases_is_part_of_the_fingerprint() -> None:
    one, other = (identity(changed("extends", order)) for order in (["base", "other"], ["other", "base"]))
    assert one[0] == other[0]
    assert one[1] != other[1]


def test_equal_runtimes_of_different_profiles_have_one_digest_and_two_fingerprints() -> None:
    document = registry({"a": settings(chat={"engine": "x"}), "b": settings(chat={"engine": "x"})})
    one, other = (identity(document, profile_slug=name) for name in "ab")
    assert one[0] == other[0]
    assert one[1] != other[1]


def test_another_secret_in_clear_has_the_same_digest_and_another_reference_has_not() -> None:
    def of(value: Any) -> str:
        return identity(registry({"p": settings(api={"keys": {"a": value}})}))[0]

    assert of("sk-1") == of("sk-2")
    assert of({"$secret": "env:A"}) != of({"$secret": "env:B"})
    assert of("sk-1") != of({"$secret": "env:A"})


@law
@given(st.dictionaries(st.sampled_from("abc"), JSON.filter(lambda value: value is not None), max_size=3))
def test_settings_of_any_shape_have_an_identity_that_ignores_the_order_of_keys(patch: dict[str, Any]) -> None:
    literal = {key: {"$literal": value} for key, value in patch.items()}
    one, other = (registry({"p": settings(**x)}, settings_schema="free") for x in (literal, backwards(literal)))
    assert identity(one, free=FREE) == identity(other, free=FREE)
