"""The repository holds sources only: nothing large, nothing of one machine, no address of a package host."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

LARGEST = 1_000_000

LOCK_FILE = re.compile(r"requirements[\w.-]*\.txt|.*\.lock|pylock[\w.-]*\.toml|(package|pnpm)-lock\.(json|yaml)")
# Every pattern is written so that it does not match itself.
MACHINE_PATH = re.compile(r"(?<![\w.~$})/-])/+(?:root|(?:home|Users)/[A-Za-z_][\w.-]*)/|[A-Z]:\\{1,2}Users\\")
PACKAGE_HOST = re.compile(
    r"pypi\.(?:org|python)|pythonhosted\.[a-z]|registry\.(?:npmjs|yarnpkg)\.[a-z]|://\S+/simple/?[\"'\s]|"
    r"--(?:extra-)?index-url\b[ =]\S*:/|--find-links\b[ =]\S"
)
LOCKED_ADDRESS = re.compile(r"\"resolved\":\s*\"(?:[a-z+]+:)|\bfile:[./]|^--?[a-z]|@ [a-z+]+://", re.MULTILINE)


def tracked() -> list[Path]:
    """The files of the repository: those git tracks, and new ones that it would."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this is not a git checkout")
    paths = [ROOT / name for name in done.stdout.split("\0") if name]
    return [path for path in paths if path.is_file() and not path.is_symlink()]


def texts() -> Iterator[tuple[Path, str]]:
    """The text files of the repository and what they hold."""
    for path in tracked():
        data = path.read_bytes()
        if b"\0" not in data:
            yield path, data.decode(errors="replace")


def places(path: Path, text: str, pattern: re.Pattern[str]) -> list[str]:
    """Where in a file a pattern matches, ready to be shown."""
    return [
        f"{path.relative_to(ROOT)}:{text.count(chr(10), 0, match.start()) + 1}: {match[0]}"
        for match in pattern.finditer(text)
    ]


def test_the_files_of_the_repository_are_found() -> None:
    assert Path(__file__).resolve() in tracked()


def test_no_file_is_large() -> None:
    assert [str(path.relative_to(ROOT)) for path in tracked() if path.stat().st_size > LARGEST] == []


def test_no_file_names_a_path_of_one_machine() -> None:
    assert [place for path, text in texts() for place in places(path, text, MACHINE_PATH)] == []


def test_no_file_names_a_package_host() -> None:
    assert [place for path, text in texts() for place in places(path, text, PACKAGE_HOST)] == []


def test_no_lock_file_holds_an_address() -> None:
    locks = [(path, text) for path, text in texts() if LOCK_FILE.fullmatch(path.name)]
    assert locks, "no lock file was found"
    assert [place for path, text in locks for place in places(path, text, LOCKED_ADDRESS)] == []


@pytest.mark.parametrize("path", ["/{}/x", "see '/{}/.cache/x'", "a=/{}/b", "file:///{}/b", "a:/{}/b"])
@pytest.mark.parametrize("home", ["root", "home/" + "ada", "Users/" + "ada"])
def test_a_path_of_one_machine_is_recognised(path: str, home: str) -> None:
    assert MACHINE_PATH.search(path.format(home))


@pytest.mark.parametrize("text", ["https://example.org/home/" + "page/x", "~/home/" + "a/b", "/home", "/home/*/x"])
def test_an_address_on_the_web_is_no_path_of_one_machine(text: str) -> None:
    assert not MACHINE_PATH.search(text)


@pytest.mark.parametrize(
    "line",
    [
        "https://pypi" + ".org/project/x",
        "https://files.python" + "hosted.org/packages/x.whl",
        "https://registry." + "npmjs.org/react/-/react-19.tgz",
        "--index-" + "url https://example.org/",
        "--find-" + "links wheels",
    ],
)
def test_a_package_host_is_recognised(line: str) -> None:
    assert PACKAGE_HOST.search(line)


@pytest.mark.parametrize(
    "line",
    [
        '"resolved": "https' + '://example.org/a.tgz"',
        '"resolved": "fi' + 'le:../a"',
        "a @ https" + "://b/c.whl",
    ],
)
def test_an_address_in_a_lock_file_is_recognised(line: str) -> None:
    assert LOCKED_ADDRESS.search(line)


@pytest.mark.parametrize("line", ['"resolved": "packages/client", "link": true', "    --hash=sha256:00", "a==1 \\"])
def test_a_clean_lock_file_passes(line: str) -> None:
    assert not LOCKED_ADDRESS.search(line)
