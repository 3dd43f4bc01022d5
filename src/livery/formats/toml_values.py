"""Values that TOML has and JSON has not: dates and times, integers beyond the exact range, infinities, not-a-number.

They are held as their TOML text, which is a string to everything that knows nothing of TOML.
"""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import rtoml

from livery.core.names import type_name
from livery.core.values import MAX_DEPTH, MAX_INTEGER, TypedText, has_surrogate
from livery.errors import Place, ValidationError

Path = tuple[str | int, ...]
Kind = Literal["date-time", "date", "time", "integer", "float"]
MAX_TOML_INTEGER = 2**63 - 1  # TOML promises 64 bits, with a sign

_DATE, _TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}", r"[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?"
_KINDS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("date-time", re.compile(rf"{_DATE}[Tt ]{_TIME}(?:[Zz]|[+-][0-9]{{2}}:[0-9]{{2}})?")),
    ("date", re.compile(_DATE)),
    ("time", re.compile(_TIME)),
    ("integer", re.compile(r"[+-]?(?:0|[1-9](?:_?[0-9])*)|0(?:x[0-9a-fA-F]|o[0-7]|b[01])(?:_?[0-9a-fA-F])*")),
    ("float", re.compile(r"[+-]?(?:inf|nan|(?:0|[1-9](?:_?[0-9])*)(?:\.[0-9](?:_?[0-9])*)?(?:[eE][+-]?[0-9_]+)?)")),
)
_SHOWN = 8  # parts of a path in an error
_LONGEST = 128  # characters; no date or number of 64 bits needs more
_DIRECTIVES = frozenset(("$append", "$prepend", "$remove", "$replace", "$literal"))


def kind_of(text: str) -> Kind | None:
    """What a text is as a TOML value, if it is a date, a time or a number."""
    if len(text) > _LONGEST:
        return None
    kind = next((name for name, pattern in _KINDS if pattern.fullmatch(text)), None)
    return kind if kind and _value(text) is not None else None


def _value(text: str) -> Any:
    try:
        value = rtoml.loads(f"x = {text}")["x"]
    except rtoml.TomlParsingError:
        return None
    return None if type(value) is int and not _fits(value) else value


def _fits(value: int) -> bool:
    return -MAX_TOML_INTEGER - 1 <= value <= MAX_TOML_INTEGER


def text_of(value: Any) -> str | None:
    """The TOML text of a parsed value that JSON has no type for, in its normal form; None for any other value."""
    if isinstance(value, (datetime.date, datetime.time)):  # a datetime is a date too
        return value.isoformat().replace("+00:00", "Z")
    if type(value) is int and not -MAX_INTEGER <= value <= MAX_INTEGER:
        return str(value)
    if type(value) is float and not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    return None


class NoForm(Exception):
    """A value at ``path`` cannot be held or written; :meth:`fault` is the error for those who asked."""

    def __init__(self, path: Path, reason: str) -> None:
        self.path, self.reason = path, reason
        super().__init__(path, reason)

    def fault(self, place: Place | None = None) -> ValidationError:
        return ValidationError(field_of(self.path[:_SHOWN]), self.reason, place)


def held(value: Any, path: Path = (), text: Callable[[Path], str | None] = lambda path: None) -> Any:
    """A TOML value as Livery holds it: JSON values and :class:`TypedText`, nothing of it shared with the given one.

    ``text`` may know how a value was written. NoForm names the path of what TOML has no form for.
    """
    kind = type(value)
    if kind is str or kind is bool:
        return _sound(value, path) if kind is str else value
    if kind is dict:
        _demand_shallow(path)
        return {_key(key, path): held(child, (*path, key), text) for key, child in value.items()}
    if kind is list:
        _demand_shallow(path)
        return [held(item, (*path, index), text) for index, item in enumerate(value)]
    if kind is int or kind is float:
        return value if text_of(value) is None else _as_text(value, path, text)
    return _held_other(value, path, text)


def _held_other(value: Any, path: Path, text: Callable[[Path], str | None]) -> Any:
    if isinstance(value, TypedText):
        if kind_of(value) is None:
            raise NoForm(path, "is no text of a date, a time or a number in TOML")
        parsed = _value(value)
        return value if text_of(parsed) is not None else parsed
    if isinstance(value, (datetime.date, datetime.time)):
        return _as_text(value, path, text)
    if isinstance(value, Mapping):
        return held(dict(value), path, text)
    if isinstance(value, tuple):
        return held(list(value), path, text)
    raise NoForm(path, f"has no form in TOML: {type_name(value)}")


def _as_text(value: Any, path: Path, text: Callable[[Path], str | None]) -> TypedText:
    if type(value) is int and not _fits(value):
        raise NoForm(path, "the integer has more than 64 bits")
    written = text(path)
    return TypedText(written if written and kind_of(written) else text_of(value))


def _key(key: Any, path: Path) -> str:
    if type(key) is not str:
        raise NoForm(path, f"has no form in TOML: a key that is {type_name(key)}")
    return str(_sound(key, path))


def _sound(text: str, path: Path) -> str:
    if not text.isascii() and has_surrogate(text):
        raise NoForm(path, "has no form in TOML: half of a surrogate pair")
    return text


def _demand_shallow(path: Path) -> None:
    if len(path) > MAX_DEPTH:
        raise NoForm(path, f"nested deeper than {MAX_DEPTH}")


def field_of(path: Sequence[str | int]) -> str:
    """A path as faults name it: ``a.b[0]``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


def identical(one: Any, other: Any) -> bool:
    """Equality with types, as TOML has it: ``1`` is neither ``1.0`` nor ``true``, a date is no string."""
    if type(one) is not type(other):
        return False
    if type(one) is dict:
        return one.keys() == other.keys() and all(identical(child, other[key]) for key, child in one.items())
    if type(one) is list:
        return len(one) == len(other) and all(map(identical, one, other))
    return bool(one == other)


def with_own_tables(value: Any) -> Any:
    """A copy whose tables can be changed; lists and what is in them are shared."""
    return {key: with_own_tables(child) for key, child in value.items()} if isinstance(value, dict) else value


def typed_like(values: Any, *likes: Any) -> Any:
    """``values`` with the types that ``likes`` have at the same paths: what went through JSON gets them back.

    A string becomes a :class:`TypedText` where there is one in its place, if it is the text of a value of the same
    kind, and a whole number a float in the place of one. Of several ``likes`` the first that holds a string (or number)
    there decides. Items of a list beyond those of ``likes`` are taken for more of the last one; a directive stands for
    what it holds.
    """
    if isinstance(values, Mapping):
        if _is_directive(values):
            name, payload = next(iter(values.items()))
            return {name: typed_like(payload, *likes)}
        if values.keys() == {"$edits"}:
            return {"$edits": [typed_like(edit, *likes) for edit in values["$edits"]]}
        tables = [table for table in map(_payload, likes) if isinstance(table, Mapping)]
        return {key: typed_like(child, *(t[key] for t in tables if key in t)) for key, child in values.items()}
    if isinstance(values, (list, tuple)):
        lists = [items for items in map(_payload, likes) if isinstance(items, list) and items]
        return [typed_like(item, *(items[min(i, len(items) - 1)] for items in lists)) for i, item in enumerate(values)]
    return _typed_scalar(values, likes) if likes else values


def _typed_scalar(value: Any, likes: Sequence[Any]) -> Any:
    if type(value) is str:
        like = next((like for like in likes if isinstance(like, str)), None)
        is_typed = type(like) is TypedText and kind_of(value) == kind_of(like)
        return TypedText(value) if is_typed else value
    if type(value) is int and abs(value) <= MAX_INTEGER:
        like = next((like for like in likes if type(like) in (int, float)), None)
        return float(value) if type(like) is float else value
    return value


def _is_directive(value: Any) -> bool:
    return isinstance(value, Mapping) and len(value) == 1 and not _DIRECTIVES.isdisjoint(value)


def _payload(like: Any) -> Any:
    """What a directive holds; anything else as it is."""
    if _is_directive(like):
        return next(iter(like.values()))
    if isinstance(like, Mapping) and like.keys() == {"$edits"} and isinstance(like["$edits"], list):
        found = [_payload(edit) for edit in like["$edits"]]
        return [item for items in found if isinstance(items, list) for item in items]
    return like
