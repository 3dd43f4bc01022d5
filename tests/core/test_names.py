"""Slugs, references, extension keys: what they fold to, what is refused, what the refusal says."""

from __future__ import annotations

from typing import Any

import pytest

from livery.core.names import (
    Reference,
    extension_key,
    fold_keys,
    nearest,
    parse_reference,
    profile_slug,
    registry_slug,
    type_name,
    unknown_field,
)
from livery.errors import ValidationError


@pytest.mark.parametrize(
    ("written", "slug"),
    [
        ("  My-Registry_01  ", "my-registry_01"),
        ("a", "a"),
        ("7", "7"),
        ("A.B-c_d", "a.b-c_d"),
        ("a" * 128, "a" * 128),
        ("\tTeam\n", "team"),
    ],
)
def test_a_slug_is_trimmed_and_lower_cased(written: str, slug: str) -> None:
    assert registry_slug(written) == slug
    assert profile_slug(written) == slug


@pytest.mark.parametrize(
    "written",
    ["bad slug", "a" * 129, "-a", "a-", "_a", "a.", ".a", "a/b", "a#b", "ä", "\u017f", "\u212a", "a\u0130", "a\nb"],
)
def test_what_is_no_slug_is_refused_with_its_field(written: str) -> None:
    with pytest.raises(ValidationError) as caught:
        registry_slug(written, "registry.slug")
    assert caught.value.field == "registry.slug"


def test_a_blank_slug_cannot_be_empty() -> None:
    with pytest.raises(ValidationError, match="cannot be empty"):
        registry_slug("  ")


def test_letters_outside_ascii_are_refused_before_they_can_fold_to_ascii() -> None:
    with pytest.raises(ValidationError, match="outside ASCII"):
        profile_slug("\u212aelvin")  # the Kelvin sign lower-cases to k


@pytest.mark.parametrize("value", [None, 5, 1.5, True, [], {}])
def test_a_slug_is_text(value: object) -> None:
    with pytest.raises(ValidationError, match="a slug is text, not"):
        registry_slug(value)


@pytest.mark.parametrize("written", ["-a", "a_", "--", "_", "-" * 32])
def test_a_profile_of_an_overlay_may_begin_and_end_with_a_dash(written: str) -> None:
    assert profile_slug(written) == written
    with pytest.raises(ValidationError):
        registry_slug(written)


def test_an_overlay_name_has_at_most_32_characters() -> None:
    with pytest.raises(ValidationError):
        profile_slug("-" * 33)


@pytest.mark.parametrize(
    ("written", "reference"),
    [
        ("base", Reference("here", "base")),
        ("Team/Base", Reference("team", "base")),
        (" team / base ", Reference("team", "base")),
        ({"registry": "team", "profile": "base"}, Reference("team", "base")),
        ({"profile": "base"}, Reference("here", "base")),
        ({"registry_slug": "Team", "profile_slug": "base"}, Reference("team", "base")),
        ({"registry_slug": "", "profile_slug": "base"}, Reference("here", "base")),
    ],
)
def test_a_reference_is_read_in_every_spelling(written: object, reference: Reference) -> None:
    assert parse_reference(written, "here") == reference
    assert parse_reference(str(reference), "elsewhere") == reference


@pytest.mark.parametrize(
    ("written", "field"),
    [
        ("", "profile.extends[0].profile"),
        ("a/", "profile.extends[0].profile"),
        ("/a", "profile.extends[0].registry"),
        ("a/b/c", "profile.extends[0]"),
        ("Invalid Registry/a", "profile.extends[0].registry"),
        ({}, "profile.extends[0].profile"),
        ({"profile_slug": ""}, "profile.extends[0].profile_slug"),
        ({"registry_slug": "Invalid Registry", "profile_slug": "a"}, "profile.extends[0].registry_slug"),
        ({"profile": "a", "profile_slug": "a"}, "profile.extends[0].profile_slug"),
        ({"profil": "a"}, "profile.extends[0].profil"),
        (5, "profile.extends[0]"),
        (None, "profile.extends[0]"),
    ],
)
def test_a_bad_reference_names_the_part_at_fault(written: object, field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        parse_reference(written, "here", "profile.extends[0]")
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("  WebChat.Starter_Suggestions@V1 ", "webchat.starter_suggestions@v1"),
        ("App.Custom@V1", "app.custom@v1"),
        ("a.b@v99999", "a.b@v99999"),
        (f"{'a' * 64}.b@v1", f"{'a' * 64}.b@v1"),
    ],
)
def test_an_extension_key_is_trimmed_and_lower_cased(written: str, key: str) -> None:
    assert extension_key(written) == key


@pytest.mark.parametrize(
    "written",
    [
        "", "missingversion", "namespace.feature@v0", "namespace.@v1", "namespace.feature@v-1", "name space.feature@v1",
        "a.b@v100000", "a.b@v01", "a.b@1", "a@v1", "a.b.c@v1", "-a.b@v1", "a.b_@v1", f"{'a' * 65}.b@v1", "ä.b@v1", 5,
    ],
)  # fmt: skip
def test_what_is_no_extension_key_is_refused(written: Any) -> None:
    with pytest.raises(ValidationError, match=r"expected 'namespace\.feature@vN'"):
        extension_key(written)


def test_two_names_that_fold_to_one_are_a_fault_and_the_first_stays() -> None:
    written, faults = fold_keys(["Coder", "coder", "bad slug"], profile_slug, "registry.profiles")
    assert written == {"coder": "Coder"}
    assert [fault.field for fault in faults] == ["registry.profiles[coder]", "registry.profiles[bad slug]"]
    assert "'Coder'" in faults[0].reason


def test_the_nearest_names_are_found_across_spellings() -> None:
    assert nearest("temprature", ["top_p", "temperature"]) == ["temperature"]
    assert nearest("max-tokens", ["max_tokens", "timeout"], 1) == ["max_tokens"]
    assert nearest("zzz", ["temperature"]) == []


def test_an_unknown_field_is_named_with_the_nearest_known_one() -> None:
    assert unknown_field("temprature", ["temperature"]) == "unknown field 'temprature'; did you mean 'temperature'?"
    assert unknown_field("zzz", ["temperature"]) == "unknown field 'zzz'"


@pytest.mark.parametrize(
    ("value", "word"),
    [(None, "null"), (True, "true/false"), (1, "a number"), (1.5, "a number"), ("", "text"), ([], "a list"),
     ({}, "a mapping"), (object(), "object")],
)  # fmt: skip
def test_values_are_called_by_plain_words(value: object, word: str) -> None:
    assert type_name(value) == word
