"""A profile store as it is read: what its files are, what is at fault, and what a fault leaves alone."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from livery.core.profile import Profile, Registry
from livery.errors import LiveryError, SourceNotFound, SourceUnavailable, ValidationError
from livery.stores.profile_store import DirectoryStore
from livery.stores.protocols import Field, Loaded
from livery.stores.source import Source
from livery.stores.urls import parse_source
from tests.support.registries import opened, resolved, without_power, write

SERVER = "servers:\n  - name: {name}\n    cmd: [./{name}]\n"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A store with a default and another profile, each with its caller."""
    store = tmp_path / "team"
    write(store / "profiles/default.yaml", SERVER.format(name="one"))
    write(store / "profiles/chat.yaml", SERVER.format(name="two"))
    write(store / "callers.yaml", "callers: {vscode: chat}\n")
    return store


def loaded(directory: Path) -> Loaded:
    return DirectoryStore(directory).load_registries()


def registry(directory: Path) -> Registry:
    (found,) = loaded(directory).registries
    return found


def errors(directory: Path) -> dict[str, LiveryError]:
    return {item.profile: item.error for item in loaded(directory).broken}


def notices(directory: Path) -> list[str]:
    return [str(notice.fault).removeprefix(f"{directory}/") for notice in loaded(directory).notices]


def servers(profile: Profile) -> list[str]:
    return [server["name"] for server in profile.runtime.given().get("servers", [])]


# ---- what it is


def test_the_directory_is_a_registry_with_a_profile_for_each_file(directory: Path) -> None:
    found = registry(directory)
    assert (found.slug, found.default_profile_slug, found.settings_schema) == ("team", "default", "profile-store")
    assert {slug: servers(profile) for slug, profile in found.profiles.items()} == {"chat": ["two"], "default": ["one"]}
    assert found.callers == {"vscode": "chat"}
    assert [profile.version for profile in found.profiles.values()] == [1, 1]


def test_the_runtime_file_is_enforced_in_every_profile(directory: Path) -> None:
    write(directory / "runtime.yaml", "routeTimeoutSeconds: 15\nrpc: {listenAddress: 'unix:///tmp/test.sock'}\n")
    found = registry(directory)
    settings = {"routeTimeoutSeconds": 15, "rpc": {"listenAddress": "unix:///tmp/test.sock"}}
    assert found.enforced.given() == {"step_settings_patch": settings}
    for slug in found.profiles:
        effective = resolved(opened(directory), slug).effective_step_settings
        assert (effective["routeTimeoutSeconds"], effective["rpc"]["listenAddress"]) == (15, "unix:///tmp/test.sock")


def test_without_runtime_file_each_profile_keeps_its_own_settings(directory: Path) -> None:
    (directory / "profiles/chat.yaml").write_text("servers: []\nrouteTimeoutSeconds: 33\n")
    found = registry(directory)
    assert not found.enforced.given()
    assert found.profiles["chat"].runtime.step_settings_patch == {"routeTimeoutSeconds": 33}
    assert found.profiles["default"].runtime.given().keys() == {"servers"}


def test_a_profile_without_servers_asks_for_nothing(directory: Path) -> None:
    (directory / "profiles/chat.yaml").write_text("servers: []\n")
    assert registry(directory).profiles["chat"].runtime.given() == {}
    assert resolved(opened(directory), "chat").effective_servers == []


def test_both_suffixes_are_read_and_names_fold(directory: Path) -> None:
    (directory / "profiles/chat.yaml").rename(directory / "profiles/Chat.YML")
    (directory / "callers.yaml").rename(directory / "callers.yml")
    found = registry(directory)
    assert list(found.profiles) == ["chat", "default"]
    assert found.callers == {"vscode": "chat"}


def test_what_is_no_profile_is_left_alone(directory: Path) -> None:
    for name in (".hidden.yaml", "default.yaml~", "default.yaml.bak", "x.json", "#chat.yaml#", "README.md"):
        (directory / "profiles" / name).write_text("nonsense: [")
    (directory / "profiles/.#chat.yaml").symlink_to("nobody@nowhere.1:2")
    write(directory / "profiles/sub/deep.yaml", "nonsense: [")
    assert list(registry(directory).profiles) == ["chat", "default"]
    assert errors(directory) == {}


def test_reading_makes_nothing(directory: Path) -> None:
    before = sorted(directory.rglob("*"))
    store = DirectoryStore(directory)
    store.load_registries()
    store.changes("")
    store.get_profile("team", "chat")
    store.places([Field("team", "chat", "runtime.servers")], store.changes(""))
    assert sorted(directory.rglob("*")) == before


def test_a_store_that_is_not_there_is_not_found_and_not_made(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path / "nowhere")
    for ask in (store.load_registries, lambda: store.changes(""), lambda: store.get_profile("a", "b")):
        with pytest.raises(SourceNotFound):
            ask()
    assert list(tmp_path.iterdir()) == []


def test_the_registry_can_be_named_and_must_be_where_the_directory_has_no_slug(tmp_path: Path) -> None:
    directory = tmp_path / "Our Profiles"
    write(directory / "profiles/default.yaml", "servers: []\n")
    with pytest.raises(ValidationError, match=r"'Our Profiles' is no slug.*\?registry=NAME"):
        loaded(directory)
    (found,) = DirectoryStore(directory, registry="Ours").load_registries().registries
    assert found.slug == "ours"


def test_the_registry_of_a_url_is_the_one_that_it_names(directory: Path) -> None:
    service = opened(f"profile-store:{directory}?registry=mcp")
    assert [row.slug for row in service.list_registries()] == ["mcp"]


def test_a_link_that_is_swapped_names_the_registry(directory: Path, tmp_path: Path) -> None:
    (tmp_path / "current").symlink_to(directory)
    assert registry(tmp_path / "current").slug == "current"


# ---- what is at fault, and what it leaves alone

BROKEN_PROFILES = {
    "no YAML": b"servers: [",
    "NUL": b"servers: []\0",
    "not UTF-8": b"servers: [] # \xff",
    "empty": b"",
    "comments alone": b"# soon\n",
    "a list": b"- a\n",
    "two documents": b"servers: []\n---\nservers: []\n",
    "a key twice": b"servers: []\nservers: []\n",
    "brackets": b"servers: " + b"[" * 1_000_000,
    "unknown keys": b"servers: []\nrouteTimeoutSecond: 1\n",
    "no servers": b"routeTimeoutSeconds: 1\n",
}


@pytest.mark.parametrize("content", BROKEN_PROFILES.values(), ids=BROKEN_PROFILES)
def test_a_broken_profile_breaks_no_other(directory: Path, content: bytes) -> None:
    (directory / "profiles/chat.yaml").write_bytes(content)
    assert list(registry(directory).profiles) == ["default"]
    (error,) = errors(directory).values()
    assert isinstance(error, ValidationError)
    assert str(error).startswith(f"{directory}/profiles/chat.yaml")


def test_a_file_that_is_none_breaks_its_profile_alone(directory: Path) -> None:
    os.mkfifo(directory / "profiles/pipe.yaml")
    (directory / "profiles/folder.yaml").mkdir()
    (directory / "profiles/gone.yaml").symlink_to("nowhere.yaml")
    assert list(registry(directory).profiles) == ["chat", "default"]
    assert {name: type(error) for name, error in errors(directory).items()} == dict.fromkeys(
        ("folder", "gone", "pipe"), SourceUnavailable
    )


def opened_up(path: Path) -> None:
    """Let everybody come as far as a path."""
    for parent in path.parents:
        if parent.stat().st_mode & 0o005 != 0o005:
            parent.chmod(0o755)


def test_a_file_that_may_not_be_read_breaks_its_profile_alone(directory: Path) -> None:
    opened_up(directory / "profiles/chat.yaml")
    (directory / "profiles/chat.yaml").chmod(0)
    with without_power():
        assert list(registry(directory).profiles) == ["default"]
        assert "Permission denied" in str(errors(directory)["chat"])


@pytest.mark.parametrize("part", [".", "profiles", ".."])
def test_a_directory_that_may_not_be_read_is_unavailable_and_not_missing(directory: Path, part: str) -> None:
    opened_up(directory)
    (directory / part).chmod(0)
    with without_power(), pytest.raises(SourceUnavailable, match="Permission denied"):
        loaded(directory)
    (directory / part).chmod(0o755)


@pytest.mark.parametrize("leads_to", ["nowhere", "callers.yaml"])
def test_profiles_that_are_no_directory_are_unavailable(directory: Path, leads_to: str) -> None:
    (directory / "profiles").rename(directory / "old")
    (directory / "profiles").symlink_to(leads_to)
    with pytest.raises(SourceUnavailable, match="profiles: No"):
        loaded(directory)


def test_nothing_outside_the_directory_is_read(directory: Path, tmp_path: Path) -> None:
    write(tmp_path / "secret.yaml", "password: hunter2\n")
    (directory / "profiles/spy.yaml").symlink_to(tmp_path / "secret.yaml")
    (directory / "profiles/inner.yaml").symlink_to("chat.yaml")
    error = str(errors(directory)["spy"])
    assert "leads out of" in error and "password" not in error
    assert servers(registry(directory).profiles["inner"]) == ["two"]


def test_profiles_that_stand_outside_are_not_read(directory: Path, tmp_path: Path) -> None:
    (directory / "profiles").rename(tmp_path / "elsewhere")
    (directory / "profiles").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SourceUnavailable, match="leads out of"):
        loaded(directory)


@pytest.mark.parametrize("other", ["chat.yml", "Chat.yaml"])
def test_two_files_of_one_profile_break_it_and_both_are_named(directory: Path, other: str) -> None:
    write(directory / "profiles" / other, "servers: []\n")
    found = str(errors(directory)["chat"])
    assert "chat.yaml" in found and other in found
    assert list(registry(directory).profiles) == ["default"]


@pytest.mark.parametrize("name", ["my profile.yaml", "ü.yaml", "a\nb.yaml", "chat!.yaml", "..yaml", "\udcff.yaml"])
def test_a_name_that_is_no_slug_is_a_fault_that_names_the_file(directory: Path, name: str) -> None:
    write(directory / "profiles" / name, "servers: []\n")
    if name.startswith("."):
        return
    assert list(registry(directory).profiles) == ["chat", "default"]
    (error,) = errors(directory).values()
    assert "is no name of a profile" in str(error)
    assert "\n" not in str(error) and str(error).encode()


def test_callers_of_missing_profiles_are_all_reported_in_order(directory: Path) -> None:
    write(directory / "callers.yaml", "callers:\n  zed: cht\n  bob: nix\n  vscode: chat\n  amy: cht\n")
    found = errors(directory)
    assert list(found) == ["cht", "nix"]
    assert str(found["cht"]).splitlines() == [
        f"{directory}/callers.yaml:5:3: callers[amy]: there is no profile 'cht'; did you mean 'chat'?",
        f"{directory}/callers.yaml:2:3: callers[zed]: there is no profile 'cht'; did you mean 'chat'?",
    ]
    assert list(registry(directory).profiles) == ["chat", "default"]


def test_a_store_without_default_says_how_to_make_one(directory: Path) -> None:
    (directory / "profiles/default.yaml").unlink()
    found = errors(directory)
    assert str(found["default"]).startswith(f"{directory}/profiles: there is no file of the profile 'default'")
    assert f"livery store init {directory}" in str(found["default"])
    assert list(registry(directory).profiles) == ["chat"]
    assert not (directory / "profiles/default.yaml").exists()


def test_an_empty_directory_lacks_its_default(tmp_path: Path) -> None:
    (tmp_path / "team").mkdir()
    assert list(errors(tmp_path / "team")) == ["default"]


def test_every_fault_above_the_profiles_is_in_one_report(directory: Path) -> None:
    write(directory / "runtime.yaml", "routeTimeoutSecond: 15\npingIntervalSeconds: fast\n")
    write(directory / "callers.yaml", "callers: {vscode: ''}\nextra: 1\n")
    error = errors(directory)[""]
    assert isinstance(error, ValidationError)
    assert [fault.field for fault in error.faults] == [
        "routeTimeoutSecond", "pingIntervalSeconds", "callers[vscode]", "extra",
    ]  # fmt: skip
    assert list(registry(directory).profiles) == ["chat", "default"]


@pytest.mark.parametrize("name", ["runtime", "callers"])
def test_both_spellings_of_a_file_are_a_fault_of_the_registry(directory: Path, name: str) -> None:
    write(directory / f"{name}.yaml", "")
    write(directory / f"{name}.yml", "")
    assert f"{name}.yml; keep one of them" in str(errors(directory)[""])


def test_a_runtime_file_that_cannot_be_read_is_a_fault_of_the_registry(directory: Path) -> None:
    (directory / "runtime.yaml").mkdir()
    assert str(errors(directory)[""]) == f"{directory}/runtime.yaml: it is a directory, not a file"


# ---- what the files say together


def test_the_connection_must_be_the_same_in_all_profiles(directory: Path) -> None:
    write(directory / "profiles/chat.yaml", "servers: []\nrpc:\n  listenAddress: unix:///tmp/chat.sock\n")
    error = str(errors(directory)["chat"])
    assert error.startswith(f"{directory}/profiles/chat.yaml:3:3: rpc.listenAddress: profile 'chat': rpc config must ")
    assert "unix:///tmp/chat.sock here" in error and "in default" in error


def test_the_runtime_file_settles_the_connection(directory: Path) -> None:
    write(directory / "profiles/chat.yaml", "servers: []\nrpc: {listenAddress: 'unix:///tmp/chat.sock'}\n")
    write(directory / "runtime.yaml", "rpc: {listenAddress: 'unix:///tmp/all.sock'}\n")
    assert errors(directory) == {}


def test_a_key_that_the_runtime_file_leaves_open_must_be_the_same_too(directory: Path) -> None:
    write(directory / "profiles/chat.yaml", "servers: []\nobservability: {listenAddress: '0.0.0.0:1'}\n")
    write(directory / "runtime.yaml", "rpc: {listenAddress: 'unix:///tmp/all.sock'}\n")
    assert "observability config must match" in str(errors(directory)["chat"])


def test_a_connection_that_is_the_default_written_out_is_the_same(directory: Path) -> None:
    write(directory / "profiles/chat.yaml", "servers: []\nobservability: {listenAddress: '0.0.0.0:9090'}\n")
    assert errors(directory) == {}


def test_a_secret_that_differs_is_not_shown(directory: Path) -> None:
    write(directory / "profiles/chat.yaml", "servers: []\nrpc: {auth: {token: hunter2}}\n")
    assert "rpc config must match" in str(errors(directory)["chat"])
    assert "hunter2" not in str(errors(directory)["chat"])


def test_what_the_runtime_file_overrules_is_a_notice(directory: Path) -> None:
    write(directory / "runtime.yaml", "routeTimeoutSeconds: 10\nsubAgent: {apiKey: hunter2, model: m}\n")
    text = "servers: []\nrouteTimeoutSeconds: 33\nsubAgent: {apiKey: hunter3, model: m}\n"
    write(directory / "profiles/chat.yaml", text)
    shadowed = [text for text in notices(directory) if "has no effect" in text]
    assert shadowed == [
        "profiles/chat.yaml:2:1: routeTimeoutSeconds: is set by runtime.yaml (10) and has no effect here",
        "profiles/chat.yaml:3:12: subAgent.apiKey: is set by runtime.yaml and has no effect here",
    ]


def test_an_address_with_a_password_is_not_shown(directory: Path) -> None:
    write(directory / "runtime.yaml", 'proxy: {mode: custom, url: "http://me:hunter2@proxy:1"}\n')
    write(directory / "profiles/chat.yaml", 'servers: []\nproxy: {url: "http://me:hunter3@proxy:1"}\n')
    assert notices(directory) == [
        "profiles/chat.yaml:2:9: proxy.url: is set by runtime.yaml and has no effect here",
    ]


def test_where_callers_cannot_be_read_nobody_says_who_gets_what(directory: Path) -> None:
    write(directory / "callers.yaml", "callers: [\n")
    assert notices(directory) == []


def test_a_profile_that_nobody_gets_is_a_notice(directory: Path) -> None:
    write(directory / "callers.yaml", "")
    assert notices(directory) == ["profiles/chat.yaml: no caller gets this profile (callers.yaml)"]


# ---- old single files

MONOLITH = "routeTimeoutSeconds: 10\nservers:\n  - name: weather\n    cmd: [./weather]\n"


def test_an_old_single_file_is_an_error_that_names_the_migration(tmp_path: Path) -> None:
    file = write(tmp_path / "runtime.yaml", MONOLITH)
    with pytest.raises(ValidationError, match=f"livery migrate profile-store {file} DIR"):
        loaded(file)
    with pytest.raises(ValidationError, match=f"livery migrate profile-store {file} DIR"):
        loaded(tmp_path)


def test_another_file_must_be_a_directory(tmp_path: Path) -> None:
    file = write(tmp_path / "notes.txt", "hello")
    with pytest.raises(ValidationError, match="must be a directory"):
        loaded(file)
    assert DirectoryStore(file).changes("").startswith("sha256:")


def test_an_old_single_file_beside_profiles_is_a_fault_and_a_notice(directory: Path) -> None:
    write(directory / "runtime.yaml", MONOLITH)
    assert "move" in str(errors(directory)[""])
    assert f"livery migrate profile-store {directory}/runtime.yaml DIR" in "\n".join(notices(directory))


# ---- places


def test_the_line_of_a_field_is_found_in_its_file(directory: Path) -> None:
    write(directory / "runtime.yaml", "# for all\nrouteTimeoutSeconds: 10\n")
    text = (
        "servers:\n- name: a\n  cmd: [./a]\n  env:\n    No: x\ncallerCheckSeconds: 7\nrpc:\n  tls: {enabled: false}\n"
    )
    write(directory / "profiles/default.yaml", text)
    wanted = {
        ("default", "runtime.servers[0].env.No"): "profiles/default.yaml:5:5",
        ("default", "runtime.servers.0.cmd"): "profiles/default.yaml:3:3",
        ("default", "runtime.step_settings_patch.clientCheckSeconds"): "profiles/default.yaml:6:1",
        ("default", "runtime.step_settings_patch.rpc.tls.enabled"): "profiles/default.yaml:8:9",
        ("", "enforced.step_settings_patch.routeTimeoutSeconds"): "runtime.yaml:2:1",
        ("", "callers[vscode]"): "callers.yaml:1:11",
    }
    store = DirectoryStore(directory)
    places = store.places([Field("team", *field) for field in wanted], store.changes(""))
    assert [str(place).removeprefix(f"{directory}/") for place in places] == list(wanted.values())


def test_what_is_in_no_file_and_what_has_changed_has_no_line(directory: Path) -> None:
    store = DirectoryStore(directory)
    token = store.load_registries().token
    assert store.places([Field("team", "", "display_name"), Field("team", "x", "runtime")], token) == [None, None]
    write(directory / "callers.yaml", "callers: {}\n")
    assert store.places([Field("team", "chat", "runtime.servers")], token) == [None]


def test_a_file_that_became_unreadable_has_no_line(directory: Path) -> None:
    (directory / "profiles/chat.yaml").write_bytes(b"servers: [] # \xff")
    store = DirectoryStore(directory)
    (place,) = store.places([Field("team", "chat", "runtime.servers")], store.changes(""))
    assert place is not None and place.file.endswith("chat.yaml")


def test_an_explanation_names_the_files(directory: Path) -> None:
    write(directory / "runtime.yaml", "routeTimeoutSeconds: 10\n")
    write(directory / "profiles/default.yaml", "servers: []\nrouteTimeoutSeconds: 33\n")
    from livery.core.profile import ResolveInput

    rows = opened(directory).explain(ResolveInput(profile_slug="default"))
    (row,) = [row for row in rows if row.key == "routeTimeoutSeconds"]
    files = [Path(entry.place.file).name for entry in row.history if entry.place]
    assert (row.value, files) == (10, ["default.yaml", "runtime.yaml"])


# ---- versions


def records(directory: Path, **fields: Any) -> None:
    (directory / ".livery.json").write_text(json.dumps({"version": 1, **fields}))


def test_an_edit_by_hand_counts_as_a_version(directory: Path) -> None:
    records(directory, profiles={"chat": {"version": 4, "created_by": "alice", "updated_by": "bob", "digest": "other"}})
    found = registry(directory).profiles["chat"].metadata
    assert (found.version, found.created_by, found.updated_by) == (5, "alice", "")


BROKEN_RECORDS = [
    b"",
    b"null",
    b"[]",
    b"{",
    b"\xff",
    b"\0",
    b"[" * 1_000_000,
    b'{"x": ' * 100_000,
    b'{"version": "1"}',
    b'{"version": 1, "profiles": []}',
    b'{"profiles": {"chat": {"version": 0}}}',
    b'{"version": 2, "profiles": 7}',
]


@pytest.mark.parametrize("content", BROKEN_RECORDS)
def test_records_that_cannot_be_used_are_as_if_they_were_not_there(directory: Path, content: bytes) -> None:
    (directory / ".livery.json").write_bytes(content)
    assert registry(directory).profiles["chat"].version == 1
    assert any(text.startswith(".livery.json: ") for text in notices(directory))
    assert errors(directory) == {}


def test_records_that_are_no_file_are_as_if_they_were_not_there(directory: Path) -> None:
    (directory / ".livery.json").mkdir()
    assert registry(directory).profiles["chat"].version == 1
    assert any("cannot be read" in text for text in notices(directory))


def test_a_profile_that_came_back_goes_on_counting(directory: Path) -> None:
    records(directory, deleted_versions={"chat": 6})
    assert registry(directory).profiles["chat"].version == 7


# ---- changes


def source(directory: Path) -> Source:
    return Source(parse_source(f"profile-store:{directory}"), DirectoryStore(directory))


def held(source: Source) -> dict[str, list[str]]:
    return {slug: servers(profile) for slug, profile in source.loaded.registries[0].profiles.items()}


def test_a_broken_file_keeps_its_last_good_version_and_every_other_change_applies(directory: Path) -> None:
    watched = source(directory)
    watched.load(1)
    write(directory / "profiles/chat.yaml", "servers: [")
    write(directory / "profiles/default.yaml", SERVER.format(name="new"))
    assert watched.load(2)
    assert held(watched) == {"default": ["new"], "chat": ["two"]}
    assert watched.stale_items == {("team", "chat")}


@pytest.mark.parametrize("name", ["default", "chat"])
def test_a_deleted_profile_that_is_needed_stays_and_is_an_error(directory: Path, name: str) -> None:
    watched = source(directory)
    watched.load(1)
    (directory / f"profiles/{name}.yaml").unlink()
    write(directory / "profiles/new.yaml", "servers: []\n")
    watched.load(2)
    assert held(watched) == {"default": ["one"], "chat": ["two"], "new": []}
    assert [item.profile for item in watched.broken] == [name]
    assert not (directory / f"profiles/{name}.yaml").exists()


def test_profiles_that_are_moved_away_as_a_whole_stay_until_they_are_back(directory: Path) -> None:
    write(directory / "profiles/extra.yaml", SERVER.format(name="three"))
    service = opened(f"profile-store:{directory}")
    before = resolved(service, "extra")
    os.rename(directory / "profiles", directory / "elsewhere")
    service.refresh()
    assert resolved(service, "extra") == before
    assert "profiles is gone" in service.source_rows()[0]["error"]
    os.rename(directory / "elsewhere", directory / "profiles")
    service.refresh()
    assert service.source_rows()[0]["error"] == ""


def test_a_broken_head_keeps_the_last_good_one(directory: Path) -> None:
    watched = source(directory)
    watched.load(1)
    write(directory / "callers.yaml", "callers: [")
    write(directory / "profiles/chat.yaml", SERVER.format(name="new"))
    watched.load(2)
    assert watched.loaded.registries[0].callers == {"vscode": "chat"}
    assert held(watched)["chat"] == ["new"]


def test_a_touch_is_no_change(directory: Path) -> None:
    watched = source(directory)
    watched.load(1)
    os.utime(directory / "profiles/chat.yaml")
    assert not watched.load(2)


def test_a_directory_that_is_swapped_behind_a_link_is_read_anew(directory: Path, tmp_path: Path) -> None:
    write(tmp_path / "v2/profiles/default.yaml", SERVER.format(name="second"))
    link = tmp_path / "current"
    link.symlink_to(directory)
    watched = source(link)
    watched.load(1)
    (tmp_path / "next").symlink_to(tmp_path / "v2")
    (tmp_path / "next").rename(link)
    watched.load(2)
    assert held(watched) == {"default": ["second"]}


def test_the_directories_are_watched_and_links_in_them(directory: Path) -> None:
    (directory / "profiles/inner.yaml").symlink_to("chat.yaml")
    watched = DirectoryStore(directory).watched()
    assert list(watched) == [directory, directory / "profiles", directory / "profiles/inner.yaml"]
    assert DirectoryStore(directory / "nowhere").watched()
