"""``.livery.json``: the versions of what a profile store's files hold, and who wrote them when.

A record is of the bytes that it has the digest of. Where a file has other bytes, somebody has edited it by hand (or a
writer died after it had written the file): it is the next version, written by nobody knows whom.
"""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from livery.core.profile import Metadata
from livery.errors import Fault, LiveryError, Place, SchemaTooNew, SourceNotFound

VERSION = 1
_Count = Annotated[int, Meta(ge=1)]


class Record(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is known of one document as it was written last."""

    version: _Count
    runtime_version: _Count | UnsetType = UNSET
    created_at_ms: int | UnsetType = UNSET
    updated_at_ms: int | UnsetType = UNSET
    created_by: str = ""
    updated_by: str = ""
    source: str = ""
    digest: str = ""

    @classmethod
    def of(cls, metadata: Metadata, digest: str) -> Record:
        """The record of a document with this metadata, whose files have this digest."""
        fields = {name: getattr(metadata, name) for name in cls.__struct_fields__ if name != "digest"}
        return cls(**fields, digest=digest)

    def metadata(self, digest: str) -> Metadata:
        """The metadata of the document whose files have this digest now."""
        if digest != self.digest:
            return Metadata(version=self.version + 1, created_at_ms=self.created_at_ms, created_by=self.created_by)
        return Metadata(**{name: getattr(self, name) for name in self.__struct_fields__ if name != "digest"})


class Sidecar(Struct, frozen=True, kw_only=True):
    """The records of a store. ``deleted_versions`` are the last versions of profiles that are gone.

    ``deleted_registry_version`` is that of a registry which was deleted and not made again; else 0.
    """

    version: int = VERSION
    registry: Record | None = None
    profiles: dict[str, Record] = {}
    deleted_versions: dict[str, _Count] = {}
    deleted_registry_version: Annotated[int, Meta(ge=0)] = 0

    def last_version(self, slug: str) -> int:
        """The last known version of a profile that is not there; 0 where there never was one."""
        record = self.profiles.get(slug)
        return max(self.deleted_versions.get(slug, 0), record.version if record else 0)

    def profile_metadata(self, slug: str, digest: str) -> Metadata:
        record = self.profiles.get(slug)
        return record.metadata(digest) if record else Metadata(version=self.last_version(slug) + 1)

    def registry_metadata(self, digest: str, deleted: dict[str, int]) -> Metadata:
        unrecorded = Metadata(version=self.deleted_registry_version + 1)
        metadata = self.registry.metadata(digest) if self.registry else unrecorded
        return msgspec.structs.replace(metadata, deleted_versions=deleted)

    def encoded(self) -> bytes:
        return msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"


class ReadSidecar(NamedTuple):
    """The records as read; ``fault`` is why there are none, ``refusal`` why the file may not be written over."""

    sidecar: Sidecar
    fault: Fault | None = None
    refusal: LiveryError | None = None


def read_sidecar(content: bytes | LiveryError | None, file: str) -> ReadSidecar:
    """The records in the file's content (None: there is no file). What cannot be used is as if it were not there."""
    if content is None or isinstance(content, SourceNotFound):
        return ReadSidecar(Sidecar())
    if isinstance(content, LiveryError):
        reason = f"cannot be read, every version is taken for 1: {getattr(content, 'reason', content)}"
        return ReadSidecar(Sidecar(), Fault("", reason, Place(file)), content)
    try:
        sidecar = msgspec.json.decode(content, type=Sidecar)
    except (msgspec.DecodeError, RecursionError):
        return _unusable(content, file)
    return _unusable(content, file) if sidecar.version != VERSION else ReadSidecar(sidecar)


def _unusable(content: bytes, file: str) -> ReadSidecar:
    version = _version_of(content)
    if isinstance(version, int) and version > VERSION:
        reason = f"was written by a later Livery (version {version}, known is {VERSION})"
        known = Fault("version", f"{reason}; every version is taken for 1, and nothing is written", Place(file))
        return ReadSidecar(Sidecar(), known, SchemaTooNew(f"{file} {reason}; use that one to write here"))
    reason = "is not what Livery writes; every version is taken for 1, and the next write keeps this file aside"
    return ReadSidecar(Sidecar(), Fault("", reason, Place(file)))


def _version_of(content: bytes) -> Any:
    class Head(Struct):
        version: int

    try:
        return msgspec.json.decode(content, type=Head).version
    except (msgspec.DecodeError, RecursionError):
        return None
