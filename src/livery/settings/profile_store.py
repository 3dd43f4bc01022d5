"""The settings schema ``profile-store``: what a gateway of MCP servers is run with, under the names of its files.

The fields and defaults are those of the profile store format, of its older and its newer form; where a name was
replaced the newer one counts, :mod:`livery.settings.runtime_keys` reads the older.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

LARGEST = 2**31 - 1
"""The largest number of seconds, bytes or processes: nothing that counts in 32 bits overflows."""

Field = dict[str, Any]


def number(description: str, default: int | None = None, *, least: int = 0, **marks: Any) -> Field:
    """A whole number of at least ``least``."""
    given = {} if default is None else {"default": default}
    return {"description": description, "type": "integer", "minimum": least, "maximum": LARGEST, **given, **marks}


def text(description: str, default: str | None = None, **marks: Any) -> Field:
    """Any text."""
    return {"description": description, "type": "string", **({} if default is None else {"default": default}), **marks}


def word(description: str, words: tuple[str, ...], default: str | None = None) -> Field:
    """One of a few words."""
    return {**text(description, default), "enum": list(words)}


def switch(description: str, default: bool | None = None) -> Field:
    """True or false."""
    return {"description": description, "type": "boolean", **({} if default is None else {"default": default})}


def texts(description: str, **keywords: Any) -> Field:
    """A list of texts."""
    return {"description": description, "type": "array", "items": {"type": "string"}, **keywords}


def text_map(description: str, entry: str, **marks: Any) -> Field:
    """A mapping from any name to a text."""
    return {
        "description": description,
        "type": "object",
        "additionalProperties": {"type": "string", "description": entry},
        **marks,
    }


def section(description: str, fields: Mapping[str, Field], **marks: Any) -> Field:
    """A mapping with these fields and no others."""
    return {
        "description": description,
        "type": "object",
        "properties": dict(fields),
        "additionalProperties": False,
        **marks,
    }


def proxy(description: str, modes: tuple[str, ...], default: str | None = None) -> Field:
    """How connections find their proxy."""
    empty = None if default is None else ""
    return section(
        description,
        {
            "mode": word("Which proxy is used; 'custom' is the one of 'url'.", modes, default),
            "url": text("The proxy: an http, https, socks5 or socks5h URL.", empty),
            "noProxy": text("Hosts that are reached without it, with commas between them.", empty),
        },
        **{"x-sensitive": True},
    )


_SERVERS = {
    "serverInitRetryBaseSeconds": number("The wait before a server's start is tried again.", 1, least=1),
    "serverInitRetryMaxSeconds": number("The longest such wait; it doubles from try to try.", 30, least=1),
    "serverInitMaxRetries": number("How often a server's start is tried again.", 5),
    "bootstrapMode": word("Whether servers run briefly at the start, to list their tools.", ("metadata", "disabled"),
                          "metadata"),
    "bootstrapConcurrency": number("How many servers run for that at once.", 3, least=1),
    "bootstrapTimeoutSeconds": number("How long one of them may take.", 30, least=1),
    "defaultActivationMode": word("When a server runs that does not say so itself.", ("on-demand", "always-on"),
                                  "on-demand"),
}  # fmt: skip
_CALLS = {
    "routeTimeoutSeconds": number("How long a call of a tool may take.", 10, least=1),
    "pingIntervalSeconds": number("How often a running server is pinged; 0 is never.", 30),
    "toolRefreshSeconds": number("How often the tools of servers are listed again.", 60),
    "toolRefreshConcurrency": number("How many servers are asked for their tools at once.", 4, least=1),
    "clientCheckSeconds": number("How often clients are looked after.", 5, least=1),
    "clientInactiveSeconds": number("After how long without a sign a client is gone.", 300, least=1),
}
_TOOLS = {
    "exposeTools": switch("Whether tools are shown at all.", True),
    "toolNamespaceStrategy": word("How tools are named: 'prefix' is server.tool.", ("prefix", "flat"), "prefix"),
    "reloadMode": word("What a reload that fails does: 'strict' ends the process.", ("strict", "lenient"), "lenient"),
}
_OBSERVABILITY = section(
    "Metrics and health checks.",
    {
        "listenAddress": text("Where they are served, as host:port.", "0.0.0.0:9090"),
        "metricsEnabled": switch("Whether metrics are served."),
        "healthzEnabled": switch("Whether health checks are served."),
    },
    **{"x-sensitive": True},
)
_TLS = section(
    "Encryption of the RPC connection.",
    {
        "enabled": switch("Whether it is used; it needs certFile and keyFile.", False),
        "certFile": text("The certificate, a PEM file.", ""),
        "keyFile": text("Its private key, a PEM file.", ""),
        "caFile": text("Who signs the certificates of clients, a PEM file.", ""),
        "clientAuth": switch("Whether clients need a certificate; it needs caFile.", False),
    },
)
_AUTH = section(
    "Proof that a client asks for over RPC.",
    {
        "enabled": switch("Whether clients must prove who they are.", False),
        "mode": word("By a token, or by the certificate of the client.", ("token", "mtls"), "token"),
        "token": text("The token itself; better is tokenEnv.", "", **{"x-secret": True}),
        "tokenEnv": text("The environment variable that holds the token.", ""),
    },
)
_RPC = section(
    "Where and how clients connect.",
    {
        "listenAddress": text("unix:///path, tcp://host:port or host:port.", "unix:///tmp/mcpv.sock"),
        "maxRecvMsgSize": number("The most bytes of a message from a client.", 16777216, least=1),
        "maxSendMsgSize": number("The most bytes of a message to a client.", 16777216, least=1),
        "keepaliveTimeSeconds": number("After how long without traffic a client is pinged.", 30),
        "keepaliveTimeoutSeconds": number("How long its answer may take.", 10),
        "socketMode": text("The file mode of a unix socket, an octal number as text.", "0660"),
        "tls": _TLS,
        "auth": _AUTH,
    },
    **{"x-sensitive": True},
)
_SUB_AGENT = section(
    "The model that picks tools for a client.",
    {
        "enabled": switch("Whether the clients of a profile have it.", False),
        "model": text("The name of the model.", ""),
        "provider": text("Whose model it is.", ""),
        "apiKey": text("The API key itself; better is apiKeyEnvVar.", "", **{"x-secret": True}),
        "apiKeyEnvVar": text("The environment variable that holds the API key.", "", **{"x-sensitive": True}),
        "baseURL": text("Where its API is, if not at the provider's own address.", "", **{"x-sensitive": True}),
        "maxToolsPerRequest": number("The most tools it picks; 0 is 50.", 0),
        "filterPrompt": text("What it is told to pick by.", ""),
    },
)
_PLUGIN_CATEGORIES = (
    "observability", "authentication", "authorization", "rate_limiting", "validation", "content", "audit",
)  # fmt: skip
_PLUGIN = section(
    "A process that sees every request.",
    {
        "name": text("Its name.", minLength=1),
        "category": word("What it is for.", _PLUGIN_CATEGORIES),
        "required": switch("Whether requests fail where it does; true where nothing is said."),
        "disabled": switch("Whether it is left out."),
        "cmd": texts("The words of its command line.", minItems=1),
        "env": text_map("Its environment variables.", "The value.", **{"x-secret": True}),
        "cwd": text("Its working directory."),
        "commitHash": text("The revision that its files must have."),
        "timeoutMs": number("How long it may take for a request."),
        "handshakeTimeoutMs": number("How long its start may take."),
        "flows": {"description": "Which way it looks.", "type": "array",
                  "items": {"type": "string", "enum": ["request", "response"]}},
        "config": {"description": "Its own settings.", "type": "object"},
    },
    required=["name", "category", "cmd"],
)  # fmt: skip


@cache
def plain_profile_store_schema() -> Mapping[str, Any]:
    """The JSON Schema of the settings of a profile store: fields, types, defaults, ranges, marks."""
    return section(
        "Settings of a gateway of MCP servers.",
        {
            **_CALLS,
            **_SERVERS,
            **_TOOLS,
            "observability": _OBSERVABILITY,
            "rpc": _RPC,
            "proxy": proxy("How servers on the network are reached.", ("system", "custom", "disabled"), "system"),
            "subAgent": _SUB_AGENT,
            "plugins": {
                "description": "Processes that see every request, in order.",
                "type": "array",
                "items": _PLUGIN,
                "x-sensitive": True,
            },
        },
    )
