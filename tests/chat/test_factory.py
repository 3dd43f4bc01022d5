"""Which engine a profile gets, and everything that keeps it from having one."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from livery.chat.engines import SUPPORTED, build_engine
from livery.errors import RuntimeUnavailable, SecretUnavailable, ValidationError
from livery.settings import PROVIDERS
from tests.chat.building import CANARY, ENVIRON, openai_profile, resolved_profile
from tests.support.openai_server import OpenAIServer

URL = "https://llm.example.com/v1"
SECRET_URL: dict[str, Any] = {"api.base_urls": {"openai-base-url": {"$secret": "env:URL"}}}


def refused(profile: Any, environ: dict[str, str] | None = None) -> str:
    with pytest.raises(RuntimeUnavailable) as caught:
        build_engine(profile, ENVIRON if environ is None else environ)
    assert CANARY not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("api_type", ["claude", "gemini"])
def test_a_provider_without_an_engine_is_refused_with_the_supported_ones(api_type: str) -> None:
    message = refused(resolved_profile({"chat.api_type": api_type, "chat.engine": "m"}))
    assert f"profile 'team/coder': chat.api_type '{api_type}' has no engine" in message
    assert "echo, openai, openai-responses" in message


def test_a_provider_that_no_schema_checked_is_refused_too() -> None:
    assert "'mistral' has no engine" in refused(resolved_profile({"chat.api_type": "mistral"}, schema="free"))
    assert "['openai'] has no engine" in refused(resolved_profile({"chat.api_type": ["openai"]}, schema="free"))


def test_every_supported_type_is_a_provider() -> None:
    assert set(SUPPORTED) <= set(PROVIDERS)


def test_a_missing_engine_is_named() -> None:
    assert "chat.engine: missing" in refused(openai_profile(URL, {"chat.engine": ""}))


def test_a_missing_key_is_named_with_how_to_set_it() -> None:
    message = refused(openai_profile(URL, {"api.api_keys": {}}))
    assert "profile 'team/coder' cannot run: api.api_keys.openai-api-key: missing" in message
    assert "env:OPENAI_API_KEY" in message


def test_everything_that_is_missing_is_named_at_once() -> None:
    message = refused(openai_profile(URL, {"api.api_keys": {}, "chat.engine": ""}))
    assert "chat.engine" in message and "api.api_keys" in message


def test_a_secret_that_is_not_there_is_named_with_its_field() -> None:
    with pytest.raises(SecretUnavailable) as caught:
        build_engine(openai_profile(URL), {})
    assert "env:PROVIDER_KEY" in str(caught.value) and "api.api_keys.openai-api-key needs it" in str(caught.value)


def test_secrets_of_other_providers_are_not_read() -> None:
    keys = {"openai-api-key": {"$secret": "env:PROVIDER_KEY"}, "claude-api-key": {"$secret": "env:NOWHERE"}}
    build_engine(openai_profile(URL, {"api.api_keys": keys, "embeddings.api_keys": keys}), ENVIRON)


def test_this_machine_is_refused_without_both_opt_ins(server: OpenAIServer) -> None:
    for missing in ("api.allow_http", "api.allow_local_networks"):
        message = refused(openai_profile(server.url, {missing: {}}))
        assert f"set {missing}.openai to allow it" in message and "api.base_urls.openai-base-url" in message
    assert server.requests == []


def test_an_address_that_a_secret_leads_to_is_checked_as_well(server: OpenAIServer) -> None:
    profile = openai_profile(URL, {**SECRET_URL, "api.allow_http": {}})
    assert "api.base_urls.openai-base-url: is not https" in refused(profile, {**ENVIRON, "URL": server.url})


@pytest.mark.parametrize("key", ["line\nbreak", "späce", " padded"])
def test_a_key_that_no_header_can_carry_is_refused_and_not_shown(key: str) -> None:
    message = refused(openai_profile(URL), {"PROVIDER_KEY": CANARY + key if key[0] != " " else key + CANARY})
    assert "api.api_keys.openai-api-key: holds characters" in message


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1", "nonsense", "http://h:99999"])
def test_a_proxy_that_is_none_is_refused(proxy: str) -> None:
    assert "client.proxy_url: is no proxy" in refused(openai_profile(URL, {"client.proxy_url": proxy}))


def test_a_secret_that_does_not_fit_its_field_is_refused_and_not_shown() -> None:
    profile = openai_profile(URL, {"chat.structured_output_mode": {"$secret": "env:PROVIDER_KEY"}})
    assert "does not fit step_settings.chat.structured_output_mode" in refused(profile)


def test_settings_that_no_schema_checked_are_refused_with_their_fields() -> None:
    profile = resolved_profile({"chat.api_type": "echo", "chat.stops": ["x"]}, schema="free")
    with pytest.raises(ValidationError, match=r"step_settings\.chat\.stops"):
        build_engine(profile, {})


def test_sections_of_other_programs_do_not_matter() -> None:
    build_engine(
        resolved_profile({"chat.api_type": "echo", "other.app": {"$secret": "env:NOWHERE"}}, schema="free"), {}
    )


def test_a_missing_library_is_named_with_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "livery.chat.engines.openai_compatible", raising=False)
    monkeypatch.setitem(sys.modules, "openai", None)
    assert "pip install 'livery[server]'" in refused(openai_profile(URL))


def test_the_echo_engine_loads_no_provider_s_library() -> None:
    script = "import sys, livery.chat.oneshot, livery.chat.engines.echo; print({'openai', 'httpx2'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
