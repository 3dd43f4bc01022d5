"""HTML from values: what is text is escaped, so that no name of a profile can become an element."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

_VOID = frozenset({"input", "link", "meta"})


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def element(name: str, /, *content: object, **attributes: str | int | bool | None) -> Markup:
    """``<name …>content</name>``; attributes that are None or False are left out.

    An attribute ``class_`` is written ``class``, and ``data_x`` is written ``data-x``.
    """
    written = "".join(
        f" {_attribute_name(key)}" + ("" if value is True else f'="{escape(str(value))}"')
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    if name in _VOID:
        return Markup(f"<{name}{written}>")
    return Markup(f"<{name}{written}>{joined(content)}</{name}>")


def joined(content: Iterable[object]) -> Markup:
    """Markup as it is, other values as escaped text, lists one after another, None as nothing."""
    return Markup("".join(_html(part) for part in content))


def _html(part: object) -> str:
    if part is None:
        return ""
    if isinstance(part, Markup):
        return part
    if isinstance(part, list | tuple):
        return joined(part)
    return escape(str(part))


def _attribute_name(key: str) -> str:
    return key.rstrip("_").replace("_", "-")
