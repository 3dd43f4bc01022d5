"""Files of users: written whole or not at all, one writer at a time, nothing left behind."""

from __future__ import annotations

import ctypes
import itertools
import os
import random
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from livery.errors import Locked, SourceNotFound, SourceUnavailable, ValidationError
from livery.stores import files
from livery.stores.files import (
    atomic_write,
    digest,
    locked,
    make_directory,
    read_file,
    remove_file,
    replace_directory,
    replace_file,
    update_file,
)

OTHER_USER = 65534


@pytest.fixture
def target(tmp_path: Path) -> Path:
    path = tmp_path / "profiles.yaml"
    path.write_bytes(b"old")
    path.chmod(0o640)
    return path


def void(_: object) -> None:
    """For lambdas that give nothing."""


def names(directory: Path) -> list[str]:
    return sorted(os.listdir(directory))


def run(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)


def start(code: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


# ---- reading


def test_a_file_is_read_whole(target: Path) -> None:
    assert read_file(target) == b"old"


def test_a_missing_file_is_not_found(tmp_path: Path, target: Path) -> None:
    for path in (tmp_path / "none.yaml", target / "below"):
        with pytest.raises(SourceNotFound):
            read_file(path)


def test_what_is_no_file_is_unavailable_and_never_waited_for(tmp_path: Path) -> None:
    pipe, loop = tmp_path / "pipe", tmp_path / "loop"
    os.mkfifo(pipe)
    loop.symlink_to(loop)
    for path in (tmp_path, pipe, loop, Path("/dev/null")):
        with pytest.raises(SourceUnavailable):
            read_file(path)


def test_a_file_that_is_too_large_is_refused(target: Path) -> None:
    os.truncate(target, files.MAX_BYTES + 1)
    with pytest.raises(ValidationError, match="larger than 64 MiB"):
        read_file(target)


def test_equal_content_has_an_equal_digest() -> None:
    assert digest(b"") == "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


# ---- writing

Write = Callable[[Path, bytes], bool]


@pytest.fixture(params=["atomic_write", "replace_file"])
def write(request: pytest.FixtureRequest) -> Write:
    if request.param == "atomic_write":
        return atomic_write
    return lambda path, data: replace_file(path, lambda _: data)


def test_a_write_replaces_the_content_and_keeps_the_mode(write: Write, target: Path) -> None:
    before = target.stat().st_ino
    assert write(target, b"new") is True
    assert target.read_bytes() == b"new" and target.stat().st_ino != before
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert names(target.parent) == ["profiles.yaml"]


def test_a_new_file_is_private(write: Write, tmp_path: Path) -> None:
    was = os.umask(0)
    try:
        write(tmp_path / "new.yaml", b"x")
    finally:
        os.umask(was)
    assert stat.S_IMODE((tmp_path / "new.yaml").stat().st_mode) == 0o600


def test_the_same_content_is_not_written_at_all(write: Write, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: pytest.fail("something is written"))
    before = target.stat()
    assert write(target, b"old") is False
    assert (target.stat().st_mtime_ns, target.stat().st_ino) == (before.st_mtime_ns, before.st_ino)


def test_nothing_to_change_is_not_written(target: Path) -> None:
    assert replace_file(target, lambda old: None) is False
    assert names(target.parent) == ["profiles.yaml"]


def test_a_link_stays_a_link(write: Write, target: Path) -> None:
    link, other = target.parent / "link", target.parent / "other"
    link.symlink_to(target.name)
    other.symlink_to(link)
    write(other, b"through")
    assert link.is_symlink() and other.is_symlink() and target.read_bytes() == b"through"


@pytest.mark.parametrize("aim", ["nowhere", "no/where", "link"])
@pytest.mark.parametrize("below", ["", "profiles/x.toml"])
def test_a_link_that_leads_to_nothing_is_refused_and_left_alone(
    write: Write, tmp_path: Path, aim: str, below: str
) -> None:
    link = tmp_path / "link"
    link.symlink_to(aim)
    with pytest.raises(SourceUnavailable, match=r"leads to no/?where, which is not there|levels of symbolic links"):
        write(link / below, b"x")
    assert os.readlink(link) == aim and names(tmp_path) == ["link"]


def test_what_is_no_file_is_not_replaced(write: Write, tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailable):
        write(tmp_path, b"x")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SourceUnavailable):
        write(tmp_path / "pipe", b"x")


def test_an_update_gets_what_is_in_the_file_by_then(tmp_path: Path) -> None:
    path = tmp_path / "new.yaml"
    seen: list[bytes | None] = []
    for _ in range(3):
        replace_file(path, lambda old: (seen.append(old), (old or b"") + b"x")[1])
    assert seen == [None, b"x", b"xx"]


def test_what_an_editor_writes_meanwhile_is_not_lost(target: Path) -> None:
    def check(_: bytes) -> None:
        if target.read_bytes() == b"old":
            target.write_bytes(b"by hand")

    replace_file(target, lambda old: (old or b"") + b" and by program", check)
    assert target.read_bytes() == b"by hand and by program"


def test_a_file_that_never_rests_is_not_waited_for_without_end(target: Path) -> None:
    hand = itertools.count()
    with pytest.raises(Locked, match="a program that goes on writing it"):
        replace_file(target, lambda _: b"new", lambda _: void(target.write_bytes(b"%d" % next(hand))))
    assert target.read_bytes().isdigit() and names(target.parent) == ["profiles.yaml"]


@pytest.mark.parametrize("name", ["a\0b", "a\ud800b", "x" * 300])
def test_what_can_be_no_name_of_a_file_is_unavailable(write: Write, tmp_path: Path, name: str) -> None:
    for act in (lambda path: write(path, b"x"), read_file, remove_file):
        with pytest.raises(SourceUnavailable):
            act(tmp_path / name)
    assert names(tmp_path) == []


@pytest.mark.parametrize("error", [ValidationError("", "no"), RuntimeError(), KeyboardInterrupt(), SystemExit()])
def test_a_failing_check_leaves_the_old_file_and_nothing_else(target: Path, error: BaseException) -> None:
    def check(data: bytes) -> None:
        assert data == b"new"
        raise error

    with pytest.raises(type(error)):
        replace_file(target, lambda _: b"new", check)
    assert target.read_bytes() == b"old" and names(target.parent) == ["profiles.yaml"]


@pytest.mark.parametrize("step", ["fsync", "rename", "write", "fchmod"])
def test_a_failure_at_any_step_leaves_the_old_file_and_nothing_else(
    target: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, step, failing)
    with pytest.raises(SourceUnavailable, match="cannot be written: No space left on device"):
        replace_file(target, lambda _: b"new")
    monkeypatch.undo()
    assert target.read_bytes() == b"old" and names(target.parent) == ["profiles.yaml"]


def test_a_full_disk_leaves_the_old_file_and_nothing_else(target: Path) -> None:
    code = """
import resource, sys
from pathlib import Path
from livery.errors import SourceUnavailable
from livery.stores.files import replace_file
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    replace_file(Path(sys.argv[1]), lambda old: b"x" * 1_000_000)
except SourceUnavailable as error:
    print(error)
"""
    done = run(code, target)
    assert "cannot be written: File too large" in done.stdout, done.stderr
    assert target.read_bytes() == b"old" and names(target.parent) == ["profiles.yaml"]


AS_OTHER_USER = """
import os, sys
from pathlib import Path
from livery.errors import SourceUnavailable
from livery.stores.files import read_file, replace_file
if os.geteuid() == 0:
    os.seteuid({user})
def tried(act):
    try:
        act()
    except SourceUnavailable as error:
        print(error)
"""


def test_without_permission_the_file_is_unavailable_and_unchanged() -> None:
    code = AS_OTHER_USER.format(user=OTHER_USER) + (
        "path = Path(sys.argv[1])\ntried(lambda: read_file(path))\ntried(lambda: replace_file(path, lambda _: b'x'))\n"
    )
    with tempfile.TemporaryDirectory() as directory:  # pytest's own cannot be entered by anybody else
        target = Path(directory, "profiles.yaml")
        target.write_bytes(b"old")
        target.chmod(0)
        target.parent.chmod(0o555)
        done = run(code, target)
        target.parent.chmod(0o755)
        target.chmod(0o600)
        assert done.stdout.count("Permission denied") == 2, done.stdout + done.stderr
        assert target.read_bytes() == b"old" and names(target.parent) == ["profiles.yaml"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")
def test_the_owner_is_kept_where_that_is_permitted(target: Path) -> None:
    os.chown(target, OTHER_USER, OTHER_USER)
    atomic_write(target, b"new")
    assert (target.stat().st_uid, target.stat().st_gid) == (OTHER_USER, OTHER_USER)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")
def test_a_group_that_cannot_be_kept_leaves_its_rights_to_nobody_else() -> None:
    code = AS_OTHER_USER.format(user=OTHER_USER) + "replace_file(Path(sys.argv[1]), lambda _: b'new')\n"
    with tempfile.TemporaryDirectory() as directory:
        target = Path(directory, "profiles.yaml")
        target.write_bytes(b"old")
        for path in (target, target.parent):
            os.chown(path, OTHER_USER, 0)
        target.chmod(0o664)
        done = run("import os; os.setgroups([]); os.setegid(65533)\n" + code, target)
        assert target.read_bytes() == b"new", done.stderr
        assert stat.S_IMODE(target.stat().st_mode) == 0o644


def test_a_temporary_name_can_be_asked_for(target: Path) -> None:
    seen: list[list[str]] = []
    replace_file(target, lambda _: b"new", lambda _: seen.append(names(target.parent)), temp_name="profiles.tmp")
    assert "profiles.tmp" in seen[0] and names(target.parent) == ["profiles.yaml"]


@pytest.mark.parametrize("name", ["profiles.tmp", ""])
def test_what_stands_in_the_way_of_a_temporary_file_is_removed_and_never_followed(target: Path, name: str) -> None:
    victim = target.parent / "victim"
    victim.write_bytes(b"mine")
    temp = target.parent / (name or ".profiles.yaml.livery.tmp")
    for put in (lambda: temp.write_bytes(b"half"), lambda: temp.symlink_to(victim), lambda: os.mkfifo(temp)):
        put()
        target.write_bytes(b"old")
        assert replace_file(target, lambda _: b"new", temp_name=name)
        assert (target.read_bytes(), victim.read_bytes()) == (b"new", b"mine")
        assert names(target.parent) == ["profiles.yaml", "victim"]


def test_a_directory_in_the_way_of_a_temporary_file_is_named(target: Path) -> None:
    (target.parent / "profiles.tmp").mkdir()
    with pytest.raises(SourceUnavailable, match=r"profiles\.tmp is unavailable: a directory is where the temporary"):
        replace_file(target, lambda _: b"new", temp_name="profiles.tmp")
    assert target.read_bytes() == b"old" and names(target.parent) == ["profiles.tmp", "profiles.yaml"]


KILLED = """
import os, sys
from pathlib import Path
from livery.stores.files import locked, update_file
directory = Path(sys.argv[1])
with locked(directory / "index"):
    update_file(directory / "new", lambda _: b"new", lambda _: os.kill(os.getpid(), 9))
"""


def test_what_a_killed_writer_left_is_removed_by_the_next_under_the_same_lock(tmp_path: Path) -> None:
    other = tmp_path / ".mine.tmp"
    other.write_bytes(b"")
    run(KILLED, tmp_path)
    assert names(tmp_path) == [".index.lock", ".mine.tmp", ".new.livery.tmp"]
    assert replace_file(tmp_path / "index", lambda _: b"next")
    assert names(tmp_path) == [".mine.tmp", "index"]


def test_what_it_left_in_other_directories_is_removed_too(tmp_path: Path) -> None:
    (tmp_path / "profiles").mkdir()
    run(KILLED.replace('"new"', '"profiles/new"'), tmp_path)
    with locked(tmp_path / "index", also_in=[tmp_path / "profiles", tmp_path / "none"]):
        assert names(tmp_path / "profiles") == []


def test_what_a_living_writer_works_on_is_not_removed(target: Path) -> None:
    def check(_: bytes) -> None:
        run(KILLED, target.parent)  # in the same directory, and now there is something to clean up
        with locked(target.parent / "index"):
            assert [name for name in names(target.parent) if "tmp" in name] == [".profiles.yaml.livery.tmp"]

    assert replace_file(target, lambda _: b"new", check)
    assert target.read_bytes() == b"new"


# ---- removing


def test_a_file_is_removed_and_what_is_not_there_needs_no_removal(target: Path) -> None:
    assert remove_file(target) is True
    assert remove_file(target) is False and remove_file(target / "below" / "x") is False
    assert names(target.parent) == []


def test_of_a_link_the_link_is_removed(target: Path) -> None:
    link = target.parent / "link"
    link.symlink_to(target)
    assert remove_file(link) and names(target.parent) == ["profiles.yaml"]


def test_a_directory_is_not_removed_as_a_file(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    with pytest.raises(SourceUnavailable, match="cannot be removed"):
        remove_file(tmp_path / "full")


# ---- directories


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_directory_has_the_mode_of_the_configuration_directory_that_it_is_in(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.mkdir()
    config.chmod(0o750)
    replace_file(config / "profiles" / "x.toml", lambda _: b"")
    assert mode_of(config / "profiles") == 0o750


def test_where_there_is_no_configuration_directory_new_ones_are_private(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    replace_file(tmp_path / "app" / "profiles" / "x.toml", lambda _: b"")
    assert mode_of(tmp_path / "app") == mode_of(tmp_path / "app" / "profiles") == 0o700


def test_a_write_that_comes_to_nothing_leaves_no_directories(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "x.yaml"
    assert replace_file(path, lambda _: None) is False
    with pytest.raises(ZeroDivisionError):
        replace_file(path, lambda _: b"%d" % (1 // 0))
    assert names(tmp_path) == []


@pytest.mark.parametrize("mode", [0o777, 0o1777])
def test_new_directories_are_private_where_others_may_write(tmp_path: Path, mode: int) -> None:
    tmp_path.chmod(mode)
    make_directory(tmp_path / "a" / "b")
    assert mode_of(tmp_path / "a") == mode_of(tmp_path / "a" / "b") == 0o700


@pytest.mark.parametrize("variable", ["HOME", "XDG_CONFIG_HOME"])
def test_new_directories_among_those_of_all_programs_are_private(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    tmp_path.chmod(0o755)
    monkeypatch.setenv(variable, str(tmp_path))
    assert make_directory(tmp_path / "app") == [tmp_path / "app"]
    assert mode_of(tmp_path / "app") == 0o700


def test_a_directory_that_cannot_be_made_is_unavailable(target: Path) -> None:
    with pytest.raises(SourceUnavailable, match="cannot be made"):
        replace_file(target / "below" / "x", lambda _: b"")


@pytest.fixture
def scaffold(tmp_path: Path) -> Path:
    path = tmp_path / ".store.new"
    (path / "profiles").mkdir(parents=True)
    (path / "profiles" / "default.yaml").write_text("servers: []")
    return path


def test_a_finished_directory_takes_its_place_where_there_was_none_or_an_empty_one(
    tmp_path: Path, scaffold: Path
) -> None:
    again = shutil.copytree(scaffold, tmp_path / "again")
    (tmp_path / "empty").mkdir(mode=0o750)
    assert replace_directory(scaffold, tmp_path / "store") is None
    assert replace_directory(again, tmp_path / "empty") is None
    assert mode_of(tmp_path / "empty") == 0o750
    assert names(tmp_path) == ["empty", "store"] and names(tmp_path / "empty") == ["profiles"]


def test_a_directory_that_is_replaced_is_kept_beside(tmp_path: Path, scaffold: Path) -> None:
    for name in ("store", "store.bak-1"):
        (tmp_path / name).mkdir(mode=0o750)
        (tmp_path / name / name).write_text("mine")
    (tmp_path / "link").symlink_to("store")
    assert replace_directory(scaffold, tmp_path / "link") == tmp_path / "store.bak-2"
    assert names(tmp_path) == ["link", "store", "store.bak-1", "store.bak-2"]
    assert names(tmp_path / "store") == ["profiles"] and names(tmp_path / "store.bak-2") == ["store"]
    assert mode_of(tmp_path / "store") == 0o750


def test_where_names_cannot_be_exchanged_the_old_directory_is_back_after_a_failure(
    tmp_path: Path, scaffold: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "store" / "mine").mkdir(parents=True)
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    rename = os.rename

    def failing(old: Path, new: Path) -> None:
        if old == scaffold:
            raise OSError(5, "Input/output error")
        rename(old, new)

    monkeypatch.setattr(os, "rename", failing)
    with pytest.raises(SourceUnavailable, match="cannot be replaced: Input/output error"):
        replace_directory(scaffold, tmp_path / "store")
    monkeypatch.setattr(os, "rename", rename)
    assert names(tmp_path / "store") == ["mine"]
    assert replace_directory(scaffold, tmp_path / "store") == tmp_path / "store.bak-1"


def test_a_file_is_not_replaced_by_a_directory(target: Path, scaffold: Path) -> None:
    with pytest.raises(SourceUnavailable, match="it is a file, not a directory"):
        replace_directory(scaffold, target)
    assert target.read_bytes() == b"old" and scaffold.is_dir()


# ---- locks

HOLDER = """
import sys
from pathlib import Path
from livery.stores.files import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(target: Path) -> Iterator[subprocess.Popen[str]]:
    process = start(HOLDER, target)
    assert process.stdout and process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_who_holds_the_lock_is_named(target: Path, holder: subprocess.Popen[str]) -> None:
    said = f"{target} is locked by process {holder.pid} on {socket.gethostname()}"
    with pytest.raises(Locked, match=re.escape(said)), locked(target, timeout_s=0.05):
        pass
    with pytest.raises(Locked):
        replace_file(target, lambda _: b"new", timeout_s=0)
    assert target.read_bytes() == b"old"


def test_a_link_and_its_target_have_one_lock(target: Path, holder: subprocess.Popen[str]) -> None:
    link = target.parent / "link"
    link.symlink_to(target)
    with pytest.raises(Locked), locked(link, timeout_s=0):
        pass


def test_a_killed_holder_holds_nothing(target: Path, holder: subprocess.Popen[str]) -> None:
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with locked(target, timeout_s=1):
        pass
    assert names(target.parent) == ["profiles.yaml"]


@pytest.mark.parametrize("note", [b"", b"99999 elsewhere\n", b"\x1b[31m \xff\x00", b"x" * 5_000])
def test_a_lock_file_that_nobody_holds_is_no_obstacle(target: Path, note: bytes) -> None:
    (target.parent / ".profiles.yaml.lock").write_bytes(note)
    assert replace_file(target, lambda _: b"new", timeout_s=0)
    assert names(target.parent) == ["profiles.yaml"]


def test_a_note_of_the_holder_that_is_none_is_not_repeated(target: Path, holder: subprocess.Popen[str]) -> None:
    (target.parent / ".profiles.yaml.lock").write_bytes(b"1 \x1b[31mred\n")
    with pytest.raises(Locked, match=r"profiles\.yaml is locked; try again"), locked(target, timeout_s=0):
        pass


def test_a_lock_file_that_is_another_file_too_is_not_written(target: Path) -> None:
    victim = target.parent / "victim"
    victim.write_bytes(b"mine")
    os.link(victim, target.parent / ".profiles.yaml.lock")
    assert replace_file(target, lambda _: b"new")
    assert victim.read_bytes() == b"mine" and names(target.parent) == ["profiles.yaml", "victim"]


def test_what_cannot_be_a_lock_file_is_named(target: Path) -> None:
    (target.parent / ".profiles.yaml.lock").mkdir()
    with pytest.raises(SourceUnavailable, match=r"cannot be locked with .*/\.profiles\.yaml\.lock: Is a directory"):
        replace_file(target, lambda _: b"new")


def test_a_lock_outlives_the_move_of_its_directory_and_removes_no_other_lock(tmp_path: Path) -> None:
    store, old = tmp_path / "store", tmp_path / "old"
    with locked(store / "index"):
        store.rename(old)
        store.mkdir()
        (store / ".index.lock").write_bytes(b"somebody else's")
    assert names(store) == [".index.lock"]


def test_several_files_are_written_under_one_lock(target: Path, holder: subprocess.Popen[str]) -> None:
    assert update_file(target, lambda _: b"new")  # the caller is trusted to hold a lock, perhaps of another file
    assert target.read_bytes() == b"new"


def test_a_lock_holds_between_threads(target: Path) -> None:
    inside: list[int] = []

    def work() -> None:
        for _ in range(20):
            with locked(target):
                inside.append(1)
                assert len(inside) == 1
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert inside == [] and names(target.parent) == ["profiles.yaml"]


COUNT = """
import sys
from pathlib import Path
from livery.stores.files import replace_file
for _ in range(25):
    replace_file(Path(sys.argv[1]), lambda old: b"%d" % (int(old or b"0") + 1))
"""


def test_writers_in_several_processes_lose_nothing(tmp_path: Path) -> None:
    processes = [start(COUNT, tmp_path / "counter") for _ in range(4)]
    for process in processes:
        process.communicate(timeout=60)
        assert process.returncode == 0
    assert (tmp_path / "counter").read_bytes() == b"100"
    assert names(tmp_path) == ["counter"]


WRITE_ON = """
import sys
from pathlib import Path
from livery.stores.files import replace_file
print("ready", flush=True)
turn = 0
while True:
    turn += 1
    replace_file(Path(sys.argv[1]), lambda old: b"%d" % (turn % 10) * 300_000)
"""


def test_a_writer_killed_at_any_moment_leaves_a_whole_file(target: Path) -> None:
    left = 0
    writers = [start(WRITE_ON, target) for _ in range(2)]
    for round_number in range(30):
        writer = writers.pop(0)
        writers.append(start(WRITE_ON, target))  # gets ready, and contends, meanwhile
        assert writer.stdout and writer.stdout.readline() == "ready\n"
        time.sleep(random.Random(round_number).uniform(0.002, 0.03))
        writer.kill()
        writer.communicate()
        data = target.read_bytes()
        assert data == b"old" or (len(data) == 300_000 and len(set(data)) == 1)
        left += any(name.endswith(".tmp") for name in names(target.parent))
    for writer in writers:
        writer.kill()
        writer.communicate()
    assert replace_file(target, lambda _: b"next") and target.read_bytes() == b"next"
    assert names(target.parent) == ["profiles.yaml"]
    assert left, "no writer was killed in the midst of a write"
