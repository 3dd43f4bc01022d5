"""Keep the documentation true: every relative link must lead to a file, every generated page must be current.

Run by ``make docs``. A page that is generated from the code registers its generator in ``GENERATED``.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import unquote

ROOT = Path(__file__).resolve().parent.parent

sys.path.insert(0, str(ROOT))
from scripts.reference import ai_schema_file, errors_page, profile_store_page, settings_page  # noqa: E402

GENERATED: dict[str, Callable[[], str]] = {
    "src/livery/settings/ai_schema.json": ai_schema_file,
    "docs/reference/errors.md": errors_page,
    "docs/reference/profile-store.md": profile_store_page,
    "docs/reference/settings.md": settings_page,
}
"""Path of a page below the root → the function that writes its text."""

CODE = re.compile(r"^(`{3,}|~{3,}).*?^\1|`[^`\n]*`", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(\s*<?([^)<>\s]+)|^\[[^\]]+\]:\s*<?([^<>\s]+)|<(?:img|a)\b[^>]*?(?:src|href)=\"([^\"]+)\"", re.M)
ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|//|#", re.IGNORECASE)


def pages(root: Path) -> list[Path]:
    """README.md, AGENTS.md and every page below docs/, those that exist."""
    return [
        page
        for page in [root / "README.md", root / "AGENTS.md", *sorted((root / "docs").rglob("*.md"))]
        if page.is_file()
    ]


def relative_links(text: str) -> Iterator[tuple[int, str]]:
    """The line and target of each link that leads to a file; what stands in code is no link."""
    text = CODE.sub(lambda code: re.sub(r"[^\n]", " ", code[0]), text)
    for match in LINK.finditer(text):
        target = next(filter(None, match.groups()))
        if not ELSEWHERE.match(target):
            yield text.count("\n", 0, match.start()) + 1, unquote(target.partition("#")[0].partition("?")[0])


def broken_links(root: Path) -> list[str]:
    """One message for each relative link that leads nowhere."""
    return [
        f"{page.relative_to(root)}:{line}: the link leads nowhere: {target}"
        for page in pages(root)
        for line, target in relative_links(page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]


def regenerate(root: Path) -> list[str]:
    """Write the generated pages; the names of those whose text has changed."""
    changed = []
    for name, generate in GENERATED.items():
        page, text = root / name, generate()
        if not page.is_file() or page.read_text(encoding="utf-8") != text:
            page.parent.mkdir(parents=True, exist_ok=True)
            page.write_text(text, encoding="utf-8")
            changed.append(name)
    return changed


def main() -> int:
    """Regenerate, then check; 1 when a link is broken."""
    for name in regenerate(ROOT):
        print(f"{name}: regenerated")
    broken = broken_links(ROOT)
    for message in broken:
        print(message, file=sys.stderr)
    print(f"{len(pages(ROOT))} pages, {len(broken)} broken links")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
