"""Writes of a profile store: what stays of the files, what is refused, and what several writers do to one another."""

from __future__ import annotations

import json
import multiprocessing
import stat
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from livery.core.names import Reference
from livery.core.profile import Profile, Registry, RuntimeSpec
from livery.errors import (
    LiveryError,
    ProfileNotFound,
    RegistryNotFound,
    SchemaTooNew,
    SourceNotFound,
    SourceReadOnly,
    SourceUnavailable,
    StillReferenced,
    Unsupported,
    ValidationError,
    VersionConflict,
)
from livery.formats.yaml import read_yaml
from livery.stores.profile_store import DirectoryStore
from livery.stores.protocols import WriteOptions
from tests.support.registries import ALICE, BOB, expecting, opened, resolved, write

DEFAULT = """\
# for everybody
servers:
  # reads the weather
  - name: weather
    cmd: [sh, -c, "node ./weather"]   # slow
    env: {TOKEN: "${WEATHER}"}
    transport: stdio
  - name: shared
    cmd: ["./mcp"]
callerCheckSeconds: 7 # seconds
rpc:
  listenAddress: unix:///tmp/x.sock # one for all
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    store = tmp_path / "team"
    write(store / "profiles/default.yaml", DEFAULT)
    write(store / "callers.yaml", "# who gets what\ncallers:\n  default: default # all others\n")
    return store


@pytest.fixture
def store(directory: Path) -> DirectoryStore:
    return DirectoryStore(directory)


def held(store: DirectoryStore, slug: str = "default") -> Profile:
    found = store.get_profile("team", slug)
    assert found is not None
    return found


def registry(store: DirectoryStore) -> Registry:
    (found,) = store.load_registries().registries
    return found


def with_servers(*servers: dict[str, Any], **settings: Any) -> RuntimeSpec:
    given: dict[str, Any] = {"servers": list(servers)}
    return RuntimeSpec(**given, **({"step_settings_patch": settings} if settings else {}))


def server(name: str) -> dict[str, Any]:
    return {"name": name, "cmd": [f"./{name}"]}


def profile(slug: str, runtime: RuntimeSpec | None = None) -> Profile:
    return Profile(slug=slug, registry="team", runtime=runtime or with_servers(server(slug)))


def changed(profile: Profile, **settings: Any) -> Profile:
    """The profile with other settings; its servers as they are."""
    given = profile.runtime.given()["step_settings_patch"]
    return replace(
        profile, runtime=RuntimeSpec(servers=profile.runtime.servers, step_settings_patch={**given, **settings})
    )


def lines_removed(before: str, after: str) -> list[str]:
    rest = after.splitlines()
    return [line for line in before.splitlines() if line not in rest]


# ---- what stays


def test_a_change_of_one_setting_changes_its_line(store: DirectoryStore, directory: Path) -> None:
    saved = store.save_profile(changed(held(store), rpc={"listenAddress": "unix:///tmp/y.sock"}), ALICE)
    after = (directory / "profiles/default.yaml").read_text()
    assert lines_removed(DEFAULT, after) == ["  listenAddress: unix:///tmp/x.sock # one for all"]
    assert "# one for all" in after
    assert (saved.version, held(store)) == (2, saved)


def test_a_change_of_one_server_changes_its_lines(store: DirectoryStore, directory: Path) -> None:
    before = held(store)
    weather, shared = before.runtime.given()["servers"]
    servers = [{**weather, "env": {"TOKEN": "x", "No": "y"}}, shared, server("new")]
    runtime = replace(before.runtime, servers=servers)
    store.save_profile(replace(before, runtime=runtime), ALICE)
    after = (directory / "profiles/default.yaml").read_text()
    assert lines_removed(DEFAULT, after) == ['    env: {TOKEN: "${WEATHER}"}']
    assert held(store).runtime.servers == servers


def test_a_server_that_goes_takes_its_own_lines(store: DirectoryStore, directory: Path) -> None:
    before = held(store)
    servers = before.runtime.given()["servers"][:1]
    store.save_profile(replace(before, runtime=replace(before.runtime, servers=servers)), ALICE)
    after = (directory / "profiles/default.yaml").read_text()
    assert lines_removed(DEFAULT, after) == ["  - name: shared", '    cmd: ["./mcp"]']


@pytest.mark.parametrize("order", [[1, 0], [1], []])
def test_servers_come_back_in_the_order_that_was_given(store: DirectoryStore, order: list[int]) -> None:
    before = held(store)
    servers = [before.runtime.given()["servers"][position] for position in order]
    store.save_profile(replace(before, runtime=replace(before.runtime, servers=servers)), ALICE)
    assert held(store).runtime.given().get("servers", []) == servers


def test_an_older_name_is_replaced_when_its_value_changes(store: DirectoryStore, directory: Path) -> None:
    store.save_profile(changed(held(store), clientCheckSeconds=9), ALICE)
    document = read_yaml((directory / "profiles/default.yaml").read_text(), "")
    assert document["clientCheckSeconds"] == 9
    assert "callerCheckSeconds" not in document


def test_an_older_name_beside_the_newer_goes_too(store: DirectoryStore, directory: Path) -> None:
    (directory / "profiles/default.yaml").write_text("servers: []\ncallerCheckSeconds: 7\nclientCheckSeconds: 7\n")
    store.save_profile(changed(held(store), clientCheckSeconds=9), ALICE)
    assert (directory / "profiles/default.yaml").read_text() == "servers: []\nclientCheckSeconds: 9\n"


def test_settings_that_go_are_removed(store: DirectoryStore, directory: Path) -> None:
    before = held(store)
    store.save_profile(replace(before, runtime=RuntimeSpec(servers=before.runtime.servers)), ALICE)
    assert held(store).runtime.given().keys() == {"servers"}
    assert "# reads the weather" in (directory / "profiles/default.yaml").read_text()


def test_a_new_profile_is_a_private_file_that_begins_with_its_servers(store: DirectoryStore, directory: Path) -> None:
    store.save_profile(profile("chat", with_servers(server("a"), rpc={"listenAddress": "unix:///tmp/x.sock"})), ALICE)
    file = directory / "profiles/chat.yaml"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text() == (
        'servers:\n  - name: a\n    cmd:\n      - "./a"\nrpc:\n  listenAddress: unix:///tmp/x.sock\n'
    )


def test_a_profile_is_written_where_it_stands(store: DirectoryStore, directory: Path) -> None:
    (directory / "profiles/default.yaml").rename(directory / "profiles/Default.YML")
    store.save_profile(changed(held(store), clientCheckSeconds=9), ALICE)
    assert [path.name for path in (directory / "profiles").iterdir()] == ["Default.YML"]


def test_a_link_within_the_store_stays_a_link(store: DirectoryStore, directory: Path) -> None:
    (directory / "profiles/default.yaml").rename(directory / "profiles/real.yaml.txt")
    (directory / "profiles/default.yaml").symlink_to("real.yaml.txt")
    store.save_profile(changed(held(store), clientCheckSeconds=9), ALICE)
    assert (directory / "profiles/default.yaml").is_symlink()
    assert "clientCheckSeconds: 9" in (directory / "profiles/real.yaml.txt").read_text()


def test_what_was_saved_comes_back_when_the_store_is_opened_again(store: DirectoryStore, directory: Path) -> None:
    full = {**server("git"), "env": {"GITHUB_TOKEN": "${X}", "mixedCase": "1: 2 # 3"}, "exposeTools": ["a b"]}
    wanted = with_servers(
        full, rpc={"listenAddress": "unix:///tmp/x.sock"}, subAgent={"enabled": True, "filterPrompt": "a\nb: c\n"}
    )
    saved = store.save_profile(profile("chat", wanted), ALICE)
    assert saved.runtime == wanted
    assert DirectoryStore(directory).get_profile("team", "chat") == saved


def test_a_copy_that_is_changed_does_not_change_the_store(store: DirectoryStore) -> None:
    for found in (held(store), store.load_registries().registries[0].profiles["default"]):
        found.runtime.servers[0]["cmd"][0] = "changed"  # type: ignore[index, union-attr]
    assert held(store).runtime.servers[0]["cmd"][0] == "sh"  # type: ignore[index, union-attr]


# ---- registry


def test_enforced_settings_and_callers_go_to_their_files(store: DirectoryStore, directory: Path) -> None:
    store.save_profile(profile("chat", with_servers(rpc={"listenAddress": "unix:///tmp/x.sock"})), ALICE)
    enforced = RuntimeSpec(step_settings_patch={"routeTimeoutSeconds": 15})
    head = replace(registry(store), enforced=enforced, callers={"default": "default", "bob": "chat"}, fallback="deny")
    saved = store.save_registry(head, expecting(1))
    assert (directory / "runtime.yaml").read_text() == "routeTimeoutSeconds: 15\n"
    text = "# who gets what\ncallers:\n  default: default # all others\n  bob: chat\nfallback: deny\n"
    assert (directory / "callers.yaml").read_text() == text
    assert (saved, saved.version) == (registry(store), 2)


def test_a_change_of_the_callers_leaves_the_settings_alone(store: DirectoryStore, directory: Path) -> None:
    runtime = write(directory / "runtime.yaml", "# ours\ncallerCheckSeconds: 0x10 # odd\n")
    store.save_registry(replace(registry(store), callers={}), ALICE)
    assert runtime.read_text() == "# ours\ncallerCheckSeconds: 0x10 # odd\n"
    assert registry(store).callers == {}


def test_settings_that_are_no_longer_enforced_leave_the_comments(store: DirectoryStore, directory: Path) -> None:
    runtime = write(directory / "runtime.yaml", "# ours\nrouteTimeoutSeconds: 15\npingIntervalSeconds: 20\n")
    head = replace(registry(store), enforced=RuntimeSpec(step_settings_patch={"pingIntervalSeconds": 20}))
    store.save_registry(head, ALICE)
    assert runtime.read_text() == "# ours\npingIntervalSeconds: 20\n"


def test_a_new_registry_makes_its_directory_and_a_default(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir(mode=0o700)
    store = DirectoryStore(tmp_path / "config/team")
    with pytest.raises(SourceNotFound):
        store.save_profile(profile("chat"), ALICE)
    saved = store.save_registry(Registry(slug="team", profiles={"chat": profile("chat")}), expecting(0))
    assert (saved.version, list(saved.profiles)) == (1, ["chat", "default"])
    assert sorted(p.name for p in (tmp_path / "config/team").rglob("*")) == [
        ".livery.json", "chat.yaml", "default.yaml", "profiles",
    ]  # fmt: skip
    assert (tmp_path / "config/team/profiles/default.yaml").read_text() == "servers: []\n"
    assert stat.S_IMODE((tmp_path / "config/team/profiles").stat().st_mode) == 0o700


def test_a_registry_can_be_made_in_an_empty_directory(tmp_path: Path) -> None:
    (tmp_path / "team").mkdir()
    store = DirectoryStore(tmp_path / "team")
    store.save_registry(Registry(slug="team"), expecting(0))
    assert list(registry(store).profiles) == ["default"]


def test_a_deleted_registry_leaves_what_is_not_its_own(store: DirectoryStore, directory: Path) -> None:
    write(directory / "profiles/notes.txt", "mine")
    write(directory / "runtime.yaml", "routeTimeoutSeconds: 15\n")
    store.delete_registry("team", expecting(1))
    assert sorted(path.name for path in directory.rglob("*")) == [".livery.json", "notes.txt", "profiles"]
    assert store.load_registries().registries == ()
    assert store.load_registries().broken == ()


def test_a_registry_with_something_that_is_no_file_is_not_deleted_in_part(
    store: DirectoryStore, directory: Path
) -> None:
    (directory / "profiles/folder.yaml").mkdir()
    with pytest.raises(SourceUnavailable, match="it is a directory"):
        store.delete_registry("team", ALICE)
    assert (directory / "profiles/default.yaml").read_text() == DEFAULT


def test_what_was_deleted_and_made_again_goes_on_counting(store: DirectoryStore) -> None:
    store.save_registry(replace(registry(store), fallback="deny"), ALICE)
    store.save_profile(changed(held(store), clientCheckSeconds=9), ALICE)
    store.delete_registry("team", expecting(2))
    saved = store.save_registry(Registry(slug="team"), expecting(0))
    assert (saved.version, saved.profiles["default"].version) == (3, 3)


# ---- versions


def test_an_edit_by_hand_is_a_version_that_a_write_must_know(store: DirectoryStore, directory: Path) -> None:
    store.save_profile(profile("chat", with_servers(rpc={"listenAddress": "unix:///tmp/x.sock"})), ALICE)
    with (directory / "profiles/chat.yaml").open("a") as file:
        file.write("# by hand\n")
    assert held(store, "chat").version == 2
    with pytest.raises(VersionConflict) as caught:
        store.save_profile(changed(held(store, "chat"), clientCheckSeconds=9), expecting(1))
    assert (caught.value.expected, caught.value.actual) == (1, 2)
    saved = store.save_profile(changed(held(store, "chat"), clientCheckSeconds=9), expecting(2))
    assert (saved.version, saved.metadata.created_by) == (3, "alice")


def test_an_edit_of_the_callers_by_hand_is_a_version_of_the_registry(store: DirectoryStore, directory: Path) -> None:
    store.save_registry(replace(registry(store), fallback="deny"), ALICE)
    write(directory / "callers.yaml", "callers: {}\n")
    assert registry(store).version == 3
    with pytest.raises(VersionConflict):
        store.save_registry(registry(store), expecting(2))


def test_a_write_whose_records_were_lost_counts_all_the_same(store: DirectoryStore, directory: Path) -> None:
    """A writer that dies between the file and the records: its retry is told that the write has happened."""
    store.save_profile(changed(held(store), clientCheckSeconds=9), ALICE)
    records = (directory / ".livery.json").read_bytes()
    second = changed(held(store), clientCheckSeconds=11)
    store.save_profile(second, expecting(2))
    (directory / ".livery.json").write_bytes(records)
    assert held(store).version == 3
    with pytest.raises(VersionConflict) as caught:
        store.save_profile(second, expecting(2))
    assert caught.value.actual == 3


def test_a_profile_that_was_removed_by_hand_goes_on_counting(store: DirectoryStore, directory: Path) -> None:
    chat = profile("chat", with_servers(rpc={"listenAddress": "unix:///tmp/x.sock"}))
    store.save_profile(chat, ALICE)
    (directory / "profiles/chat.yaml").unlink()
    assert store.save_profile(chat, expecting(0)).version == 2


def test_loading_writes_no_records(store: DirectoryStore, directory: Path) -> None:
    store.load_registries()
    assert not (directory / ".livery.json").exists()
    store.save_profile(changed(held(store), clientCheckSeconds=9), ALICE)
    records = directory / ".livery.json"
    assert stat.S_IMODE(records.stat().st_mode) == 0o600
    assert json.loads(records.read_text())["profiles"]["default"]["version"] == 2


def test_records_of_a_later_version_are_never_written(store: DirectoryStore, directory: Path) -> None:
    later = write(directory / ".livery.json", '{"version": 2, "profiles": {"default": {"version": 9}}}')
    with pytest.raises(SchemaTooNew, match="version 2"):
        store.save_profile(changed(held(store), clientCheckSeconds=9), ALICE)
    assert later.read_text() == '{"version": 2, "profiles": {"default": {"version": 9}}}'
    assert (directory / "profiles/default.yaml").read_text() == DEFAULT


def test_records_that_nobody_can_read_are_kept_aside(store: DirectoryStore, directory: Path) -> None:
    write(directory / ".livery.json", '{"version": ')
    write(directory / ".livery.json.corrupt-1000", "older")
    store.save_profile(changed(held(store), clientCheckSeconds=9), ALICE)
    assert (directory / ".livery.json.corrupt-1001").read_text() == '{"version": '
    assert held(store).version == 2


def test_records_that_are_no_file_refuse_the_write_before_anything_is_written(
    store: DirectoryStore, directory: Path
) -> None:
    (directory / ".livery.json").mkdir()
    with pytest.raises(SourceUnavailable):
        store.save_profile(changed(held(store), clientCheckSeconds=9), ALICE)
    assert (directory / "profiles/default.yaml").read_text() == DEFAULT


# ---- what is refused


@pytest.mark.parametrize(
    ("field", "settings"),
    [
        ("runtime.step_settings_patch.routeTimeoutSeconds", {"routeTimeoutSeconds": None}),
        ("runtime.step_settings_patch.rpc.auth.token", {"rpc": {"auth": {"token": {"$secret": "env:T"}}}}),
        ("runtime.step_settings_patch.plugins", {"plugins": {"$append": []}}),
    ],
)
def test_directives_and_references_have_no_place(store: DirectoryStore, field: str, settings: dict[str, Any]) -> None:
    with pytest.raises(Unsupported) as caught:
        store.save_profile(changed(held(store), **settings), ALICE)
    assert caught.value.field == field
    assert "a profile store cannot hold" in str(caught.value) and "sqlite:" in str(caught.value)


@pytest.mark.parametrize("servers", [None, {"$append": []}, {"$remove": ["weather"]}])
def test_directives_of_servers_have_no_place(store: DirectoryStore, servers: Any) -> None:
    with pytest.raises(Unsupported):
        store.save_profile(replace(held(store), runtime=RuntimeSpec(servers=servers)), ALICE)


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("display_name", {"display_name": "x"}),
        ("default_profile_slug", {"default_profile_slug": "chat"}),
        ("settings_schema", {"settings_schema": "ai"}),
        ("defaults.step_settings_patch", {"defaults": RuntimeSpec(step_settings_patch={})}),
        ("enforced.servers", {"enforced": RuntimeSpec(servers=[])}),
        ("registries", {"slug": "other"}),
    ],
)
def test_fields_of_a_registry_that_have_no_place_are_refused(
    store: DirectoryStore, field: str, fields: dict[str, Any]
) -> None:
    with pytest.raises(Unsupported) as caught:
        store.save_registry(replace(registry(store), **fields), ALICE)
    assert caught.value.field == field


def test_a_write_that_would_be_at_fault_leaves_the_file(store: DirectoryStore, directory: Path) -> None:
    with pytest.raises(ValidationError, match="routeTimeoutSeconds"):
        store.save_profile(changed(held(store), routeTimeoutSeconds=0), ALICE)
    with pytest.raises(ValidationError, match="rpc config must match"):
        store.save_profile(profile("chat"), ALICE)
    assert (directory / "profiles/default.yaml").read_text() == DEFAULT
    assert sorted(path.name for path in directory.rglob("*")) == ["callers.yaml", "default.yaml", "profiles"]


def test_a_file_at_fault_is_not_written_over(store: DirectoryStore, directory: Path) -> None:
    broken = write(directory / "profiles/chat.yaml", "servers: [")
    for write_it in (
        lambda: store.save_profile(profile("chat"), ALICE),
        lambda: store.delete_profile(Reference("team", "chat"), ALICE),
    ):
        with pytest.raises(ValidationError, match=r"chat\.yaml"):
            write_it()
    assert broken.read_text() == "servers: ["
    assert store.save_profile(changed(held(store), clientCheckSeconds=9), ALICE).version == 2


def test_a_missing_profile_that_a_caller_gets_can_be_made(store: DirectoryStore, directory: Path) -> None:
    write(directory / "callers.yaml", "callers: {bob: chat}\n")
    store.save_profile(profile("chat", with_servers(rpc={"listenAddress": "unix:///tmp/x.sock"})), expecting(0))
    assert store.load_registries().broken == ()


def test_a_caller_cannot_be_given_a_profile_that_is_not_there(store: DirectoryStore, directory: Path) -> None:
    with pytest.raises(ValidationError, match="'nix'"):
        store.save_registry(replace(registry(store), callers={"bob": "nix"}), ALICE)
    assert "nix" not in (directory / "callers.yaml").read_text()


def test_what_is_needed_is_not_deleted(store: DirectoryStore, directory: Path) -> None:
    write(directory / "callers.yaml", "callers: {bob: chat}\n")
    write(directory / "profiles/chat.yaml", "servers: []\nrpc: {listenAddress: 'unix:///tmp/x.sock'}\n")
    with pytest.raises(StillReferenced, match="caller 'bob'"):
        store.delete_profile(Reference("team", "chat"), ALICE)
    with pytest.raises(StillReferenced, match="every caller"):
        store.delete_profile(Reference("team", "default"), ALICE)
    with pytest.raises(ProfileNotFound):
        store.delete_profile(Reference("team", "chatt"), ALICE)
    with pytest.raises(RegistryNotFound):
        store.delete_profile(Reference("other", "chat"), ALICE)


def test_a_store_that_is_only_read_is_not_written(directory: Path) -> None:
    store = DirectoryStore(directory, writable=False)
    for write_it in (
        lambda: store.save_profile(profile("chat"), ALICE),
        lambda: store.save_registry(registry(store), ALICE),
        lambda: store.delete_registry("team", ALICE),
    ):
        with pytest.raises(SourceReadOnly):
            write_it()


@pytest.mark.parametrize("content", ["servers: []\n", "hello"])
def test_a_file_in_place_of_the_directory_is_left_alone(tmp_path: Path, content: str) -> None:
    file = write(tmp_path / "team", content)
    with pytest.raises(ValidationError):
        DirectoryStore(file).save_registry(Registry(slug="team"), ALICE)
    assert [path.name for path in tmp_path.iterdir()] == ["team"]
    assert file.read_text() == content


# ---- several writers


def create(directory: Path, writer: int, count: int) -> list[str]:
    store = DirectoryStore(directory)
    options = WriteOptions(actor=str(writer), at_ms=1, expected_version=0)
    rpc = {"listenAddress": "unix:///tmp/x.sock"}
    outcomes = []
    for number in range(count):
        for slug in (f"own-{writer}-{number}", f"same-{number}"):
            try:
                store.save_profile(profile(slug, with_servers(server(slug), rpc=rpc)), options)
                outcomes.append(slug)
            except VersionConflict:
                outcomes.append("lost")
    return outcomes


def test_processes_that_write_at_once_lose_nothing(directory: Path) -> None:
    context = multiprocessing.get_context("spawn")
    with context.Pool(4) as pool:
        made = sorted(slug for done in pool.starmap(create, [(directory, w, 25) for w in range(4)]) for slug in done)
    own = [f"own-{writer}-{number}" for writer in range(4) for number in range(25)]
    same = [f"same-{number}" for number in range(25)]
    assert made == sorted([*own, *same, *["lost"] * 75])
    found = registry(DirectoryStore(directory)).profiles
    assert sorted(found) == sorted([*own, *same, "default"])
    assert {found[slug].metadata.created_by for slug in own} == {"0", "1", "2", "3"}
    assert not [path for path in directory.rglob(".*") if path.name != ".livery.json"]


def write_on(directory: Path) -> None:
    store = DirectoryStore(directory)
    for number in range(10_000):
        store.save_profile(changed(held(store), clientCheckSeconds=number + 1), ALICE)


def test_a_writer_that_is_killed_leaves_the_old_state_or_the_new(directory: Path) -> None:
    context = multiprocessing.get_context("spawn")
    for _ in range(3):
        writer = context.Process(target=write_on, args=(directory,))
        writer.start()
        seen = registry(DirectoryStore(directory)).profiles["default"].version
        while registry(DirectoryStore(directory)).profiles["default"].version < seen + 3:
            pass
        writer.kill()
        writer.join()
        store = DirectoryStore(directory)
        assert store.load_registries().broken == ()
        store.save_profile(changed(held(store), clientInactiveSeconds=60 + seen), ALICE)
        assert not [path for path in directory.rglob(".*") if path.name != ".livery.json"]


# ---- through the service


def test_the_service_writes_a_profile_store(directory: Path) -> None:
    service = opened(directory)
    rpc = {"listenAddress": "unix:///tmp/x.sock"}
    runtime = {"servers": [server("a")], "step_settings_patch": {"rpc": rpc}}
    assert service.create_profile("team", {"slug": "chat", "runtime": runtime}).version == 1
    patch = {"runtime": {"step_settings_patch": {"routeTimeoutSeconds": 20}}}
    assert service.update_profile("team", "chat", patch, BOB._replace(expected_version=1)).version == 2
    service.update_registry("team", {"callers": {"vscode": "chat"}})
    assert service.rename_profile("team", "chat", "talk").slug == "talk"
    assert service.get_registry("team").callers["vscode"] == "talk"
    assert resolved(service, "talk").effective_step_settings["routeTimeoutSeconds"] == 20
    assert sorted(path.name for path in (directory / "profiles").iterdir()) == ["default.yaml", "talk.yaml"]


def test_the_service_refuses_what_has_no_place(directory: Path) -> None:
    service = opened(directory)
    with pytest.raises(Unsupported):
        service.update_profile("team", "default", {"display_name": "Default"})
    for refused in ({"slug": "default", "runtime": {}}, {"slug": "no slug"}):
        with pytest.raises(LiveryError):
            service.create_profile("team", refused)
