"""Registry files: which shape is which, what is read of each, and where every fault stands."""

from __future__ import annotations

from typing import Any

import pytest

from livery.errors import ValidationError
from livery.formats.registry_yaml import (
    RegistryFile,
    as_bundle,
    path_of_field,
    placed,
    read_registries,
    registry_text,
    shape_of,
)
from livery.formats.yaml import read_yaml

REGISTRY = """\
slug: team
default_profile_slug: coder
profiles:
  coder:
    runtime:
      step_settings_patch:
        chat: {engine: gpt-5-mini}
"""

LEGACY = """\
# keys of old
test:
  ai-chat:
    ai-engine: gpt-4
    ai-api-type: openai
test2:
  ai-chat: {ai-engine: gpt-4o-mini, ai-temperature: "0.5"}
  ai-client: {timeout: 17}
gemini-2.5-pro:
  ai-chat: {ai-engine: gemini-2.5-pro, ai-api-type: gemini}
  gemini-chat: {gemini-api-key: not-a-real-key}
gemini-2.5-flash:
  ai-chat: {ai-engine: gemini-2.5-flash, ai-api-type: gemini}
  myapp: {verbose: true}
sonnet-4-5:
  ai-chat: {ai-engine: claude-sonnet-4-5, ai-api-type: claude, ai-max-response-tokens: 64000}
"""


def read(text: str) -> RegistryFile:
    return read_registries(text, "f.yaml")


def settings(text: str, slug: str) -> Any:
    (only,) = read(text).registries
    assert only.all_faults == []
    return only.registry.profiles[slug].runtime.step_settings_patch


def faults(text: str) -> list[str]:
    """Every fault with its place, as people see it."""
    try:
        file = read(text)
    except ValidationError as error:
        return str(error).splitlines()
    return [str(fault) for fault in placed(file.all_faults, file.document, text, "f.yaml")]


# ---- shapes


@pytest.mark.parametrize(
    ("document", "shape"),
    [
        (None, "empty"),
        ({}, "empty"),
        ({"slug": "team"}, "registry"),
        ({"profiles": {}}, "registry"),
        ({"registries": {}}, "bundle"),
        ({"registries": None, "slug": "team"}, "bundle"),
        ({"writer": {"ai-chat": {}}}, "legacy"),
        ({"slug": {"ai-chat": {}}}, "legacy"),  # a profile may have that name
    ],
)
def test_a_file_is_told_by_its_shape(document: Any, shape: str) -> None:
    assert shape_of(document) == shape


@pytest.mark.parametrize("text", ["", "\n", "# nothing yet\n", "---\n", "{}\n", "\ufeff", "null\n"])
def test_a_file_without_content_holds_no_registry(text: str) -> None:
    assert read(text) == RegistryFile("empty", None, [], [])


def test_a_bundle_holds_a_registry_for_each_key() -> None:
    text = "registries:\n  Default: {default_profile_slug: default, profiles: {default: {slug: default}}}\n  b: {}\n"
    file = read(text)
    assert [r.registry.slug for r in file.registries] == ["default", "b"]
    assert file.registries[0].registry.default_profile_slug == "default"
    assert file.all_faults == []


def test_an_extension_key_is_folded_and_its_value_kept() -> None:
    (only,) = read("slug: t\nprofiles:\n  a:\n    extensions: {App.Custom@V1: {a: [1, {b: note}]}}\n").registries
    assert only.registry.profiles["a"].extensions == {"app.custom@v1": {"a": [1, {"b": "note"}]}}


# ---- older forms


def test_a_legacy_map_is_the_registry_default_with_its_five_profiles() -> None:
    (only,) = read(LEGACY).registries
    assert only.all_faults == []
    assert only.registry.slug == "default"
    assert list(only.registry.profiles) == ["test", "test2", "gemini-2.5-pro", "gemini-2.5-flash", "sonnet-4-5"]
    assert only.registry.default_profile_slug == "gemini-2.5-flash"  # nobody is named default: the first by name


def test_a_legacy_profile_named_default_is_the_default() -> None:
    (only,) = read(LEGACY + "Default:\n  ai-chat: {ai-engine: x}\n").registries
    assert only.registry.default_profile_slug == "default"


def test_legacy_flags_become_fields_and_their_texts_numbers() -> None:
    assert settings(LEGACY, "test2") == {
        "chat": {"engine": "gpt-4o-mini", "temperature": 0.5},
        "client": {"timeout": 17},
    }
    assert settings(LEGACY, "gemini-2.5-pro")["api"] == {"api_keys": {"gemini-api-key": "not-a-real-key"}}


def test_a_section_of_another_program_is_kept_and_listed() -> None:
    (only,) = read(LEGACY).registries
    assert settings(LEGACY, "gemini-2.5-flash")["myapp"] == {"verbose": True}
    assert only.registry.foreign_sections == ("myapp",)


def test_inference_settings_are_the_settings_patch() -> None:
    text = (
        "slug: d\nprofiles:\n  default:\n    inference_settings:\n      chat: {api_type: openai, engine: gpt-4o-mini}\n"
    )
    assert settings(text, "default") == {"chat": {"api_type": "openai", "engine": "gpt-4o-mini"}}


def test_inference_settings_are_read_in_a_bundle_too() -> None:
    text = "registries: {Team: {profiles: {A: {inference_settings: {chat: {engine: x}}}}}}\n"
    assert settings(text, "a") == {"chat": {"engine": "x"}}


def test_stack_is_read_as_extends() -> None:
    (only,) = read("slug: d\nprofiles:\n  a: {stack: [{profile_slug: b}]}\n  b: {}\n").registries
    assert [str(base) for base in only.registry.profiles["a"].bases] == ["d/b"]


# ---- faults

BAD = {
    "a list": ("- a\n", "f.yaml:1:1: a registry file is a mapping at its top level, not a list"),
    "a text": ("# x\nhello\n", "f.yaml:2:1: a registry file is a mapping at its top level, not text"),
    "a second document": ("slug: a\n---\nslug: b\n", "f.yaml:2:1: a second document; a file holds one"),
    "a duplicate key": ("slug: a\nprofiles:\n  x: {}\n  x: {}\n", "f.yaml:4:3: duplicate key 'x', first in line 3"),
    "an object": (
        "slug: a\nprofiles:\n  x: !!python/object:os.system {}\n",
        "f.yaml:3:6: tag 'tag:yaml.org,2002:python/object:os.system' is not read; only plain values are",
    ),
    "a tab": ("slug: d\n\tprofiles: {}\n", "f.yaml:2:1: found character '\\t' that cannot start any token"),
    "no slug": ("# x\nprofiles:\n  a: {}\n", "f.yaml:2:1: registry.slug: a registry needs a slug"),
    "another slug": (
        "slug: default\nprofiles:\n  default:\n    slug: other\n",
        "f.yaml:4:5: registry.profiles[default].slug: map key and profile slug must match: 'default' against 'other'",
    ),
    "an empty profile": (
        "slug: d\nprofiles:\n  default:\n",
        "f.yaml:3:3: registry.profiles[default]: expected a mapping, got null",
    ),
    "an unknown field": (
        "slug: d\nprofiles:\n  x:\n    inference_setings: {}\n",
        "f.yaml:4:5: registry.profiles[x].inference_setings: unknown field 'inference_setings'",
    ),
    "an unknown field of the registry": (
        "slug: d\nprofilles: {}\n",
        "f.yaml:2:1: registry.profilles: unknown field 'profilles'; did you mean 'profiles'?",
    ),
    "the old wrapper of keys": (
        "slug: d\nprofiles:\n  x:\n    inference_settings:\n      api_keys: {}\n",
        "f.yaml:5:7: registry.profiles[x].inference_settings.api_keys: is now called 'api': "
        "rename it to registry.profiles[x].inference_settings.api",
    ),
    "both spellings of the settings": (
        "slug: d\nprofiles:\n  a:\n    inference_settings: {}\n    runtime: {step_settings_patch: {}}\n",
        "f.yaml:4:5: registry.profiles[a].inference_settings: stands beside runtime.step_settings_patch; "
        "give one of them",
    ),
    "both spellings of the bases": (
        "slug: d\nprofiles:\n  a:\n    stack: []\n    extends: []\n",
        "f.yaml:4:5: registry.profiles[a].stack: given twice, also as 'extends'",
    ),
    "two names that fold to one": (
        "slug: d\nprofiles:\n  x: {}\n  X: {}\n",
        "f.yaml:4:3: registry.profiles[X]: folds to the same name as 'x'",
    ),
    "an unknown schema": (
        "slug: d\nsettings_schema: aii\n",
        "f.yaml:2:1: registry.settings_schema: 'aii' is not one of ai, free, profile-store; did you mean 'ai'?",
    ),
    "a key that is no extension key": (
        "slug: d\nprofiles:\n  a:\n    extensions:\n      bad: 2\n",
        "f.yaml:5:7: registry.profiles[a].extensions[bad]: 'bad' is not an extension key: "
        "expected 'namespace.feature@vN'",
    ),
    "a key allowed and denied": (
        "slug: d\nprofiles:\n  a:\n    policy:\n      allowed_override_keys: [tools]\n"
        "      denied_override_keys: [tools]\n",
        "f.yaml:6:30: registry.profiles[a].policy.denied_override_keys[0]: 'tools' is also in allowed_override_keys",
    ),
    "a legacy number": ("default: 5\n", "f.yaml:1:1: default: must map to section settings, not a number"),
    "an unknown flag": (
        "w:\n  ai-chat:\n    ai-engin: x\n",
        "f.yaml:3:5: w.ai-chat.ai-engin: unknown field 'ai-engin'; did you mean 'ai-engine'?",
    ),
    "a field beside the registries": ("registries: {}\nother: 1\n", "f.yaml:2:1: other: unknown field 'other'"),
    "registries in a list": ("registries: [a]\n", "f.yaml:1:1: registries: expected a mapping, got a list"),
    "a registry under another key": (
        "registries:\n  team:\n    slug: other\n",
        "f.yaml:3:5: registries[team].slug: map key and slug must match: 'team' against 'other'",
    ),
    "a registry that is none": (
        "registries:\n  team: 5\n",
        "f.yaml:2:3: registries[team]: expected a mapping, got a number",
    ),
    "a fault below keys in capitals": (
        "registries:\n  Team:\n    profiles:\n      Foo:\n        descripton: x\n",
        "f.yaml:5:9: registries[Team].profiles[Foo].descripton: "
        "unknown field 'descripton'; did you mean 'description'?",
    ),
    "a fault below keys with dots": (
        "slug: d\nprofiles:\n  gemini-2.5:\n    runtme: {}\n",
        "f.yaml:4:5: registry.profiles[gemini-2.5].runtme: unknown field 'runtme'; did you mean 'runtime'?",
    ),
}


@pytest.mark.parametrize(("text", "expected"), BAD.values(), ids=BAD.keys())
def test_a_fault_is_told_with_file_line_and_field(text: str, expected: str) -> None:
    assert faults(text) == [expected]


def test_an_alias_bomb_is_refused() -> None:
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    (message,) = faults("\n".join(rows) + "\n")
    assert "aliases expand to more than" in message


def test_a_byte_that_is_no_utf8_is_told_with_its_line() -> None:
    with pytest.raises(ValidationError, match=r"f.yaml:2.*not UTF-8: byte 0xe9"):
        read_registries("slug: d\ndisplay_name: é\n".encode("latin-1"), "f.yaml")


def test_every_fault_of_a_file_is_told_at_once() -> None:
    text = "slug: d\ncallerz: {}\nprofiles:\n  a: {runtme: {}}\n  b: {x: 1, y: 2}\n  c: {}\n"
    assert [fault.partition(":")[2].partition(":")[0] for fault in faults(text)] == ["2", "4", "5", "5"]


def test_a_broken_profile_leaves_the_others_readable() -> None:
    (only,) = read("slug: d\nprofiles:\n  good: {}\n  bad: {x: 1}\n  no slug: {}\n  Twin: {}\n  twin: {}\n").registries
    assert list(only.registry.profiles) == ["good"]
    assert sorted(only.broken) == ["bad", "no slug", "twin"]
    assert only.faults == []


def test_a_legacy_profile_that_is_broken_leaves_the_others_readable() -> None:
    (only,) = read("bad: 5\ngood: {ai-chat: {ai-engine: x}}\n").registries
    assert list(only.registry.profiles) == ["good"]
    assert list(only.broken) == ["bad"]


def test_a_field_leads_as_far_as_the_document_goes() -> None:
    document = {"profiles": {"a.b": {"runtime": {"servers": [{"name": "git"}]}}}}
    assert path_of_field(document, "profiles[a.b].runtime.servers[0].cmd") == (
        "profiles",
        "a.b",
        "runtime",
        "servers",
        0,
    )
    assert path_of_field(document, "profiles[z].runtime") == ("profiles",)


# ---- writing


def test_a_registry_written_and_read_is_the_same() -> None:
    (only,) = read(REGISTRY).registries
    (again,) = read(registry_text(only.registry)).registries
    assert again == only


@pytest.mark.parametrize(
    "text",
    [
        REGISTRY,
        "# head\n\n---\n" + REGISTRY,
        REGISTRY.replace("\n", "\r\n"),
        "\ufeff" + REGISTRY,
        "slug: team # mine\nprofiles:\n"
        "  a:\n    runtime:\n      system_prompt: |\n        One\n\n          two\n  b: {}\n",
        'slug: team\ndescription: "long\n  folded   text"\nprofiles: {a: {}, b: {}}',
        "slug: team\nprofiles: &all\n  a: {}\n",
    ],
    ids=["plain", "document mark", "CRLF", "byte order mark", "block text", "quoted text", "anchor"],
)
def test_a_registry_becomes_a_bundle_with_every_line_kept(text: str) -> None:
    bundle = as_bundle(text, "team", "f.yaml")
    assert read_yaml(bundle, "f.yaml") == {"registries": {"team": read_yaml(text, "f.yaml")}}
    assert all(line.strip() in bundle for line in text.removeprefix("\ufeff").splitlines())
    assert ("\r\n" in bundle) == ("\r\n" in text)
