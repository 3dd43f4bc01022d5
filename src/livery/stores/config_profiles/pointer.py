"""``active.json``: which profile is in use, and which were before."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import orjson

from livery.core.names import type_name
from livery.errors import Place, SchemaTooNew, SourceNotFound, SourceUnavailable, ValidationError
from livery.formats.manifest import BASE, NAME_RULE, folded_name
from livery.stores.config_profiles.layout import Layout
from livery.stores.files import read_file

VERSION = 1
_MOST_PREVIOUS = 10


class Pointer(NamedTuple):
    """The file as it stands: ``{version, active, applied_at, previous: [{name, at}, …]}``, the latest first."""

    document: Mapping[str, Any]
    active: str

    @property
    def _previous(self) -> list[dict[str, Any]]:
        written = self.document.get("previous")
        items = written if isinstance(written, list) else []
        named = (item for item in items if isinstance(item, dict) and isinstance(item.get("name"), str))
        return [item for item in named if folded_name(item["name"]) == item["name"]]

    def moved(self, name: str, at_ms: int) -> Pointer:
        """The pointer at another profile; the one that it leaves is remembered."""
        if name == self.active:
            return self._at(name, at_ms, self._previous)
        left = {"name": self.active, "at": self.document.get("applied_at")}
        return self._at(name, at_ms, [left, *self._previous])

    def renamed(self, old: str, new: str) -> Pointer:
        """The same pointer after a profile was given another name."""
        written = self.document.get("previous")
        previous = [{**item, "name": new} if item["name"] == old else item for item in self._previous]
        active = new if self.active == old else self.active
        fields = {"active": active, **({"previous": previous} if isinstance(written, list) else {})}
        return Pointer({**self.document, **fields}, active)

    def moved_back(self, known: Collection[str], at_ms: int) -> Pointer | None:
        """The pointer at the latest of the earlier profiles that is still there; None where there is none."""
        items = self._previous
        position = next((at for at, item in enumerate(items) if item["name"] in known), None)
        return None if position is None else self._at(items[position]["name"], at_ms, items[position + 1 :])

    def _at(self, name: str, at_ms: int, previous: list[dict[str, Any]]) -> Pointer:
        fields = {"version": VERSION, "active": name, "applied_at": at_ms, "previous": previous[:_MOST_PREVIOUS]}
        return Pointer({**self.document, **fields}, name)

    def demand_writable(self, file: str) -> None:
        """SchemaTooNew where a later program has written it."""
        version = self.document.get("version", VERSION)
        if type(version) is not int or version > VERSION:
            raise SchemaTooNew(f"{file} has a later version than {VERSION}, which this version of Livery writes")

    def data(self) -> bytes:
        return orjson.dumps(self.document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


NOWHERE = Pointer({}, BASE)
"""Where nobody has ever chosen a profile, the base alone is in use."""


def pointer_of(layout: Layout) -> Pointer | None:
    """The pointer as it stands; None where there is none, an error where it cannot be read."""
    try:
        return read_pointer(read_file(layout.active), str(layout.active))
    except SourceNotFound:
        if os.path.lexists(layout.active):
            raise SourceUnavailable(str(layout.active), "it is a link that leads to nothing") from None
        return None


def read_pointer(data: bytes, file: str) -> Pointer:
    """The pointer in a file; a ValidationError where it says nothing: no profile is used in place of another."""
    advice = "choose a profile again: livery use NAME"
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise ValidationError("", f"is no JSON: {error.msg}; {advice}", Place(file)) from None
    written = document.get("active") if isinstance(document, dict) else document
    name = folded_name(written)
    if not isinstance(document, dict) or name is None:
        reason = f"expected the name of a profile ({NAME_RULE}), got {type_name(written)}; {advice}"
        raise ValidationError("active", reason, Place(file))
    return Pointer(document, name)
