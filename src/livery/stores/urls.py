"""Source URLs: ``yaml:team.yaml?optional=1``, a bare path told apart by its shape, and lists of them."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl

from livery.core.names import nearest, registry_slug
from livery.core.redact import mask_url
from livery.errors import UsageError, ValidationError

KINDS = ("builtin", "memory", "yaml", "profile-store", "config-profiles", "sqlite", "postgresql", "https", "http")
_ALIASES = {"sqlite-dsn": "sqlite", "postgres": "postgresql"}
_SQLITE_SUFFIXES = (".db", ".sqlite", ".sqlite3")
_SQLITE_HEADER = b"SQLite format 3\x00"
_SEPARATOR = re.compile(r"[,\s]+")  # a plus of the URL is a blank; a comma also divides lists of sources
_OPTIONS = ("readonly", "optional", "registries", "app", "registry")
_DATABASE_OPTIONS = ("readonly", "optional", "registries")


class SourceURL(NamedTuple):
    """One source: its kind, the path or address, and the options after ``?``; ``text`` is as given."""

    kind: str
    location: str
    readonly: bool = False
    optional: bool = False
    registries: tuple[str, ...] = ()
    options: tuple[tuple[str, str], ...] = ()
    text: str = ""

    def __str__(self) -> str:
        return mask_url(f"{self.kind}:{self.location}")

    def __repr__(self) -> str:
        return f"SourceURL({mask_url(self.text) or str(self)!r})"  # with its password masked


def split_sources(text: str, field: str = "sources") -> list[str]:
    """The entries of a list with commas, also in brackets; an empty entry is an error with its position."""
    text = text.strip()
    if text.startswith("[") and text.endswith("]"):
        text = text[1:-1].strip()
    entries = [entry.strip() for entry in text.split(",")] if text else []
    if "" in entries:
        raise ValidationError(f"{field}[{entries.index('')}]", "is empty")
    return entries


def parse_source(text: str) -> SourceURL:
    """One source; an unknown scheme, an empty location and an unknown option are errors."""
    text = text.strip()
    if not text:
        raise ValidationError("source", "is empty")
    if "\0" in text:
        raise ValidationError("source", "holds the character U+0000, which no path can")
    scheme, colon, rest = text.partition(":")
    scheme = _ALIASES.get(scheme.lower(), scheme.lower())
    if not colon or len(scheme) == 1 or "/" in scheme:  # a bare path; one letter is a drive
        location, options = _options_of(text, text)
        return _built(_kind_of_path(location), location, options, text)
    if scheme not in KINDS:
        close = nearest(scheme, KINDS, 1)
        hint = f"; did you mean {close[0]!r}?" if close else f"; known are {', '.join(KINDS)}"
        raise UsageError(f"unknown kind of source {scheme!r} in {mask_url(text)!r}{hint}")
    if scheme in ("https", "http"):
        return _built(scheme, rest, {}, text)
    if scheme == "postgresql":
        return _built(scheme, *_postgresql(rest, text), text)
    location, options = _options_of(rest, text) if scheme != "sqlite" else _sqlite(rest, text)
    if location.startswith("//"):
        location = location[2:]
    if not location and scheme not in ("builtin", "memory") and not (scheme == "config-profiles" and "app" in options):
        raise ValidationError("source", f"{mask_url(text)!r} is empty: a path is missing after '{scheme}:'")
    return _built(scheme, location, options, text)


def source_of_path(path: os.PathLike[str]) -> SourceURL:
    """The source at a path, told apart by its shape; nothing in the path is read as scheme or option."""
    location = os.fspath(path)
    return SourceURL(_kind_of_path(location), location, text=location)


def _options_of(rest: str, text: str) -> tuple[str, dict[str, str]]:
    """The location and the options in the rest of a source URL, whose whole ``text`` errors show."""
    location, mark, query = rest.partition("?")
    options = dict(parse_qsl(query, keep_blank_values=True)) if mark else {}
    for name in options:
        if name not in _OPTIONS:
            close = nearest(name, _OPTIONS, 1)
            hint = f"; did you mean {close[0]!r}?" if close else f"; known are {', '.join(_OPTIONS)}"
            raise ValidationError("source", f"unknown option {name!r} in {mask_url(text)!r}{hint}")
    return location, options


def _sqlite(rest: str, text: str) -> tuple[str, dict[str, str]]:
    """The path and the options: a question mark belongs to the path unless something like options follows it."""
    path, mark, query = rest.rpartition("?")
    parts = query.split("&")
    if not mark or not all("=" in part or part in _OPTIONS for part in parts):
        return rest, {}
    return path, _options_of(f"?{query}", text)[1]


def _postgresql(rest: str, text: str) -> tuple[str, dict[str, str]]:
    """The address for libpq, as it was written, and the options, which are ours."""
    if not rest.startswith("//"):
        raise ValidationError("source", f"{mask_url(text)!r} is no address; expected postgresql://host/database")
    address, mark, query = rest.partition("?")
    parts = query.split("&") if mark else []
    ours = [part for part in parts if part.partition("=")[0] in _DATABASE_OPTIONS]
    kept = "&".join(part for part in parts if part not in ours)
    return address + (f"?{kept}" if kept else ""), dict(parse_qsl("&".join(ours), keep_blank_values=True))


def _built(kind: str, location: str, options: dict[str, str], text: str) -> SourceURL:
    names = _SEPARATOR.split(options.get("registries", ""))
    return SourceURL(
        kind=kind,
        location=location,
        readonly=_flag(options, "readonly"),
        optional=_flag(options, "optional"),
        registries=tuple(registry_slug(name, "source.registries") for name in names if name),
        options=tuple(options.items()),
        text=text,
    )


def _flag(options: dict[str, str], name: str) -> bool:
    value = options.get(name, "0").lower()
    if value not in ("0", "1", "true", "false", ""):
        raise ValidationError("source", f"{name} takes 1 or 0, not {value!r}")
    return value in ("1", "true", "")


def _kind_of_path(location: str) -> str:
    """What a bare path is, by what is there and by its name."""
    path = Path(os.path.expanduser(location))
    if os.path.isdir(path):  # unlike those of Path, these functions never raise
        return "config-profiles" if _has_config_profiles(path) else "profile-store"
    if path.suffix.lower() in _SQLITE_SUFFIXES or _has_sqlite_header(path):
        return "sqlite"
    return "yaml"


def _has_config_profiles(directory: Path) -> bool:
    """Whether a directory holds TOML profiles: by its manifest or base file, else by what lies in it."""
    profiles = directory / "profiles"
    own = os.path.basename(os.path.abspath(directory))
    if os.path.exists(profiles / "manifest.json") or os.path.exists(directory / f"{own}.toml"):
        return True
    if _names(profiles, ".yaml", ".yml"):
        return False
    return bool(_names(profiles, ".toml")) or len(_names(directory, ".toml")) == 1


def _names(directory: Path, *suffixes: str) -> list[str]:
    """The files in a directory with one of these suffixes; none where it cannot be listed."""
    try:
        return [name for name in os.listdir(directory) if name.endswith(suffixes) and not name.startswith(".")]
    except OSError:
        return []


def _has_sqlite_header(path: Path) -> bool:
    if not os.path.isfile(path):
        return False
    try:
        with path.open("rb") as file:
            return file.read(len(_SQLITE_HEADER)) == _SQLITE_HEADER
    except OSError:
        return False
