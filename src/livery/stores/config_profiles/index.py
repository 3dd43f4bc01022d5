"""Which profiles there are: what the manifest says, or where it cannot be used what lies in the directory."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import NamedTuple

from livery.errors import (
    Fault,
    LiveryError,
    Place,
    SchemaTooNew,
    SourceNotFound,
    SourceUnavailable,
    ValidationError,
)
from livery.formats.manifest import Manifest, read_manifest
from livery.stores.config_profiles.layout import Layout
from livery.stores.config_profiles.scanning import scan
from livery.stores.file_state import REST_S
from livery.stores.files import locked, read_file, set_aside, write_unchanged

_TEMPORARY = "manifest.json.tmp"


class Index(NamedTuple):
    """The profiles of a directory, and what deserves a warning about how they were found.

    ``found`` is what the manifest's file holds (None: there is none), ``listing`` the token of the files that the
    profiles were listed from, empty where the manifest was read, ``refusal`` why it can be replaced by no means.
    """

    manifest: Manifest
    notices: tuple[Fault, ...] = ()
    found: bytes | None = None
    listing: str = ""
    refusal: LiveryError | None = None

    @property
    def corrupt(self) -> bytes | None:
        """The bytes of a manifest that is none."""
        return self.found if self.listing else None

    @property
    def is_to_be_made(self) -> bool:
        """Whether the manifest is to be made from what was listed."""
        has_something = bool(self.manifest.entries) or self.corrupt is not None
        return bool(self.listing) and self.refusal is None and has_something

    def demand_writable(self, layout: Layout) -> None:
        """Why the manifest cannot be written, where it cannot."""
        if self.refusal is not None:
            raise self.refusal
        self.manifest.demand_writable(str(layout.manifest))


def look(layout: Layout) -> Index:
    """The index as it is now, as exact as a rewrite of it has to be."""
    return index_of(layout, content(layout.manifest), exact=True)


def demand_replaceable(layout: Layout) -> None:
    """SourceUnavailable where something is in the place of the manifest that no file may replace."""
    found = content(layout.manifest)
    refusal = None if isinstance(found, bytes) else index_of(layout, found).refusal
    if refusal is not None:
        raise refusal


def content(path: Path) -> bytes | LiveryError:
    """What is in a file, or why it cannot be read."""
    try:
        return read_file(path)
    except LiveryError as error:
        return error


def index_of(layout: Layout, found: bytes | LiveryError, *, exact: bool = False) -> Index:
    """The index that there is where the manifest's file holds this, or cannot be read for this reason."""
    if isinstance(found, bytes):
        try:
            manifest = read_manifest(found, exact=exact)
        except ValidationError as error:
            return _listed(layout, f"it is no manifest ({error})", found)
        return Index(manifest, tuple(_notices(layout, manifest)), found)
    if isinstance(found, SourceNotFound) and not os.path.lexists(layout.manifest):
        return _listed(layout, "it is missing")
    reason = "it is a link that leads to nothing" if isinstance(found, SourceNotFound) else _reason(found)
    refusal = SourceUnavailable(str(layout.manifest), f"{reason}; mend that first, it is the index of the profiles")
    return _listed(layout, reason, refusal=refusal)


def _reason(error: LiveryError) -> str:
    return error.reason if isinstance(error, SourceUnavailable | ValidationError) else str(error)


def _listed(layout: Layout, reason: str, found: bytes | None = None, *, refusal: LiveryError | None = None) -> Index:
    scanned = scan(layout.profiles)
    notices = list(scanned.faults)
    if scanned.manifest.entries or found is not None or refusal is not None:
        told = f"{reason}; the profiles are listed from the files beside it"
        notices.insert(0, Fault("", told, Place(str(layout.manifest))))
    return Index(scanned.manifest, tuple(notices), found, scanned.token, refusal)


def _notices(layout: Layout, manifest: Manifest) -> list[Fault]:
    place = Place(str(layout.manifest))
    notices = [fault._replace(place=place) for fault in manifest.faults]
    try:
        manifest.demand_writable(layout.manifest.name)
    except SchemaTooNew as error:
        notices.append(Fault("version", str(error), place))
    return notices


def make_manifest(layout: Layout, index: Index, at_ms: int) -> tuple[Fault, ...]:
    """Make the manifest anew from what was listed, and tell so; or tell why it is not made."""
    place = Place(str(layout.manifest))
    try:
        if index.corrupt is not None:
            time.sleep(REST_S)  # others may write it in several steps: half of it is not corrupt
        with locked(layout.manifest):
            index = look(layout)
            if not index.is_to_be_made:
                return ()
            kept = save_manifest(layout, index, index.manifest, at_ms)
    except LiveryError as error:
        return (Fault("", f"it is not made anew: {error}", place),)
    told = "it was made anew from the files beside it"
    if kept is not None:
        told += f"; descriptions and versions are lost with what was in it, which is kept as {kept.name}"
    return (Fault("", told, place), *index.notices[1:])


def save_manifest(layout: Layout, held: Index, manifest: Manifest, at_ms: int) -> Path | None:
    """Replace the manifest that is held under the lock; where that was none, its bytes are kept and named.

    Locked where a program that asks for no lock has written it meanwhile: its change is not to be lost.
    """
    place = Place(str(layout.manifest))

    def check(written: bytes) -> None:
        if read_manifest(written, exact=True).document != manifest.document:
            raise ValidationError("", "the manifest would read differently from what was meant", place)

    kept = set_aside(layout.manifest, held.corrupt, at_ms) if held.corrupt is not None else None
    write_unchanged(layout.manifest, held.found, manifest.data(), check, temp_name=_TEMPORARY)
    return kept
