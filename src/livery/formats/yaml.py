"""The one port to YAML: 1.2 rules, plain JSON-like values, and a place for every fault.

:func:`read_yaml` and :func:`write_yaml` are quick and need no positions; :func:`locate` finds a value's line on demand;
:mod:`livery.formats.yaml_edit` changes a text and leaves the rest of it alone.
"""

from __future__ import annotations

from typing import Any

from livery.errors import Place, ValidationError
from livery.formats.bulk import collector_paused
from livery.formats.yaml_nodes import Source
from livery.formats.yaml_places import locate, locate_all
from livery.formats.yaml_text import write_yaml

try:
    from livery.formats.yaml_fast import read_fast as _read
except ImportError:  # no compiled library for this platform
    from livery.formats.yaml_values import read_nodes as _read

__all__ = ["locate", "locate_all", "read_yaml", "write_yaml"]


def read_yaml(text: str | bytes, file: str) -> Any:
    """The value of a document: dict with text as keys, list, str, int, float, bool or None.

    None for a text without content. Merge keys (``<<``) are resolved, dates stay text, ``.nan`` is a float.
    ``file`` is the name that errors give; every fault is a ValidationError with line and column, where they are known.
    """
    source = Source(_decoded(text, file).removeprefix("\ufeff"), file)
    with collector_paused():
        return _read(source)


def _decoded(text: str | bytes, file: str) -> str:
    if isinstance(text, str):
        return text
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        reason = f"not UTF-8: byte 0x{text[error.start]:02x} at offset {error.start}"
        raise ValidationError("", reason, Place(file, line)) from None
