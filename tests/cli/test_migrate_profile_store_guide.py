"""The guide is true: its commands work on every example, and its example becomes what it says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs/migrate-profile-store.md").read_text(encoding="utf-8")
COMMANDS = [
    shlex.split(line)[1:]
    for block in re.findall(r"^```console\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
]
(EXAMPLE,) = re.findall(r"^```yaml\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
CASES = sorted((ROOT / "tests/golden/migrations").iterdir())
OLD_FILES = {"guide": EXAMPLE, **{case.name: (case / "old.yaml").read_text() for case in CASES}}


@pytest.mark.parametrize("name", OLD_FILES)
def test_the_commands_of_the_guide_work(name: str, livery, folder: Path) -> None:
    (folder / "gateway.yaml").write_text(OLD_FILES[name])
    first, *others = [command for command in COMMANDS if command[0] != "serve"]
    assert livery(*first).exit_code == 4  # it is an old file, and says so
    for command in others:
        assert livery(*command).exit_code == 0, command


def test_the_example_of_the_guide_becomes_what_it_says(livery, folder: Path) -> None:
    (folder / "gateway.yaml").write_text(EXAMPLE)
    livery("migrate", "profile-store", "gateway.yaml", "store")
    for path, what in re.findall(r"^  profiles/(\w+)\.yaml +(.*)$", GUIDE, re.MULTILINE):
        text = (folder / "store/profiles" / f"{path}.yaml").read_text()
        servers = re.findall(r"\b(git|vectors|clock)\b", what.partition(":")[0])
        assert re.findall(r"name: (\w+)", text) == servers
        assert ("enabled: true" in text) == ("subAgent" in what)


def test_the_guide_is_short_enough_to_be_read() -> None:
    assert len(GUIDE.splitlines()) < 150
