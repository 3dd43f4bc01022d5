"""How large the aliases of a YAML text would make it, told without expanding them.

The fast library expands every alias and has no limit that would hold back a small text with a large meaning. So the
text is read once more with every ``*`` turned into a letter and every ``&`` into ``!``: aliases become plain text,
anchors become tags, which the library shows as mappings of one key, and nothing expands.
"""

from __future__ import annotations

import re
from typing import Any

from ryaml import InvalidYamlError, loads  # type: ignore[attr-defined]

from livery.formats.yaml_nodes import MAX_EXPANSION, NODE_COST

_ANCHOR = re.compile(r"&(?<![^\s,\[{:?]&)[\w-]")  # at the beginning of a token
_ANCHOR_WITHOUT_SPACE = re.compile(r"&(?<![^\s,\[{:?]&)[\w-]+[^\w\s-]")
_MARK = "\ue0b1"
_ALIAS = re.compile(_MARK + r"([\w-]+)")


def may_expand(text: str) -> bool:
    """Whether aliases may add more than the limit: never false where they do, rarely true where they do not."""
    if "*" not in text or not _ANCHOR.search(text):
        return False
    if _ANCHOR_WITHOUT_SPACE.search(text):
        return True
    try:
        marked = loads(text.replace("*", _MARK).replace("&", "!"))
    except (InvalidYamlError, ValueError):
        return True
    scales = _Scales()
    scales.weigh(marked)
    return scales.added > MAX_EXPANSION


class _Scales:
    """Adds up what the aliases would add, in one pass in the order of the text."""

    def __init__(self) -> None:
        self.anchors: dict[str, int] = {}
        self.added = 0

    def weigh(self, value: Any) -> int:
        if type(value) is str:
            return NODE_COST + len(value) + (self.aliases(value) if _MARK in value else 0)
        if type(value) is list:
            return NODE_COST + sum(map(self.weigh, value))
        if type(value) is not dict:
            return NODE_COST
        cost = NODE_COST + sum(self.weigh(key) + self.weigh(item) for key, item in value.items())
        if len(value) == 1 and (name := str(next(iter(value)))).startswith("!"):
            self.anchors[name[1:]] = max(cost, self.anchors.get(name[1:], 0))
        return cost

    def aliases(self, text: str) -> int:
        cost = sum(self.anchors.get(name, 0) for name in _ALIAS.findall(text))
        self.added += cost
        return cost
