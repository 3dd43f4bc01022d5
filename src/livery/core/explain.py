"""Why a value is what it is: the provenance that the merge of a resolution recorded, made readable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from livery.core.effective import defaults_of_servers, effective_values
from livery.core.layers import Origin
from livery.core.merge import Step
from livery.core.paths import SETTINGS, Path, text_of
from livery.core.resolved import ResolvedProfile
from livery.core.values import UNSET, KeyedEdit, ListEdit, Unset, hidden, written
from livery.errors import Place

SCHEMA_DEFAULT = Origin("schema")


class HistoryEntry(NamedTuple):
    """What one layer said of a leaf, in its written form; ``value`` is redacted where it is a secret."""

    origin: Origin
    value: Any
    path: Path
    place: Place | None = None
    """The file and line where the layer says so, if somebody looked."""

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        place = {"file": self.place.file, "line": self.place.line} if self.place else {}
        origin = {key: value for key, value in self.origin._asdict().items() if value not in ("", 0)}
        return {**origin, **place, "value": self.value}


class Explained(NamedTuple):
    """One leaf of the effective runtime: its value, who gave it, everybody who spoke of it (lowest first), the rule.

    ``present`` is false for a leaf that was unset and has no default.
    """

    path: Path
    value: Any
    present: bool
    origin: Origin
    history: tuple[HistoryEntry, ...]
    rule: str

    @property
    def key(self) -> str:
        return text_of(self.path)

    def document(self) -> dict[str, Any]:
        """As JSON values; ``value`` is missing where the leaf is unset and has no default."""
        origin = {key: value for key, value in self.origin._asdict().items() if value not in ("", 0)}
        value = {"value": self.value} if self.present else {}
        history = [entry.document() for entry in self.history]
        return {**value, "origin": origin, "history": history, "rule": self.rule}

    @property
    def losers(self) -> tuple[HistoryEntry, ...]:
        return self.history[:-1]


def explain(resolved: ResolvedProfile) -> list[Explained]:
    """Every leaf of a resolution, in the order of the effective runtime; then the leaves that are unset."""
    merged = resolved.merged
    rows = list(_present(resolved))
    shown = {row.path for row in rows}
    above = {path[:length] for path, _ in merged.leaves() for length in range(1, len(path))}
    for path, steps in merged.leaves():
        if path in above:
            continue  # what it held is told leaf by leaf
        if path not in shown and type(steps[-1][1]) is Unset and not _is_above(path, shown):
            row = _row(merged.origins, path, None, steps, None)
            rows.append(row._replace(present=False, origin=merged.origins[steps[-1][0]]))
    return rows


def _present(resolved: ResolvedProfile) -> Iterator[Explained]:
    merged = resolved.merged
    elements: dict[str, Any] = {key: {} for key in resolved.effective["middlewares"]}
    defaults = effective_values({"middlewares": elements}, resolved.schema)
    effective = resolved.effective
    defaults["servers"] = defaults_of_servers(effective["servers"], effective[SETTINGS], resolved.schema)
    for path, value in _leaves(resolved.effective, ()):
        named = path[0] == "middlewares" and path[2:] == ("name",)  # a name is given, never a default
        steps, default = merged.steps(path), None if named else _value_at(defaults, path)
        emptied = value == {} and default is None and (not steps or type(steps[-1][1]) is Unset)
        if not emptied:  # a mapping whose every member was unset is no leaf that anybody gave
            yield _row(merged.origins, path, value, steps, default)


def _is_above(path: Path, shown: set[Path]) -> bool:
    return any(other[: len(path)] == path for other in shown)


def _leaves(value: Mapping[str, Any], path: Path) -> Iterator[tuple[Path, Any]]:
    for key, child in value.items():
        if type(child) is dict and child:
            yield from _leaves(child, (*path, key))
        elif child != {} or path:
            yield (*path, key), child


def _row(origins: list[Origin], path: Path, value: Any, steps: list[Step], default: Any) -> Explained:
    last_words = dict(steps)  # of one layer only the last word counts
    history = [HistoryEntry(origins[index], hidden(written(said)), path) for index, said in last_words.items()]
    if default is not None:
        history.insert(0, HistoryEntry(SCHEMA_DEFAULT, hidden(default), path))
    if not last_words:
        return Explained(path, hidden(value), True, SCHEMA_DEFAULT, tuple(history), "schema default")
    index, said = steps[-1]
    origin = SCHEMA_DEFAULT if type(said) is Unset else origins[index]
    replaced = (index, UNSET) in steps
    return Explained(path, hidden(value), True, origin, tuple(history), _rule(origins[index], said, replaced))


def _rule(origin: Origin, said: Any, replaced: bool) -> str:
    if type(said) is Unset:
        return f"unset by {origin}"
    if isinstance(said, ListEdit | KeyedEdit):
        return f"${said.kind} by {origin}"
    rules = {"enforced": "enforced: nothing may override it", "request": "override allowed by the policy"}
    return rules.get(origin.layer, "replaced as a whole" if replaced else "the highest layer that sets it")


def _value_at(values: Mapping[str, Any], path: Path) -> Any:
    """The leaf at a path; None where there is none."""
    node: Any = values
    for part in path:
        if type(node) is not dict or part not in node:
            return None
        node = node[part]
    return None if type(node) is dict and node else node
