"""Slugs, references, extension keys and "did you mean": the names that documents, commands and routes share."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from livery.errors import Fault, ValidationError

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,126}[a-z0-9])?", re.ASCII)
_OVERLAY_SLUG = re.compile(r"[a-z0-9_-]{1,32}", re.ASCII)
_EXTENSION_PART = r"[a-z0-9](?:[a-z0-9_-]{0,62}[a-z0-9])?"
_EXTENSION_KEY = re.compile(rf"{_EXTENSION_PART}\.{_EXTENSION_PART}@v[1-9][0-9]{{0,4}}", re.ASCII)


class Reference(NamedTuple):
    """One profile of one registry, both as slugs; written ``registry/profile``."""

    registry: str
    profile: str

    def __str__(self) -> str:
        return f"{self.registry}/{self.profile}"


def registry_slug(text: object, field: str = "registry.slug") -> str:
    """The slug that a registry name folds to (trimmed, ASCII, lower case); a ValidationError for anything else."""
    return _fold(text, field, _SLUG)


def profile_slug(text: object, field: str = "profile.slug") -> str:
    """The slug that a profile name folds to; names of overlay files may also begin or end with ``-`` or ``_``."""
    return _fold(text, field, _SLUG, _OVERLAY_SLUG)


def _fold(text: object, field: str, *grammars: re.Pattern[str]) -> str:
    if type(text) is str and _SLUG.fullmatch(text):  # nearly every name is stored in its folded form
        return text
    if not isinstance(text, str):
        raise ValidationError(field, f"a slug is text, not {type_name(text)}")
    slug = text.strip()
    if not slug:
        raise ValidationError(field, "cannot be empty")
    if not slug.isascii():  # before folding: some non-ASCII letters fold to ASCII ones
        raise ValidationError(field, f"{text!r} has characters outside ASCII")
    slug = slug.lower()
    if not any(grammar.fullmatch(slug) for grammar in grammars):
        raise ValidationError(
            field,
            f"{text!r} is not a slug: 1 to 128 of a-z, 0-9, '.', '_', '-', beginning and ending with a letter or digit",
        )
    return slug


def parse_reference(value: object, registry: str, field: str = "reference") -> Reference:
    """The profile that a reference names, ``registry`` being the one it stands in.

    Read are ``profile``, ``registry/profile``, ``{registry, profile}`` and the older ``{registry_slug, profile_slug}``.
    """
    if isinstance(value, str):
        named, slash, profile = value.rpartition("/")
        if slash and "/" in named:
            raise ValidationError(field, f"{value!r} is not a reference: expected 'profile' or 'registry/profile'")
        return Reference(
            registry_slug(named, f"{field}.registry") if slash else registry,
            profile_slug(profile, f"{field}.profile"),
        )
    if isinstance(value, Mapping):
        return _reference_of_mapping(value, registry, field)
    raise ValidationError(field, f"a reference is text or a mapping, not {type_name(value)}")


def _reference_of_mapping(value: Mapping[str, Any], registry: str, field: str) -> Reference:
    known = {
        "registry": "registry",
        "profile": "profile",
        "registry_slug": "registry",
        "profile_slug": "profile",
    }
    parts: dict[str, Any] = {}
    for key, part in value.items():
        if key not in known:
            raise ValidationError(f"{field}.{key}", unknown_field(str(key), known))
        if known[key] in parts:
            raise ValidationError(f"{field}.{key}", f"given twice, also as {known[key]!r}")
        parts[known[key]] = part
    named = parts.get("registry")
    old = "profile_slug" in value or "registry_slug" in value
    suffix = "_slug" if old else ""
    return Reference(
        registry_slug(named, f"{field}.registry{suffix}") if named not in (None, "") else registry,
        profile_slug(parts.get("profile", ""), f"{field}.profile{suffix}"),
    )


def extension_key(text: object, field: str = "extensions") -> str:
    """``namespace.feature@vN`` in its folded form (trimmed, lower case); a ValidationError for anything else."""
    key = text.strip().lower() if isinstance(text, str) and text.isascii() else ""
    if not _EXTENSION_KEY.fullmatch(key):
        raise ValidationError(field, f"{text!r} is not an extension key: expected 'namespace.feature@vN'")
    return key


def fold_keys(names: Iterable[object], fold: Any, field: str) -> tuple[dict[str, str], list[Fault]]:
    """Written name by folded name, and a fault for each name that is none or that collides with an earlier one."""
    written: dict[str, str] = {}
    faults: list[Fault] = []
    for name in names:
        try:
            folded = fold(name, f"{field}[{name}]")
        except ValidationError as error:
            faults.extend(error.faults)
            continue
        if folded in written:
            faults.append(Fault(f"{field}[{name}]", f"folds to the same name as {written[folded]!r}"))
        else:
            written[folded] = str(name)
    return written, faults


def nearest(name: str, known: Iterable[str], count: int = 2) -> list[str]:
    """The names most like ``name``, best first; empty where none is close."""
    import difflib  # rarely needed, and not free to import

    folded = {candidate.lower().replace("-", "_"): candidate for candidate in known}
    close = difflib.get_close_matches(name.lower().replace("-", "_"), folded, n=count, cutoff=0.6)
    return [folded[match] for match in close]


def unknown_field(name: str, known: Iterable[str]) -> str:
    """The reason text of a fault for a field that nothing knows."""
    close = nearest(name, known, 1)
    return f"unknown field {name!r}" + (f"; did you mean {close[0]!r}?" if close else "")


def type_name(value: object) -> str:
    """What a JSON value is called in messages."""
    if value is None:
        return "null"
    names: tuple[tuple[type, str], ...] = (
        (bool, "true/false"),
        (int, "a number"),
        (float, "a number"),
        (str, "text"),
        (list, "a list"),
        (Mapping, "a mapping"),
    )
    return next((name for kind, name in names if isinstance(value, kind)), type(value).__name__)
