"""Texts of an old file survive: comments, quotes, references and falsy values stand as they stood."""

from __future__ import annotations

from pathlib import Path

import pytest

from livery.migrate.profile_store import migrate_profile_store
from tests.support.registries import write
from tests.support.stores import contents, seen_by

OLD = """\
    # The gateway of the team.

    routeTimeoutSeconds: 30   # seconds
    # How tools are named.
    toolNamespaceStrategy: 'prefix'

    # All our servers.
    servers:
      # Needs a checkout.
      - name: "git"
        cmd: ['./git', "--root=${ROOT}"]
        env: {TOKEN: "${GIT_TOKEN}", Mixed_Case: ''}   # never in clear
        tags: [code]
        idleSeconds: 0
        disabled: false

      # Slow to start.
      - name: vectors
        tags:
          - chat
        cmd: [./vectors]  # a binary
        # bound to a session
        sticky: true  # for good
      # Nothing else yet.
    subAgent: {enabledTags: [chat], provider: "openai", model: gpt}
"""


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return write(tmp_path / "old.yaml", OLD)


def store_of(old: Path) -> dict[str, str]:
    migrate_profile_store(old, old.parent / "store")
    return contents(old.parent / "store")


def test_a_server_keeps_its_text_and_its_comments(old: Path) -> None:
    git = """\
  # Needs a checkout.
  - name: "git"
    cmd: ['./git', "--root=${ROOT}"]
    env: {TOKEN: "${GIT_TOKEN}", Mixed_Case: ''}   # never in clear
    idleSeconds: 0
    disabled: false
"""
    assert store_of(old)["profiles/code.yaml"] == f"# All our servers.\nservers:\n{git}"


def test_a_server_has_the_same_text_in_every_profile(old: Path) -> None:
    files = store_of(old)
    chat, default = files["profiles/chat.yaml"], files["profiles/default.yaml"]
    vectors = default[default.index("  # Slow") :]
    assert vectors in chat and "strategy: stateful  # for good\n  # Nothing else yet.\n" in vectors


def test_the_settings_keep_their_text_and_their_comments(old: Path) -> None:
    assert (
        store_of(old)["runtime.yaml"]
        == """\
# The gateway of the team.

routeTimeoutSeconds: 30   # seconds
# How tools are named.
toolNamespaceStrategy: 'prefix'

subAgent: {provider: "openai", model: gpt}
"""
    )


def test_windows_line_ends_stay(old: Path) -> None:
    old.write_bytes(old.read_bytes().replace(b"\n", b"\r\n"))
    files = store_of(old)
    assert all(line.endswith("\r") for line in files["profiles/default.yaml"].split("\n")[:-1])
    assert "\r\n# How tools are named.\r\n" in files["runtime.yaml"]


@pytest.mark.parametrize(
    "text",
    [
        "servers: [{name: a, cmd: [x], tags: [t]}, {name: b, cmd: [y], tags: [u], sticky: true}]\n",
        '{"exposeTools": false, "servers": [{"name": "a", "cmd": ["x"], "tags": ["t"]}, {"name": "b", "cmd": ["y"]}]}',
        "servers:\n- tags: [t]\n  name: a\n  cmd: [x]\n- {name: b, cmd: [y], tags: [u]}",
        "\ufeff---\nservers:\n- name: a\n  cmd:\n  - sh\n  - |+\n    one\n\n- name: b\n  cmd: [y]\n  tags: [t]\n...\n",
        "servers:\n- {name: a, cmd: [x]}\nsubAgent:\n  enabledTags: [t]\n# the end",
    ],
    ids=["flow", "json", "tags first", "block text", "only tags"],
)
def test_unusual_layouts_are_read_and_proved(text: str, tmp_path: Path) -> None:
    (tmp_path / "old.yaml").write_text(text)
    done = migrate_profile_store(tmp_path / "old.yaml", tmp_path / "store")
    assert any(line.startswith("proved equal") for line in done.lines)
    assert not any("written anew" in line for line in done.lines)


def test_what_an_alias_stands_for_is_written_out_where_its_anchor_goes(tmp_path: Path) -> None:
    old = write(
        tmp_path / "old.yaml",
        """\
        servers:
          - &base
            name: a
            cmd: [./a]  # the first
            tags: [one]
          # like the first
          - <<: *base
            name: b
            tags: [two]
        """,
    )
    assert store_of(old)["profiles/two.yaml"] == (
        'servers:\n  # like the first\n  - <<: {name: a, cmd: ["./a"]}\n    name: b\n'
    )
    assert seen_by(tmp_path / "store", "two").effective_servers[0]["cmd"] == ["./a"]


def test_anchors_stay_where_nothing_is_divided(tmp_path: Path) -> None:
    text = 'servers:\n  - {name: a, cmd: [x], env: &env {A: "${A}"}}\n  - {name: b, cmd: [y], env: *env}\n'
    (tmp_path / "old.yaml").write_text(text)
    assert store_of(tmp_path / "old.yaml")["profiles/default.yaml"] == text
