"""What is a secret: by schema, by name, by where it stands, by its shape; and nothing else is."""

from __future__ import annotations

from time import perf_counter
from typing import Any

import pytest

from livery.core.redact import is_reference, is_secret, mask_url, redact, secret_argument, secret_name
from livery.core.schema import FREE, SettingsSchema
from tests.core.builders import SMALL, registry, runtime, settings

HIDDEN = {"$redacted": True}


def shown(document: Any, schema: SettingsSchema = FREE) -> Any:
    return redact(document, schema)


@pytest.mark.parametrize(
    "name",
    ["key", "api_key", "apiKey", "APIKey", "api-key", "OPENAI_API_KEY", "apikey", "token", "bearerToken", "TOKEN",
     "secret", "client_secret", "password", "passwd", "passphrase", "credential", "credentials", "aws-credentials",
     "authorization", "Authorization", "Proxy-Authorization", "x.y.key", "api_keys", "accessTokens", "secrets"],
)  # fmt: skip
def test_the_last_word_of_a_name_says_that_it_is_a_secret(name: str) -> None:
    assert secret_name(name)


@pytest.mark.parametrize(
    "name",
    ["max_response_tokens", "keyboard", "key_id", "token_count", "secretary", "passwords_file", "monkey", "author",
     "authorizations_url", "", "tokens", "keys", "allowed_override_keys", "prompt_cache_key_ttl", "turkey"],
)  # fmt: skip
def test_other_names_say_nothing(name: str) -> None:
    assert not secret_name(name)


@pytest.mark.parametrize("text", ["${A}", "Bearer ${A}", "basic ${A}", " ${A} ", "${A}${B}", "token ${A}", "${A:-}"])
def test_a_reference_to_the_environment_is_no_secret(text: str) -> None:
    assert is_reference(text)


@pytest.mark.parametrize(
    "text",
    ["sk-1", "${A}sk", "sk${A}", "Bearer sk-1", "${A", "${1}", "$", "$$", "pa$$word", "${A:-sk-1}", "$ecret", ""],
)
def test_anything_beside_the_reference_may_be_the_secret(text: str) -> None:
    assert not is_reference(text)


def test_a_bare_name_is_a_reference_only_where_servers_are_started() -> None:
    assert shown(runtime(servers=[{"name": "s", "env": {"TOKEN": "$TOKEN"}}])) == runtime(
        servers=[{"name": "s", "env": {"TOKEN": "$TOKEN"}}]
    )
    assert shown(settings(db={"password": "$ecret"})) == settings(db={"password": HIDDEN})


def test_the_schemas_marks_come_first() -> None:
    patch = {"client": {"cookie": "c"}, "api": {"keys": {"openai": "k"}}}
    assert shown(settings(**patch), SMALL) == settings(client={"cookie": HIDDEN}, api={"keys": {"openai": HIDDEN}})


def test_a_mark_counts_inside_directives_too() -> None:
    patch = {"client": {"$replace": {"cookie": "c"}}, "api": {"keys": {"$literal": {"openai": "k"}}}}
    assert shown(settings(**patch), SMALL) == settings(
        client={"$replace": {"cookie": HIDDEN}}, api={"keys": {"$literal": {"openai": HIDDEN}}}
    )


@pytest.mark.parametrize(
    "value",
    ["S", 5, 1.5, ["S", ["S"]], {"deep": {"x": "S"}}, {"servers": ["S"]}, {"extensions": "S"}, {"profiles": "S"}],
)
def test_whatever_stands_beneath_a_secret_name_is_a_secret(value: Any) -> None:
    found = str(shown(settings(db={"token": value})))
    assert "S'" not in found and "5" not in found


@pytest.mark.parametrize("value", [None, "", True, False, {"$secret": "env:A"}, {"$redacted": True}, [], {}])
def test_what_cannot_be_one_is_shown(value: Any) -> None:
    assert shown(settings(db={"token": value})) == settings(db={"token": value})


@pytest.mark.parametrize("value", [{"$secret": "sk-1"}, {"$secret": 5}, {"$secret": {"x": "y"}}, {"$redacted": "sk-1"}])
def test_a_reference_that_is_none_is_hidden(value: Any) -> None:
    assert shown(settings(db={"x": value})) == settings(db={"x": HIDDEN})


def test_environments_and_headers_of_servers_are_hidden_unless_they_refer() -> None:
    server = {
        "name": "git",
        "env": {"LEVEL": "info", "PORT": 8080, "KEY": "${KEY}", "URL": "${URL:-x}"},
        "http": {"headers": {"X-Trace": "1", "Authorization": "Bearer ${TOKEN}"}, "url": "https://example.org"},
    }
    (found,) = shown(runtime(servers=[server]))["runtime"]["servers"]
    assert found["env"] == {"LEVEL": HIDDEN, "PORT": HIDDEN, "KEY": "${KEY}", "URL": HIDDEN}
    assert found["http"] == {
        "headers": {"X-Trace": HIDDEN, "Authorization": "Bearer ${TOKEN}"}, "url": "https://example.org"
    }  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "https://u:p@h",
        "https://token@h",
        "postgres://u:p@ss@h/db",
        "postgres://u:pa/ss@h/db",
        "see redis://:p@h:1 there",
        "http://${A}@h http://u:p@h",
        "jdbc:mysql://u:p@h",
        f"https://{'t' * 3000}@h",
    ],
)
def test_user_info_in_a_url_is_a_secret_anywhere(text: str) -> None:
    assert shown(settings(db={"url": text})) == settings(db={"url": HIDDEN})


@pytest.mark.parametrize(
    "text",
    ["https://h/a@b", "http://h:80/a@b", "https://h?x=a@b", "a@b.c", "https://${U}:${P}@h", "see http://h and a@b"],
)
def test_an_at_sign_elsewhere_is_none(text: str) -> None:
    assert shown(settings(db={"url": text})) == settings(db={"url": text})


@pytest.mark.parametrize(
    ("arguments", "secret"),
    [
        (["--token=x"], 0), (["--token", "x"], 1), (["-token", "x"], 1), (["API_KEY=x"], 0), (["token:x"], 0),
        (["--header", "Authorization: Bearer x"], 1), (["https://u:p@h"], 0), (["--url=https://u:p@h"], 0),
        (["--api-key", "$X", "--token", "x"], 3), (["--password=${A:-x}"], 0),
    ],
)  # fmt: skip
def test_a_word_of_a_command_may_carry_a_secret(arguments: list[Any], secret: int) -> None:
    assert [secret_argument(arguments, index) for index in range(len(arguments))].index(True) == secret
    found = shown(runtime(servers=[{"name": "s", "cmd": arguments}]))["runtime"]["servers"][0]["cmd"]
    assert found[secret] == HIDDEN
    assert found.count(HIDDEN) == 1


@pytest.mark.parametrize(
    "arguments",
    [["--token=${T}"], ["--token", "$T"], ["--token", "--verbose"], ["--max-tokens", "5"], ["--level=info"],
     ["--keyfile=x"], ["http://h:8080/x"], ["token"], ["Authorization: ${A}"], ["--key-file", "x"]],
)  # fmt: skip
def test_other_words_are_shown(arguments: list[Any]) -> None:
    assert not any(secret_argument(arguments, index) for index in range(len(arguments)))


LONG = [
    "a" * 100_000 + " ://x",
    "h://a:b" * 20_000,
    "h://" + ":" * 100_000,
    "$" + " " * 100_000 + "x",
    "-" * 100_000 + "@",
]


@pytest.mark.parametrize("text", LONG, ids=lambda text: text[:7])
def test_a_long_text_is_judged_in_one_pass(text: str) -> None:
    began = perf_counter()
    for path in (("step_settings_patch", "url"), ("servers", "s", "cmd"), ("system_prompt",)):
        is_secret(path, text)
    assert perf_counter() - began < 5  # reading it again at every place would take minutes


def test_names_that_people_gave_are_no_field_names() -> None:
    document = registry(
        {"api-key": {"display_name": "X", "description": "d", **settings(chat={"engine": "x"})}},
        slug="secret",
        callers={"my-token": "api-key"},
        metadata={"deleted_versions": {"old-token": 3}},
    )
    assert shown(document) == document
    assert shown({"registries": {"token": document}}) == {"registries": {"token": document}}


def test_names_of_elements_and_patterns_are_no_secrets() -> None:
    document = runtime(middlewares=[{"name": "token", "config": {"level": 1}}], servers={"$remove": ["my-token"]})
    document["policy"] = {"allowed_override_keys": ["api.openai-api-key"]}
    assert shown(document) == document


def test_a_runtime_inside_a_registry_is_judged_like_the_profile_alone() -> None:
    profile = {
        **runtime(middlewares=[{"name": "m", "config": {"token": "t"}}]),
        "extensions": {"a.b@v1": {"password": "p"}},
    }
    alone = shown(profile)
    assert alone["extensions"] == {"a.b@v1": {"password": HIDDEN}}
    assert shown(registry({"p": profile}))["profiles"]["p"] == alone


def test_settings_that_stand_alone_are_judged_by_where_they_belong() -> None:
    assert redact({"client": {"cookie": "c"}}, SMALL, ("step_settings_patch",)) == {"client": {"cookie": HIDDEN}}


def test_redacting_changes_nothing_and_twice_is_once() -> None:
    document = settings(db={"token": "x", "l": [1]})
    once = shown(document)
    assert document == settings(db={"token": "x", "l": [1]})
    assert shown(once) == once


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        ("postgresql://u:p@h/db", "postgresql://u:***@h/db"),
        ("postgresql://u:p@ss@h/db?sslmode=x", "postgresql://u:***@h/db?sslmode=x"),
        ("postgresql://u:pa/ss@h/db", "postgresql://u:***@h/db"),
        ("postgresql://u@h/db?password=p&x=1", "postgresql://u@h/db?password=***&x=1"),
        ("https://h/?api_key=k&token=t#f", "https://h/?api_key=***&token=***#f"),
        ("http://h:8080/a@b", "http://h:8080/a@b"),
        ("sqlite:/tmp/x.db", "sqlite:/tmp/x.db"),
        ("https://:p@h", "https://:***@h"),
    ],
)
def test_a_source_url_is_shown_without_its_credentials(url: str, masked: str) -> None:
    assert mask_url(url) == masked


def test_a_password_in_an_address_without_slashes_is_masked_too() -> None:
    assert mask_url("postgresql:postgres:s3cret@host/a") == "postgresql:postgres:***@host/a"
    assert mask_url("postgresql:host:5432/a@b") == "postgresql:host:5432/a@b"
