"""Whole resolutions as files: the documents of each source and some requests in, the part that matters out.

``expected.json`` names for each request what the answer has to hold; ``settings`` are effective settings by key, as
they are shown to people. An ``error`` is the code of the error that the request ends with.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from livery.core.explain import explain
from livery.core.paths import path_of
from livery.core.profile import ResolveInput
from livery.core.resolve import resolve
from livery.core.resolved import ResolvedProfile
from livery.errors import LiveryError
from livery.settings import ai_schema
from tests.core.builders import catalogue

CASES = Path(__file__).resolve().parents[1] / "golden" / "resolve"
NAMES = [
    (case.name, request)
    for case in sorted(CASES.iterdir())
    for request in json.loads((case / "expected.json").read_text())
]


def loaded(case: str, part: str) -> Any:
    return json.loads((CASES / case / f"{part}.json").read_text())


def resolved(case: str, request: str) -> ResolvedProfile:
    given = loaded(case, "input")
    where = catalogue(
        sources=[(source["source"], source["registries"]) for source in given["sources"]], schema=ai_schema()
    )
    fields = given["requests"][request]
    operator = tuple((name, runtime) for name, runtime in fields.pop("operator_layers", ()))
    return resolve(ResolveInput(**fields, operator_layers=operator), where, ai_schema())


def at(document: Any, key: str) -> Any:
    for part in path_of(key)[1:]:
        document = document[part]
    return document


@pytest.mark.parametrize(
    ("case", "request_"), [row for row in NAMES if "error" not in loaded(*row[:1], "expected")[row[1]]]
)
def test_a_request_resolves_to_what_its_file_says(case: str, request_: str) -> None:
    expected, found = loaded(case, "expected")[request_], resolved(case, request_)
    shown = found.document()
    special = {"settings", "absent", "lineage", "decisions", "explain", "never"}
    assert {key: shown[key] for key in expected.keys() - special} == {
        key: expected[key] for key in expected.keys() - special
    }
    assert {key: at(shown["effective_step_settings"], key) for key in expected.get("settings", ())} == expected.get(
        "settings", {}
    )
    check_lineage(expected, found)
    check_explanation(expected, found)


def check_lineage(expected: Any, found: ResolvedProfile) -> None:
    if "lineage" in expected:
        assert [f"{entry.registry}/{entry.profile}" for entry in found.lineage] == expected["lineage"]
    if "decisions" in expected:
        assert {decision.key: decision.allowed for decision in found.decisions} == expected["decisions"]


def check_explanation(expected: Any, found: ResolvedProfile) -> None:
    rows = {row.key: row for row in explain(found)}
    for key in expected.get("absent", ()):
        with pytest.raises(KeyError):
            at(found.effective_step_settings, key)
    for key, wanted in expected.get("explain", {}).items():
        row = rows[key]
        told = {
            "origin": str(row.origin),
            "rule": row.rule,
            "present": row.present,
            "history": [str(entry.origin) for entry in row.history],
        }
        assert {name: told[name] for name in wanted} == wanted
    for text in expected.get("never", ()):
        assert text not in str(found.document()) + str(explain(found)) + repr(found)


@pytest.mark.parametrize(
    ("case", "request_"), [row for row in NAMES if "error" in loaded(*row[:1], "expected")[row[1]]]
)
def test_a_request_ends_with_the_error_that_its_file_names(case: str, request_: str) -> None:
    expected = loaded(case, "expected")[request_]
    with pytest.raises(LiveryError) as caught:
        resolved(case, request_)
    error: Any = caught.value
    assert error.code == expected["error"]
    assert str(error) == expected.get("message", str(error))
    assert getattr(error, "field", "") == expected.get("field", getattr(error, "field", ""))
    assert [d.key for d in getattr(error, "decisions", ()) if not d.allowed] == expected.get("denied", [])
    assert all(text in str(error) for text in expected.get("contains", ()))


def test_every_case_says_in_a_sentence_what_it_shows() -> None:
    for case in CASES.iterdir():
        given = loaded(case.name, "input")
        assert given["title"].endswith(".")
        assert given["requests"].keys() == loaded(case.name, "expected").keys()
