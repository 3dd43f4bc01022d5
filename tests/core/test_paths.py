"""Dotted paths: read and written the same, and compared in one spelling."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livery.core.paths import SETTINGS, Path, folded, path_of, snake_case, text_of
from livery.errors import ValidationError
from tests.core.strategies import law


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((SETTINGS, "chat", "temperature"), "chat.temperature"),
        ((SETTINGS,), "step_settings_patch"),
        ((SETTINGS, "tools", "x"), "step_settings_patch.tools.x"),
        (("system_prompt",), "system_prompt"),
        (("middlewares", "logging#main", "config"), "middlewares.logging#main.config"),
        (("extensions", "webchat.starter@v1", "items"), 'extensions."webchat.starter@v1".items'),
        ((SETTINGS, "a b", 'c"d\\e'), '"a b"."c\\"d\\\\e"'),
    ],
)
def test_a_path_is_written_and_read_back(path: Path, text: str) -> None:
    assert text_of(path) == text
    assert path_of(text) == path


@law
@given(st.lists(st.text(min_size=1), min_size=1, max_size=5))
def test_any_path_of_settings_reads_back(parts: list[str]) -> None:
    path = (SETTINGS, *parts)
    assert path_of(text_of(path)) == path


@law
@given(st.sampled_from(["middlewares", "servers", "extensions"]), st.lists(st.text(min_size=1), max_size=4))
def test_any_path_of_a_runtime_reads_back(field: str, parts: list[str]) -> None:
    assert path_of(text_of((field, *parts))) == (field, *parts)


@pytest.mark.parametrize("text", ["", ".", "a.", ".a", "a..b", '"a', '"a"b', 'a"b"', '"a\\x"'])
def test_what_is_no_path_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="is not a dotted path"):
        path_of(text, "field")


@pytest.mark.parametrize(
    ("written", "folded_to"),
    [
        ("systemPrompt", "system_prompt"),
        ("system-prompt", "system_prompt"),
        (" System_Prompt ", "system_prompt"),
        ("HTTPProxy", "http_proxy"),
        ("baseURL", "base_url"),
        ("topP", "top_p"),
        ("gpt4oMini", "gpt4o_mini"),
    ],
)
def test_keys_are_compared_in_snake_case(written: str, folded_to: str) -> None:
    assert snake_case(written) == folded_to


@law
@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert snake_case(snake_case(text)) == snake_case(text)


def test_every_part_of_a_path_is_folded() -> None:
    assert folded((SETTINGS, "chat", "topP")) == (SETTINGS, "chat", "top_p")
