"""What stands in a prepared runtime beside plain JSON values: directives, secrets, references to secrets.

A *prepared* tree is a document after :func:`livery.core.layers.prepare`: checked, numbers in one form, directives
told apart from data, keyed lists as mappings. It is never changed after that, so layers can be shared and cached.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, NamedTuple

import orjson

MAX_INTEGER: Final = 2**53 - 1  # RFC 8785 numbers are IEEE doubles; beyond this an integer is not exact
MAX_DEPTH: Final = 64
MAX_PROFILE_BYTES: Final = 1024 * 1024


class Unset:
    """Removes what the layers below gave; written ``null`` or ``{$unset: true}``."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNSET"

    def __reduce__(self) -> str:
        return "UNSET"  # there is one only, also after copying


UNSET: Final = Unset()


class TypedText(str):
    """The text of a value that JSON has no type for and a format has, such as a date; to the core it is plain text."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"TypedText({str(self)!r})"


class Replace(NamedTuple):
    """A mapping or list that replaces the one below as a whole."""

    value: Any


class ListEdit(NamedTuple):
    """A change of the list below: ``items`` are appended, prepended or removed; those of ``edits`` are such changes."""

    kind: Literal["append", "prepend", "remove", "edits"]
    items: list[Any]


class KeyedEdit(NamedTuple):
    """A change of the keyed list below; ``elements`` by key, or the names to remove."""

    kind: Literal["prepend", "remove"]
    elements: dict[str, Any]


class SecretLiteral(NamedTuple):
    """A secret value written out; every output shows something else in its place.

    ``outline`` is the value with the secret parts cut out, where only parts of it are: two addresses with passwords
    are two addresses, also to a fingerprint.
    """

    value: Any
    outline: str = ""

    def __repr__(self) -> str:
        return "SecretLiteral(...)"


class Atom(dict[str, Any]):
    """A mapping that is a scalar to merge, diff, policy and origin: ``{$secret: …}``."""

    __slots__ = ()


DIRECTIVES: Final = frozenset({Unset, Replace, ListEdit, KeyedEdit})
REDACTED: Final[Mapping[str, Any]] = {"$redacted": True}


def number_fault(value: float) -> str | None:
    """Why a number cannot be used, or None: whole numbers within ±(2^53-1), finite fractions."""
    if isinstance(value, float) and not math.isfinite(value):
        return f"{value} is not a number that JSON can hold"
    if isinstance(value, int) and abs(value) > MAX_INTEGER:
        return f"{value if abs(value) < 10**30 else 'the number'} is outside ±(2^53-1)"
    return None


def plain_number(value: float) -> float:
    """The one form of a number: integral floats within the exact range are integers, -0 is 0."""
    if isinstance(value, float) and value.is_integer() and abs(value) <= MAX_INTEGER:
        return int(value)
    return value


def has_surrogate(text: str) -> bool:
    """Whether a text holds half of a surrogate pair, which UTF-8 cannot."""
    return any("\ud800" <= char <= "\udfff" for char in text)


def same(one: Any, other: Any) -> bool:
    """Equality as JSON has it, at any depth: ``true`` is not ``1``, and ``1.0`` is ``1``."""
    if one is other:
        return True
    if isinstance(one, str):
        return bool(one == other)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(child, other[key]) for key, child in one.items())
    return isinstance(one, bool) is isinstance(other, bool) and bool(one == other)


def written(value: Any) -> Any:
    """The JSON form of a directive; prepared values beside directives, secrets among them, stay as they are."""
    kind = type(value)
    if kind is Unset:
        return None
    if kind is Replace:
        return {"$replace": value.value}
    if kind is ListEdit:
        return {f"${value.kind}": value.items}
    if kind is KeyedEdit:
        return {f"${value.kind}": list(value.elements if value.kind == "remove" else value.elements.values())}
    return value


def encoder(secret: Callable[[SecretLiteral], Any]) -> Callable[[Any], Any]:
    """The hook that gives orjson the JSON form of prepared values, with ``secret(value)`` for each secret."""

    def default(value: Any) -> Any:
        if type(value) is SecretLiteral:
            return secret(value)
        if type(value) in DIRECTIVES:
            return written(value)
        raise TypeError(f"{type(value).__name__} is not a JSON value")

    return default


_REVEAL = encoder(lambda secret: secret.value)
_HIDE = encoder(lambda secret: REDACTED)


def revealed(value: Any) -> Any:
    """A fresh plain copy of a prepared value with secrets in clear: for engines, never for output."""
    return orjson.loads(orjson.dumps(value, default=_REVEAL))


def hidden(value: Any) -> Any:
    """A fresh plain copy of a prepared value with ``{"$redacted": true}`` for every secret."""
    return orjson.loads(orjson.dumps(value, default=_HIDE))
