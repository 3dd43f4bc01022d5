"""Reading what secret references lead to, without ever telling it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from livery.errors import SecretUnavailable
from livery.secrets import MAX_BYTES, expand, expand_secrets, read_secret, secret_available

ENVIRON = {"KEY": "sk-1", "EMPTY": "", "LINES": "a\n"}


def refused(reference: Any, environ: dict[str, str] = ENVIRON) -> str:
    with pytest.raises(SecretUnavailable) as caught:
        read_secret(reference, environ)
    assert not secret_available(reference, environ)
    return str(caught.value)


def file(tmp_path: Path, content: bytes) -> str:
    path = tmp_path / "key"
    path.write_bytes(content)
    return f"file:{path}"


def test_a_variable_is_read_as_it_is() -> None:
    assert read_secret("env:KEY", ENVIRON) == "sk-1"
    assert read_secret({"$secret": "env:LINES"}, ENVIRON) == "a\n"
    assert secret_available("env:KEY", ENVIRON)


@pytest.mark.parametrize(
    ("content", "secret"),
    [
        (b"sk-2", "sk-2"),
        (b"sk-2\n", "sk-2"),
        (b"sk-2\r\n", "sk-2"),
        (b"a\n\n", "a\n"),
        (b" a ", " a "),
        (b"a\r", "a\r"),
    ],
)
def test_a_file_is_read_without_its_last_newline(tmp_path: Path, content: bytes, secret: str) -> None:
    assert read_secret(file(tmp_path, content), {}) == secret


def test_a_link_to_a_file_is_followed(tmp_path: Path) -> None:
    reference = file(tmp_path, b"sk-3")
    (tmp_path / "link").symlink_to(tmp_path / "key")
    assert read_secret(f"file:{tmp_path}/link", {}) == read_secret(reference, {})


def test_a_variable_that_is_not_there_is_named() -> None:
    assert refused("env:NOWHERE") == "secret env:NOWHERE is not available: the variable is not set"
    assert "it is empty" in refused("env:EMPTY")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    assert "no such file" in refused(f"file:{tmp_path}/nowhere")
    assert "not a regular file" in refused(f"file:{tmp_path}")
    assert "it is empty" in refused(file(tmp_path, b"\n"))
    assert "no file can have this name" in refused("file:/a\0b")


def test_a_pipe_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "not a regular file" in refused(f"file:{tmp_path}/pipe")


def test_the_size_of_a_file_is_limited(tmp_path: Path) -> None:
    assert len(read_secret(file(tmp_path, b"x" * MAX_BYTES), {})) == MAX_BYTES
    assert "larger than 65536 bytes" in refused(file(tmp_path, b"x" * (MAX_BYTES + 1)))


def test_bytes_that_are_no_text_are_not_shown(tmp_path: Path) -> None:
    message = refused(file(tmp_path, b"canary\xff"))
    assert "not UTF-8" in message and "canary" not in message


@pytest.mark.parametrize(
    "reference",
    [
        "sk-canary",
        "env:sk-canary",
        "env:",
        "file:canary",
        "vault:canary",
        "",
        {"$secret": 3},
        {"$secret": "env:KEY", "canary": 1},
        {},
    ],
)
def test_what_is_no_reference_may_be_the_secret_and_is_not_shown(reference: Any) -> None:
    message = refused(reference)
    assert "canary" not in message and "env:NAME or file:/absolute/path" in message


def test_every_reference_in_a_value_is_replaced() -> None:
    reference = {"$secret": "env:KEY"}
    value = {"a": reference, "list": [1, {"b": reference}], "other": {"$secret": "env:KEY", "more": 1}}
    assert expand_secrets(value, ENVIRON) == {
        "a": "sk-1",
        "list": [1, {"b": "sk-1"}],
        "other": {"$secret": "env:KEY", "more": 1},
    }
    assert value["a"] is reference


def test_the_field_that_wants_a_secret_is_named() -> None:
    value = {"api_keys": [{"$secret": "env:NOWHERE"}]}
    with pytest.raises(SecretUnavailable, match=r"the variable is not set; api.api_keys\[0\] needs it"):
        expand_secrets(value, ENVIRON, field="api")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Bearer ${KEY}", "Bearer sk-1"),
        ("$KEY/x", "sk-1/x"),
        ("${NOWHERE:-30}", "30"),
        ("${EMPTY:-30}", "30"),
        ("${NOWHERE:-}", ""),
        ("${KEY:-$NOT}", "sk-1"),
        ("[${EMPTY}]", "[]"),
        ("pa$$word $$KEY $$$KEY", "pa$word $KEY $sk-1"),
        ("cost $5, $(date), {print $1} $", "cost $5, $(date), {print $1} $"),
        ("$${KEY}", "${KEY}"),
    ],
)
def test_variables_in_a_text_are_put_in(text: str, value: str) -> None:
    assert expand(text, ENVIRON) == value


def test_a_value_is_put_in_once_and_as_one_text() -> None:
    assert expand("${A}", {"A": "x: y", "B": "b"}) == "x: y"
    assert expand("${A}", {"A": "$B ${C}"}) == "$B ${C}"


@pytest.mark.parametrize("text", ["${NOWHERE}", "a $NOWHERE"])
def test_a_variable_in_a_text_that_is_not_set_is_named(text: str) -> None:
    with pytest.raises(SecretUnavailable) as caught:
        expand(text, ENVIRON)
    assert str(caught.value) == "secret env:NOWHERE is not available: the variable is not set"


@pytest.mark.parametrize("text", ["S3CRET ${", "${}", "${A B}", "${1}", "${KEY:-${KEY}}", "${KEY"])
def test_a_variable_without_a_name_or_an_end_is_refused_without_the_text(text: str) -> None:
    with pytest.raises(SecretUnavailable) as caught:
        expand(text, ENVIRON)
    assert "$${" in str(caught.value) and "S3CRET" not in str(caught.value)
