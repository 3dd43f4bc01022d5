"""The index of overlay profiles: read whatever stands in it, written without losing any of it."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from livery.core.profile import Metadata
from livery.errors import SchemaTooNew, ValidationError
from livery.formats.manifest import Manifest, folded_name, new_manifest, path_fault, read_manifest
from livery.formats.manifest_records import fields_of, metadata_of, version_of


def manifest(*profiles: Any, **top: Any) -> Manifest:
    return read_manifest(json.dumps({"version": 1, "profiles": profiles, **top}).encode())


def reasons(read: Manifest) -> list[str]:
    return [f"{fault.field}: {fault.reason}" for fault in read.faults]


# ---- reading


def test_entries_keep_their_order() -> None:
    read = manifest({"name": "b", "path": "b.toml"}, {"name": "a", "path": "a.toml"})
    assert [(entry.name, entry.path) for entry in read.entries.values()] == [("b", "b.toml"), ("a", "a.toml")]


def test_names_are_folded_and_a_missing_path_is_that_of_the_name() -> None:
    (entry,) = manifest({"name": " Incident "}).entries.values()
    assert (entry.name, entry.path, entry.fault) == ("incident", "incident.toml", None)


@pytest.mark.parametrize(
    "name", ["", "a" * 33, "a/b", "..", "a.b", "café", "日本語", "a\0b", "a b", "\u212a", "İ", "ａ", 1, None, ["a"]]
)
def test_what_is_no_name_is_a_fault_of_that_entry(name: Any) -> None:
    read = manifest({"name": name}, {"name": "ok"})
    assert list(read.entries) == ["ok"]
    assert [fault.field for fault in read.faults] == ["profiles[0].name"]


def test_of_names_that_fold_to_one_the_first_is_used() -> None:
    read = manifest({"name": "Incident", "path": "a.toml"}, {"name": "incident", "path": "b.toml"})
    assert [entry.path for entry in read.entries.values()] == ["a.toml"]
    assert "stands first and is used" in reasons(read)[0]


def test_default_is_never_an_entry() -> None:
    read = manifest({"name": "Default", "path": "x.toml"})
    assert (list(read.entries), len(read.faults)) == ([], 1)


@pytest.mark.parametrize("item", [None, "a", 1, [], True])
def test_what_is_no_object_is_a_fault(item: Any) -> None:
    assert [fault.field for fault in manifest(item).faults] == ["profiles[0]"]


def test_however_long_a_name_or_path_is_its_fault_is_short() -> None:
    long = "n" * 100_000
    entries = [{"name": long}, {"name": "a", "path": f"{long}.toml"}, {"name": "b", "path": f"../{long}"}]
    manifest = read_manifest(json.dumps({"profiles": entries, "version": long}).encode())
    faults = [*manifest.faults, *(entry.fault for entry in manifest.entries.values() if entry.fault)]
    assert len(faults) == 3
    assert all(len(str(fault)) < 200 for fault in faults)


@pytest.mark.parametrize("path", ["x.toml", "sub/x.toml", "./x.toml", "a b.toml", "..x.toml"])
def test_a_path_may_lead_anywhere_below(path: str) -> None:
    assert path_fault(path) == ""


@pytest.mark.parametrize(
    "path",
    [
        "",
        "../x.toml",
        "a/../../x.toml",
        "..",
        "/etc/x.toml",
        "a\\b.toml",
        "a\0.toml",
        "a\n.toml",
        "manifest.json",
        1,
        {},
    ],
)
def test_a_path_that_leads_elsewhere_is_the_fault_of_its_entry_alone(path: Any) -> None:
    read = manifest({"name": "bad", "path": path}, {"name": "ok"})
    assert read.entries["bad"].fault is not None
    assert read.entries["ok"].fault is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b'{"profiles": {}}',
        b"{}",
        b"\0\0\0",
        b'{"version":1,"profiles":[',
        b"\xff\xfe",
        b"[" * 10**7,
    ],
    ids=lambda data: repr(data[:20]),
)
def test_what_is_no_manifest_is_said_to_be_none(data: bytes) -> None:
    with pytest.raises(ValidationError):
        read_manifest(data)


def test_of_a_million_bad_items_a_few_are_told() -> None:
    read = read_manifest(b'{"profiles": [' + b"0," * 10**6 + b'{"name": "a"}]}')
    assert (len(read.faults), list(read.entries)) == (100, ["a"])


def test_a_byte_order_mark_is_skipped() -> None:
    assert list(read_manifest(b'\xef\xbb\xbf{"profiles": [{"name": "a"}]}').entries) == ["a"]


@given(st.binary(max_size=60))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    with suppress(ValidationError):
        read_manifest(data)


_SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
_FLAT = _SCALARS | st.lists(_SCALARS, max_size=3)
_JSON = _FLAT | st.lists(_FLAT, max_size=3) | st.dictionaries(st.text(max_size=8), _FLAT, max_size=3)


@given(st.lists(_JSON | st.fixed_dictionaries({"name": _JSON, "path": _JSON, "version": _JSON}), max_size=4))
def test_no_entries_raise_anything(profiles: list[Any]) -> None:
    read = read_manifest(json.dumps({"profiles": profiles}).encode())
    for entry in read.entries.values():
        metadata_of(entry.fields)


# ---- times and versions


@pytest.mark.parametrize("time", [None, -1, "yesterday", 1.5, True, 10**18, [], {}])
def test_an_odd_time_is_as_good_as_none(time: Any) -> None:
    assert metadata_of({"created_at": time, "updated_at": time, "last_applied_at": time}) == Metadata()


def test_times_are_milliseconds() -> None:
    read = metadata_of({"created_at": 0, "updated_at": 1_700_000_000_000, "last_applied_at": 5})
    assert (read.created_at_ms, read.updated_at_ms, read.last_applied_at_ms) == (0, 1_700_000_000_000, 5)


@pytest.mark.parametrize("version", [None, 0, -3, "2", 1.0, True, 2**80])
def test_an_odd_version_is_the_first(version: Any) -> None:
    assert version_of({"version": version}) == 1


def test_a_record_says_what_the_metadata_say() -> None:
    metadata = Metadata(
        source="api", version=4, runtime_version=2, created_at_ms=1, updated_at_ms=2, created_by="alice"
    )
    assert metadata_of({key: value for key, value in fields_of(metadata, {}).items() if value is not None}) == metadata


def test_who_created_a_profile_when_never_changes() -> None:
    assert "created_at" not in fields_of(Metadata(created_at_ms=5, version=2), {"created_at": "in spring"})


# ---- writing


def test_unknown_keys_and_their_order_survive() -> None:
    old = {"x": {"y": 1}, "version": 1, "profiles": [{"color": "red", "name": "A", "updated_at": None}], "z": []}
    new = read_manifest(json.dumps(old).encode()).with_entry("a", {"updated_at": 5}).with_entry("b", {"path": "b.toml"})
    read = json.loads(new.data())
    assert list(read) == ["x", "version", "profiles", "z"]
    assert read["profiles"] == [{"color": "red", "name": "A", "updated_at": 5}, {"name": "b", "path": "b.toml"}]


def test_entries_that_are_none_survive() -> None:
    old = manifest(None, {"name": "a b"}, {"name": "a"}, {"name": "A", "x": 1})
    assert old.with_entry("a", {"version": 2}).document["profiles"] == [
        None,
        {"name": "a b"},
        {"name": "a", "version": 2},
        {"name": "A", "x": 1},
    ]


def test_a_deleted_name_does_not_come_back_from_a_second_entry() -> None:
    new = manifest({"name": "a"}, {"name": "A"}, {"name": "b"}).without_entry("a").with_deleted("a", 3)
    assert (list(new.entries), new.deleted_versions) == (["b"], {"a": 3})


def test_the_old_manifest_is_as_it_was() -> None:
    old = manifest({"name": "a"})
    before = old.data()
    old.with_entry("a", {"version": 2}).with_base({"version": 2}).without_entry("a")
    assert old.data() == before


def test_integers_of_any_size_survive() -> None:
    data = b'{"profiles": [], "n": 123456789012345678901234567890}'
    assert b"123456789012345678901234567890" in read_manifest(data, exact=True).with_base({"version": 2}).data()


def test_what_is_nested_deeply_survives() -> None:
    data = b'{"profiles": [], "x": ' + b"[" * 400 + b"]" * 400 + b"}"
    assert read_manifest(read_manifest(data, exact=True).data()).document == read_manifest(data).document


@pytest.mark.parametrize("version", [2, 99, "1", None, 1.0, True])
def test_a_later_version_is_read_and_not_written(version: Any) -> None:
    read = read_manifest(json.dumps({"version": version, "profiles": [{"name": "a"}]}).encode())
    assert list(read.entries) == ["a"]
    with pytest.raises(SchemaTooNew, match=r"manifest\.json"):
        read.demand_writable("manifest.json")


def test_a_manifest_without_a_version_is_of_the_first() -> None:
    read_manifest(b'{"profiles": []}').demand_writable("manifest.json")


def test_a_new_manifest_lists_nothing() -> None:
    assert json.loads(new_manifest().data()) == {"version": 1, "profiles": []}


@pytest.mark.parametrize(("written", "name"), [("A", "a"), ("-x", "-x"), (" a ", "a"), ("\u212a", None), (None, None)])
def test_names_fold_within_ascii(written: object, name: str | None) -> None:
    assert folded_name(written) == name


def test_nothing_recorded_is_nothing_known() -> None:
    assert metadata_of({}).created_at_ms is UNSET
