"""Config profiles as they are found: listed from the manifest alone, read one by one, whatever lies in the way."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec import UNSET

from livery.core.names import Reference
from livery.errors import LiveryError, SourceNotFound, SourceUnavailable, ValidationError
from livery.stores.config_profiles import ConfigProfilesStore
from livery.stores.protocols import Field
from tests.support.config_profiles import (
    BASE,
    OVERLAY,
    directory,
    listed,
    manifest_of,
    notices,
    opened_up,
    whole,
    write_manifest,
)
from tests.support.registries import without_power


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return directory(tmp_path, incident=OVERLAY, quiet='[log]\nlevel = "error"\n')


@pytest.fixture
def store(path: Path) -> ConfigProfilesStore:
    return ConfigProfilesStore(path)


def tree(path: Path) -> dict[str, bytes]:
    return {str(file.relative_to(path)): file.read_bytes() for file in path.rglob("*") if file.is_file()}


# ---- what is listed


def test_default_comes_first_then_the_manifests_order(store: ConfigProfilesStore, path: Path) -> None:
    write_manifest(path, {"name": "quiet"}, {"name": "incident"})
    assert listed(store) == ["default", "quiet", "incident"]


def test_the_base_file_is_the_registrys_defaults_and_the_default_profile(store: ConfigProfilesStore) -> None:
    (registry,) = store.load_registries().registries
    settings = {"name": "wa", "log": {"level": "info", "format": "pretty"}}
    assert (registry.slug, registry.default_profile_slug, registry.settings_schema) == ("wa", "default", "free")
    assert registry.defaults.step_settings_patch == settings
    assert whole(store, "default").runtime.step_settings_patch == settings


def test_the_manifest_is_the_index(store: ConfigProfilesStore, path: Path) -> None:
    (path / "profiles" / "other.toml").write_text("")
    assert "other" not in listed(store)
    assert store.get_profile("wa", "other") is None


def test_an_entry_tells_what_a_list_shows(store: ConfigProfilesStore, path: Path) -> None:
    write_manifest(
        path, {"name": "quiet", "description": "No noise", "created_at": 1, "updated_at": 2, "last_applied_at": 3}
    )
    (registry,) = store.load_registries().registries
    heading = registry.profiles["quiet"]
    assert (heading.description, heading.version, heading.metadata.last_applied_at_ms) == ("No noise", 1, 3)
    assert (heading.metadata.created_at_ms, heading.metadata.updated_at_ms) == (1, 2)


def test_absent_and_odd_values_of_an_entry_are_shown_as_absent(store: ConfigProfilesStore, path: Path) -> None:
    write_manifest(path, {"name": "quiet", "description": 7, "created_at": "soon", "updated_at": -1, "version": "x"})
    (registry,) = store.load_registries().registries
    heading = registry.profiles["quiet"]
    assert (heading.description, heading.metadata.created_at_ms, heading.version) == ("", UNSET, 1)


def test_a_list_holds_nothing_of_the_overlays(store: ConfigProfilesStore) -> None:
    (registry,) = store.load_registries().registries
    assert not registry.profiles["incident"].runtime.given()


def test_what_is_listed_is_read_when_it_is_needed(store: ConfigProfilesStore) -> None:
    loaded = store.load_registries()
    assert loaded.read is not None
    assert loaded.read("wa", "incident").runtime.step_settings_patch == {"log": {"level": "debug"}}
    assert loaded.read("wa", "default") == whole(store, "default")


OPENED = """
import sys
from pathlib import Path
opened = []
sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == "open" else None)
from livery.stores.config_profiles import ConfigProfilesStore
store = ConfigProfilesStore(Path(sys.argv[1]))
loaded = store.load_registries()
store.changes(loaded.token)
store.watched()
assert len(loaded.registries[0].profiles) == 3
print(*sorted({Path(name).name for name in opened if name.startswith(sys.argv[1])}))
loaded.read("wa", "quiet")
store.changes(loaded.token)
print(*sorted({Path(name).name for name in opened if name.startswith(sys.argv[1])}))
"""


def test_listing_and_asking_for_changes_opens_no_overlay_but_those_that_were_read(path: Path) -> None:
    ran = subprocess.run([sys.executable, "-c", OPENED, str(path)], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines() == ["manifest.json wa.toml", "manifest.json quiet.toml wa.toml"]


def test_ten_thousand_profiles_are_listed(tmp_path: Path) -> None:
    path = directory(tmp_path)
    write_manifest(path, *({"name": f"p{number}", "path": f"p{number}.toml", "version": 3} for number in range(10_000)))
    assert len(listed(ConfigProfilesStore(path))) == 10_001


# ---- which application


def test_the_directorys_own_name_is_the_application(tmp_path: Path) -> None:
    path = directory(tmp_path)
    (path / "other.toml").write_text("")
    assert ConfigProfilesStore(path).load_registries().registries[0].slug == "wa"


def test_else_the_only_toml_file_names_it(tmp_path: Path) -> None:
    path = directory(tmp_path).rename(tmp_path / "elsewhere")
    assert ConfigProfilesStore(path).load_registries().registries[0].slug == "wa"


def test_of_several_the_application_has_to_be_named(tmp_path: Path) -> None:
    path = directory(tmp_path).rename(tmp_path / "elsewhere")
    (path / "WB.toml").write_text('name = "wb"')
    with pytest.raises(ValidationError, match=r"several base files.*\?app="):
        ConfigProfilesStore(path).load_registries()
    (registry,) = ConfigProfilesStore(path, "WB").load_registries().registries
    assert (registry.slug, registry.defaults.step_settings_patch) == ("wb", {"name": "wb"})


@pytest.mark.parametrize("app", ["../x", "a/b", "..", "", "é", "a\0b", "."])
def test_a_name_that_no_file_or_registry_can_have_is_refused(tmp_path: Path, app: str) -> None:
    with pytest.raises(LiveryError):
        ConfigProfilesStore(tmp_path / "no name!", app).load_registries()


def test_nothing_is_there_where_the_directory_is_missing(tmp_path: Path) -> None:
    with pytest.raises(SourceNotFound):
        ConfigProfilesStore(tmp_path / "wa").load_registries()


def test_a_file_is_no_directory_of_profiles(tmp_path: Path) -> None:
    (tmp_path / "wa").write_text("")
    with pytest.raises(SourceUnavailable, match="must be a directory"):
        ConfigProfilesStore(tmp_path / "wa").load_registries()


def test_default_is_listed_where_there_is_nothing_else_and_nothing_is_made(tmp_path: Path) -> None:
    store = ConfigProfilesStore(tmp_path)
    assert listed(store) == ["default"]
    assert not whole_of(tmp_path, store).runtime.given()
    assert list(tmp_path.iterdir()) == []


def whole_of(path: Path, store: ConfigProfilesStore) -> Any:
    (registry,) = store.load_registries().registries
    return store.get_profile(registry.slug, "default")


@pytest.mark.parametrize("part", [".", ".."])
def test_a_directory_that_may_not_be_read_is_unavailable_and_not_missing(path: Path, part: str) -> None:
    opened_up(path)
    (path / part).chmod(0)
    with without_power(), pytest.raises(SourceUnavailable, match="Permission denied"):
        ConfigProfilesStore(path).load_registries()
    (path / part).chmod(0o755)


# ---- a base file that cannot be used


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _nowhere(path: Path) -> None:
    path.symlink_to("nowhere")


def _loop(path: Path) -> None:
    path.symlink_to(path.name)


ODDITIES: list[Callable[[Path], Any]] = [Path.mkdir, _pipe, _nowhere, _loop]


@pytest.mark.parametrize("make", [Path.touch, _pipe, _nowhere, _loop])
def test_profiles_that_are_no_directory_are_unavailable_and_not_missing(
    path: Path, make: Callable[[Path], Any]
) -> None:
    (path / "profiles").rename(path / "away")
    make(path / "profiles")
    with pytest.raises(SourceUnavailable, match="profiles is unavailable"):
        ConfigProfilesStore(path).load_registries()


@pytest.mark.parametrize("make", ODDITIES)
def test_what_is_no_base_file_breaks_the_registry_and_is_never_taken_for_an_empty_one(
    store: ConfigProfilesStore, path: Path, make: Callable[[Path], Any]
) -> None:
    (path / "wa.toml").unlink()
    make(path / "wa.toml")
    (item,) = ConfigProfilesStore(path, "wa").load_registries().broken
    assert (item.registry, item.profile) == ("wa", "")
    with pytest.raises(LiveryError):
        ConfigProfilesStore(path, "wa").get_profile("wa", "default")


@pytest.mark.parametrize("text", ["a = ", "\0", "a = '\udcff'", "[_profile]\nunset = ['a']", "x = " + "[" * 10_000])
def test_a_broken_base_file_is_an_error_with_its_place(path: Path, text: str) -> None:
    (path / "wa.toml").write_bytes(text.encode(errors="surrogateescape"))
    (item,) = ConfigProfilesStore(path).load_registries().broken
    assert isinstance(item.error, ValidationError)
    assert str(path / "wa.toml") in str(item.error)


# ---- overlays that cannot be used


def test_an_entry_whose_file_is_missing_is_listed_and_an_error_on_use(store: ConfigProfilesStore, path: Path) -> None:
    (path / "profiles" / "quiet.toml").unlink()
    assert "quiet" in listed(store)
    with pytest.raises(SourceNotFound, match=r"quiet\.toml.*listed in .*manifest\.json"):
        store.get_profile("wa", "quiet")
    assert "quiet" in [entry["name"] for entry in manifest_of(path)["profiles"]]


@pytest.mark.parametrize("make", ODDITIES)
def test_what_is_no_overlay_is_the_error_of_that_profile_alone(
    store: ConfigProfilesStore, path: Path, make: Callable[[Path], Any]
) -> None:
    (path / "profiles" / "quiet.toml").unlink()
    make(path / "profiles" / "quiet.toml")
    assert listed(store) == ["default", "incident", "quiet"]
    with pytest.raises(LiveryError):
        store.get_profile("wa", "quiet")
    assert whole(store, "incident")


def test_every_fault_of_an_overlay_is_told_with_its_line(store: ConfigProfilesStore, path: Path) -> None:
    overlay = path / "profiles" / "quiet.toml"
    overlay.write_text('a = 1\n[_profile]\nunset = ["a..b"]\nextend = "x"\n')
    with pytest.raises(ValidationError) as caught:
        store.get_profile("wa", "quiet")
    assert {fault.place and fault.place.line for fault in caught.value.faults} == {3, 4}


@pytest.mark.parametrize("name", ["a b", "é", "\u212a", "../x", "other/x"])
def test_a_base_that_is_no_name_is_told_with_its_line(store: ConfigProfilesStore, path: Path, name: str) -> None:
    (path / "profiles" / "quiet.toml").write_text(f'[_profile]\nextends = "{name}"\n')
    with pytest.raises(ValidationError, match=r"quiet\.toml:2:.*is no name of a profile"):
        store.get_profile("wa", "quiet")


def test_bases_are_folded_and_default_goes_without_saying(store: ConfigProfilesStore, path: Path) -> None:
    (path / "profiles" / "quiet.toml").write_text('[_profile]\nextends = ["Default", "INCIDENT"]\n')
    assert whole(store, "quiet").extends == (Reference("wa", "incident"),)


def test_bases_are_told_without_reading_whole_profiles(store: ConfigProfilesStore, path: Path) -> None:
    (path / "profiles" / "quiet.toml").write_text('_profile.extends = ["default", "INCIDENT"]\n')
    (path / "profiles" / "odd.toml").write_text('[_profile]\n"ext\\u0065nds" = "quiet"\n')
    (path / "profiles" / "broken.toml").write_text("extends =")
    write_manifest(path, *({"name": name} for name in ("incident", "quiet", "odd", "broken", "gone")))
    loaded = store.load_registries()
    assert loaded.bases is not None
    assert loaded.bases("wa") == {"quiet": (Reference("wa", "incident"),), "odd": (Reference("wa", "quiet"),)}
    assert (loaded.bases("other"), len(store.watched())) == ({}, 5)


def test_directives_stand_in_the_settings(store: ConfigProfilesStore, path: Path) -> None:
    (path / "profiles" / "quiet.toml").write_text('[_profile]\nunset = ["log.format"]\nappend = {tags = ["x"]}\n')
    assert whole(store, "quiet").runtime.step_settings_patch == {"log": {"format": None}, "tags": {"$append": ["x"]}}


@pytest.mark.parametrize("written", ["../../x.toml", "/etc/passwd.toml", "a\\b.toml", "", 7, "manifest.json"])
def test_a_path_out_of_the_directory_is_the_error_of_that_profile_alone(path: Path, written: Any) -> None:
    write_manifest(path, {"name": "bad", "path": written}, {"name": "quiet"})
    store = ConfigProfilesStore(path)
    (item,) = store.load_registries().broken
    assert (item.profile, listed(store)) == ("bad", ["default", "quiet"])
    with pytest.raises(ValidationError, match=r"manifest\.json"):
        store.get_profile("wa", "bad")


def test_a_path_may_lead_into_a_directory_below(store: ConfigProfilesStore, path: Path) -> None:
    (path / "profiles" / "night").mkdir()
    (path / "profiles" / "quiet.toml").rename(path / "profiles" / "night" / "q.toml")
    write_manifest(path, {"name": "quiet", "path": "night/q.toml"})
    assert whole(store, "quiet").runtime.step_settings_patch == {"log": {"level": "error"}}


@pytest.mark.parametrize("part", ["quiet.toml", "out/quiet.toml"])
def test_a_link_that_leaves_the_directory_is_not_followed(path: Path, part: str) -> None:
    (path.parent / "out").mkdir()
    (path.parent / "out" / "quiet.toml").write_text("secret = 1")
    (path / "profiles" / "quiet.toml").unlink()
    link = path / "profiles" / part.partition("/")[0]
    link.symlink_to(path.parent / "out" / ("quiet.toml" if link.suffix else ""))
    write_manifest(path, {"name": "quiet", "path": part})
    with pytest.raises(ValidationError, match="out of"):
        ConfigProfilesStore(path).get_profile("wa", "quiet")


def test_a_link_within_the_directory_is_followed(store: ConfigProfilesStore, path: Path) -> None:
    (path / "profiles" / "quiet.toml").unlink()
    (path / "profiles" / "quiet.toml").symlink_to("incident.toml")
    assert whole(store, "quiet").runtime == whole(store, "incident").runtime


# ---- a manifest that cannot be used


CORRUPT = [b"", b"null", b"[]", b'{"profiles":{}}', b"\0\0", b'{"version":1,"profiles":[', b"[" * 10**7, b"\xff"]


@pytest.mark.parametrize("data", CORRUPT, ids=lambda data: repr(data[:20]))
def test_a_corrupt_manifest_is_made_anew_and_its_bytes_are_kept(path: Path, data: bytes) -> None:
    manifest = path / "profiles" / "manifest.json"
    manifest.write_bytes(data)
    store = ConfigProfilesStore(path, now_ms=lambda: 77)
    told = notices(store)
    assert "made anew" in told and "manifest.json.corrupt-77" in told
    assert (path / "profiles" / "manifest.json.corrupt-77").read_bytes() == data
    assert [entry["name"] for entry in manifest_of(path)["profiles"]] == ["incident", "quiet"]
    assert listed(store) == ["default", "incident", "quiet"]
    assert notices(store) == told  # as long as it is the manifest that was made from here
    assert notices(ConfigProfilesStore(path)) == ""


def test_of_corrupt_manifests_the_newest_three_are_kept(path: Path) -> None:
    for at_ms in range(5):
        (path / "profiles" / "manifest.json").write_text("{")
        ConfigProfilesStore(path, now_ms=lambda at_ms=at_ms: at_ms).load_registries()
    kept = sorted(file.name for file in path.glob("profiles/manifest.json.corrupt-*"))
    assert kept == [f"manifest.json.corrupt-{at_ms}" for at_ms in (2, 3, 4)]


def test_a_missing_manifest_is_made_of_the_files_and_their_times(path: Path) -> None:
    (path / "profiles" / "manifest.json").unlink()
    os.utime(path / "profiles" / "quiet.toml", ns=(0, 1_234_000_000))
    assert "made anew" in notices(ConfigProfilesStore(path))
    (entry,) = (entry for entry in manifest_of(path)["profiles"] if entry["name"] == "quiet")
    assert entry == {"name": "quiet", "path": "quiet.toml", "created_at": 1234, "updated_at": 1234}


def test_no_manifest_is_made_where_there_is_nothing_to_list(tmp_path: Path) -> None:
    path = directory(tmp_path)
    (path / "profiles" / "manifest.json").unlink()
    assert (notices(ConfigProfilesStore(path)), listed(ConfigProfilesStore(path))) == ("", ["default"])
    assert list((path / "profiles").iterdir()) == []


def test_a_read_only_source_lists_the_files_and_writes_nothing(path: Path) -> None:
    (path / "profiles" / "manifest.json").write_text("{")
    before = tree(path)
    store = ConfigProfilesStore(path, writable=False)
    assert listed(store) == ["default", "incident", "quiet"]
    assert "listed from the files" in notices(store)
    assert tree(path) == before


def test_in_a_directory_that_cannot_be_written_the_files_are_listed(path: Path) -> None:
    (path / "profiles" / "manifest.json").write_text("{")
    opened_up(path / "profiles").chmod(0o555)
    with without_power():
        store = ConfigProfilesStore(path)
        assert listed(store) == ["default", "incident", "quiet"]
        assert "not made anew" in notices(store)
    (path / "profiles").chmod(0o755)


def test_a_listing_changes_with_the_files(path: Path) -> None:
    (path / "profiles" / "manifest.json").unlink()
    store = ConfigProfilesStore(path, writable=False)
    token = store.load_registries().token
    assert store.changes(token) == token
    (path / "profiles" / "third.toml").write_text("")
    assert store.changes(token) != token
    assert "third" in listed(store)


@pytest.mark.parametrize("make", ODDITIES)
def test_what_is_no_manifest_file_is_left_alone_and_the_files_are_listed(
    path: Path, make: Callable[[Path], Any]
) -> None:
    manifest = path / "profiles" / "manifest.json"
    manifest.unlink()
    make(manifest)
    before = os.lstat(manifest)
    store = ConfigProfilesStore(path)
    assert listed(store) == ["default", "incident", "quiet"]
    assert "listed from the files" in notices(store)
    assert os.path.samestat(before, os.lstat(manifest))


@pytest.mark.parametrize(
    ("name", "reason"),
    [("my profile.toml", "its name"), ("default.toml", "is the base file"), ("café.toml", "its name")],
)
def test_a_file_that_is_no_profile_is_left_out_and_told(path: Path, name: str, reason: str) -> None:
    (path / "profiles" / name).write_text("")
    store = ConfigProfilesStore(path, writable=False)
    (path / "profiles" / "manifest.json").unlink()
    assert reason in notices(store)
    assert listed(store) == ["default", "incident", "quiet"]


@pytest.mark.parametrize("make", [*ODDITIES, lambda path: path.write_bytes(b" " * (1024 * 1024 + 1))])
def test_a_listing_leaves_out_what_is_no_readable_file(path: Path, make: Callable[[Path], Any]) -> None:
    (path / "profiles" / "manifest.json").unlink()
    make(path / "profiles" / "odd.toml")
    store = ConfigProfilesStore(path, writable=False)
    assert listed(store) == ["default", "incident", "quiet"]
    assert "odd.toml" in notices(store)


def test_of_files_that_fold_to_one_name_the_one_in_lower_case_is_used(path: Path) -> None:
    (path / "profiles" / "Incident.toml").write_text("x = 1")
    (path / "profiles" / "manifest.json").unlink()
    store = ConfigProfilesStore(path)
    assert "Incident.toml" in notices(store)
    assert whole(store, "incident").runtime.step_settings_patch == {"log": {"level": "debug"}}


def test_odd_entries_are_told_and_break_no_other(path: Path) -> None:
    write_manifest(path, None, {"name": "a b"}, {"name": "QUIET"}, {"name": "quiet"}, {"name": "default"})
    store = ConfigProfilesStore(path)
    assert listed(store) == ["default", "quiet"]
    assert [field for field in ("[0]", "[1]", "[3]", "[4]") if f"profiles{field}" not in notices(store)] == []


def test_a_manifest_of_a_later_version_is_listed_with_a_warning(path: Path) -> None:
    manifest = path / "profiles" / "manifest.json"
    manifest.write_text('{"version": 3, "profiles": [{"name": "quiet"}]}')
    store = ConfigProfilesStore(path)
    assert listed(store) == ["default", "quiet"]
    assert "has version 3" in notices(store)


# ---- changes, places, what to watch


def test_reading_a_profile_is_no_change_and_a_change_of_it_is_one(store: ConfigProfilesStore, path: Path) -> None:
    loaded = store.load_registries()
    whole(store, "quiet")
    assert store.changes(loaded.token) == loaded.token
    (path / "profiles" / "quiet.toml").write_text("x = 1")
    assert store.changes(loaded.token) != loaded.token
    assert store.changes(store.load_registries().token) == store.load_registries().token


def test_a_change_of_an_overlay_that_nobody_has_read_is_none(store: ConfigProfilesStore, path: Path) -> None:
    token = store.load_registries().token
    (path / "profiles" / "quiet.toml").write_text("x = 1")
    assert store.changes(token) == token


def test_a_change_between_list_and_first_read_is_seen_by_the_read(store: ConfigProfilesStore, path: Path) -> None:
    loaded = store.load_registries()
    (path / "profiles" / "quiet.toml").write_text("x = 1")
    assert loaded.read is not None
    assert loaded.read("wa", "quiet").runtime.step_settings_patch == {"x": 1}


def test_a_vanished_overlay_is_a_change(store: ConfigProfilesStore, path: Path) -> None:
    token = store.load_registries().token
    whole(store, "quiet")
    (path / "profiles" / "quiet.toml").unlink()
    assert store.changes(token) != token


@pytest.mark.parametrize("file", ["wa.toml", "profiles/manifest.json"])
def test_a_touched_file_is_no_change(store: ConfigProfilesStore, path: Path, file: str) -> None:
    token = store.load_registries().token
    os.utime(path / file, ns=(0, time.time_ns()))
    assert store.changes(token) == token


def test_lines_are_found_in_base_and_overlays(store: ConfigProfilesStore, path: Path) -> None:
    (path / "profiles" / "quiet.toml").write_text('a.b = 1\n[_profile]\nunset = ["log"]\nextends = "incident"\n')
    token = store.load_registries().token
    wanted = [
        Field("wa", "", "defaults.step_settings_patch.log.level"),
        Field("wa", "default", "runtime.step_settings_patch.log.format"),
        Field("wa", "quiet", "runtime.step_settings_patch.a.b"),
        Field("wa", "quiet", "runtime.step_settings_patch.log"),
        Field("wa", "quiet", "extends[0]"),
        Field("nobody", "quiet", "extends"),
    ]
    found = store.places(wanted, token)
    assert [place and (Path(place.file).name, place.line) for place in found] == [
        ("wa.toml", 5),
        ("wa.toml", 6),
        ("quiet.toml", 1),
        ("quiet.toml", 3),
        ("quiet.toml", 4),
        None,
    ]


def test_a_directive_is_found_on_its_own_line(store: ConfigProfilesStore, path: Path) -> None:
    lines = ["[_profile]", 'unset = ["log",', '  "name"]', "[_profile.remove]", "tags = [1]", "[_profile.append]"]
    lines += ["tags = [2]", '"log.more" = [3]', "[log]", "new = 1"]
    (path / "profiles" / "quiet.toml").write_text("\n".join(lines))
    token = store.load_registries().token
    asked = ("name", "tags", "log.level", "log.new", "log.more")
    found = store.places([Field("wa", "quiet", f"runtime.step_settings_patch.{field}") for field in asked], token)
    assert [place and place.line for place in found] == [3, 5, 2, 10, 8]


def test_no_lines_are_told_of_another_state(store: ConfigProfilesStore, path: Path) -> None:
    token = store.load_registries().token
    (path / "wa.toml").write_text("\n" + BASE)
    assert store.places([Field("wa", "", "defaults.step_settings_patch.name")], token) == [None]


def test_a_description_stands_in_the_manifest(store: ConfigProfilesStore, path: Path) -> None:
    (place,) = store.places([Field("wa", "quiet", "description")], store.load_registries().token)
    assert place is not None
    assert place.file == str(path / "profiles" / "manifest.json")


def test_what_was_read_is_watched(store: ConfigProfilesStore, path: Path) -> None:
    assert path / "profiles" / "quiet.toml" not in store.watched()
    whole(store, "quiet")
    profiles = path / "profiles"
    expected = {path, profiles, path / "wa.toml", profiles / "manifest.json", profiles / "active.json"}
    assert set(store.watched()) == {*expected, profiles / "quiet.toml"}


def test_a_missing_directory_is_watched_for(tmp_path: Path) -> None:
    assert ConfigProfilesStore(tmp_path / "wa").watched() == (tmp_path / "wa",)


# ---- versions


def test_an_edit_by_hand_counts_as_a_version(store: ConfigProfilesStore, path: Path) -> None:
    write_manifest(path, {"name": "quiet", "version": 4, "digest": "sha256:of other bytes", "updated_by": "alice"})
    read = whole(store, "quiet")
    assert (read.version, read.runtime_version, read.metadata.updated_by) == (5, 5, "")


def test_without_a_digest_there_is_no_telling(store: ConfigProfilesStore, path: Path) -> None:
    write_manifest(path, {"name": "quiet", "version": 4})
    assert whole(store, "quiet").version == 4


def test_a_list_shows_the_version_of_what_was_read(store: ConfigProfilesStore, path: Path) -> None:
    write_manifest(path, {"name": "quiet", "version": 4, "digest": "sha256:of other bytes"})
    whole(store, "quiet")
    assert store.load_registries().registries[0].profiles["quiet"].version == 5
