"""How results leave: documents in a format, tables for people, notes on standard error.

Text from profiles is never trusted by a terminal: control characters are shown, not sent.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import click

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_LONGEST = 100


class Table(NamedTuple):
    """A list as people see it; every row has one text for each column."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


def emit(text: str) -> None:
    """A result, on standard output."""
    click.echo(text)


def note(text: str) -> None:
    """What is not a result, on standard error."""
    click.echo(printable(text), err=True)


def warn(text: str) -> None:
    """Something that a person should know, on standard error."""
    note(f"warning: {text}")


def printable(text: str) -> str:
    """The text with its control characters written out; line ends and tabs stay."""
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def counted(count: int, noun: str) -> str:
    """``1 error``, ``2 errors``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def style(text: str, color: bool, *, err: bool = False, **styles: Any) -> str:
    """The text in a style where it goes to a terminal and colours are wanted."""
    stream = sys.stderr if err else sys.stdout
    return click.style(text, **styles) if color and _is_terminal(stream) else text


def _is_terminal(stream: Any) -> bool:
    return bool(stream) and stream.isatty() and os.environ.get("TERM") != "dumb"


def brief(value: Any, longest: int = _LONGEST) -> str:
    """A value on one line: text as it is where that is clear, the rest as JSON, secrets by name."""
    if isinstance(value, Mapping) and len(value) == 1:
        if "$redacted" in value:
            return "(secret, not shown)"
        if "$secret" in value:
            return f"(secret {value['$secret']})"
    if isinstance(value, str):
        text = value if _is_clear(value) else _json(value)
    else:
        text = _json(value)
    text = printable(text)
    if len(text) <= longest:
        return text
    return f"{text[: longest - 1]}…"


def _is_clear(text: str) -> bool:
    return text != "" and text == text.strip() and "\n" not in text and text not in ("true", "false", "null")


def _json(value: Any) -> str:
    import json

    return json.dumps(value, ensure_ascii=False, separators=(", ", ": "))


def emit_document(document: Any, form: str) -> None:
    """A document as ``json``, ``yaml`` or ``toml``; as ``table`` its leaves, one on a line."""
    if form == "json":
        import orjson

        emit(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())
    elif form == "toml":
        from livery.formats.toml import write_toml

        emit(write_toml(document).rstrip("\n"))
    elif form == "table":
        emit_table(Table(("FIELD", "VALUE"), [(path, brief(value)) for path, value in _leaves(document, "")]))
    else:
        from livery.formats.yaml import write_yaml

        emit(write_yaml(document).rstrip("\n"))


def _leaves(value: Any, path: str) -> Sequence[tuple[str, Any]]:
    if not isinstance(value, Mapping) or not value or next(iter(value)).startswith("$"):
        return [(path, value)]
    return [row for key, child in value.items() for row in _leaves(child, f"{path}.{key}" if path else str(key))]


def emit_table(table: Table, color: bool = True) -> None:
    """Aligned columns in a pipe, a drawn table in a terminal."""
    rows = [[printable(cell).replace("\n", " ") for cell in row] for row in table.rows]
    if _is_terminal(sys.stdout):
        _emit_drawn(table.columns, rows, color)
    else:
        for line in aligned([table.columns, *rows]):
            emit(line)


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """The rows as lines whose columns begin below one another."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))] if rows else []
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _emit_drawn(columns: Sequence[str], rows: Sequence[Sequence[str]], color: bool) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table as Drawn
    from rich.text import Text

    drawn = Drawn(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold" if color else "")
    for column in columns:
        drawn.add_column(column.lower(), overflow="fold")
    for row in rows:
        drawn.add_row(*map(Text, row))
    Console(no_color=not color, highlight=False).print(drawn)
