"""MCP servers as the files of a profile store describe them: their fields, their one form, the rules between fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final, NamedTuple

import jsonschema_rs

from livery.core.names import type_name
from livery.core.paths import Path
from livery.core.schema import dotted
from livery.errors import Fault
from livery.settings.http_servers import endpoint_reasons, header_reasons
from livery.settings.older_servers import older_reasons
from livery.settings.profile_store import number, proxy, section, switch, text, text_map, texts, word
from livery.settings.profile_store_checks import proxy_reason
from livery.settings.written_values import Reasons, normal, value_reasons

STDIO: Final = "stdio"
HTTP: Final = "streamable_http"
PROTOCOL_VERSIONS: Final = {STDIO: ("2025-11-25",), HTTP: ("2025-06-18", "2025-03-26", "2024-11-05")}
"""What each transport speaks, the default first."""

_PROCESS_ONLY = ("cmd", "cwd", "env")
_ABSENT_IF_EMPTY = ("transport", "strategy", "activationMode", "protocolVersion")
_DEFAULT_IF_ZERO: Final = {"maxConcurrent": 1, "drainTimeoutSeconds": 30}
_SPOKEN = (*PROTOCOL_VERSIONS[STDIO], *PROTOCOL_VERSIONS[HTTP])

SERVER = section(
    "An MCP server.",
    {
        "name": text("Its name, unique in the profile.", minLength=1),
        "transport": word("A process (stdio), or a server on the network.", (STDIO, HTTP)),
        "cmd": texts("The words of the command line of a process."),
        "env": text_map("The environment variables of a process, names as they stand.", "The value."),
        "cwd": text("The working directory of a process."),
        "idleSeconds": number("After how long without a call it is stopped."),
        "maxConcurrent": number("How many calls one process takes at once.", least=1),
        "strategy": word("How processes are shared.", ("stateless", "stateful", "persistent", "singleton")),
        "sessionTTLSeconds": number("How long a stateful session is kept; 0 is for ever."),
        "disabled": switch("Whether it is left out."),
        "minReady": number("How many processes are kept ready."),
        "activationMode": word("When it runs.", ("on-demand", "always-on")),
        "drainTimeoutSeconds": number("How long a process that is stopped may finish its calls."),
        "protocolVersion": word("The version of MCP that it speaks.", _SPOKEN),
        "exposeTools": texts("The tools that are shown, all where nothing is said."),
        "tags": texts("Words to find it by."),
        "http": section(
            "A server on the network.",
            {
                "endpoint": text("Its http or https URL."),
                "headers": text_map("Headers of every request.", "The value."),
                "maxRetries": number("How often a request is tried again; -1 is never.", least=-1),
                "proxy": proxy("How it is reached.", ("inherit", "system", "custom", "disabled")),
            },
        ),
    },
    required=["name"],
)


class ReadServers(NamedTuple):
    """The servers of a list in their one form, every fault, and what deserves a warning."""

    servers: list[dict[str, Any]]
    faults: list[Fault]
    warnings: list[Fault]


def read_servers(written: Any, field: str = "servers") -> ReadServers:
    """A list of servers as a file has it; no two may have the same name."""
    if not isinstance(written, list):
        return ReadServers([], [Fault(field, f"expected a list, got {type_name(written)}; write at least []")], [])
    faults: list[Fault] = []
    warnings: list[Fault] = []
    for position, server in enumerate(written):
        found, deserved = server_faults(server, f"{field}[{position}]")
        faults += found
        warnings += deserved
    doubled, alike = _names_twice(written, field)
    sound = [read_server(server) for server in written if isinstance(server, Mapping)]
    return ReadServers(sound, [*faults, *doubled], [*warnings, *alike])


def read_server(server: Mapping[str, Any]) -> dict[str, Any]:
    """A server in its one form; names, ``cmd``, ``env`` and the spelling of headers are kept as they are.

    Words are in lower case, the transport is said where ``http`` implies it, 0 that means a default is the default.
    """
    read: dict[str, Any] = normal(_with_current_words(server), SERVER)
    read = {key: value for key, value in read.items() if key not in _ABSENT_IF_EMPTY or value != ""}
    for key, default in _DEFAULT_IF_ZERO.items():
        if type(read.get(key)) is int and read[key] == 0:
            read[key] = default
    if "transport" not in read and is_http(read):
        read["transport"] = HTTP
    if isinstance(read.get("tags"), list):
        read["tags"] = _normal_tags(read["tags"])
    if isinstance(read.get("http"), dict):
        read["http"] = _normal_http(read["http"])
    return read


def server_faults(server: Any, field: str) -> tuple[list[Fault], list[Fault]]:
    """Every fault of a server as a file has it, and what deserves a warning; each says whose it is."""
    if not isinstance(server, Mapping):
        return [Fault(field, f"expected a mapping with name and cmd or http, got {type_name(server)}")], []
    legacy = dict(older_reasons(server))
    read = read_server({key: value for key, value in server.items() if (key,) not in legacy})
    shape = value_reasons(_validator(), SERVER, read)
    known = {path for path, _ in shape}
    rules = [(path, reason) for path, reason in _rules(read) if path not in known]
    faults = _told([*legacy.items(), *shape, *rules], server, field)
    return faults, _told(_warnings(server, read), server, field)


def is_http(server: Mapping[str, Any]) -> bool:
    """Whether a server is one on the network: it says so, or says nothing of the kind and has ``http`` settings."""
    transport = server.get("transport")
    if isinstance(transport, str) and transport:
        return transport.replace("-", "_") == HTTP
    http = server.get("http")
    return isinstance(http, Mapping) and bool(http)


def server_defaults(server: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """What a server of an effective runtime has where nobody says anything."""
    http = is_http(server)
    activation = settings.get("defaultActivationMode")
    return {
        "transport": HTTP if http else STDIO,
        "idleSeconds": 0,
        "maxConcurrent": 1,
        "strategy": "stateless",
        **({"sessionTTLSeconds": 300} if server.get("strategy") == "stateful" else {}),
        "disabled": False,
        "minReady": 0,
        "activationMode": activation if isinstance(activation, str) else "on-demand",
        "drainTimeoutSeconds": 30,
        "protocolVersion": PROTOCOL_VERSIONS[HTTP if http else STDIO][0],
        **({"http": {"maxRetries": 5}} if http else {}),
    }


@cache
def _validator() -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for(SERVER)


def _told(reasons: Reasons, server: Mapping[str, Any], field: str) -> list[Fault]:
    name = server.get("name")
    whose = f" (server {name!r})" if isinstance(name, str) and name else ""
    return [Fault(dotted(field, path), reason + whose) for path, reason in reasons]


def _names_twice(servers: list[Any], field: str) -> tuple[list[Fault], list[Fault]]:
    faults: list[Fault] = []
    warnings: list[Fault] = []
    seen: dict[str, dict[str, int]] = {}
    for position, server in enumerate(servers):
        name = server.get("name") if isinstance(server, Mapping) else None
        if not isinstance(name, str) or not name.strip():
            continue
        alike = seen.setdefault(name.strip(), {})
        where = f"{field}[{position}].name"
        if name in alike:
            faults.append(Fault(where, f"duplicate name {name!r}, as of {field}[{alike[name]}]; rename one of them"))
        elif alike:
            other, at = next(iter(alike.items()))
            warnings.append(Fault(where, f"{name!r} differs from {other!r} of {field}[{at}] by blanks only"))
        alike.setdefault(name, position)
    return faults, warnings


def _with_current_words(server: Mapping[str, Any]) -> dict[str, Any]:
    transport = server.get("transport")
    if isinstance(transport, str) and transport.strip().lower() == "streamable-http":
        return {**server, "transport": HTTP}
    return dict(server)


def _normal_tags(tags: list[Any]) -> list[Any]:
    if not all(isinstance(tag, str) for tag in tags):
        return tags
    return sorted({tag.strip().lower() for tag in tags} - {""})


def _normal_http(http: Mapping[str, Any]) -> dict[str, Any]:
    read = {key: _trimmed(value) if key == "endpoint" else value for key, value in http.items()}
    if isinstance(read.get("headers"), Mapping):
        read["headers"] = {name: _trimmed(value) for name, value in read["headers"].items()}
    if isinstance(read.get("proxy"), dict):
        read["proxy"] = {key: _trimmed(value) for key, value in read["proxy"].items() if (key, value) != ("mode", "")}
    return read


def _trimmed(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


def _warnings(server: Mapping[str, Any], read: Mapping[str, Any]) -> Reasons:
    found: Reasons = []
    if not str(server.get("transport") or "").strip() and read.get("transport") == HTTP:
        found.append(
            (("http",), f"no transport is given and http is, so it is taken for {HTTP}; write transport: {HTTP}")
        )
    if read.get("transport", STDIO) == STDIO and read.get("http"):
        found.append((("http",), f"is not used by a server whose transport is {STDIO}"))
    return found


def _rules(server: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    """What the fields say against each other, in the one form of a server."""
    yield from _version_reasons(server)
    name = server.get("name")
    if isinstance(name, str) and name.isspace():
        yield ("name",), "cannot be blank"
    tools = server.get("exposeTools")
    for position, tool in enumerate(tools if isinstance(tools, list) else ()):
        if isinstance(tool, str) and not tool.strip():
            yield ("exposeTools", str(position)), "a name of a tool cannot be blank"
    if is_http(server):
        yield from _http_rules(server)
    elif server.get("transport", STDIO) == STDIO:
        yield from _process_rules(server)


def _version_reasons(server: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    version = server.get("protocolVersion")
    transport = HTTP if is_http(server) else STDIO
    if version in _SPOKEN and version not in PROTOCOL_VERSIONS[transport]:
        spoken = " or ".join(PROTOCOL_VERSIONS[transport])
        yield ("protocolVersion",), f"a {transport} server speaks {spoken}, not {version}"


def _process_rules(server: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    command = server.get("cmd")
    if "cmd" not in server or command == []:
        yield ("cmd",), "is needed: the command line of the process, as a list of words"
    elif isinstance(command, list) and isinstance(command[0], str) and not command[0].strip():
        yield ("cmd", "0"), "the name of the program cannot be blank"
    environment = server.get("env")
    for name in environment if isinstance(environment, Mapping) else ():
        if not name.strip() or "=" in name or "\0" in name:
            yield ("env", name), "is no name of a variable: it is blank, or holds '=' or NUL"


def _http_rules(server: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    for key in _PROCESS_ONLY:
        if server.get(key):
            yield (key,), f"must be empty for a {HTTP} server, which runs elsewhere"
    http = server.get("http", {})
    if not isinstance(http, Mapping):
        return
    yield from endpoint_reasons(http.get("endpoint", ""))
    headers = http.get("headers")
    yield from header_reasons(headers if isinstance(headers, Mapping) else {})
    chosen = http.get("proxy")
    reason = proxy_reason({"url": "", **chosen}) if isinstance(chosen, Mapping) else None
    if reason:
        yield ("http", "proxy", "url"), reason
