"""Documents that a command is given: in a file, on standard input (``-``), or from an editor."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path as FilePath
from typing import Any, NamedTuple

from livery.core.names import type_name
from livery.core.paths import Path
from livery.errors import ValidationError
from livery.formats.registry_yaml import path_of_field
from livery.formats.toml import read_toml
from livery.formats.yaml import locate_all, read_yaml
from livery.stores.files import read_file

_PREFIX = re.compile(r"(?:registry\.profiles\[[^\]]*\]|profile|registry)\.")


class Given(NamedTuple):
    """A document and the text that it was read from; ``file`` is what messages call it."""

    fields: dict[str, Any]
    text: str
    file: str


NOTHING = Given({}, "", "")


def read_document(file: str) -> Given:
    """The mapping in a YAML, JSON or (by its name) TOML file; an empty one is an empty mapping."""
    data = sys.stdin.buffer.read() if file == "-" else read_file(FilePath(file))
    name = "standard input" if file == "-" else file
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise ValidationError("", f"{name} is not UTF-8") from None
    return Given(read_toml(text, name), "", name) if file.endswith(".toml") else given_yaml(text, name)


def given_yaml(text: str, file: str) -> Given:
    """The mapping in a YAML text."""
    fields = read_yaml(text, file)
    if not isinstance(fields, dict | None):
        raise ValidationError("", f"{file}: expected a mapping, got {type_name(fields)}")
    return Given(fields or {}, text, file)


def has_path(document: Any, path: Path) -> bool:
    """Whether a document says anything at a path."""
    for part in path:
        if not isinstance(document, Mapping) or part not in document:
            return False
        document = document[part]
    return True


def value_at(document: Any, path: Path) -> Any:
    """What a document says at a path that it has."""
    for part in path:
        document = document[part]
    return document


def put_at(document: dict[str, Any], path: Path, value: Any) -> None:
    """Set what a document says at a path."""
    for part in path[:-1]:
        document = document.setdefault(part, {})
    document[path[-1]] = value


@contextmanager
def placed(given: Given) -> Iterator[None]:
    """Give the faults that are found in a document their lines in its text."""
    try:
        yield
    except ValidationError as error:
        if not given.text:
            raise
        paths = [path_of_field(given.fields, _PREFIX.sub("", fault.field, count=1)) for fault in error.faults]
        places = locate_all(given.text, given.file, paths)
        raise ValidationError.of(
            [fault._replace(place=fault.place or place) for fault, place in zip(error.faults, places, strict=True)]
        ) from None
