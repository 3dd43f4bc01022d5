"""Directories of profiles of any size: profile stores, and config profiles with their manifest."""

from __future__ import annotations

import json
from pathlib import Path

_SERVERS = """\
# What client {number} works with.
servers:
  - name: git
    cmd: [mcp-git, --repository, "/srv/{number}"]
    env: {{GIT_TOKEN: "${{GIT_TOKEN_{number}}}"}}
    maxConcurrent: {concurrent}
  - name: search
    transport: streamable_http
    protocolVersion: "2025-06-18"
    http:
      endpoint: https://search-{number}.example.org/mcp
      maxRetries: 5
  - name: notes
    cmd: [mcp-notes]
    idleSeconds: 60
    exposeTools: [read, write]
routeTimeoutSeconds: {timeout}
"""
_OVERLAY = """\
# The overlay of team {number}.
level = "info"
timeout = {timeout}

[server]
host = "app-{number}.example.org"
port = {port}

[features]
"""


def write_profile_store(directory: Path, count: int) -> None:
    """A profile store of ``count`` profiles with three servers each, and ``default``."""
    (directory / "profiles").mkdir(parents=True)
    (directory / "runtime.yaml").write_text("pingIntervalSeconds: 30\n")
    (directory / "profiles" / "default.yaml").write_text("servers: []\n")
    callers = [f"  client-{number}: {_slug(number)}\n" for number in range(count)]
    (directory / "callers.yaml").write_text("callers:\n" + "".join(callers))
    for number in range(count):
        text = _SERVERS.format(number=number, concurrent=1 + number % 9, timeout=10 + number % 50)
        (directory / "profiles" / f"{_slug(number)}.yaml").write_text(text)


def write_config_profiles(directory: Path, count: int, *, size: int) -> None:
    """Config profiles of the application ``team``: ``count`` overlays of about ``size`` bytes, and the manifest."""
    (directory / "profiles").mkdir(parents=True)
    (directory / "team.toml").write_text('level = "warning"\ntimeout = 10\n')
    for number in range(count):
        (directory / "profiles" / f"{_slug(number)}.toml").write_text(_overlay(number, size))
    manifest = {"version": 1, "profiles": [_entry(number) for number in range(count)]}
    (directory / "profiles" / "manifest.json").write_text(json.dumps(manifest, indent=2))


def _overlay(number: int, size: int) -> str:
    text = _OVERLAY.format(number=number, timeout=10 + number % 50, port=8000 + number % 1000)
    lines = [text]
    length = len(text)
    while length < size:
        lines.append(
            f'feature_{len(lines):04d} = {{ enabled = true, share = 0.{number % 9 + 1}, owner = "team {number}" }}\n'
        )
        length += len(lines[-1])
    return "".join(lines)


def _entry(number: int) -> dict[str, object]:
    return {
        "name": _slug(number),
        "path": f"{_slug(number)}.toml",
        "description": f"What team {number} runs with",
        "created_at": 1_760_000_000_000 + number,
        "updated_at": 1_770_000_000_000 + number,
    }


def _slug(number: int) -> str:
    return f"p{number:05d}"
