"""A resolution as a person reads it: values by section, and on demand who gave each of them and whom it won against."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path as FilePath
from typing import Any

from livery.cli.output import aligned, brief, printable, style
from livery.core.explain import Explained, HistoryEntry
from livery.core.paths import SETTINGS, text_of
from livery.core.resolved import ResolvedProfile

_NOTES = {
    "schema default": "",
    "the highest layer that sets it": "",
    "enforced: nothing may override it": "(nothing may override it)",
    "override allowed by the policy": "(allowed by the policy)",
}
_EDITS = ("$append", "$prepend", "$remove")
_LEGEND = """\
How to read this. Below each value: `from` is the layer that gave it, `over` are those that it won against, the nearest
first; `unset` removed what lay below it, an edit like $append changes what it was laid `onto`. The layers from the
strongest to the weakest: overrides of the request (--set), what a registry enforces, the profile (the last source
first), its bases (the last of `extends` first), defaults of the registry, base settings of livery.toml, and the
defaults of the schema."""


def heading(resolved: ResolvedProfile, color: bool) -> Iterator[str]:
    """Which profile it is, what it is made of, and what was decided on a request's overrides."""
    name = f"{resolved.registry_slug}/{resolved.profile_slug}" if resolved.profile_slug else "base settings alone"
    yield style(name, color, bold=True)
    yield f"  {resolved.runtime_fingerprint}"
    for entry in reversed(resolved.lineage):
        noun = "profile" if entry is resolved.lineage[-1] else "base"
        yield f"  {noun} {entry.registry}/{entry.profile}, version {entry.version} ({entry.source})"
    for decision in resolved.decisions:
        yield f"  override of {decision.key} allowed: {decision.rule}"
    yield ""


def values(rows: Iterable[Explained], *, everything: bool, color: bool) -> Iterator[str]:
    """The values by section."""
    yield from _sections(list(rows), everything, color, lambda row: ())


def explained(rows: Iterable[Explained], *, everything: bool, color: bool, cwd: FilePath) -> Iterator[str]:
    """The values by section, each with its history, and at the end how to read that."""

    def below(row: Explained) -> Iterator[str]:
        return (style(f"    {line}", color, dim=True) for line in aligned(list(_history(row, cwd))))

    yield from _sections(list(rows), everything, color, below)
    yield style(_LEGEND, color, dim=True)


def _sections(
    rows: list[Explained], everything: bool, color: bool, below: Callable[[Explained], Iterable[str]]
) -> Iterator[str]:
    shown = [row for row in rows if everything or row.rule != "schema default"]
    sections: dict[str, list[Explained]] = {}
    for row in shown:
        if not _is_identity(row):
            sections.setdefault(_section(row), []).append(row)
    for section, members in sections.items():
        yield style(section, color, bold=True)
        for row in members:
            yield from _value(row, color)
            yield from below(row)
        yield ""
    if len(shown) < len(rows):
        yield f"… {len(rows) - len(shown)} schema defaults not shown, --all shows them"
        yield ""


def _is_identity(row: Explained) -> bool:
    """The id of a keyed element stands in its label."""
    return row.path[0] == "middlewares" and row.path[2:] == ("id",)


def _section(row: Explained) -> str:
    if row.path[0] == SETTINGS and len(row.path) > 2:
        return text_of(row.path[:2])
    return "settings" if row.path[0] == SETTINGS else row.path[0]


def _value(row: Explained, color: bool) -> Iterator[str]:
    """A value on one line, a text of several lines in full."""
    path = row.path[2:] if row.path[0] == SETTINGS and len(row.path) > 2 else row.path[1:]
    label = style(f"{text_of(path)}:", color, fg="cyan") + " " if path else ""
    if isinstance(row.value, str) and row.path == ("system_prompt",) and row.value:
        yield from (f"  {printable(line)}" for line in row.value.splitlines())
    else:
        yield f"  {label}{brief(row.value) if row.present else '(not set)'}"


def _history(row: Explained, cwd: FilePath) -> Iterator[tuple[str, str, str, str]]:
    """(word, layer, what it said, place) of everybody who spoke, the strongest first."""
    word = "from"
    for entry in _strongest_first(row):
        layer, place = str(entry.origin._replace(source="")), _place(entry, cwd)
        if entry.value is None:
            yield "unset", layer, "", place
            word = "over" if word == "from" and row.present else "was" if word == "from" else word
            continue
        is_edit = _is_edit(entry.value)
        plain_winner = word == "from" and not is_edit  # its value stands above already
        yield word, layer, _NOTES.get(row.rule, "") if plain_winner else brief(entry.value, 60), place
        word = "onto" if is_edit else "over"


def _strongest_first(row: Explained) -> list[HistoryEntry]:
    """The history from the winner down; where the last word was to unset, the winner is the schema's default."""
    entries = list(reversed(row.history))
    unset = entries[0].value is None
    return [entries[-1], *entries[:-1]] if unset and row.present and len(entries) > 1 else entries


def _is_edit(value: Any) -> bool:
    """Whether a layer changed the list below instead of giving one."""
    return isinstance(value, Mapping) and len(value) == 1 and next(iter(value)) in _EDITS


def _place(entry: HistoryEntry, cwd: FilePath) -> str:
    """The file and line, below the working directory in short; else the source."""
    if entry.place is None:
        return entry.origin.source
    path = FilePath(entry.place.file)
    shown = path.relative_to(cwd) if path.is_relative_to(cwd) else path
    return f"{shown}:{entry.place.line}" if entry.place.line else str(shown)
