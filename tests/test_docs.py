"""The documentation is true: links lead somewhere, generated pages are current, examples work."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from livery import open_registry
from scripts import docs

ROOT = Path(__file__).resolve().parent.parent
SNIPPET = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def test_every_relative_link_leads_to_a_file() -> None:
    assert docs.broken_links(ROOT) == []


@pytest.mark.parametrize("page", docs.GENERATED)
def test_generated_pages_are_current(page: str) -> None:
    assert (ROOT / page).read_text(encoding="utf-8") == docs.GENERATED[page](), "run `make docs`"


@pytest.mark.parametrize("page", ["README.md", "docs/python.md"])
def test_python_snippets_run(page: str, tmp_path: Path) -> None:
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    program = "\n".join(SNIPPET.findall((ROOT / page).read_text(encoding="utf-8")))
    assert program
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", ["docs/profiles.md", "docs/merge.md"])
def test_yaml_examples_are_valid(page: str, tmp_path: Path) -> None:
    (example, *_) = re.findall(r"^```yaml\n(.*?)^```", (ROOT / page).read_text(encoding="utf-8"), re.M | re.S)
    file = tmp_path / "example.yaml"
    file.write_text(example if example.startswith("slug:") else f"slug: example\n{example}", encoding="utf-8")
    registry = open_registry(f"yaml:{file}")
    assert [finding.fault for finding in registry.findings if finding.blocking] == []
