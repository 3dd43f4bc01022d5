"""The change feed follows files wherever they go. Real files, and the system's own notifications."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from livery.changes import ChangeFeed
from livery.changes.directories import Directories
from livery.core.catalogue import Catalogue
from livery.core.changes import Change
from livery.core.profile import ResolveInput
from livery.errors import LiveryError, SourceUnavailable
from livery.service import RegistryService
from tests.support.registries import engine, opened, write
from tests.support.waiting import until

NEVER_S = 3600.0
"""A poll that does not come: what is seen was told by the system."""


def team(name: str = "x", slug: str = "team") -> str:
    """A registry whose one profile says which text it is from."""
    return f"slug: {slug}\nprofiles: {{coder: {{runtime: {{step_settings_patch: {{chat: {{engine: {name}}}}}}}}}}}\n"


class Followed:
    """A service whose sources are followed, with all that its subscribers hear."""

    def __init__(self, service: RegistryService, feed: ChangeFeed) -> None:
        self.service, self.feed = service, feed
        self.lists: list[list[Change]] = []
        self.refreshes = 0
        service.subscribe(self.take)

    def take(self, catalogue: Catalogue, changes: list[Change]) -> None:
        self.lists.append(changes)

    def kinds(self) -> list[tuple[str, str, str]]:
        return [change[:3] for changes in self.lists for change in changes]

    def sees(self, name: str, registry: str = "team") -> None:
        """Wait until the profile is that of a text; on a busy machine a file may rest half-written."""

        def found() -> bool:
            with suppress(LiveryError):
                return bool(engine(self.service, "coder", registry_slug=registry) == name)
            return False

        until(found)


@contextmanager
def following(*sources: Path | str, poll_s: float = NEVER_S) -> Iterator[Followed]:
    """Sources that are read and followed by now."""
    service = opened(*sources)
    _ = service.catalogue
    refresh = service.refresh

    def look() -> bool:
        try:
            return refresh()
        finally:
            followed.refreshes += 1

    service.refresh = look  # type: ignore[method-assign]
    feed = ChangeFeed(service, poll_s=poll_s)
    followed = Followed(service, feed)
    with feed:
        until(lambda: followed.refreshes)
        yield followed
    service.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write(tmp_path / "conf" / "team.yaml", team())


def in_place(path: Path, text: str) -> None:
    path.write_text(text)


def by_renaming(path: Path, text: str) -> None:
    temporary = path.with_name(".new")
    temporary.write_text(text)
    temporary.replace(path)


def in_pieces(path: Path, text: str) -> None:
    with path.open("w") as file:
        for piece in text:
            file.write(piece)
            file.flush()


def as_a_new_file(path: Path, text: str) -> None:
    path.unlink()
    path.write_text(text)


@pytest.mark.parametrize("save", [in_place, by_renaming, in_pieces, as_a_new_file])
def test_an_edit_is_seen_however_it_is_saved(path: Path, save: Callable[[Path, str], None]) -> None:
    with following(path) as followed:
        save(path, team("y"))
        followed.sees("y")
        save(path, team("z"))
        followed.sees("z")
    assert ("team", "coder", "updated") in followed.kinds()


def test_a_burst_of_writes_of_one_content_is_one_change(path: Path) -> None:
    with following(path) as followed:
        for _ in range(5):
            by_renaming(path, team("y"))
            time.sleep(0.05)
        followed.sees("y")
        by_renaming(path, team("z"))
        followed.sees("z")
        until(lambda: len(followed.kinds()) == 2)
    assert followed.kinds() == [("team", "coder", "updated")] * 2
    assert followed.refreshes <= 12


@pytest.mark.parametrize("touch", [os.utime, lambda p: p.write_text(f"# a comment\n{p.read_text()}")])
def test_a_touch_and_a_comment_are_no_change(path: Path, touch: Callable[[Path], None]) -> None:
    with following(path) as followed:
        touch(path)
        until(lambda: followed.refreshes > 1)
        path.write_text(team("y"))
        followed.sees("y")
        until(followed.kinds)
    assert followed.kinds() == [("team", "coder", "updated")]


def test_reading_wakes_nobody(path: Path) -> None:
    with following(path) as followed:
        path.write_text(team("y"))
        followed.sees("y")
        until(lambda: len(followed.lists) == 1)
        time.sleep(0.4)
        seen = followed.refreshes
        for _ in range(20):
            path.read_text()
            os.listdir(path.parent)
            followed.service.located_findings()
            time.sleep(0.02)
        time.sleep(0.4)
    assert followed.refreshes == seen


def test_what_happens_to_other_files_beside_it_wakes_nobody(path: Path) -> None:
    with following(path) as followed:
        for number in range(20):
            (path.parent / f"other{number}").write_text("x")
            time.sleep(0.02)
        time.sleep(0.4)
    assert followed.refreshes == 1


def test_a_broken_edit_is_told_and_what_was_good_is_served_until_it_is_mended(path: Path) -> None:
    with following(path) as followed:
        path.write_text(team("[y"))
        until(lambda: followed.kinds() == [("team", "", "broken")])
        assert "team.yaml:" in followed.lists[0][0].error
        assert engine(followed.service, "coder") == "x"
        path.write_text(team("y"))
        until(lambda: len(followed.kinds()) > 1)
    assert set(followed.kinds()[1:]) == {("team", "", "repaired"), ("team", "coder", "updated")}


def test_one_broken_file_holds_up_no_other(tmp_path: Path, path: Path) -> None:
    other = write(tmp_path / "other.yaml", team(slug="other"))
    with following(path, other) as followed:
        path.write_text("slug: [")
        other.write_text(team("y", "other"))
        followed.sees("y", "other")
        assert engine(followed.service, "coder", registry_slug="team") == "x"
        path.write_text(team("z"))
        followed.sees("z")


# Directories that are replaced


def test_a_directory_that_is_moved_away_and_made_anew_is_followed(path: Path) -> None:
    with following(path) as followed:
        for number in range(3):
            path.parent.rename(path.parent.with_name(f"old{number}"))
            path.parent.mkdir()
            path.write_text(team(f"y{number}"))
            followed.sees(f"y{number}")
            path.write_text(team(f"z{number}"))
            followed.sees(f"z{number}")


def test_a_directory_that_is_removed_and_made_anew_is_followed(path: Path) -> None:
    with following(path) as followed:
        for number in range(3):
            shutil.rmtree(path.parent)
            until(lambda: followed.service.sources[0].error)
            write(path, team(f"y{number}"))
            followed.sees(f"y{number}")
            path.write_text(team(f"z{number}"))
            followed.sees(f"z{number}")


def test_a_directory_that_is_swapped_by_a_link_is_followed(tmp_path: Path) -> None:
    for name in ("one", "two", "three"):
        write(tmp_path / name / "team.yaml", team(name))
    link = tmp_path / "current"
    link.symlink_to("one")
    with following(link / "team.yaml") as followed:
        for name in ("two", "three", "one"):
            (tmp_path / "next").symlink_to(name)
            (tmp_path / "next").replace(link)
            followed.sees(name)
            (tmp_path / name / "team.yaml").write_text(team(f"{name}-edited"))
            followed.sees(f"{name}-edited")


def test_a_mounted_volume_whose_data_is_swapped_is_followed(tmp_path: Path) -> None:
    mount = tmp_path / "mount"
    write(mount / "..1" / "team.yaml", team("one"))
    (mount / "..data").symlink_to("..1")
    (mount / "team.yaml").symlink_to("..data/team.yaml")
    with following(mount / "team.yaml") as followed:
        for number in range(2, 5):
            write(mount / f"..{number}" / "team.yaml", team(f"v{number}"))
            (mount / "..data_tmp").symlink_to(f"..{number}")
            (mount / "..data_tmp").replace(mount / "..data")
            shutil.rmtree(mount / f"..{number - 1}")
            followed.sees(f"v{number}")


def test_a_file_behind_links_is_followed_where_it_really_is(tmp_path: Path) -> None:
    real = write(tmp_path / "real" / "team.yaml", team())
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "link.yaml").symlink_to("../b/link.yaml")
    (tmp_path / "b").symlink_to(tmp_path / "c")
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "link.yaml").symlink_to(real)
    with following(tmp_path / "a" / "link.yaml") as followed:
        real.write_text(team("y"))
        followed.sees("y")


def test_a_file_whose_directories_are_yet_to_be_made_is_found(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "team.yaml"
    with following(f"yaml:{path}?optional=1") as followed:
        write(path, team("y"))
        until(lambda: followed.service.catalogue.registries)
        path.write_text(team("z"))
        followed.sees("z")
    assert ("team", "coder", "created") in followed.kinds()


# Sources that are directories


def servers(name: str) -> str:
    return f"servers: [{{name: {name}, cmd: [server]}}]\n"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A profile store of two profiles."""
    for name in ("default", "chat"):
        write(tmp_path / "store" / "profiles" / f"{name}.yaml", servers(name))
    write(tmp_path / "store" / "callers.yaml", "callers: {bob: default}\n")
    return tmp_path / "store"


def has_server(followed: Followed, profile: str, name: str) -> None:
    """Wait until a profile of the store has this server."""

    def found() -> bool:
        with suppress(LiveryError):
            held = followed.service.resolve_effective_profile(ResolveInput(profile_slug=profile)).effective_servers
            return [server["name"] for server in held] == [name]
        return False

    until(found)


def test_of_a_directory_one_broken_file_holds_up_no_other(store: Path) -> None:
    with following(f"profile-store:{store}") as followed:
        (store / "profiles" / "chat.yaml").write_text("servers: [")
        (store / "profiles" / "default.yaml").write_text(servers("edited"))
        has_server(followed, "default", "edited")
        has_server(followed, "chat", "chat")
        (store / "profiles" / "chat.yaml").write_text(servers("mended"))
        has_server(followed, "chat", "mended")
    kinds = followed.kinds()
    assert ("store", "chat", "broken") in kinds and ("store", "default", "updated") in kinds
    assert kinds[-1] == ("store", "chat", "updated")


def test_files_that_come_and_go_in_a_directory_are_seen(store: Path) -> None:
    with following(f"profile-store:{store}") as followed:
        (store / "profiles" / "new.yaml").write_text(servers("new"))
        until(lambda: ("store", "new", "created") in followed.kinds())
        (store / "profiles" / "new.yaml").unlink()
        until(lambda: ("store", "new", "deleted") in followed.kinds())
        (store / "callers.yaml").write_text("callers: {bob: chat}\n")
        until(lambda: ("store", "", "updated") in followed.kinds())


def test_a_directory_of_profiles_that_is_moved_away_and_made_anew_is_followed(store: Path) -> None:
    profiles = store / "profiles"
    with following(f"profile-store:{store}") as followed:
        profiles.rename(store / "old")
        until(lambda: "broken" in {kind for _, _, kind in followed.kinds()})
        has_server(followed, "default", "default")
        for name in ("default", "chat"):
            write(profiles / f"{name}.yaml", servers(f"{name}-anew"))
        has_server(followed, "default", "default-anew")
        (profiles / "chat.yaml").write_text(servers("again"))
        has_server(followed, "chat", "again")


def test_an_overlay_that_is_in_use_is_followed(tmp_path: Path) -> None:
    write(tmp_path / "app" / "app.toml", "[general]\nlevel = 1\n")
    overlay = write(tmp_path / "app" / "profiles" / "fast.toml", "[general]\nlevel = 2\n")
    with following(f"config-profiles:{tmp_path / 'app'}") as followed:

        def level() -> object:
            request = ResolveInput(profile_slug="fast")
            return followed.service.resolve_effective_profile(request).effective_step_settings["general"]["level"]

        assert level() == 2
        overlay.write_text("[general]\nlevel = 3\n")
        until(lambda: level() == 3)
        until(followed.kinds)
    assert followed.kinds() == [("app", "fast", "updated")]


# When the system does not help


def test_without_notifications_the_sources_are_looked_at_now_and_then(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*arguments: object) -> None:
        raise OSError(28, "inotify watch limit reached")

    monkeypatch.setattr("watchfiles._rust_notify.RustNotify", fail)
    with following(path, poll_s=0.05) as followed:
        path.write_text(team("y"))
        followed.sees("y")
        until(lambda: followed.refreshes > 5)
        assert not followed.feed.is_notified
    assert caplog.text.count("OSError: [Errno 28] inotify watch limit reached") == 1


def test_what_the_system_does_not_tell_is_found_by_looking(path: Path) -> None:
    """A directory two above is replaced: nobody watches that far up."""
    deep = write(path.parent / "a" / "b" / "team.yaml", team())
    with following(deep, poll_s=0.2) as followed:
        path.parent.rename(path.parent.with_name("old"))
        write(deep, team("y"))
        followed.sees("y")
        deep.write_text(team("z"))
        followed.sees("z")


def test_a_look_that_fails_is_logged_once_and_ends_nothing(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with following(path, poll_s=0.05) as followed:
        good = followed.service.refresh
        tries: list[None] = []

        def fail() -> bool:
            tries.append(None)
            raise RuntimeError("the disk is on fire")

        followed.service.refresh = fail  # type: ignore[method-assign]
        until(lambda: len(tries) > 3)
        followed.service.refresh = good  # type: ignore[method-assign]
        path.write_text(team("y"))
        followed.sees("y")
    assert caplog.text.count("RuntimeError: the disk is on fire") == 1


def test_a_store_that_is_closed_ends_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with following(path, "memory:", poll_s=0.05) as followed:

        def watched() -> list[Path]:
            raise SourceUnavailable("memory:", "it is closed")

        monkeypatch.setattr(followed.service.sources[1].store, "watched", watched)
        path.write_text(team("y"))
        followed.sees("y")


def test_a_writer_that_is_killed_in_the_middle_leaves_the_last_good_state(path: Path) -> None:
    program = "import sys; f = open(sys.argv[1], 'w'); f.write('slug: team\\nprofiles: {co'); f.flush(); input()"
    with following(path) as followed:
        with subprocess.Popen([sys.executable, "-c", program, str(path)], stdin=subprocess.PIPE) as writer:
            until(followed.kinds)
            writer.kill()
        assert engine(followed.service, "coder") == "x"
        path.write_text(team("y"))
        followed.sees("y")
    assert followed.kinds()[0] == ("team", "", "broken")


def test_a_feed_stops_when_it_is_told_to_also_if_it_never_began(path: Path) -> None:
    feed = ChangeFeed(opened(path))
    feed.close()
    feed.start()
    feed.close()
    feed.close()
    until(lambda: not feed.is_alive)


def test_a_process_with_a_feed_ends_by_itself(path: Path) -> None:
    program = (
        "import sys, time; from livery import open_registry; from livery.changes import ChangeFeed\n"
        "feed = ChangeFeed(open_registry(sys.argv[1])).start()\n"
        "while not feed.is_notified: time.sleep(0.01)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


# Which directories are watched


def test_of_a_directory_everything_counts_and_of_a_file_its_name(tmp_path: Path) -> None:
    real = Path(os.path.realpath(tmp_path))
    (real / "profiles").mkdir()
    found = Directories([tmp_path / "profiles", tmp_path / "team.yaml"])
    assert set(found.identities) == {str(real.parent), str(real), str(real / "profiles")}
    paths = [str(real / name) for name in ("profiles/.new", "team.yaml", "profiles", "other.yaml", "profiles/a/b")]
    assert found.concerned(paths) == set(paths[:3])


def test_links_in_a_directory_are_followed(tmp_path: Path) -> None:
    real = Path(os.path.realpath(tmp_path))
    write(real / "shared" / "a.yaml", "")
    (real / "profiles").mkdir()
    (real / "profiles" / "a.yaml").symlink_to("../shared/a.yaml")
    paths = [str(real / "shared" / name) for name in ("a.yaml", "b.yaml")]
    assert Directories([real / "profiles"]).concerned(paths) == {paths[0]}


@pytest.mark.parametrize("path", ["loop", "loop/x", "file/x", "a\0b", "", "missing/a/../b", "fifo", "/", "."])
def test_any_path_leads_to_directories_that_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "fifo")
    found = Directories([path])
    assert found.identities and all(os.path.isdir(directory) for directory in found.identities)
