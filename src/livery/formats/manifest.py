"""The manifest of a directory of overlay profiles: a JSON index that other programs read and write as well.

``{version: 1, profiles: [{name, path, description?, created_at, updated_at, last_applied_at?}]}``; times
are in milliseconds. Whatever else stands in it is kept, value by value and in its order. Livery's own additions are the
entry keys ``version``, ``runtime_version``, ``digest``, ``created_by``, ``updated_by`` and ``source``, and at the top
``base`` (the same of the base file) and ``deleted_versions``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import orjson

from livery.core.names import type_name
from livery.core.reasons import MOST_FAULTS
from livery.errors import Fault, SchemaTooNew, ValidationError
from livery.formats.manifest_records import recorded_version

VERSION = 1
BASE = "default"
"""The name of the profile that is the base file itself; no entry may have it."""
NAME_RULE = "1 to 32 of a-z, 0-9, '_' and '-'"

_NAME = re.compile(r"[a-z0-9_-]{1,32}", re.ASCII)
_LONGEST_PATH = 1000  # characters; file systems take some 4000 bytes for the whole
_MOST_SHOWN = 80
_BOM = b"\xef\xbb\xbf"
_NO_FIELDS: Mapping[str, Any] = {}


class Entry(NamedTuple):
    """One profile of the index: its folded name, its file below ``profiles/``, and the object as it is written.

    ``fault`` says why the file cannot be used, whatever is there.
    """

    name: str
    path: str
    fields: Mapping[str, Any]
    fault: Fault | None = None


class Manifest(NamedTuple):
    """An index as it was read; not to be changed. ``faults`` are of the first items that are no usable entries."""

    document: Mapping[str, Any]
    entries: Mapping[str, Entry]
    faults: tuple[Fault, ...] = ()

    @property
    def base(self) -> Mapping[str, Any]:
        """What is kept of the base file: the keys that entries have too."""
        fields = self.document.get("base")
        return fields if isinstance(fields, dict) else _NO_FIELDS

    @property
    def deleted_versions(self) -> dict[str, int]:
        """The last versions of profiles that were deleted, by name."""
        kept = self.document.get("deleted_versions")
        return {name: recorded_version(kept[name]) for name in kept} if isinstance(kept, dict) else {}

    def demand_writable(self, file: str) -> None:
        """SchemaTooNew where a later program has written it: it would not understand what is written now."""
        version = self.document.get("version", VERSION)
        if type(version) is not int or version > VERSION:
            is_number = isinstance(version, int) and not isinstance(version, bool)
            shown = version if is_number else _shown(version) if isinstance(version, str) else type_name(version)
            reason = f"{file} has version {shown}, this version of Livery writes {VERSION}"
            raise SchemaTooNew(f"{reason}; it is read, and not changed")

    def with_entry(self, name: str, fields: Mapping[str, Any]) -> Manifest:
        """The index with these fields in an entry, which is made where there is none; None removes a field."""
        profiles = list(self.document["profiles"])
        own = next((at for at, name_at in _names(profiles) if name_at == name), None)
        if own is None:
            profiles.append(_changed({"name": name}, fields))
        else:
            profiles[own] = _changed(profiles[own], fields)
        return self._with(profiles=profiles)

    def without_entry(self, name: str) -> Manifest:
        """The index without the entries of a name: also those that only fold to it, or one of them would take over."""
        profiles = list(self.document["profiles"])
        gone = {at for at, name_at in _names(profiles) if name_at == name}
        return self._with(profiles=[item for at, item in enumerate(profiles) if at not in gone])

    def with_base(self, fields: Mapping[str, Any]) -> Manifest:
        return self._with(base=_changed(self.base, fields))

    def with_deleted(self, name: str, version: int) -> Manifest:
        return self._with(deleted_versions={**self.deleted_versions, name: version})

    def _with(self, **fields: Any) -> Manifest:
        return manifest_of({**self.document, **fields})

    def data(self) -> bytes:
        """The file's content; a ValidationError where a part nobody here knows is nested too deeply to be written."""
        try:
            return orjson.dumps(self.document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        except TypeError:
            return self._large()

    def _large(self) -> bytes:
        """The same with integers of any size, which the quick writer refuses."""
        import json

        try:
            return json.dumps(self.document, indent=2, ensure_ascii=False).encode() + b"\n"
        except (ValueError, RecursionError, UnicodeError) as error:
            raise ValidationError("", f"the manifest cannot be written again as it was: {error}") from None


def new_manifest() -> Manifest:
    """An index of nothing."""
    return manifest_of({"version": VERSION, "profiles": []})


def read_manifest(data: bytes, *, exact: bool = False) -> Manifest:
    """The index in a file's content; a ValidationError where it is none. One bad entry is a fault, and no more.

    ``exact`` keeps integers beyond 64 bit, which the quick reader turns into floats: for what is written again.
    """
    data = data.removeprefix(_BOM)
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise ValidationError("", f"is no JSON: {error.msg}") from None
    if exact:
        document = _exact(data, document)
    if not isinstance(document, dict):
        raise ValidationError("", f"expected a JSON object, got {type_name(document)}")
    if not isinstance(document.get("profiles"), list):
        kind = type_name(document["profiles"]) if "profiles" in document else "nothing"
        raise ValidationError("profiles", f"expected a list, got {kind}")
    return manifest_of(document)


def manifest_of(document: dict[str, Any]) -> Manifest:
    """The index that a JSON object is; ``profiles`` is a list."""
    entries: dict[str, Entry] = {}
    faults: list[Fault] = []
    for position, item in enumerate(document["profiles"]):
        if type(item) is dict:
            name = item.get("name")
            if type(name) is str and name not in entries and name != BASE and _NAME.fullmatch(name):
                # Nearly every entry is of this form, and there may be ten thousand.
                path = item.get("path")
                if path == f"{name}.toml":
                    entries[name] = Entry(name, path, item)
                    continue
        elif len(faults) == MOST_FAULTS:
            continue
        fault = _read_oddity(item, f"profiles[{position}]", entries)
        if fault is not None and len(faults) < MOST_FAULTS:
            faults.append(fault)
    return Manifest(document, entries, tuple(faults))


def _read_oddity(item: Any, field: str, entries: dict[str, Entry]) -> Fault | None:
    """Take up an entry that is not in the plain form; why not, where it has no usable name."""
    if not isinstance(item, dict):
        return Fault(field, f"expected an object, got {type_name(item)}")
    written = item.get("name")
    name = folded_name(written)
    if name is None:
        reason = (
            f"{_shown(written)} is no name" if isinstance(written, str) else f"expected text, got {type_name(written)}"
        )
        return Fault(f"{field}.name", f"{reason}: {NAME_RULE}")
    if name == BASE:
        return Fault(f"{field}.name", "'default' is the base file itself and never an entry; the entry is not used")
    if name in entries:
        first = _shown(entries[name].fields["name"])
        reason = f"{_shown(str(written))} folds to the same name as {first}, which stands first and is used"
        return Fault(f"{field}.name", reason)
    path = item.get("path", f"{name}.toml")
    reason = path_fault(path)
    fault = Fault(f"{field}.path", reason) if reason else None
    entries[name] = Entry(name, "" if reason else path, item, fault)
    return None


def folded_name(written: object) -> str | None:
    """The name that a text folds to (trimmed, lower case); None where it is none."""
    if not isinstance(written, str) or not written.isascii():  # before folding: U+212A folds to k
        return None
    name = written.strip().lower()
    return name if _NAME.fullmatch(name) else None


def _shown(text: str) -> str:
    return repr(text if len(text) <= _MOST_SHOWN else text[:_MOST_SHOWN] + "…")


def path_fault(path: object) -> str:
    """Why a path cannot be one of a file below ``profiles/``; empty where it can."""
    if not isinstance(path, str):
        return f"expected text, got {type_name(path)}"
    if "\\" in path or any(char < " " or char == "\x7f" for char in path):
        return f"{_shown(path)} holds a character that no path here may have"
    if not path or path.startswith("/"):
        return f"{_shown(path)} is no path relative to profiles/"
    if ".." in path.split("/"):
        return f"{_shown(path)} leads out of profiles/"
    if len(path) > _LONGEST_PATH:
        return f"{_shown(path)} has more than {_LONGEST_PATH} characters"
    return "" if path.endswith(".toml") else f"{_shown(path)} is no TOML file"


def _changed(fields: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in {**fields, **changes}.items() if value is not None or key not in changes}


def _names(profiles: list[Any]) -> Iterator[tuple[int, str | None]]:
    for position, item in enumerate(profiles):
        yield position, folded_name(item.get("name")) if type(item) is dict else None


def _exact(data: bytes, quick: Any) -> Any:
    import json

    try:
        return json.loads(data)
    except (ValueError, RecursionError):  # beyond this reader's limits
        return quick
