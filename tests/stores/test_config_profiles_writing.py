"""Writes of config profiles: comments stay, everything else in the manifest too, and nothing is lost on the way."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from livery.core.names import Reference
from livery.core.profile import Profile, Registry, RuntimeSpec
from livery.errors import (
    AlreadyExists,
    LiveryError,
    Locked,
    ProfileNotFound,
    RegistryNotFound,
    SchemaTooNew,
    SourceReadOnly,
    SourceUnavailable,
    StillReferenced,
    Unsupported,
    ValidationError,
    VersionConflict,
)
from livery.stores.config_profiles import ConfigProfilesStore
from livery.stores.config_profiles.index import look, save_manifest
from livery.stores.config_profiles.layout import layout_of
from livery.stores.files import digest, locked
from tests.support.config_profiles import (
    BASE,
    OVERLAY,
    directory,
    entry_of,
    listed,
    manifest_of,
    overlay,
    whole,
    write_manifest,
)
from tests.support.registries import ALICE, BOB, expecting


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return directory(tmp_path, incident=OVERLAY, quiet='[log]\nlevel = "error"\n')


@pytest.fixture
def store(path: Path) -> ConfigProfilesStore:
    return ConfigProfilesStore(path)


def names(path: Path) -> set[str]:
    """Every file and directory, so that nothing is left behind."""
    return {str(file.relative_to(path)) for file in path.rglob("*")}


# ---- overlays


def test_a_new_profile_is_a_file_and_an_entry(store: ConfigProfilesStore, path: Path) -> None:
    saved = store.save_profile(replace(overlay("loud", log={"level": "trace"}), description="All of it"), ALICE)
    file = path / "profiles" / "loud.toml"
    assert file.read_text() == '[log]\nlevel = "trace"\n'
    assert entry_of(path, "loud") == {
        "name": "loud",
        "path": "loud.toml",
        "description": "All of it",
        "created_at": 1000,
        "updated_at": 1000,
        "version": 1,
        "runtime_version": 1,
        "created_by": "alice",
        "updated_by": "alice",
        "source": "seed",
        "digest": digest(file.read_bytes()),
    }
    assert whole(store, "loud") == saved


def test_an_edit_keeps_comments_and_touches_only_what_differs(store: ConfigProfilesStore, path: Path) -> None:
    old = whole(store, "incident")
    settings = {"log": {"level": "debug", "file": "/tmp/log"}}
    store.save_profile(replace(old, runtime=RuntimeSpec(step_settings_patch=settings)), BOB)
    text = (path / "profiles" / "incident.toml").read_text()
    assert text == OVERLAY + 'file = "/tmp/log"\n'


def test_a_change_of_the_description_leaves_the_overlay_alone(store: ConfigProfilesStore, path: Path) -> None:
    saved = store.save_profile(replace(whole(store, "incident"), description="louder"), BOB)
    assert (path / "profiles" / "incident.toml").read_text() == OVERLAY
    assert (saved.description, saved.version, saved.runtime_version) == ("louder", 2, 1)


def test_bases_and_directives_go_to_the_table_for_them(store: ConfigProfilesStore, path: Path) -> None:
    settings = {"log": {"format": None}, "tags": {"$append": ["x"]}, "t": {"$replace": {"a": 1}}}
    profile = replace(overlay("night", **settings), extends=(Reference("wa", "quiet"),))
    saved = store.save_profile(profile, ALICE)
    assert (saved.runtime, saved.extends) == (profile.runtime, profile.extends)
    assert "[_profile]" in (path / "profiles" / "night.toml").read_text()


def test_that_it_stands_on_default_may_stay_as_it_is_written(store: ConfigProfilesStore, path: Path) -> None:
    file = path / "profiles" / "quiet.toml"
    file.write_text('[_profile]\nextends = ["default", "Incident"]  # both\n')
    store.save_profile(replace(whole(store, "quiet"), description="x"), BOB)
    assert file.read_text() == '[_profile]\nextends = ["default", "Incident"]  # both\n'


def test_a_date_stays_a_date(store: ConfigProfilesStore, path: Path) -> None:
    file = path / "profiles" / "quiet.toml"
    file.write_text("since = 1979-05-27T07:32:00Z # then\nmost = inf\n")
    old = whole(store, "quiet")
    assert old.runtime.step_settings_patch == {"since": "1979-05-27T07:32:00Z", "most": "inf"}
    plain = json.loads(json.dumps({**old.runtime.step_settings_patch, "level": 2}))
    store.save_profile(replace(old, runtime=RuntimeSpec(step_settings_patch=plain)), BOB)
    assert file.read_text() == "since = 1979-05-27T07:32:00Z # then\nmost = inf\nlevel = 2\n"


def test_a_mark_at_the_beginning_and_the_line_ends_stay(store: ConfigProfilesStore, path: Path) -> None:
    file = path / "profiles" / "quiet.toml"
    file.write_bytes(b"\xef\xbb\xbf# first\r\na = 1\r\n")
    store.save_profile(overlay("quiet", a=1, b=2), BOB)
    assert file.read_bytes() == b"\xef\xbb\xbf# first\r\na = 1\r\nb = 2\r\n"


def test_dotted_keys_are_not_mixed_up(store: ConfigProfilesStore, path: Path) -> None:
    (path / "profiles" / "quiet.toml").write_text("a.b = 1\nz = 2\n")
    saved = store.save_profile(overlay("quiet", a={"b": 1, "new": {"x": 1}}, z=2), BOB)
    assert whole(store, "quiet").runtime == saved.runtime
    assert saved.runtime.step_settings_patch == {"a": {"b": 1, "new": {"x": 1}}, "z": 2}


@pytest.mark.parametrize("settings", [{"a": [None]}, {"a": [{"b": None}]}, {"_profile": {}}, {"a": 2**70}])
def test_what_toml_cannot_say_is_refused_and_changes_nothing(
    store: ConfigProfilesStore, path: Path, settings: dict[str, Any]
) -> None:
    before = names(path)
    with pytest.raises(LiveryError):
        store.save_profile(overlay("new", **settings), ALICE)
    assert names(path) == before


@pytest.mark.parametrize(
    "name",
    ["a.b", "a" * 33, "con", "nul", "com1", "lpt9", "-x", "a/b", "..", "é", "A", "a b", ""],
)
def test_a_name_that_no_file_should_have_is_refused_for_new_profiles(
    store: ConfigProfilesStore, path: Path, name: str
) -> None:
    before = names(path)
    with pytest.raises(ValidationError):
        store.save_profile(overlay(name), ALICE)
    assert names(path) == before


def test_an_older_name_that_begins_with_a_dash_can_be_edited(store: ConfigProfilesStore, path: Path) -> None:
    (path / "profiles" / "-x.toml").write_text("")
    write_manifest(path, {"name": "-x"})
    assert store.save_profile(overlay("-x", a=1), BOB).version == 2


def test_an_unlisted_file_is_not_written_over(store: ConfigProfilesStore, path: Path) -> None:
    (path / "profiles" / "left.toml").write_text("mine = 1\n")
    with pytest.raises(AlreadyExists, match=r"unlisted file .*left\.toml"):
        store.save_profile(overlay("left", a=1), ALICE)
    assert (path / "profiles" / "left.toml").read_text() == "mine = 1\n"


def test_what_a_killed_writer_left_can_be_written_again(store: ConfigProfilesStore, path: Path) -> None:
    (path / "profiles" / "left.toml").write_text("a = 1\n")
    assert store.save_profile(overlay("left", a=1), ALICE).version == 1


def test_a_file_of_another_entry_is_not_shared(store: ConfigProfilesStore, path: Path) -> None:
    write_manifest(path, {"name": "quiet", "path": "new.toml"})
    (path / "profiles" / "new.toml").write_text("a = 1\n")
    with pytest.raises(AlreadyExists):
        store.save_profile(overlay("new", a=1), ALICE)


def test_names_are_one_whatever_their_case(store: ConfigProfilesStore, path: Path) -> None:
    write_manifest(path, {"name": "Quiet", "path": "quiet.toml", "color": "red"})
    store.save_profile(overlay("quiet", a=1), expecting(1))
    assert [(entry["name"], entry["color"], entry["version"]) for entry in manifest_of(path)["profiles"]] == [
        ("Quiet", "red", 2)
    ]


def test_unknown_keys_and_odd_values_survive(store: ConfigProfilesStore, path: Path) -> None:
    entry = {"color": "red", "name": "quiet", "created_at": "spring", "last_applied_at": None, "description": 7}
    write_manifest(path, entry, None, {"name": "a b"}, x={"y": 2**70}, profiles_of=[])
    store.save_profile(overlay("quiet", a=1), BOB)
    store.save_profile(overlay("new", a=1), BOB)
    read = manifest_of(path)
    assert {key: read["profiles"][0][key] for key in entry} == entry
    assert (read["profiles"][1:3], read["x"], read["profiles_of"]) == ([None, {"name": "a b"}], {"y": 2**70}, [])


def test_a_write_by_hand_in_between_is_a_conflict(store: ConfigProfilesStore, path: Path) -> None:
    store.save_profile(overlay("quiet", a=1), BOB)
    (path / "profiles" / "quiet.toml").write_text("a = 2\n")
    with pytest.raises(VersionConflict) as caught:
        store.save_profile(overlay("quiet", a=3), expecting(2))
    assert (caught.value.expected, caught.value.actual) == (2, 3)
    assert store.save_profile(overlay("quiet", a=3), expecting(3)).version == 4


def test_a_broken_overlay_is_not_edited(store: ConfigProfilesStore, path: Path) -> None:
    (path / "profiles" / "quiet.toml").write_text("a = \n")
    with pytest.raises(ValidationError, match=r"quiet\.toml:1"):
        store.save_profile(overlay("quiet", a=3), BOB)
    assert (path / "profiles" / "quiet.toml").read_text() == "a = \n"


def test_an_edit_follows_a_link_and_keeps_it(store: ConfigProfilesStore, path: Path) -> None:
    (path / "profiles" / "quiet.toml").rename(path / "profiles" / "real")
    (path / "profiles" / "quiet.toml").symlink_to("real")
    store.save_profile(overlay("quiet", a=1), BOB)
    assert (path / "profiles" / "quiet.toml").is_symlink()
    assert "a = 1" in (path / "profiles" / "real").read_text()


# ---- deleting


def test_a_deleted_profile_takes_its_file_and_leaves_its_version(store: ConfigProfilesStore, path: Path) -> None:
    store.save_profile(overlay("quiet", a=1), BOB)
    store.delete_profile(Reference("wa", "quiet"), expecting(2))
    assert not (path / "profiles" / "quiet.toml").exists()
    assert (listed(store), manifest_of(path)["deleted_versions"]) == (["default", "incident"], {"quiet": 2})
    assert store.save_profile(overlay("quiet"), ALICE).version == 3
    with pytest.raises(ProfileNotFound, match="did you mean"):
        store.delete_profile(Reference("wa", "incidents"), BOB)


@pytest.mark.parametrize("text", [None, "a = "])
def test_a_profile_that_is_missing_or_broken_can_be_deleted(
    store: ConfigProfilesStore, path: Path, text: str | None
) -> None:
    store.save_profile(overlay("quiet", a=1), BOB)
    (path / "profiles" / "quiet.toml").unlink()
    if text is not None:
        (path / "profiles" / "quiet.toml").write_text(text)
    store.delete_profile(Reference("wa", "quiet"), expecting(2))
    assert listed(store) == ["default", "incident"]


def test_a_file_outside_is_never_removed(store: ConfigProfilesStore, path: Path) -> None:
    (path.parent / "x.toml").write_text("mine")
    (path / "profiles" / "link.toml").symlink_to(path.parent / "x.toml")
    write_manifest(path, {"name": "a", "path": "../../x.toml"}, {"name": "b", "path": "link.toml"})
    for name in ("a", "b"):
        store.delete_profile(Reference("wa", name), BOB)
    assert (path.parent / "x.toml").read_text() == "mine"


def test_a_file_that_another_entry_uses_stays(store: ConfigProfilesStore, path: Path) -> None:
    write_manifest(path, {"name": "a", "path": "quiet.toml"}, {"name": "quiet"})
    store.delete_profile(Reference("wa", "a"), BOB)
    assert whole(store, "quiet")


def test_default_cannot_be_deleted(store: ConfigProfilesStore) -> None:
    with pytest.raises(StillReferenced, match="as its default"):
        store.delete_profile(Reference("wa", "default"), BOB)


# ---- the base file


def test_writing_default_edits_the_base_file(store: ConfigProfilesStore, path: Path) -> None:
    settings = {"name": "wa", "log": {"level": "warn", "format": "pretty"}}
    saved = store.save_profile(overlay("default", **settings), expecting(1))
    assert (path / "wa.toml").read_text() == BASE.replace('"info"', '"warn"')
    assert (saved.version, saved.metadata.updated_by) == (2, "bob")
    (registry,) = store.load_registries().registries
    assert (registry.version, registry.defaults.step_settings_patch) == (2, settings)
    assert whole(store, "default") == saved


def test_writing_the_defaults_of_the_registry_does_the_same(store: ConfigProfilesStore, path: Path) -> None:
    defaults = RuntimeSpec(step_settings_patch={"name": "wb"})
    saved = store.save_registry(Registry(slug="wa", defaults=defaults), expecting(1))
    assert (path / "wa.toml").read_text() == '# the base\nname = "wb"  # who we are\n'
    assert (saved.version, saved.defaults, list(saved.profiles)) == (2, defaults, ["default", "incident", "quiet"])


def test_an_edit_of_the_base_by_hand_counts_as_a_version(store: ConfigProfilesStore, path: Path) -> None:
    store.save_profile(overlay("default", a=1), BOB)
    (path / "wa.toml").write_text("a = 2")
    assert (whole(store, "default").version, store.load_registries().registries[0].version) == (3, 3)
    with pytest.raises(VersionConflict):
        store.save_profile(overlay("default", a=3), expecting(2))


@pytest.mark.parametrize(
    "fields",
    [
        {"runtime": RuntimeSpec(step_settings_patch={"log": {"format": None}})},
        {"runtime": RuntimeSpec(step_settings_patch={"tags": {"$append": ["x"]}})},
        {"extends": (Reference("wa", "quiet"),)},
        {"description": "the base"},
    ],
)
def test_a_base_file_has_no_room_for_what_overlays_say(
    store: ConfigProfilesStore, path: Path, fields: dict[str, Any]
) -> None:
    with pytest.raises(Unsupported):
        store.save_profile(Profile(slug="default", registry="wa", **fields), BOB)
    assert (path / "wa.toml").read_text() == BASE


def test_a_missing_base_file_is_made_private(store: ConfigProfilesStore, path: Path) -> None:
    (path / "wa.toml").unlink()
    ConfigProfilesStore(path, "wa").save_profile(overlay("default", a=1), BOB)
    assert (path / "wa.toml").read_text() == "a = 1\n"
    assert stat.S_IMODE((path / "wa.toml").stat().st_mode) == 0o600


def test_a_broken_base_file_is_not_edited(store: ConfigProfilesStore, path: Path) -> None:
    (path / "wa.toml").write_text("a = ")
    for write in (
        lambda: store.save_profile(overlay("default"), BOB),
        lambda: store.save_registry(Registry(slug="wa"), BOB),
    ):
        with pytest.raises(ValidationError):
            write()
    assert (path / "wa.toml").read_text() == "a = "


# ---- registries


def test_a_new_registry_is_a_private_directory_with_an_empty_base(tmp_path: Path) -> None:
    store = ConfigProfilesStore(tmp_path / "new" / "wa")
    assert store.save_registry(Registry(slug="wa"), ALICE._replace(expected_version=0)).version == 1
    assert (tmp_path / "new/wa/wa.toml").read_bytes() == b""
    modes = {name: stat.S_IMODE((tmp_path / "new/wa" / name).stat().st_mode) for name in (".", "profiles", "wa.toml")}
    assert modes == {".": 0o700, "profiles": 0o700, "wa.toml": 0o600}
    assert stat.S_IMODE((tmp_path / "new/wa/profiles/manifest.json").stat().st_mode) == 0o600


def test_a_new_registry_brings_its_profiles_along(tmp_path: Path) -> None:
    store = ConfigProfilesStore(tmp_path / "wa")
    mine = {"a": overlay("a", x=1), "default": overlay("default", y=2)}
    defaults = RuntimeSpec(step_settings_patch={"y": 2})
    saved = store.save_registry(Registry(slug="wa", defaults=defaults, profiles=mine), ALICE)
    assert [(slug, profile.version) for slug, profile in saved.profiles.items()] == [("default", 1), ("a", 1)]
    assert (whole(store, "a").runtime, whole(store, "default").runtime) == (mine["a"].runtime, defaults)


@pytest.mark.parametrize(
    "registry",
    [
        Registry(slug="other"),
        Registry(slug="wa", display_name="x"),
        Registry(slug="wa", description="x"),
        Registry(slug="wa", default_profile_slug="quiet"),
        Registry(slug="wa", callers={"x": "quiet"}),
        Registry(slug="wa", fallback="deny"),
        Registry(slug="wa", enforced=RuntimeSpec(step_settings_patch={})),
        Registry(slug="wa", settings_schema="ai"),
        Registry(slug="wa", defaults=RuntimeSpec(tools=["x"])),
        Registry(slug="wa", defaults=RuntimeSpec(step_settings_patch={"a": None})),
    ],
)
def test_what_a_directory_has_no_room_for_is_refused(tmp_path: Path, registry: Registry) -> None:
    with pytest.raises(Unsupported):
        ConfigProfilesStore(tmp_path / "wa").save_registry(registry, ALICE)
    assert list(tmp_path.iterdir()) == []
    path = directory(tmp_path)
    before = names(path)
    with pytest.raises(Unsupported):
        ConfigProfilesStore(path).save_registry(registry, ALICE)
    assert names(path) == before


def test_a_registry_is_never_removed(store: ConfigProfilesStore) -> None:
    with pytest.raises(Unsupported, match="belongs to the application"):
        store.delete_registry("wa", BOB)
    with pytest.raises(RegistryNotFound):
        store.delete_registry("other", BOB)


# ---- what is refused as a whole


def test_a_refused_write_leaves_no_directory_behind(tmp_path: Path) -> None:
    (tmp_path / "wa.toml").write_text("")
    with pytest.raises(VersionConflict):
        ConfigProfilesStore(tmp_path).save_profile(overlay("default"), expecting(7))
    assert names(tmp_path) == {"wa.toml"}


def test_a_read_only_store_writes_nothing(path: Path) -> None:
    store = ConfigProfilesStore(path, writable=False)
    for write in (
        lambda: store.save_profile(overlay("quiet"), BOB),
        lambda: store.save_registry(Registry(slug="wa"), BOB),
        lambda: store.delete_profile(Reference("wa", "quiet"), BOB),
        lambda: store.use_profile(Reference("wa", "quiet"), BOB),
        lambda: store.use_previous_profile(BOB),
    ):
        with pytest.raises(SourceReadOnly):
            write()


def test_a_manifest_of_a_later_version_is_never_written(store: ConfigProfilesStore, path: Path) -> None:
    manifest = path / "profiles" / "manifest.json"
    manifest.write_text('{"version": 2, "profiles": [{"name": "quiet"}]}')
    before = (names(path), manifest.read_bytes())
    for write in (
        lambda: store.save_profile(overlay("quiet", a=1), BOB),
        lambda: store.save_profile(overlay("new", a=1), BOB),
        lambda: store.save_profile(overlay("default", a=1), BOB),
        lambda: store.delete_profile(Reference("wa", "quiet"), BOB),
    ):
        with pytest.raises(SchemaTooNew, match="has version 2"):
            write()
    assert (names(path), manifest.read_bytes()) == before


@pytest.mark.parametrize(
    "make", [Path.mkdir, os.mkfifo, lambda path: path.symlink_to("../../x"), lambda path: path.symlink_to(path.name)]
)
def test_nothing_is_written_where_the_manifest_is_no_file(path: Path, make: Callable[[Path], Any]) -> None:
    manifest = path / "profiles" / "manifest.json"
    manifest.unlink()
    make(manifest)
    before = names(path.parent)
    with pytest.raises(SourceUnavailable, match=r"manifest\.json"):
        ConfigProfilesStore(path).save_profile(overlay("new", a=1), BOB)
    assert names(path.parent) == before


def test_a_link_to_a_manifest_is_written_through(store: ConfigProfilesStore, path: Path) -> None:
    manifest = path / "profiles" / "manifest.json"
    manifest.rename(path.parent / "dotfile.json")
    manifest.symlink_to(path.parent / "dotfile.json")
    store.save_profile(overlay("new", a=1), BOB)
    assert manifest.is_symlink()
    assert "new" in (path.parent / "dotfile.json").read_text()


def test_modes_stay_as_they_were(store: ConfigProfilesStore, path: Path) -> None:
    for name, mode in (("profiles/manifest.json", 0o640), ("profiles/quiet.toml", 0o644), ("wa.toml", 0o400)):
        (path / name).chmod(mode)
    store.save_profile(overlay("quiet", a=1), BOB)
    store.save_profile(overlay("new", a=1), BOB)
    store.save_profile(overlay("default", a=1), BOB)
    files = ("profiles/manifest.json", "profiles/quiet.toml", "wa.toml", "profiles/new.toml")
    assert [stat.S_IMODE((path / name).stat().st_mode) for name in files] == [0o640, 0o644, 0o400, 0o600]


def test_a_stale_temporary_manifest_is_in_nobodys_way(store: ConfigProfilesStore, path: Path) -> None:
    (path / "victim").write_text("mine")
    (path / "profiles" / "manifest.json.tmp").symlink_to(path / "victim")
    store.save_profile(overlay("new", a=1), BOB)
    assert (path / "victim").read_text() == "mine"
    assert "profiles/manifest.json.tmp" not in names(path)


def test_an_overlay_goes_again_where_the_manifest_cannot_be_written(store: ConfigProfilesStore, path: Path) -> None:
    (path / "profiles" / "manifest.json.tmp").mkdir()
    before = names(path)
    for write in (
        lambda: store.save_profile(overlay("new", a=1), BOB),
        lambda: store.save_profile(overlay("quiet", a=1), BOB),
        lambda: store.delete_profile(Reference("wa", "quiet"), BOB),
    ):
        with pytest.raises(SourceUnavailable):
            write()
    assert names(path) == before
    assert (path / "profiles" / "quiet.toml").read_text() == '[log]\nlevel = "error"\n'


def test_a_corrupt_manifest_is_kept_by_the_write_that_replaces_it(path: Path) -> None:
    (path / "profiles" / "manifest.json").write_text("{")
    ConfigProfilesStore(path).save_profile(overlay("new", a=1), ALICE)
    assert (path / "profiles" / "manifest.json.corrupt-1000").read_text() == "{"
    assert [entry["name"] for entry in manifest_of(path)["profiles"]] == ["incident", "quiet", "new"]


def test_own_writes_are_told_at_once_and_leave_nothing_behind(store: ConfigProfilesStore, path: Path) -> None:
    before = names(path)
    token = store.load_registries().token
    store.save_profile(overlay("new", a=1), BOB)
    assert store.changes(token) == store.load_registries().token != token
    assert names(path) == before | {"profiles/new.toml"}


def test_a_profile_of_a_registry_elsewhere_is_not_here(store: ConfigProfilesStore, tmp_path: Path) -> None:
    with pytest.raises(RegistryNotFound):
        store.save_profile(Profile(slug="a", registry="other"), BOB)
    with pytest.raises(RegistryNotFound):
        ConfigProfilesStore(tmp_path / "nowhere").save_profile(overlay("a"), BOB)
    assert not (tmp_path / "nowhere").exists()


def test_a_base_in_another_registry_has_no_room(store: ConfigProfilesStore) -> None:
    with pytest.raises(Unsupported, match="extends"):
        store.save_profile(replace(overlay("a"), extends=(Reference("other", "a"),)), BOB)


def test_a_profile_without_settings_is_an_empty_file(store: ConfigProfilesStore, path: Path) -> None:
    saved = store.save_profile(Profile(slug="empty", registry="wa"), ALICE)
    assert (path / "profiles" / "empty.toml").read_bytes() == b""
    assert (saved.extends, saved.runtime) == (UNSET, RuntimeSpec())


def test_a_manifest_that_others_write_meanwhile_is_not_written_over(store: ConfigProfilesStore, path: Path) -> None:
    layout = layout_of(path)
    held = look(layout)
    write_manifest(path, {"name": "quiet", "description": "by hand"})
    with pytest.raises(Locked, match=r"manifest\.json.*at this moment"):
        save_manifest(layout, held, held.manifest.without_entry("quiet"), 0)
    assert entry_of(path, "quiet")["description"] == "by hand"


# ---- several processes


MANY = """
import sys
from pathlib import Path
from livery.core.profile import Profile, RuntimeSpec
from livery.errors import VersionConflict
from livery.stores.config_profiles import ConfigProfilesStore
from livery.stores.config_profiles.index import look, save_manifest
from livery.stores.config_profiles.layout import layout_of
from livery.stores.protocols import WriteOptions
store = ConfigProfilesStore(Path(sys.argv[1]))
for name in sys.argv[2:]:
    runtime = RuntimeSpec(step_settings_patch={"by": sys.argv[2], "long": "x" * 2000})
    try:
        profile = Profile(slug=name, registry="wa", runtime=runtime)
        store.save_profile(profile, WriteOptions(expected_version=0, at_ms=1))
    except VersionConflict:
        print(name)
"""


def started(path: Path, *profiles: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", MANY, str(path), *profiles], stdout=subprocess.PIPE, text=True)


def test_of_many_processes_none_loses_a_profile(path: Path) -> None:
    made = [f"p{process}-{number}" for process in range(8) for number in range(10)]
    running = [started(path, *made[first : first + 10]) for first in range(0, 80, 10)]
    assert [process.communicate()[0] for process in running] == [""] * 8
    assert set(listed(ConfigProfilesStore(path))) == {"default", "incident", "quiet", *made}
    assert len(manifest_of(path)["profiles"]) == 82


def test_of_two_processes_that_make_the_same_profile_one_wins(path: Path) -> None:
    running = [started(path, f"own{process}", "same") for process in range(2)]
    assert sorted(process.communicate()[0] for process in running) == ["", "same\n"]


def test_whenever_a_writer_is_killed_old_or_new_is_there(path: Path) -> None:
    names_of = [[f"p{turn}-{number}" for number in range(30)] for turn in range(6)]
    for turn, profiles in enumerate(names_of):
        process = started(path, *profiles)
        while not (path / "profiles" / f"{profiles[turn]}.toml").exists():
            time.sleep(0.001)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        store = ConfigProfilesStore(path)
        for name in listed(store):
            assert whole(store, name).runtime.given()
        assert not store.load_registries().notices
        store.save_profile(overlay("after", turn=turn), BOB)
    assert not [name for name in names(path) if name.endswith((".tmp", ".lock"))]


def test_a_writer_waits_for_the_lock_of_the_manifest(store: ConfigProfilesStore, path: Path) -> None:
    with locked(path / "profiles" / "manifest.json"):
        process = started(path, "late")
        time.sleep(0.05)
        assert not (path / "profiles" / "late.toml").exists()
    assert process.communicate()[0] == ""
    assert "late" in listed(store)
