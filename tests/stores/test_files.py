"""Files of users: written whole or not at all, one writer at a time, nothing left behind."""

from __future__ import annotations

import os
import random
import re
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
from livery.stores.files import atomic_write, digest, locked, make_directory, read_file, replace_file

OTHER_USER = 65534


@pytest.fixture
def target(tmp_path: Path) -> Path:
    path = tmp_path / "profiles.yaml"
    path.write_bytes(b"old")
    path.chmod(0o640)
    return path


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
    monkeypatch.setattr(files, "_new_temp", lambda *_: pytest.fail("a temporary file"))
    before = target.stat()
    assert write(target, b"old") is False
    assert (target.stat().st_mtime_ns, target.stat().st_ino) == (before.st_mtime_ns, before.st_ino)


def test_nothing_to_change_is_not_written(target: Path) -> None:
    assert replace_file(target, lambda old: None) is False
    assert names(target.parent) == ["profiles.yaml"]


def test_a_link_stays_a_link(write: Write, target: Path) -> None:
    for name, aim in (("link", target), ("dangling", target.parent / "later")):
        link = target.parent / name
        link.symlink_to(aim)
        write(link, b"through")
        assert link.is_symlink() and aim.read_bytes() == b"through"


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


def test_a_temporary_name_can_be_asked_for(target: Path) -> None:
    seen: list[list[str]] = []
    replace_file(target, lambda _: b"new", lambda _: seen.append(names(target.parent)), temp_name="profiles.tmp")
    assert "profiles.tmp" in seen[0] and names(target.parent) == ["profiles.yaml"]


def test_what_a_killed_writer_left_is_removed_by_the_next(target: Path) -> None:
    stale, asked = target.parent / ".profiles.yaml.0123abcd.tmp", target.parent / "profiles.tmp"
    others = [target.parent / ".profiles.yaml.backup.tmp", target.parent / ".other.yaml.0123abcd.tmp"]
    for path in (stale, asked, *others):
        path.write_bytes(b"half")
    replace_file(target, lambda _: b"new", temp_name=asked.name)
    assert names(target.parent) == sorted(["profiles.yaml", *(path.name for path in others)])


def test_what_a_living_writer_works_on_is_not_removed(target: Path) -> None:
    def check(_: bytes) -> None:
        files._remove_stale(target)  # as the writer of another file in this directory might

    assert replace_file(target, lambda _: b"new", check)
    assert target.read_bytes() == b"new"


# ---- directories


def test_new_directories_have_the_mode_of_the_one_they_are_in(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.mkdir()
    config.chmod(0o750)
    replace_file(config / "app" / "profiles" / "x.toml", lambda _: b"")
    for new in (config / "app", config / "app" / "profiles"):
        assert stat.S_IMODE(new.stat().st_mode) == 0o750


@pytest.mark.parametrize("mode", [0o777, 0o1777])
def test_new_directories_are_private_where_others_may_write(tmp_path: Path, mode: int) -> None:
    tmp_path.chmod(mode)
    make_directory(tmp_path / "a" / "b")
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) == 0o700


def test_new_directories_in_the_home_directory_are_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.chmod(0o755)
    monkeypatch.setenv("HOME", str(tmp_path))
    make_directory(tmp_path / ".config")
    assert stat.S_IMODE((tmp_path / ".config").stat().st_mode) == 0o700


def test_a_directory_that_cannot_be_made_is_unavailable(target: Path) -> None:
    with pytest.raises(SourceUnavailable, match="cannot be made"):
        replace_file(target / "below" / "x", lambda _: b"")


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
    print("LEFT", left)
    assert left, "no writer was killed in the midst of a write"
