"""Secrets are references in profiles; here they are read, at the last moment, when something is built with them.

``env:NAME`` is a variable of the environment, ``file:/path`` the text of a file. Layouts that write ``${NAME}`` into
their texts have it put in by :func:`expand`. No error of this module holds a value: what does not look like a reference
is not repeated either, because it may be the secret itself.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from typing import Any, Final

from livery.core.paths import text_of
from livery.core.variables import is_unreadable, substituted
from livery.errors import SecretUnavailable

MAX_BYTES: Final = 64 * 1024

_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_HOW_TO_WRITE: Final = "a reference is env:NAME or file:/absolute/path"


def read_secret(reference: str | Mapping[str, Any], environ: Mapping[str, str]) -> str:
    """The text that a reference, bare or as ``{"$secret": …}``, leads to; never empty.

    One newline at the end of a file is not part of it. SecretUnavailable says why there is nothing to be had.
    """
    text = reference if isinstance(reference, str) else _reference_in(reference)
    scheme, _, place = text.partition(":")
    if scheme == "env" and _VARIABLE.fullmatch(place):
        value = _read_variable(text, place, environ)
    elif scheme == "file" and place.startswith("/"):
        value = _read_file(text, place)
    else:
        raise SecretUnavailable("(not shown)", _HOW_TO_WRITE)
    if not value:
        raise SecretUnavailable(text, "it is empty")
    return value


def expand_secrets(value: Any, environ: Mapping[str, str], *, field: str = "") -> Any:
    """A copy of a JSON value with what they refer to in place of its ``{"$secret": …}`` mappings.

    ``field`` is where the value stands; a SecretUnavailable names the field that wanted the secret.
    """
    if is_reference(value):
        return _read_for(field, value, environ)
    if isinstance(value, Mapping):
        return {name: expand_secrets(child, environ, field=_below(field, name)) for name, child in value.items()}
    if isinstance(value, list | tuple):
        return [expand_secrets(child, environ, field=f"{field}[{index}]") for index, child in enumerate(value)]
    return value


def expand(text: str, environ: Mapping[str, str]) -> str:
    """The text with the values of the variables that it names: ``${NAME}``, ``$NAME``, ``${NAME:-default}``.

    ``$$`` is a dollar sign, and so is one before anything but a name or ``{``. The default, taken as it is written,
    stands for a variable that is not set or empty. A value is put in once and never read as more than text.
    SecretUnavailable names a variable that is not set and has no default.
    """
    if is_unreadable(text):
        raise SecretUnavailable("(not shown)", "'${' needs a name and '}'; write $${ for the characters themselves")

    def value_of(name: str, default: str | None) -> str:
        value = environ.get(name)
        if default is not None:
            return value or default
        if value is None:
            raise SecretUnavailable(f"env:{name}", "the variable is not set")
        return value

    return substituted(text, value_of)


def secret_available(reference: str | Mapping[str, Any], environ: Mapping[str, str]) -> bool:
    """Whether a reference leads to something that can be read now."""
    try:
        read_secret(reference, environ)
    except SecretUnavailable:
        return False
    return True


def is_reference(value: Any) -> bool:
    """Whether a JSON value is a mapping with ``$secret`` as its only key."""
    return isinstance(value, Mapping) and len(value) == 1 and "$secret" in value


def _below(field: str, name: str) -> str:
    return f"{field}.{text_of((name,))}" if field else text_of((name,))


def _reference_in(mapping: Mapping[str, Any]) -> str:
    text = mapping.get("$secret")
    if not is_reference(mapping) or not isinstance(text, str):
        raise SecretUnavailable("(not shown)", _HOW_TO_WRITE)
    return text


def _read_for(field: str, reference: Mapping[str, Any], environ: Mapping[str, str]) -> str:
    try:
        return read_secret(reference, environ)
    except SecretUnavailable as error:
        wanted = f"; {field} needs it" if field else ""
        raise SecretUnavailable(error.reference, f"{error.reason}{wanted}") from None


def _read_variable(reference: str, name: str, environ: Mapping[str, str]) -> str:
    if name not in environ:
        raise SecretUnavailable(reference, "the variable is not set")
    return environ[name]


def _read_file(reference: str, path: str) -> str:
    try:
        data = _regular_bytes(reference, path)
    except OSError as error:
        raise SecretUnavailable(reference, (error.strerror or type(error).__name__).lower()) from None
    except ValueError:  # a NUL character in the path
        raise SecretUnavailable(reference, "no file can have this name") from None
    if len(data) > MAX_BYTES:
        raise SecretUnavailable(reference, f"the file is larger than {MAX_BYTES} bytes")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise SecretUnavailable(reference, "the file is not UTF-8 text") from None
    return text.removesuffix("\n").removesuffix("\r") if text.endswith("\n") else text


def _regular_bytes(reference: str, path: str) -> bytes:
    """The content of a regular file, at most one byte above the limit; opening never waits for a pipe's writer."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise SecretUnavailable(reference, "it is not a regular file")
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(MAX_BYTES + 1)
    finally:
        os.close(descriptor)
