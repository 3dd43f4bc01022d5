"""Source URLs and lists of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from livery.errors import LiveryError, UsageError, ValidationError
from livery.stores.urls import SourceURL, parse_source, split_sources


def sources(text: str) -> list[SourceURL]:
    return [parse_source(entry) for entry in split_sources(text)]


def test_a_list_is_split_at_commas_and_trimmed() -> None:
    found = sources(" a.yaml, b.db ,sqlite-dsn:file:test.db ")
    assert [(url.kind, url.location) for url in found] == [
        ("yaml", "a.yaml"),
        ("sqlite", "b.db"),
        ("sqlite", "file:test.db"),
    ]


def test_an_empty_list_names_no_source() -> None:
    assert sources("  ") == []


@pytest.mark.parametrize(("text", "position"), [("a.yaml,,b.yaml", 1), (",a.yaml", 0), ("a.yaml,", 1)])
def test_an_empty_entry_is_an_error_with_its_position(text: str, position: int) -> None:
    with pytest.raises(ValidationError) as caught:
        sources(text)
    assert caught.value.field == f"sources[{position}]"


@pytest.mark.parametrize("text", ["yaml:", "sqlite:", "sqlite-dsn:", "yaml://", "profile-store:", "yaml:?optional=1"])
def test_a_url_without_a_place_is_empty(text: str) -> None:
    with pytest.raises(ValidationError, match="is empty"):
        parse_source(text)


@pytest.mark.parametrize(
    ("text", "kind", "location"),
    [
        ("yaml://./x.yaml", "yaml", "./x.yaml"),
        ("yaml:///etc/x.yaml", "yaml", "/etc/x.yaml"),
        ("YAML:x.yaml", "yaml", "x.yaml"),
        ("x.SQLITE3", "sqlite", "x.SQLITE3"),
        ("x.yml", "yaml", "x.yml"),
        ("~/profiles", "yaml", "~/profiles"),
        ("./a:b.yaml", "yaml", "./a:b.yaml"),
        ("builtin:", "builtin", ""),
        ("memory:", "memory", ""),
        ("postgres://db/livery", "postgresql", "//db/livery"),
        ("config-profiles:?app=wa", "config-profiles", ""),
    ],
)
def test_a_url_names_kind_and_place(text: str, kind: str, location: str) -> None:
    url = parse_source(text)
    assert (url.kind, url.location) == (kind, location)


def test_a_bare_path_is_told_by_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "database").write_bytes(b"SQLite format 3\x00" + bytes(84))
    (tmp_path / "store" / "profiles").mkdir(parents=True)
    (tmp_path / "wa" / "profiles").mkdir(parents=True)
    (tmp_path / "wa" / "profiles" / "manifest.json").write_text("{}")
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "app.toml").write_text("")
    kinds = {path.name: parse_source(str(path)).kind for path in tmp_path.iterdir()}
    assert kinds == {"database": "sqlite", "store": "profile-store", "wa": "config-profiles", "app": "config-profiles"}


@pytest.mark.parametrize("text", ["foo:bar", "yml:team.yaml", "mysql://host/db"])
def test_an_unknown_kind_is_an_error(text: str) -> None:
    with pytest.raises(UsageError, match="unknown kind of source"):
        parse_source(text)


def test_an_unknown_kind_is_told_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'yaml'"):
        parse_source("yml:team.yaml")


def test_options_stand_after_the_question_mark() -> None:
    url = parse_source("yaml:team.yaml?readonly=1&optional=true&registries=A,b")
    assert (url.location, url.readonly, url.optional, url.registries) == ("team.yaml", True, True, ("a", "b"))


def test_in_a_list_the_registries_of_a_source_are_joined_with_plus() -> None:
    first, second = sources("yaml:a.yaml?registries=x+y,b.yaml")
    assert (first.registries, second.location) == (("x", "y"), "b.yaml")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a.yaml?readnly=1", "did you mean 'readonly'"),
        ("a.yaml?optional=maybe", "takes 1 or 0"),
        ("a.yaml?registries=a%20b!", "is not a slug"),
        ("", "is empty"),
    ],
)
def test_a_bad_option_is_an_error(text: str, reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        parse_source(text)


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://me:hunter2@db:5432/livery",
        "https://me:hunter2@host/",
        "https://host/?token=hunter2",
        "sqlite:x.db?token=hunter2",
        "mysql://me:hunter2@db/livery",
        "yaml://me:hunter2@db/?nonsense=1",
    ],
)
def test_a_password_is_shown_nowhere(text: str) -> None:
    try:
        url = parse_source(text)
    except LiveryError as error:
        assert "hunter2" not in str(error)
    else:
        assert "hunter2" not in f"{url} {url!r}"
