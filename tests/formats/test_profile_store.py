"""The files of a profile store: what is read of each, and every fault of a file with its line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from livery.errors import Fault, Place, ValidationError
from livery.formats.profile_store import read_callers_file, read_profile_file, read_runtime_file

READERS = [read_runtime_file, read_profile_file, read_callers_file]

RUNTIME = """\
routeTimeoutSeconds: 15
pingIntervalSeconds: 20
clientCheckSeconds: 7
bootstrapMode: metadata
defaultActivationMode: always-on
exposeTools: false
toolNamespaceStrategy: flat
observability: {listenAddress: "0.0.0.0:1111"}
rpc:
  listenAddress: unix:///tmp/test.sock
  maxRecvMsgSize: 256
  socketMode: "0660"
"""


def told(faults: list[Fault]) -> list[str]:
    return [f"{fault.place.line if fault.place else '-'} {fault.field}: {fault.reason}" for fault in faults]


def profile(text: str) -> list[str]:
    return told(read_profile_file(text, "chat.yaml").faults)


def callers(text: str) -> dict[str, str]:
    read = read_callers_file(text, "callers.yaml")
    assert read.faults == []
    return read.callers


def caller_faults(text: str) -> list[str]:
    return told(read_callers_file(text, "callers.yaml").faults)


def test_runtime_keys_are_read_as_they_are_named() -> None:
    read = read_runtime_file(RUNTIME, "runtime.yaml")
    assert read.faults == read.warnings == []
    assert read.settings == read.document
    assert read.settings["rpc"]["listenAddress"] == "unix:///tmp/test.sock"


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "\ufeff"])
def test_an_empty_file_sets_nothing_and_maps_nobody(text: str) -> None:
    assert read_runtime_file(text, "f") == (None, {}, [], [])
    assert read_callers_file(text, "f") == (None, {}, [], [], "")


@pytest.mark.parametrize("text", ["", "# servers: []\n"])
def test_an_empty_profile_says_that_it_is_empty(text: str) -> None:
    assert read_profile_file(text, "chat.yaml").faults == [
        Fault("", "the file is empty; write at least servers: []", Place("chat.yaml"))
    ]


def test_servers_in_the_runtime_file_are_told_where_they_belong() -> None:
    read = read_runtime_file("routeTimeoutSecond: 15\nservers: []\ncallers: {}\n", "runtime.yaml")
    assert told(read.faults) == [
        "1 routeTimeoutSecond: unknown key 'routeTimeoutSecond'; did you mean 'routeTimeoutSeconds'?",
        "2 servers: servers stand in profiles; move them to profiles/default.yaml",
        "3 callers: callers stand in callers.yaml; move them there",
    ]


def test_a_profile_has_servers_and_runtime_keys_of_its_own() -> None:
    read = read_profile_file("servers:\n- {name: a, cmd: [./a]}\nsubAgent: {enabled: true}\n", "chat.yaml")
    assert (read.servers, read.settings) == ([{"name": "a", "cmd": ["./a"]}], {"subAgent": {"enabled": True}})
    assert read.faults == read.warnings == []


def test_a_profile_without_servers_is_at_fault() -> None:
    assert profile("routeTimeoutSeconds: 1\n") == ["1 servers: is missing; write at least servers: []"]
    assert profile("servers: []\n") == []


@pytest.mark.parametrize("key", ["server", "Servers", "mcpServers", "mcp_servers"])
def test_servers_under_another_name_are_told_the_right_one(key: str) -> None:
    told_of_key = profile(f"{key}: []\n")[1]
    assert told_of_key == f"1 {key}: unknown key {key!r}; the servers of a profile are a list under servers:"


def test_callers_in_a_profile_are_told_where_they_belong() -> None:
    assert profile("servers: []\ncallers: {}\n") == ["2 callers: callers stand in callers.yaml; move them there"]


def test_every_fault_of_a_file_is_in_one_report_in_the_order_of_its_lines() -> None:
    text = """\
routeTimeoutSeconds: 0
servers:
  - name: git
    cmd: [git]
    sticky: true
  - name: git
    env: {PORT: 8080}
callerCheckSeconds: 1
startupStrategy: lazy
"""
    lines = [line.split(":")[0] for line in profile(text)]
    assert lines == [
        "1 routeTimeoutSeconds", "5 servers[0].sticky", "6 servers[1].cmd", "6 servers[1].name",
        "7 servers[1].env.PORT", "9 startupStrategy",
    ]  # fmt: skip
    assert [str(w) for w in read_profile_file(text, "c.yaml").warnings] == [
        "c.yaml:8:1: callerCheckSeconds: is called clientCheckSeconds now"
    ]


def test_a_fault_has_file_line_and_column() -> None:
    fault = read_profile_file("servers:\n  - name: a\n    cmd: [a]\n    sticky: true\n", "p/a.yaml").faults[0]
    assert fault.place == Place("p/a.yaml", 4, 5)
    assert "unknown key 'sticky'; write strategy: stateful instead of sticky: true" in str(fault)


def test_anchors_and_merge_keys_work_inside_servers() -> None:
    text = "servers:\n- &base {name: a, cmd: [./a], idleSeconds: 5}\n- <<: *base\n  name: b\n"
    read = read_profile_file(text, "chat.yaml")
    assert read.faults == []
    assert read.servers[1] == {"name": "b", "cmd": ["./a"], "idleSeconds": 5}


def test_the_holder_of_an_anchor_is_an_unknown_key() -> None:
    assert profile("x-base: &base {cmd: [./a]}\nservers:\n- {<<: *base, name: a}\n") == [
        "1 x-base: unknown key 'x-base'"
    ]


def test_references_are_kept_as_they_are_written() -> None:
    text = 'servers:\n- name: a\n  cmd: [./a]\n  idleSeconds: ${IDLE:-30}\n  env: {T: "${GIT_TOKEN}", x: pa$$word}\n'
    (server,) = read_profile_file(text, "chat.yaml").servers
    assert server["idleSeconds"] == "${IDLE:-30}"
    assert server["env"] == {"T": "${GIT_TOKEN}", "x": "pa$$word"}


def test_an_unquoted_date_is_told_with_how_to_write_it() -> None:
    text = "servers:\n- name: a\n  cmd: [./a]\n  protocolVersion: {}\n"
    (line,) = profile(text.replace("{}", "2025-11-25"))
    assert line.startswith("4 servers[0].protocolVersion: ")
    assert "write it in quotes: \"2025-11-25\" (server 'a')" in line
    assert profile(text.replace("{}", "'2025-11-25'  # since 2025-11-25")) == []


def test_unquoted_dates_are_told_in_every_file() -> None:
    assert caller_faults("callers:\n  a: 2025-11-25\n")[0].startswith("2 callers[a]: a date without quotes")
    read = read_runtime_file("subAgent: {model: 2025-11-25T10:00:00Z}\n", "runtime.yaml")
    assert [fault.field for fault in read.faults] == ["subAgent.model"]


def test_callers_are_trimmed_and_keep_their_case() -> None:
    assert callers("callers:\n  ' VSCode ': ' Chat '\n  vscode: default\n") == {"VSCode": "chat", "vscode": "default"}


def test_callers_may_be_called_by_a_number() -> None:
    assert callers("callers: {1: a, 007: b, 1.5: c, 0x10: d}") == {"1": "a", "007": "b", "1.5": "c", "0x10": "d"}


@pytest.mark.parametrize("text", ["callers:\n", "callers: {}\n", "callers: null\n"])
def test_no_callers_are_no_mappings(text: str) -> None:
    assert callers(text) == {}


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("vscode: chat\nweb: chat\n", "1 vscode", "put the callers under callers:"),
        ("callrs: {a: b}\n", "1 callrs", "did you mean 'callers'"),
        ("callers: {a: b}\nextra: 1\n", "2 extra", "unknown key 'extra'"),
        ("callers: [a]\n", "1 callers", "expected caller: profile, got a list"),
        ("- a\n", "1 ", "expected a mapping with callers:"),
        ("callers:\n  a:\n", "2 callers[a]", "needs the name of a profile, got nothing"),
        ("callers:\n  a: ''\n", "2 callers[a]", "got nothing"),
        ("callers:\n  ' ': b\n", "2 callers[ ]", "cannot be empty"),
        ("callers:\n  a: 5\n", "2 callers[a]", "write it in quotes"),
        ("callers:\n  a: [b]\n", "2 callers[a]", "got a list"),
        ("callers:\n  a: b/c\n", "2 callers[a]", "is not a slug"),
        ("callers:\n  a: b\n  ' a': c\n", "3 callers[ a]", "caller 'a' stands here twice"),
        ("fallback: never\n", "1 fallback", "default or deny"),
    ],
)
def test_a_fault_of_the_callers_has_its_line(text: str, line: str, reason: str) -> None:
    (found,) = caller_faults(text)
    assert found.startswith(f"{line}: ") and reason in found


def test_the_fallback_stands_beside_the_callers() -> None:
    read = read_callers_file("fallback: deny\ncallers: {a: b}\n", "callers.yaml")
    assert (read.fallback, read.callers, read.faults) == ("deny", {"a": "b"}, [])
    assert read_callers_file("fallback: deny\n", "callers.yaml").faults == []


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize(
    "text",
    [b"\xff\xfe", "a: [", "\0", "a: 1\na: 2\n", "a: 1\n---\nb: 2\n", "!!python/object:os.system a", "[" * 100_000,
     "callers: {true: x}", "callers: {1: a, 1: b}", "a: &a [*a]"],
)  # fmt: skip
def test_a_text_that_is_no_yaml_is_an_error_with_its_line(read: Callable[..., Any], text: str | bytes) -> None:
    with pytest.raises(ValidationError) as caught:
        read(text, "f.yaml")
    assert caught.value.origin is not None and caught.value.origin.file == "f.yaml"
    assert caught.value.origin.line


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("text", ["[]", "5", "text", "true"])
def test_what_is_no_mapping_is_told(read: Callable[..., Any], text: str) -> None:
    (fault,) = read(text, "f.yaml").faults
    assert "expected a mapping" in fault.reason and fault.place == Place("f.yaml", 1, 1)


@pytest.mark.parametrize("read", READERS)
def test_a_document_beyond_the_size_of_a_profile_is_refused(read: Callable[..., Any]) -> None:
    (fault,) = read(f"servers: []\nsubAgent: {{model: {'x' * 1_100_000}}}\n", "f.yaml").faults
    assert "is the most" in fault.reason


def test_many_faults_are_all_told_and_the_first_are_placed() -> None:
    text = "servers:\n" + "".join(f"- {{name: s{i}, cmd: [x], sticky: true}}\n" for i in range(150))
    found = read_profile_file(text, "f.yaml").faults
    assert len(found) == 150
    assert [fault.place.line for fault in found[:100] if fault.place] == list(range(2, 102))
