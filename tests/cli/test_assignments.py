"""``KEY=VALUE``: what a value is read as, and where it goes."""

from __future__ import annotations

from typing import Any

import click
import pytest

from livery import open_registry
from livery.cli.assignments import overrides_of, patch_of, removal_of
from livery.errors import ValidationError

VIEW = open_registry("builtin:").catalogue.view("default")


def chat(value: dict[str, Any]) -> dict[str, Any]:
    return {"runtime": {"step_settings_patch": {"chat": value}}}


@pytest.mark.parametrize(
    ("text", "patch"),
    [
        ("chat.temperature=0.2", chat({"temperature": 0.2})),
        ("chat.stream=false", chat({"stream": False})),
        ("chat.engine=4.1", chat({"engine": "4.1"})),
        ("chat.engine='4.1'", chat({"engine": "4.1"})),
        ("chat.engine={$secret: env:X}", chat({"engine": {"$secret": "env:X"}})),
        ("chat.engine=", chat({"engine": ""})),
        ("chat.engine=null", chat({"engine": {"$unset": True}})),
        ("chat.stop=one", chat({"stop": ["one"]})),
        ("chat={engine: a, top_p: null}", chat({"engine": "a", "top_p": {"$unset": True}})),
        ("step_settings_patch.chat.engine=a", chat({"engine": "a"})),
        ("system_prompt=Be: brief # always", {"runtime": {"system_prompt": "Be: brief # always"}}),
        ("system_prompt=a=b", {"runtime": {"system_prompt": "a=b"}}),
        ("system_prompt={oops", {"runtime": {"system_prompt": "{oops"}}),
        ("tools=[a, b]", {"runtime": {"tools": ["a", "b"]}}),
        ("tools={$append: [a]}", {"runtime": {"tools": {"$append": ["a"]}}}),
        ("servers=null", {"runtime": {"servers": {"$unset": True}}}),
        ("tags=a", {"metadata": {"tags": ["a"]}}),
        ("extends=base", {"extends": ["base"]}),
        ("extends=null", {"extends": None}),
        ("description=12", {"description": "12"}),
        ("policy.allow_overrides=true", {"policy": {"allow_overrides": True}}),
        ("policy.denied_override_keys=chat.*", {"policy": {"denied_override_keys": ["chat.*"]}}),
        ('extensions."a.b@v1".c=1', {"extensions": {"a.b@v1": {"c": 1}}}),
    ],
)
def test_a_value_is_read_as_what_its_key_wants(text: str, patch: dict[str, Any]) -> None:
    assert patch_of([text], VIEW) == patch


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("chat.engin=x", "did you mean 'chat.engine'?"),
        ("chta.engine=x", "did you mean 'chat.engine'?"),
        ("descripton=x", "did you mean 'description'?"),
        ("polcy.read_only=x", "did you mean 'policy.read_only'?"),
        ("policy.read=x", "unknown key"),
        ("tags.a=x", "unknown key"),
        ("tools.a=x", "as a whole"),
        ("chat.temperature=[", "chat.temperature"),
        ('chat."x=1', "not a dotted path"),
    ],
)
def test_a_wrong_key_or_value_says_what_is_right(text: str, hint: str) -> None:
    with pytest.raises(ValidationError, match=None) as caught:
        patch_of([text], VIEW)
    assert hint in str(caught.value)


def test_the_same_key_twice_is_an_error() -> None:
    with pytest.raises(ValidationError, match="twice"):
        patch_of(["chat.engine=a", "chat.engine=b"], VIEW)
    with pytest.raises(ValidationError, match="twice"):
        patch_of(["chat={engine: a}", "chat.engine=b"], VIEW)
    with pytest.raises(ValidationError, match="twice"):
        overrides_of(["tools=[a]", "tools=[b]"], VIEW.schema)


@pytest.mark.parametrize("text", ["chat.engine", "=x", ""])
def test_what_is_no_assignment_is_a_usage_error(text: str) -> None:
    with pytest.raises(click.UsageError, match="KEY=VALUE"):
        patch_of([text], VIEW)


def test_keys_are_removed_where_set_puts_them() -> None:
    assert removal_of(["chat.engine", "tags"], VIEW) == {**chat({"engine": None}), "metadata": {"tags": None}}


def test_overrides_keep_their_keys() -> None:
    texts = ["chat.engine=4.1", "chat.temperature=1", "systemPrompt=x"]
    assert overrides_of(texts, VIEW.schema) == {"chat.engine": "4.1", "chat.temperature": 1, "systemPrompt": "x"}
