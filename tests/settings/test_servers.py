"""MCP servers: the form that is kept of what files write, every rule they can break, and their defaults."""

from __future__ import annotations

from typing import Any

import pytest

from livery.settings import read_server, read_servers, server_defaults, server_faults

STDIO = {"name": "git", "cmd": ["./git"]}
WEB = {"name": "web", "transport": "streamable_http", "http": {"endpoint": "https://example.com/mcp"}}


def faults(server: Any) -> dict[str, str]:
    return {fault.field: fault.reason for fault in server_faults(server, "servers[0]")[0]}


def warnings(server: Any) -> dict[str, str]:
    return {fault.field: fault.reason for fault in server_faults(server, "servers[0]")[1]}


def web(**http: Any) -> dict[str, Any]:
    return {**WEB, "http": {**WEB["http"], **http}}  # type: ignore[dict-item]


@pytest.mark.parametrize("server", [STDIO, WEB])
def test_a_small_server_is_in_order(server: dict[str, Any]) -> None:
    assert faults(server) == warnings(server) == {}
    assert read_server(server) == server


@pytest.mark.parametrize(
    ("written", "form"),
    [
        ({"transport": "streamable-http"}, {"transport": "streamable_http"}),
        ({"transport": " STDIO "}, {"transport": "stdio"}),
        ({"strategy": "", "protocolVersion": "", "activationMode": ""}, {}),
        ({"activationMode": "Always-On"}, {"activationMode": "always-on"}),
        ({"maxConcurrent": 0, "drainTimeoutSeconds": 0}, {"maxConcurrent": 1, "drainTimeoutSeconds": 30}),
        ({"idleSeconds": 0, "sessionTTLSeconds": 0}, {"idleSeconds": 0, "sessionTTLSeconds": 0}),
        ({"tags": [" B", "a", "b", ""]}, {"tags": ["a", "b"]}),
        ({"env": {"GITHUB_TOKEN": "x", "mixedCase": " y "}}, {"env": {"GITHUB_TOKEN": "x", "mixedCase": " y "}}),
        ({"http": {"endpoint": " https://h "}}, {"http": {"endpoint": "https://h"}, "transport": "streamable_http"}),
        ({"http": {}}, {"http": {}}),
        ({"exposeTools": ["a", "b"], "disabled": True}, {"exposeTools": ["a", "b"], "disabled": True}),
    ],
)
def test_a_server_has_one_form(written: dict[str, Any], form: dict[str, Any]) -> None:
    assert read_server({"name": "  a ", **written}) == {"name": "  a ", **form}


@pytest.mark.parametrize(
    ("written", "field", "reason"),
    [
        ({"name": "  "}, "name", "cannot be blank"),
        ({"transport": None}, "transport", "leave the key out"),
        ({"name": 5}, "name", "write it in quotes"),
        ({"idleSecond": 5}, "idleSecond", "unknown key 'idleSecond'; did you mean 'idleSeconds'?"),
        ({"idleSeconds": -1}, "idleSeconds", "must be at least 0"),
        ({"idleSeconds": "15"}, "idleSeconds", "write 15 without quotes"),
        ({"maxConcurrent": -1}, "maxConcurrent", "must be at least 1"),
        ({"minReady": -1}, "minReady", "must be at least 0"),
        ({"drainTimeoutSeconds": -1}, "drainTimeoutSeconds", "must be at least 0"),
        ({"sessionTTLSeconds": -1}, "sessionTTLSeconds", "must be at least 0"),
        ({"strategy": "weird"}, "strategy", "stateless, stateful, persistent, singleton"),
        ({"activationMode": "on-demnd"}, "activationMode", "did you mean 'on-demand'"),
        ({"transport": "sse"}, "transport", "stdio, streamable_http"),
        ({"protocolVersion": "2025-06-18"}, "protocolVersion", "a stdio server speaks 2025-11-25"),
        ({"protocolVersion": "soon"}, "protocolVersion", "2025-11-25"),
        ({"disabled": "no"}, "disabled", "write false without quotes"),
        ({"cmd": "node server.js"}, "cmd", "write a list"),
        ({"cmd": []}, "cmd", "is needed"),
        ({"cmd": [" "]}, "cmd[0]", "cannot be blank"),
        ({"cmd": ["a", "b\0"]}, "cmd[1]", "NUL"),
        ({"env": {"PORT": 8080}}, "env.PORT", "expected text, got a number; write it in quotes"),
        ({"env": {"A=B": "x"}}, "env.A=B", "no name of a variable"),
        ({"cwd": "${HOME"}, "cwd", "'${' needs a name and '}'"),
        ({"exposeTools": ["a", " "]}, "exposeTools[1]", "cannot be blank"),
        ({"tags": "a"}, "tags", "write a list"),
        ({"http": "https://h"}, "http", "expected a mapping"),
    ],
)
def test_a_fault_names_key_and_server(written: dict[str, Any], field: str, reason: str) -> None:
    found = faults({**STDIO, **written})
    assert list(found) == [f"servers[0].{field}"]
    assert reason in found[f"servers[0].{field}"]
    assert isinstance(written.get("name"), int) or "(server " in found[f"servers[0].{field}"]


@pytest.mark.parametrize(
    ("http", "field", "reason"),
    [
        ({"endpoint": "ftp://h/mcp"}, "endpoint", "http or https"),
        ({"endpoint": "https:///mcp"}, "endpoint", "with a host"),
        ({"endpoint": "https://h/a b"}, "endpoint", "without blanks"),
        ({"endpoint": "https://h:99999"}, "endpoint", "http or https"),
        ({"endpoint": "http://["}, "endpoint", "http or https"),
        ({"endpoint": " "}, "endpoint", "is needed"),
        ({"headers": {"Host": "h"}}, "headers.Host", "is reserved"),
        ({"headers": {"content-TYPE": "h"}}, "headers.content-TYPE", "is reserved"),
        ({"headers": {"X-A": " "}}, "headers.X-A", "cannot be empty"),
        ({"headers": {"X A": "v"}}, "headers.X A", "no name of a header"),
        ({"headers": {"X-A": "v", "x-a": "v"}}, "headers.x-a", "the same header as 'X-A'"),
        ({"headers": {"X-A": "v\nHost: h"}}, "headers.X-A", "one line"),
        ({"headers": {"X-A": 1}}, "headers.X-A", "write it in quotes"),
        ({"maxRetries": -2}, "maxRetries", "must be at least -1"),
        ({"proxy": {"mode": "custom"}}, "proxy.url", "is needed"),
        ({"proxy": {"mode": "custom", "url": "p:1"}}, "proxy.url", "socks5h"),
        ({"proxy": {"mode": "always"}}, "proxy.mode", "inherit"),
    ],
)
def test_a_fault_of_a_server_on_the_network_names_its_key(http: dict[str, Any], field: str, reason: str) -> None:
    found = faults(web(**http))
    assert list(found) == [f"servers[0].http.{field}"]
    assert reason in found[f"servers[0].http.{field}"]


@pytest.mark.parametrize("value", [{"cmd": ["x"]}, {"cwd": "/x"}, {"env": {"A": "b"}}])
def test_a_server_on_the_network_has_nothing_of_a_process(value: dict[str, Any]) -> None:
    (key,) = value
    assert "must be empty" in faults({**WEB, **value})[f"servers[0].{key}"]
    assert faults({**WEB, key: type(value[key])()}) == {}


def test_a_server_on_the_network_needs_an_endpoint() -> None:
    assert list(faults({"name": "a", "transport": "streamable_http"})) == ["servers[0].http.endpoint"]


@pytest.mark.parametrize("version", ["2025-06-18", "2025-03-26", "2024-11-05"])
def test_a_server_on_the_network_speaks_the_older_versions(version: str) -> None:
    assert faults({**WEB, "protocolVersion": version}) == {}
    assert "speaks" in faults({**WEB, "protocolVersion": "2025-11-25"})["servers[0].protocolVersion"]


def test_a_transport_that_only_http_implies_is_taken_with_a_warning() -> None:
    server = {"name": "a", "http": {"endpoint": "https://h"}}
    assert faults(server) == {}
    assert "write transport: streamable_http" in warnings(server)["servers[0].http"]
    assert "is not used" in warnings({**STDIO, "transport": "stdio", "http": {"maxRetries": 1}})["servers[0].http"]


@pytest.mark.parametrize(
    ("legacy", "advice"),
    [
        ({"sticky": True}, "write strategy: stateful instead of sticky: true"),
        ({"sticky": False}, "leave it out"),
        ({"persistent": True}, "write strategy: persistent"),
        ({"startupStrategy": "lazy"}, "activationMode: on-demand"),
    ],
)
def test_a_key_of_old_is_refused_with_what_replaces_it(legacy: dict[str, Any], advice: str) -> None:
    (key,) = legacy
    reason = faults({**STDIO, **legacy})[f"servers[0].{key}"]
    assert reason.startswith(f"unknown key '{key}'") and advice in reason and "'git'" in reason


def test_sticky_and_persistent_together_have_no_equal() -> None:
    found = faults({**STDIO, "sticky": True, "persistent": True})
    assert all("persistent has no binding" in reason for reason in found.values()) and len(found) == 2


@pytest.mark.parametrize(
    "server",
    [
        {**STDIO, "idleSeconds": "${IDLE:-30}", "strategy": "$S", "disabled": "${OFF}", "protocolVersion": "${V}"},
        {**STDIO, "cmd": ["sh", "-c", "awk '{print $1}' $(ls) $$"], "env": {"A": "${B}"}},
        web(endpoint="${BASE}/mcp", headers={"Authorization": "Bearer ${T}"}, maxRetries="${R}"),
    ],
)
def test_references_to_variables_are_kept_as_they_are(server: dict[str, Any]) -> None:
    assert faults(server) == {}
    assert read_server(server) == server


def test_no_fault_repeats_a_value_that_may_be_secret() -> None:
    server = {
        **web(headers={"X-A": "S3CRET\nB", "Host": "S3CRET"}, endpoint="ftp://u:S3CRET@h"),
        "env": {"A": "S3CRET"},
    }
    assert len(faults(server)) == 4
    assert "S3CRET" not in repr(faults(server))


def test_of_servers_with_one_name_the_later_is_at_fault() -> None:
    found = read_servers([STDIO, WEB, {**STDIO, "cmd": ["other"]}])
    assert [(f.field, f.reason) for f in found.faults] == [
        ("servers[2].name", "duplicate name 'git', as of servers[0]; rename one of them")
    ]


def test_names_that_differ_by_blanks_are_two_servers_and_a_warning() -> None:
    found = read_servers([STDIO, {**STDIO, "name": " git "}])
    assert found.faults == [] and [server["name"] for server in found.servers] == ["git", " git "]
    assert "by blanks only" in found.warnings[0].reason


@pytest.mark.parametrize("written", [None, {}, "git", 5])
def test_servers_are_a_list(written: Any) -> None:
    found = read_servers(written)
    assert found.servers == [] and "expected a list" in found.faults[0].reason


@pytest.mark.parametrize("item", [None, "git", ["git"], 5])
def test_a_server_is_a_mapping(item: Any) -> None:
    assert "expected a mapping" in read_servers([STDIO, item]).faults[0].reason


def test_the_defaults_of_a_process() -> None:
    assert server_defaults(STDIO, {}) == {
        "transport": "stdio",
        "idleSeconds": 0,
        "maxConcurrent": 1,
        "strategy": "stateless",
        "disabled": False,
        "minReady": 0,
        "activationMode": "on-demand",
        "drainTimeoutSeconds": 30,
        "protocolVersion": "2025-11-25",
    }


def test_the_defaults_of_a_server_on_the_network() -> None:
    found = server_defaults({"name": "a", "http": {"endpoint": "https://h"}}, {"defaultActivationMode": "always-on"})
    assert (found["transport"], found["protocolVersion"]) == ("streamable_http", "2025-06-18")
    assert (found["http"], found["activationMode"]) == ({"maxRetries": 5}, "always-on")


def test_only_stateful_servers_have_a_time_to_live() -> None:
    assert server_defaults({**STDIO, "strategy": "stateful"}, {})["sessionTTLSeconds"] == 300
    assert "sessionTTLSeconds" not in server_defaults({**STDIO, "strategy": "singleton"}, {})
