"""What an old file leaves open or says wrongly is refused, with the line and the way out, and nothing is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from livery.errors import LiveryError, SourceNotFound, SourceUnavailable, UsageError, ValidationError
from livery.migrate.profile_store import Choices, MigratedStore, migrate_profile_store, parse_client
from tests.support.stores import contents, seen_by, server_names

SERVER = "servers:\n- {name: a, cmd: [./a], tags: [chat]}\n- {name: b, cmd: [./b]}\n"
SUB_AGENT = "subAgent: {model: gpt, provider: openai"


def migrated(text: str, folder: Path, choices: Choices = Choices(), **options: bool) -> MigratedStore:  # noqa: B008
    (folder / "old.yaml").write_text(text)
    return migrate_profile_store(folder / "old.yaml", folder / "store", choices, **options)


def refused(text: str, folder: Path, choices: Choices = Choices()) -> str:  # noqa: B008
    with pytest.raises((ValidationError, UsageError)) as error:
        migrated(text, folder, choices)
    assert [path.name for path in folder.iterdir()] == ["old.yaml"]
    return str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("# nothing\n", "the file is empty"),
        ("- a\n", "not a list"),
        ("routeTimeoutSeconds: 3\n", "the file has no servers"),
        ("servers: []\n", "old.yaml:1:1: servers: the file has no servers"),
        ("servers: {a: 1}\n", "old.yaml:1:1: servers: a list of servers was expected"),
        ("servers:\n- a\n", "old.yaml:2:3: servers[0]: a server is a mapping, not text"),
        (SERVER + "---\n" + SERVER, "a second document"),
        (SERVER + "routeTimeoutSecond: 3\n", "old.yaml:4:1: routeTimeoutSecond: unknown key"),
        ("servers:\n- {name: a, cmd: [x], fancy: 1}\n", "old.yaml:2:23: servers[0].fancy: unknown key"),
        ("servers:\n- {name: a, cmd: [x], protocolVersion: 2025-11-25}\n", "write it in quotes"),
        ("servers: " + "[" * 1_000_000, "nested deeper"),
        ('servers:\n- name: "\0"\n', "U+0000"),
    ],
)
def test_a_file_that_does_not_load_is_refused(text: str, message: str, tmp_path: Path) -> None:
    assert message in refused(text, tmp_path)


def test_every_fault_is_in_one_report_in_the_order_of_the_lines(tmp_path: Path) -> None:
    text = "servers:\n- {name: a, cmd: [x], sticky: maybe, tags: [default]}\n- {name: a, cmd: [y]}\nextra: 1\n"
    faults = refused(text, tmp_path).splitlines()
    assert len(faults) == 4
    assert [int(fault.partition("old.yaml:")[2].partition(":")[0]) for fault in faults] == [2, 2, 3, 4]


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("sticky: true, persistent: true", "write strategy: stateful or strategy: persistent in place of the two"),
        ("sticky: true, strategy: singleton", "say different things; keep one of them"),
        ("sticky: false, strategy: stateful", "say different things"),
        ("startupStrategy: soon", "expected lazy or eager"),
        ("startupStrategy: lazy, activationMode: always-on", "say different things"),
    ],
)
def test_older_keys_of_a_server_that_no_key_of_today_says_need_a_decision(
    keys: str, message: str, tmp_path: Path
) -> None:
    assert message in refused(f"servers:\n- {{name: a, cmd: [x], {keys}}}\n", tmp_path)


def test_one_name_of_a_setting_is_enough_and_two_have_to_agree(tmp_path: Path) -> None:
    assert "say different things" in refused(f"callerCheckSeconds: 7\nclientCheckSeconds: 8\n{SERVER}", tmp_path)
    migrated(f"callerCheckSeconds: 7  # s\nclientCheckSeconds: 7\n{SERVER}", tmp_path)
    assert contents(tmp_path / "store")["runtime.yaml"] == "clientCheckSeconds: 7\n"


@pytest.mark.parametrize("tag", ["default", "my tag", "Ünder", "a/b", "..", "x" * 129])
def test_a_tag_that_cannot_be_a_profile_is_refused(tag: str, tmp_path: Path) -> None:
    assert "cannot become a profile" in refused(f"servers:\n- {{name: a, cmd: [x], tags: ['{tag}']}}\n", tmp_path)


@pytest.mark.parametrize("rest", ["}", ", enabledTags: []}", ", enabled: true}"])
def test_where_the_sub_agent_is_open_a_person_decides(rest: str, tmp_path: Path) -> None:
    text = f"{SUB_AGENT}{rest}\n{SERVER}"
    assert "--sub-agent all or --sub-agent none" in refused(text, tmp_path)
    migrated(text, tmp_path, Choices(sub_agent="all"))
    assert seen_by(tmp_path / "store", "chat").effective_step_settings["subAgent"]["enabled"] is True


@pytest.mark.parametrize("rest", ["}", ", enabledTags: []}", ", enabled: true}"])
def test_where_the_sub_agent_is_open_none_turns_it_off(rest: str, tmp_path: Path) -> None:
    migrated(f"{SUB_AGENT}{rest}\n{SERVER}", tmp_path, Choices(sub_agent="none"))
    assert not seen_by(tmp_path / "store", "chat").effective_step_settings["subAgent"].get("enabled")


@pytest.mark.parametrize("rest", [", enabled: false}", ", enabledTags: [chat], enabled: false}"])
def test_a_sub_agent_that_is_off_stays_off(rest: str, tmp_path: Path) -> None:
    migrated(f"{SUB_AGENT}{rest}\n{SERVER}", tmp_path)
    assert seen_by(tmp_path / "store", "chat").effective_step_settings["subAgent"]["enabled"] is False


def test_a_sub_agent_for_some_clients_is_on_in_their_profiles_alone(tmp_path: Path) -> None:
    done = migrated(f"{SUB_AGENT}, enabledTags: [Chat], enabled: true}}\n{SERVER}", tmp_path)
    enabled = [
        seen_by(tmp_path / "store", name).effective_step_settings["subAgent"]["enabled"] for name in ("chat", None)
    ]
    assert enabled == [True, False]
    assert any("subAgent: {enabled: true} in profiles/chat.yaml; the rest" in line for line in done.lines)


def test_a_choice_that_the_file_leaves_no_room_for_is_refused(tmp_path: Path) -> None:
    assert "not needed" in refused(SERVER, tmp_path, Choices(sub_agent="all"))


def test_a_client_with_several_tags_gets_a_profile_of_its_own(tmp_path: Path) -> None:
    text = SERVER + "- {name: c, cmd: [./c], tags: [code]}\n- {name: d, cmd: [./d], tags: [web]}\n"
    migrated(text, tmp_path, Choices((parse_client("Cursor=chat, Code"),)))
    assert server_names(tmp_path / "store", "Cursor") == ["a", "b", "c"]
    assert server_names(tmp_path / "store", "stranger") == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("clients", "message"),
    [
        (["chat=chat,code"], "a tag, and so a profile, already"),
        (["default=chat"], "the profile of all others"),
        (["x=chat", "X=code"], "folds to the same profile"),
        (["x=chat", "x=code"], "given twice"),
        (["my client=chat"], "no profile can have this name"),
    ],
)
def test_a_client_that_cannot_have_a_profile_of_its_name_is_refused(
    clients: list[str], message: str, tmp_path: Path
) -> None:
    assert message in refused(SERVER, tmp_path, Choices(tuple(map(parse_client, clients))))


def test_a_client_with_the_name_and_the_tag_of_a_profile_shares_it(tmp_path: Path) -> None:
    migrated(SERVER, tmp_path, Choices((parse_client("Chat=chat"), parse_client("chat=chat"))))
    assert server_names(tmp_path / "store", "Chat") == server_names(tmp_path / "store", "chat")
    assert [path for path in contents(tmp_path / "store") if "profiles" in path] == [
        "profiles/chat.yaml",
        "profiles/default.yaml",
    ]


@pytest.mark.parametrize("text", ["", "x", "x=", "=a", "x= , "])
def test_a_client_is_a_name_and_its_tags(text: str) -> None:
    with pytest.raises(UsageError, match="NAME=TAG,TAG"):
        parse_client(text)


def test_a_tag_that_no_server_has_is_told_and_shows_only_servers_without_tags(tmp_path: Path) -> None:
    done = migrated(SERVER, tmp_path, Choices((parse_client("x=chad"),)))
    assert any("no server has the tag 'chad' (did you mean 'chat'?)" in line for line in done.lines)
    assert server_names(tmp_path / "store", "x") == ["b"]


def test_clients_without_tags_can_be_left_with_less(tmp_path: Path) -> None:
    done = migrated(SERVER, tmp_path, Choices(default="untagged"))
    assert server_names(tmp_path / "store", None) == ["b"]
    assert server_names(tmp_path / "store", "chat") == ["a", "b"]
    assert [line for line in done.lines if line.startswith(("proved", "not compared"))] == [
        "proved equal for 1 client: chat",
        "not compared: clients without tags (the caller 'default', unknown callers, no caller); "
        "with --default untagged they see fewer servers than before",
    ]


def test_each_move_is_told_with_its_line(tmp_path: Path) -> None:
    done = migrated(f"startupStrategy: eager\n{SERVER}- {{name: c, cmd: [x], sticky: true}}\n", tmp_path)
    assert any(
        "old.yaml:1:1: startupStrategy: eager -> defaultActivationMode: always-on" in line for line in done.lines
    )
    assert any("old.yaml:5:23: sticky: true -> strategy: stateful; its sessions end" in line for line in done.lines)


def test_secrets_are_moved_and_told_and_never_shown(tmp_path: Path) -> None:
    text = (
        f"{SUB_AGENT}, enabledTags: [v], apiKey: sk-one}}  # apiKey: sk-two\n"
        "servers:\n- name: a\n  http: {endpoint: 'https://a.example/mcp', headers: {Authorization: Bearer sk-three}}\n"
        "- {name: b, cmd: [./b, --token=sk-four], env: {PASSWORD: sk-five}}\n"
    )
    done = migrated(text, tmp_path, dry_run=True)
    assert "sk-" not in repr(done)
    assert any(
        "subAgent.apiKey (line 1), servers[0].http.headers.Authorization (line 4)" in line for line in done.lines
    )
    migrated(text, tmp_path)
    assert "sk-three" in contents(tmp_path / "store")["profiles/v.yaml"]


@pytest.mark.parametrize("what", ["missing", "directory", "pipe", "binary"])
def test_what_is_no_file_of_text_is_refused(what: str, tmp_path: Path) -> None:
    import os

    path = tmp_path / "old.yaml"
    makers = {
        "directory": path.mkdir,
        "pipe": lambda: os.mkfifo(path),
        "binary": lambda: path.write_bytes(b"\xff\xfe\x00"),
        "missing": lambda: None,
    }
    makers[what]()
    with pytest.raises((SourceNotFound, SourceUnavailable, ValidationError)) as error:
        migrate_profile_store(path, tmp_path / "store")
    assert isinstance(error.value, LiveryError) and not (tmp_path / "store").exists()
