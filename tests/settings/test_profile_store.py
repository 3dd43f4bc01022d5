"""The settings of a profile store: the schema with its defaults, and the runtime keys as files write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from livery.core.contract import profile_schema, registry_schema
from livery.core.explain import explain
from livery.core.resolved import ResolvedProfile
from livery.settings import read_settings, schema_named
from livery.settings.profile_store import plain_profile_store_schema
from tests.support.registries import opened, resolved, write

SCHEMA = schema_named("profile-store")

DEFAULTS = {
    "routeTimeoutSeconds": 10,
    "pingIntervalSeconds": 30,
    "toolRefreshSeconds": 60,
    "toolRefreshConcurrency": 4,
    "clientCheckSeconds": 5,
    "clientInactiveSeconds": 300,
    "serverInitRetryBaseSeconds": 1,
    "serverInitRetryMaxSeconds": 30,
    "serverInitMaxRetries": 5,
    "bootstrapMode": "metadata",
    "bootstrapConcurrency": 3,
    "bootstrapTimeoutSeconds": 30,
    "defaultActivationMode": "on-demand",
    "exposeTools": True,
    "toolNamespaceStrategy": "prefix",
    "reloadMode": "lenient",
    "observability": {"listenAddress": "0.0.0.0:9090"},
    "rpc": {
        "listenAddress": "unix:///tmp/mcpv.sock",
        "maxRecvMsgSize": 16777216,
        "maxSendMsgSize": 16777216,
        "keepaliveTimeSeconds": 30,
        "keepaliveTimeoutSeconds": 10,
        "socketMode": "0660",
        "tls": {"enabled": False, "certFile": "", "keyFile": "", "caFile": "", "clientAuth": False},
        "auth": {"enabled": False, "mode": "token", "token": "", "tokenEnv": ""},
    },
    "proxy": {"mode": "system", "url": "", "noProxy": ""},
    "subAgent": {
        "enabled": False,
        "model": "",
        "provider": "",
        "apiKey": "",
        "apiKeyEnvVar": "",
        "baseURL": "",
        "maxToolsPerRequest": 0,
        "filterPrompt": "",
    },
}


def faults(written: dict[str, Any]) -> dict[str, str]:
    return {fault.field: fault.reason for fault in read_settings(written).faults}


def only_fault(written: dict[str, Any]) -> tuple[str, str]:
    ((field, reason),) = faults(written).items()
    return field, reason


def read(written: dict[str, Any]) -> dict[str, Any]:
    found = read_settings(written)
    assert found.faults == []
    return found.settings


def test_every_default_is_that_of_the_format() -> None:
    assert SCHEMA.defaults == DEFAULTS
    assert read(DEFAULTS) == DEFAULTS


def test_a_file_without_keys_sets_nothing() -> None:
    assert read({}) == {}


def test_every_setting_is_described() -> None:
    def undescribed(node: dict[str, Any]) -> list[str]:
        below = node.get("properties", {})
        return [name for name, child in below.items() if not child.get("description") or undescribed(child)]

    assert undescribed(dict(SCHEMA.plain)) == []


def test_secrets_and_what_leads_to_them_are_marked() -> None:
    assert SCHEMA.is_secret(("subAgent", "apiKey")) and SCHEMA.is_secret(("rpc", "auth", "token"))
    assert SCHEMA.is_sensitive(("proxy", "url")) and SCHEMA.is_sensitive(("subAgent", "baseURL"))
    assert not SCHEMA.is_sensitive(("routeTimeoutSeconds",))
    assert plain_profile_store_schema()["properties"]["plugins"]["items"]["properties"]["env"]["x-secret"]


def test_the_published_schemas_are_json_schemas_and_take_variables() -> None:
    profile = jsonschema_rs.validator_for(profile_schema(SCHEMA))
    assert profile.is_valid({"runtime": {"step_settings_patch": {"routeTimeoutSeconds": "${T}"}}})
    assert not profile.is_valid({"runtime": {"step_settings_patch": {"routeTimeoutSeconds": "15"}}})
    assert jsonschema_rs.meta.is_valid(registry_schema(SCHEMA))
    assert jsonschema_rs.validator_for(SCHEMA.effective_schema()).is_valid({"exposeTools": "$SHOWN"})


@pytest.mark.parametrize(("old", "new"), [("callerCheckSeconds", "clientCheckSeconds"),
                                          ("callerInactiveSeconds", "clientInactiveSeconds")])  # fmt: skip
def test_an_older_name_is_read_with_a_warning(old: str, new: str) -> None:
    found = read_settings({old: 7})
    assert (found.settings, found.faults) == ({new: 7}, [])
    assert [(w.field, w.reason) for w in found.warnings] == [(old, f"is called {new} now")]


def test_an_older_name_beside_the_newer_one_must_agree() -> None:
    assert read({"callerCheckSeconds": 7, "clientCheckSeconds": 7}) == {"clientCheckSeconds": 7}
    assert only_fault({"callerCheckSeconds": 7, "clientCheckSeconds": 8}) == (
        "callerCheckSeconds",
        "stands beside clientCheckSeconds with another value; keep clientCheckSeconds",
    )


def test_the_startup_strategy_of_old_names_what_replaces_it() -> None:
    field, reason = only_fault({"startupStrategy": "lazy"})
    assert field == "startupStrategy"
    assert "defaultActivationMode: on-demand" in reason and "bootstrapMode" in reason


def test_tags_of_the_sub_agent_are_left_out_with_a_warning() -> None:
    found = read_settings({"subAgent": {"enabledTags": ["vscode"], "model": "m"}})
    assert found.settings == {"subAgent": {"model": "m"}}
    assert found.warnings[0].field == "subAgent.enabledTags"
    assert "set subAgent.enabled: true in the profiles" in found.warnings[0].reason


@pytest.mark.parametrize(
    ("written", "form"),
    [
        ({"bootstrapMode": " Disabled "}, {"bootstrapMode": "disabled"}),
        ({"bootstrapMode": ""}, {"bootstrapMode": "metadata"}),
        ({"bootstrapConcurrency": 0}, {"bootstrapConcurrency": 3}),
        ({"bootstrapTimeoutSeconds": -1}, {"bootstrapTimeoutSeconds": 30}),
        ({"toolRefreshConcurrency": 0}, {"toolRefreshConcurrency": 4}),
        ({"observability": {"listenAddress": " "}}, {"observability": {"listenAddress": "0.0.0.0:9090"}}),
        ({"rpc": {"socketMode": ""}}, {"rpc": {"socketMode": "0660"}}),
        ({"rpc": {"listenAddress": " 127.0.0.1:7090 "}}, {"rpc": {"listenAddress": "127.0.0.1:7090"}}),
        ({"routeTimeoutSeconds": 2.0}, {"routeTimeoutSeconds": 2}),
        ({"pingIntervalSeconds": 0, "exposeTools": False}, {"pingIntervalSeconds": 0, "exposeTools": False}),
        ({"subAgent": {"filterPrompt": " as it is "}}, {"subAgent": {"filterPrompt": " as it is "}}),
    ],
)
def test_values_have_one_form_and_what_means_the_default_becomes_it(written: Any, form: Any) -> None:
    assert read(written) == form


@pytest.mark.parametrize(
    ("written", "field", "reason"),
    [
        ({"routeTimeoutSecond": 15}, "routeTimeoutSecond", "did you mean 'routeTimeoutSeconds'"),
        ({"rpc": {"listenAdress": "a:1"}}, "rpc.listenAdress", "did you mean 'listenAddress'"),
        ({"routeTimeoutSeconds": "15"}, "routeTimeoutSeconds", "write 15 without quotes"),
        ({"routeTimeoutSeconds": "015"}, "routeTimeoutSeconds", "without a zero in front"),
        ({"routeTimeoutSeconds": 0}, "routeTimeoutSeconds", "must be at least 1"),
        ({"routeTimeoutSeconds": 2.7}, "routeTimeoutSeconds", "expected a whole number"),
        ({"routeTimeoutSeconds": 2**40}, "routeTimeoutSeconds", "must be at most"),
        ({"routeTimeoutSeconds": float("inf")}, "routeTimeoutSeconds", "no end"),
        ({"toolRefreshConcurrency": -1}, "toolRefreshConcurrency", "must be at least 1"),
        ({"exposeTools": "yes"}, "exposeTools", "write true without quotes"),
        ({"rpc": None}, "rpc", "leave the key out"),
        ({"reloadMode": None}, "reloadMode", "leave the key out"),
        ({"rpc": {"socketMode": 432}}, "rpc.socketMode", "write it in quotes"),
        ({"rpc": {"socketMode": "660"}}, "rpc.socketMode", '"0660"'),
        ({"rpc": {"socketMode": "01777"}}, "rpc.socketMode", "at most 0777"),
        ({"rpc": {"listenAddress": ""}}, "rpc.listenAddress", "cannot be empty"),
        ({"rpc": {"listenAddress": "localhost"}}, "rpc.listenAddress", "tcp://host:port"),
        ({"rpc": {"listenAddress": "unix://"}}, "rpc.listenAddress", "unix:///path"),
        ({"observability": {"listenAddress": "h:99999"}}, "observability.listenAddress", "host:port"),
        ({"toolNamespaceStrategy": "prefx"}, "toolNamespaceStrategy", "did you mean 'prefix'"),
        ({"subAgent": {"model": "a\0"}}, "subAgent.model", "NUL"),
        ({"plugins": [{"name": "a", "cmd": ["x"], "category": "spy"}]}, "plugins[0].category", "audit"),
    ],
)
def test_a_wrong_key_or_value_is_told_with_what_to_write(written: Any, field: str, reason: str) -> None:
    found = only_fault(written)
    assert found[0] == field
    assert reason in found[1]


@pytest.mark.parametrize(
    ("written", "fields"),
    [
        ({"serverInitRetryBaseSeconds": 20, "serverInitRetryMaxSeconds": 10}, ["serverInitRetryBaseSeconds"]),
        ({"serverInitRetryBaseSeconds": 60}, ["serverInitRetryBaseSeconds"]),
        ({"rpc": {"tls": {"enabled": True}}}, ["rpc.tls.certFile", "rpc.tls.keyFile"]),
        ({"rpc": {"tls": {"enabled": True, "certFile": "c", "keyFile": "k", "clientAuth": True}}},
         ["rpc.tls.caFile"]),
        ({"rpc": {"auth": {"enabled": True}}}, ["rpc.auth.tokenEnv"]),
        ({"rpc": {"auth": {"token": "a", "tokenEnv": "B"}}}, ["rpc.auth.token"]),
        ({"rpc": {"listenAddress": ":7090", "auth": {"enabled": True, "tokenEnv": "T"}}}, ["rpc.auth.enabled"]),
        ({"rpc": {"auth": {"enabled": True, "mode": "mtls"}}}, ["rpc.auth.mode"]),
        ({"proxy": {"mode": "custom"}}, ["proxy.url"]),
        ({"proxy": {"mode": "custom", "url": "ftp://p:1"}}, ["proxy.url"]),
    ],
)  # fmt: skip
def test_keys_that_do_not_go_together_are_told_also_against_defaults(written: Any, fields: list[str]) -> None:
    assert list(faults(written)) == fields


def test_one_layer_alone_is_only_compared_with_itself() -> None:
    assert SCHEMA.reasons({"serverInitRetryBaseSeconds": 60}) == []
    assert SCHEMA.reasons({"rpc": {"tls": {"enabled": True}}}) == []
    assert SCHEMA.reasons({"serverInitRetryBaseSeconds": 9, "serverInitRetryMaxSeconds": 8}) != []


def test_every_fault_is_in_one_report() -> None:
    found = faults({"a": 1, "routeTimeoutSeconds": 0, "proxy": {"mode": "custom"}, "startupStrategy": "eager"})
    assert set(found) == {"a", "routeTimeoutSeconds", "proxy.url", "startupStrategy"}


def test_no_fault_repeats_a_secret() -> None:
    written = {"rpc": {"auth": {"token": "S3CRET${", "tokenEnv": "T"}}, "proxy": {"url": "ftp://u:S3CRET@h"},
               "subAgent": {"apiKey": ["S3CRET"]}}  # fmt: skip
    found = faults(written)
    assert len(found) == 3
    assert "S3CRET" not in repr(found)


def test_a_text_that_names_a_variable_may_stand_for_any_scalar() -> None:
    written = {"routeTimeoutSeconds": "${T}", "exposeTools": "$SHOWN", "bootstrapMode": "${MODE:-Disabled}",
               "rpc": {"socketMode": "${M}", "listenAddress": "${HOST}"}}  # fmt: skip
    assert read(written) == written
    assert SCHEMA.reasons(written) == []


def test_a_text_that_names_a_variable_is_no_mapping() -> None:
    assert only_fault({"rpc": "${RPC}"})[0] == "rpc"
    assert only_fault({"plugins": "${PLUGINS}"})[0] == "plugins"


def test_a_reference_that_cannot_be_read_is_a_fault() -> None:
    assert "${NAME:-default}" in faults({"subAgent": {"model": "${"}})["subAgent.model"]
    assert "$${" in faults({"subAgent": {"model": "${A:-${B}}"}})["subAgent.model"]


# In a registry that names the schema


REGISTRY = """\
slug: gateway
settings_schema: profile-store
default_profile_slug: default
enforced:
  step_settings_patch: {defaultActivationMode: always-on}
profiles:
  default:
    runtime:
      step_settings_patch: {routeTimeoutSeconds: "${T}", rpc: {auth: {token: S3CRET}}}
      servers:
        - {name: git, cmd: [git], strategy: stateful, idleSeconds: 60}
        - {name: web, http: {endpoint: "https://h", headers: {A: "${B}"}}, minReady: 0}
"""


def resolution(path: Path, text: str = REGISTRY) -> ResolvedProfile:
    return resolved(opened(write(path / "registry.yaml", text)))


def test_servers_of_a_resolution_have_their_defaults(tmp_path: Path) -> None:
    git, web = resolution(tmp_path).effective_servers
    assert list(git)[:4] == ["name", "cmd", "strategy", "idleSeconds"]
    assert (git["idleSeconds"], git["sessionTTLSeconds"], git["activationMode"]) == (60, 300, "always-on")
    assert (web["transport"], web["protocolVersion"], web["http"]["maxRetries"]) == (
        "streamable_http",
        "2025-06-18",
        5,
    )


def test_an_explanation_tells_defaults_of_servers_from_what_is_said(tmp_path: Path) -> None:
    found = {row.key: row for row in explain(resolution(tmp_path))}
    assert (found["servers.git.maxConcurrent"].value, found["servers.git.maxConcurrent"].rule) == (1, "schema default")
    row = found["servers.git.idleSeconds"]
    assert [(str(e.origin.layer), e.value) for e in row.history] == [("schema", 0), ("profile", 60)]
    assert found["servers.git.name"].rule == "the highest layer that sets it"
    assert str(found["servers.web.http.maxRetries"].origin) == "schema default"


def test_settings_of_a_resolution_have_their_defaults_and_keep_references(tmp_path: Path) -> None:
    found = resolution(tmp_path)
    assert found.effective_step_settings["routeTimeoutSeconds"] == "${T}"
    assert found.effective_step_settings["pingIntervalSeconds"] == 30
    assert "S3CRET" not in repr(found.document()) and "in clear" in found.warnings[0]


def test_servers_of_other_schemas_stay_as_they_are(tmp_path: Path) -> None:
    text = REGISTRY.replace("settings_schema: profile-store", "settings_schema: free")
    assert resolution(tmp_path, text).effective_servers[0] == {
        "name": "git", "cmd": ["git"], "strategy": "stateful", "idleSeconds": 60,
    }  # fmt: skip


def test_what_is_said_and_what_is_default_make_the_same_runtime(tmp_path: Path) -> None:
    said = REGISTRY.replace("idleSeconds: 60}", "idleSeconds: 60, maxConcurrent: 1, transport: stdio}")
    one, other = resolution(tmp_path), resolution(tmp_path, said)
    assert one.runtime_digest == other.runtime_digest
