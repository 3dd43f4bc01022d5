"""One YAML file that people and programs edit: what stays, what is refused, and what survives."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from livery.core.names import Reference
from livery.core.profile import Metadata, Profile, Registry, RuntimeSpec
from livery.errors import (
    LiveryError,
    ProfileNotFound,
    SourceNotFound,
    SourceReadOnly,
    SourceUnavailable,
    ValidationError,
    VersionConflict,
)
from livery.formats.yaml import read_yaml
from livery.stores.protocols import Field
from livery.stores.yaml import YAMLStore
from tests.support.registries import ALICE, BOB, expecting, without_power, write

TEXT = """\
# our team
slug: team # short
default_profile_slug: coder

callers:   {vscode: coder}   # editors
profiles:
  # writes code
  coder:
    slug: coder
    runtime:
      system_prompt: |
        Write code.

        Nothing else.
      tools: [clock]     # more to come
    policy: {allow_overrides: false}
  'second':
    extends:
    - {profile: coder}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write(tmp_path / "team.yaml", TEXT)


@pytest.fixture
def store(path: Path) -> YAMLStore:
    return YAMLStore(path)


def held(store: YAMLStore, slug: str, registry: str = "team") -> Profile:
    found = store.get_profile(registry, slug)
    assert found is not None
    return found


def lines_removed(before: str, after: str) -> list[str]:
    rest = after.splitlines()
    return [line for line in before.splitlines() if line not in rest]


# ---- what stays


def test_an_update_changes_its_line_and_adds_the_version(store: YAMLStore, path: Path) -> None:
    store.save_profile(
        replace(held(store, "coder"), runtime=RuntimeSpec(system_prompt="Write.", tools=["clock"])), ALICE
    )
    after = path.read_text()
    assert lines_removed(TEXT, after) == ["      system_prompt: |", "        Write code.", "        Nothing else."]
    assert "tools: [clock]     # more to come" in after
    assert read_yaml(after, "")["profiles"]["coder"]["metadata"]["version"] == 2


def test_an_update_of_one_field_removes_no_line(store: YAMLStore, path: Path) -> None:
    store.save_profile(replace(held(store, "second"), display_name="Second"), ALICE)
    assert lines_removed(TEXT, path.read_text()) == []
    assert held(store, "second").bases == (Reference("team", "coder"),)


def test_a_new_profile_leaves_every_line(store: YAMLStore, path: Path) -> None:
    store.save_profile(Profile(slug="new", registry="team", display_name="Neu: ü #1"), ALICE)
    assert lines_removed(TEXT, path.read_text()) == []
    assert held(store, "new").display_name == "Neu: ü #1"


def test_a_deleted_profile_takes_its_own_lines(store: YAMLStore, path: Path) -> None:
    store.delete_profile(Reference("team", "second"), ALICE)
    gone = [line.strip() for line in lines_removed(TEXT, path.read_text())]
    assert gone == ["'second':", "extends:", "- {profile: coder}"]


def test_a_change_of_the_registry_leaves_its_profiles_alone(store: YAMLStore, path: Path) -> None:
    (registry,) = store.load_registries().registries
    saved = store.save_registry(replace(registry, callers={"vscode": "coder", "cli": "second"}), BOB)
    after = path.read_text()
    assert lines_removed(TEXT, after) == ["callers:   {vscode: coder}   # editors"]
    assert "# editors" in after
    assert (saved.version, saved.metadata.updated_by) == (2, "bob")


@pytest.mark.parametrize("old", [1, 0, 1.5])
def test_a_value_that_python_calls_equal_is_changed_all_the_same(store: YAMLStore, old: float) -> None:
    store.save_profile(replace(held(store, "coder"), extensions={"a.b@v1": old}), ALICE)
    store.save_profile(replace(held(store, "coder"), extensions={"a.b@v1": bool(old)}), ALICE)
    assert held(store, "coder").extensions == {"a.b@v1": bool(old)}
    assert type(held(store, "coder").extensions["a.b@v1"]) is bool


def test_line_endings_of_another_system_stay(path: Path) -> None:
    path.write_bytes(TEXT.replace("\n", "\r\n").encode())
    store = YAMLStore(path)
    store.save_profile(replace(held(store, "coder"), display_name="C"), ALICE)
    store.save_profile(Profile(slug="new", registry="team"), ALICE)
    data = path.read_bytes()
    assert data.count(b"\n") == data.count(b"\r\n")
    assert held(store, "coder").runtime.system_prompt == "Write code.\n\nNothing else.\n"


ANCHORED = """\
slug: team
profiles:
  base: &base
    runtime: &run
      tools: [a]
      system_prompt: One.
  merged:
    <<: *base
    display_name: Merged
  alias: *base
"""


def test_anchors_and_merge_keys_are_read(tmp_path: Path) -> None:
    store = YAMLStore(write(tmp_path / "a.yaml", ANCHORED))
    assert held(store, "merged").runtime.tools == ["a"]
    assert held(store, "alias").runtime.system_prompt == "One."


@pytest.mark.parametrize("slug", ["base", "merged", "alias"])
def test_a_write_where_anchors_are_changes_only_the_profile_that_is_meant(tmp_path: Path, slug: str) -> None:
    store = YAMLStore(write(tmp_path / "a.yaml", ANCHORED))
    others = {name: held(store, name) for name in ("base", "merged", "alias") if name != slug}
    store.save_profile(replace(held(store, slug), runtime=RuntimeSpec(tools=["b"])), ALICE)
    assert held(store, slug).runtime == RuntimeSpec(tools=["b"])
    assert {name: held(store, name) for name in others} == others


def test_an_anchored_profile_can_be_deleted_from_under_its_aliases(tmp_path: Path) -> None:
    store = YAMLStore(write(tmp_path / "a.yaml", ANCHORED))
    before = held(store, "alias")
    store.delete_profile(Reference("team", "base"), ALICE)
    assert held(store, "alias") == before
    assert store.get_profile("team", "base") is None


def test_a_deeply_nested_value_is_kept(store: YAMLStore) -> None:
    value: object = "leaf"
    for level in range(50):
        value = {f"k{level}": value}
    store.save_profile(Profile(slug="deep", registry="team", extensions={"a.b@v1": value}), ALICE)
    assert held(store, "deep").extensions == {"a.b@v1": value}


# ---- shapes


def test_a_new_file_is_private_and_holds_one_registry(tmp_path: Path) -> None:
    path = tmp_path / "new" / "profiles.yaml"
    store = YAMLStore(path)
    with pytest.raises(SourceNotFound):
        store.load_registries()
    store.save_registry(Registry(slug="team", default_profile_slug="zed"), ALICE)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_yaml(path.read_text(), "")["slug"] == "team"


def test_reading_makes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "profiles.yaml"
    store = YAMLStore(path)
    for ask in (store.load_registries, lambda: store.changes(""), lambda: store.get_profile("a", "b")):
        with pytest.raises(SourceNotFound):
            ask()
    assert list(tmp_path.iterdir()) == []


def test_a_second_registry_makes_the_file_a_bundle_and_keeps_its_comments(store: YAMLStore, path: Path) -> None:
    before = store.load_registries().registries[0]
    store.save_registry(Registry(slug="other", default_profile_slug="x"), ALICE)
    after = path.read_text()
    assert list(read_yaml(after, "")["registries"]) == ["team", "other"]
    assert all(line.strip() in after for line in TEXT.splitlines())
    assert store.load_registries().registries[0] == before
    assert after.startswith("# our team\nregistries:\n  team:\n    slug: team # short\n")


def test_a_flow_document_becomes_a_bundle_too(tmp_path: Path) -> None:
    store = YAMLStore(write(tmp_path / "a.yaml", "{slug: team, profiles: {a: {}}}\n"))
    store.save_registry(Registry(slug="other"), ALICE)
    assert [registry.slug for registry in store.load_registries().registries] == ["team", "other"]


def test_a_registry_of_a_bundle_is_found_under_its_written_key(tmp_path: Path) -> None:
    path = write(tmp_path / "a.yaml", "registries:\n  Team: # ours\n    profiles:\n      Coder: {} # c\n")
    store = YAMLStore(path)
    store.save_profile(replace(held(store, "coder"), display_name="C"), ALICE)
    store.save_profile(Profile(slug="new", registry="team"), ALICE)
    document = read_yaml(path.read_text(), "")
    assert list(document["registries"]) == ["Team"]
    assert list(document["registries"]["Team"]["profiles"]) == ["Coder", "new"]


def test_registries_of_a_bundle_are_deleted_one_by_one(store: YAMLStore) -> None:
    store.save_registry(Registry(slug="other"), ALICE)
    store.delete_registry("team", ALICE)
    assert [registry.slug for registry in store.load_registries().registries] == ["other"]


def test_the_only_registry_of_a_file_can_be_deleted_and_made_again(store: YAMLStore) -> None:
    store.delete_registry("team", ALICE)
    assert store.load_registries().registries == ()
    store.save_registry(Registry(slug="next"), ALICE)
    assert [registry.slug for registry in store.load_registries().registries] == ["next"]


def test_a_new_registry_brings_its_profiles_in_one_write(tmp_path: Path) -> None:
    store = YAMLStore(tmp_path / "a.yaml")
    profile = Profile(slug="a", registry="r", metadata=Metadata(version=9, tags=("t",)))
    store.save_registry(Registry(slug="r", default_profile_slug="a", profiles={"a": profile}), ALICE)
    saved = held(store, "a", "r").metadata
    assert (saved.version, saved.created_by, saved.tags) == (1, "alice", ("t",))


def test_a_default_that_is_not_first_by_name_stays_the_default(tmp_path: Path) -> None:
    profiles = {slug: Profile(slug=slug, registry="r") for slug in ("a", "z")}
    YAMLStore(tmp_path / "a.yaml").save_registry(Registry(slug="r", default_profile_slug="z", profiles=profiles), ALICE)
    (registry,) = YAMLStore(tmp_path / "a.yaml").load_registries().registries
    assert registry.default_profile_slug == "z"


def test_a_legacy_map_is_not_written_and_says_how_it_could_be(tmp_path: Path) -> None:
    path = write(tmp_path / "old.yaml", "agent: {ai-chat: {ai-engine: x}}\n")
    store = YAMLStore(path)
    store.load_registries()
    assert not store.writable
    for write_it in (
        lambda: store.save_profile(Profile(slug="agent", registry="default"), ALICE),
        lambda: store.save_registry(Registry(slug="new"), ALICE),
    ):
        with pytest.raises(SourceReadOnly, match=rf"livery migrate registry {path} --in-place"):
            write_it()


def test_a_legacy_map_that_was_converted_meanwhile_can_be_written(tmp_path: Path) -> None:
    path = write(tmp_path / "old.yaml", "agent: {ai-chat: {ai-engine: x}}\n")
    store = YAMLStore(path)
    store.load_registries()
    write(path, TEXT)
    store.load_registries()
    assert (store.writable, store.advice) == (True, "")


def test_an_older_profile_is_written_in_todays_form(tmp_path: Path) -> None:
    old = "a: {stack: [{profile_slug: b}], inference_settings: {chat: {engine: x}}}"
    text = f"slug: t\nprofiles:\n  # keep\n  {old}\n  b: {{}}\n"
    store = YAMLStore(write(tmp_path / "a.yaml", text))
    before = held(store, "a", "t")
    store.save_profile(replace(before, display_name="A"), ALICE)
    document = read_yaml(store.path.read_text(), "")["profiles"]["a"]
    assert (document["extends"], document["runtime"]) == (["b"], {"step_settings_patch": {"chat": {"engine": "x"}}})
    assert "stack" not in document and "inference_settings" not in document


# ---- what is refused


def test_a_write_whose_result_is_broken_leaves_the_file(store: YAMLStore, path: Path) -> None:
    with pytest.raises(ValidationError):
        store.save_profile(Profile(slug="x", registry="team", display_name=5), ALICE)  # type: ignore[arg-type]
    assert path.read_text() == TEXT
    assert [entry.name for entry in path.parent.iterdir()] == ["team.yaml"]


def test_a_broken_profile_is_not_written_over_and_does_not_hinder_others(tmp_path: Path) -> None:
    store = YAMLStore(write(tmp_path / "a.yaml", "slug: team\nprofiles:\n  bad: {x: 1}\n  good: {}\n"))
    store.save_profile(replace(held(store, "good"), display_name="G"), ALICE)
    for broken in (
        lambda: store.save_profile(Profile(slug="bad", registry="team"), ALICE),
        lambda: store.save_profile(Profile(slug="bad", registry="team"), expecting(1)),
        lambda: store.delete_profile(Reference("team", "bad"), ALICE),
    ):
        with pytest.raises(ValidationError, match=r"a\.yaml:3:9: registry\.profiles\[bad\]\.x"):
            broken()
    assert "bad: {x: 1}" in store.path.read_text()


def test_a_file_that_is_no_yaml_is_not_written(store: YAMLStore, path: Path) -> None:
    path.write_text("slug: [\n")
    with pytest.raises(ValidationError, match=r"team\.yaml:"):
        store.save_profile(Profile(slug="x", registry="team"), ALICE)
    assert path.read_text() == "slug: [\n"


def test_a_read_only_store_is_not_written(path: Path) -> None:
    with pytest.raises(SourceReadOnly, match=r"team\.yaml"):
        YAMLStore(path, writable=False).save_profile(Profile(slug="x", registry="team"), ALICE)
    assert path.read_text() == TEXT


def test_a_directory_in_the_place_of_the_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").mkdir()
    store = YAMLStore(tmp_path / "a.yaml")
    for ask in (store.load_registries, lambda: store.save_registry(Registry(slug="r"), ALICE)):
        with pytest.raises(SourceUnavailable, match=r"a\.yaml.*directory"):
            ask()


@pytest.mark.parametrize("way", ["loop", "below a file", "too long"])
def test_a_path_that_leads_nowhere_is_one_of_our_errors(tmp_path: Path, way: str) -> None:
    path = tmp_path / "a.yaml"
    if way == "loop":
        path.symlink_to(path)
    elif way == "below a file":
        path.write_text("")
        path = path / "b.yaml"
    else:
        path = tmp_path / ("n" * 300)
    store = YAMLStore(path)
    for ask in (
        store.load_registries,
        lambda: store.changes(""),
        lambda: store.save_registry(Registry(slug="r"), ALICE),
    ):
        with pytest.raises(LiveryError):
            ask()


def test_a_file_without_permission_is_unavailable(store: YAMLStore, path: Path) -> None:
    path.chmod(0)
    writes = [lambda: store.save_profile(Profile(slug="x", registry="team"), ALICE)]
    with without_power():
        for ask in (store.load_registries, lambda: store.changes(""), *writes):
            with pytest.raises(SourceUnavailable, match="Permission denied"):
                ask()


def test_a_link_stays_a_link_and_the_mode_the_mode(path: Path, tmp_path: Path) -> None:
    path.chmod(0o640)
    link = tmp_path / "here" / "link.yaml"
    link.parent.mkdir()
    link.symlink_to(path)
    YAMLStore(link).save_profile(Profile(slug="x", registry="team"), ALICE)
    assert link.is_symlink() and list(link.parent.iterdir()) == [link]
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert "x:" in path.read_text()


# ---- what is there now


def test_a_file_that_appears_vanishes_and_comes_back_is_followed(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    store = YAMLStore(path)
    with pytest.raises(SourceNotFound):
        store.changes("")
    write(path, TEXT)
    token = store.load_registries().token
    path.unlink()
    with pytest.raises(SourceNotFound):
        store.changes(token)
    write(path, TEXT)
    assert store.changes(token) == token


def test_a_profile_is_not_written_into_a_file_that_has_vanished(store: YAMLStore, path: Path) -> None:
    path.unlink()
    for write_it in (
        lambda: store.save_profile(Profile(slug="coder", registry="team"), expecting(1)),
        lambda: store.delete_profile(Reference("team", "coder"), ALICE),
    ):
        with pytest.raises(SourceNotFound, match=r"team\.yaml"):
            write_it()
    assert list(path.parent.iterdir()) == []


def test_a_write_takes_what_stands_in_the_file_by_then(store: YAMLStore, path: Path) -> None:
    store.load_registries()
    path.write_text(path.read_text() + "  by-hand: {}\n")
    store.save_profile(Profile(slug="x", registry="team"), ALICE)
    assert {"by-hand", "x"} <= store.load_registries().registries[0].profiles.keys()


def test_a_copy_with_an_old_date_is_seen(store: YAMLStore, path: Path) -> None:
    os.utime(path, ns=(10**18, 10**18))
    token = store.load_registries().token
    assert store.changes(token) == token
    path.write_text(TEXT.replace("clock", "block"))
    os.utime(path, ns=(10**18, 10**18))
    assert store.changes(token) != token


def test_the_line_of_a_field_is_found_as_long_as_the_file_is_the_same(store: YAMLStore, path: Path) -> None:
    token = store.load_registries().token
    wanted = [Field("team", "coder", "runtime.tools"), Field("team", "", "callers.vscode"), Field("team", "gone", "x")]
    places = store.places(wanted, token)
    assert [place.line if place else None for place in places] == [15, 5, 6]
    path.write_text("#\n" + TEXT)
    assert store.places(wanted, token) == [None, None, None]


def test_what_is_not_there_is_told_with_the_nearest(store: YAMLStore) -> None:
    with pytest.raises(ProfileNotFound, match="did you mean 'coder'"):
        store.delete_profile(Reference("team", "code"), ALICE)


# ---- many processes

WRITER = """
import sys
from pathlib import Path
from livery.core.profile import Profile
from livery.errors import VersionConflict
from livery.stores.protocols import WriteOptions
from livery.stores.yaml import YAMLStore

store = YAMLStore(Path(sys.argv[1]))
print("ready", flush=True)
for line in sys.stdin:
    slug, name, version = line.split()
    expected = None if version == "any" else int(version)
    try:
        saved = store.save_profile(
            Profile(slug=slug, registry="team", display_name=name), WriteOptions(expected_version=expected, at_ms=1)
        )
        print("won", saved.version, flush=True)
    except VersionConflict as error:
        print("lost", error.actual, flush=True)
"""


@contextmanager
def writers_of(path: Path, count: int) -> Iterator[list[subprocess.Popen[str]]]:
    """Other processes that write a profile for each line they get, and tell when it is done."""
    command = [sys.executable, "-c", WRITER, str(path)]
    pipe = subprocess.PIPE
    processes = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, bufsize=1) for _ in range(count)]
    try:
        assert [told(process) for process in processes] == ["ready\n"] * count
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def tell(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(line + "\n")
    process.stdin.flush()


def told(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def test_of_two_processes_with_one_expected_version_exactly_one_wins(path: Path) -> None:
    with writers_of(path, 2) as (first, second):
        for version in range(1, 21):
            for name, process in (("first", first), ("second", second)):
                tell(process, f"coder {name} {version}")
            answers = sorted([told(first), told(second)])
            assert answers == [f"lost {version + 1}\n", f"won {version + 1}\n"]
    assert held(YAMLStore(path), "coder").version == 21


def test_many_processes_that_write_different_profiles_lose_nothing(path: Path) -> None:
    with writers_of(path, 4) as processes:
        for number in range(10):
            for worker, process in enumerate(processes):
                tell(process, f"w{worker}-{number} n any")
        for process in processes:
            assert [told(process) for _ in range(10)] == ["won 1\n"] * 10
    profiles = YAMLStore(path).load_registries().registries[0].profiles
    assert len(profiles) == 2 + 40
    assert not list(path.parent.glob(".*"))


def test_a_process_that_is_killed_leaves_the_file_whole_and_what_it_acknowledged(path: Path) -> None:
    with writers_of(path, 20) as processes:
        for attempt, process in enumerate(processes):
            names = [f"k{attempt}-{number}" for number in range(50)]
            tell(process, "\n".join(f"{name} n any" for name in names))
            time.sleep(0.001 * (attempt * 7 % 23))
            process.send_signal(signal.SIGKILL)
            answers, _ = process.communicate()
            acknowledged = names[: answers.count("won 1\n")]
            assert set(acknowledged) <= YAMLStore(path).load_registries().registries[0].profiles.keys()
    YAMLStore(path).save_profile(Profile(slug="last", registry="team"), ALICE)
    assert not list(path.parent.glob(".*.tmp"))


def test_a_version_conflict_says_what_is_there(store: YAMLStore) -> None:
    with pytest.raises(VersionConflict, match="'coder' is at version 1, not 4; read it again"):
        store.save_profile(Profile(slug="coder", registry="team"), expecting(4))
