"""How a field of a section says what it is: its description, its marks, its old flag.

The annotations land in the JSON Schema that msgspec derives, so files, forms, policy, redaction and the
readers of old files all ask the same source.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

Count = Annotated[int, Meta(ge=0)]
AtLeastOne = Annotated[int, Meta(ge=1)]
Fraction = Annotated[float, Meta(ge=0, le=1)]
NotNegative = Annotated[float, Meta(ge=0)]
Penalty = Annotated[float, Meta(ge=-2, le=2)]
Budget = Annotated[int, Meta(ge=-1)]
"""A number of tokens; -1 leaves it to the model."""


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all sections: frozen values, made by field name, unknown fields refused."""


class SecretReference(Section, frozen=True, kw_only=True, rename={"reference": "$secret"}):
    """Where a secret is read when it is needed: ``env:NAME`` or ``file:PATH``; written ``{$secret: …}``."""

    reference: str


Credential = str | SecretReference
"""A text that is secret or may hold a secret: written out, or a reference to it."""

NAMED_KEY = {"pattern": ".-api-key$"}
NAMED_URL = {"pattern": ".-base-url$"}


def setting(
    description: str,
    *,
    flag: str = "",
    flag_patterns: tuple[str, ...] = (),
    aliases: tuple[str, ...] = (),
    secret: bool = False,
    sensitive: bool = False,
    unit: bool = False,
    goes_over: tuple[str, ...] = (),
    **keywords: Any,
) -> Meta:
    """The annotation of one field.

    ``flag`` is the ``section.flag`` that old files and command lines know it by, ``aliases`` are further
    names of it there; a map takes every flag of its ``flag_patterns`` as an entry
    (``openai-chat.*-api-key``). ``secret`` values are never shown, ``sensitive`` ones overridden only where a
    policy names them, a ``unit`` is a mapping that is replaced whole. A field ``goes_over`` others where it
    is used in their place; who may not override those may not override it. ``keywords`` are JSON Schema keywords,
    taken as they are.
    """
    marks = {
        "x-flag": flag,
        "x-flag-patterns": list(flag_patterns),
        "x-aliases": list(aliases),
        "x-secret": secret,
        "x-sensitive": sensitive,
        "x-unit": unit,
        "x-goes-over": list(goes_over),
    }
    extra = {name: value for name, value in marks.items() if value} | keywords
    return Meta(description=description, extra_json_schema=extra or None)


def section(description: str, *, slug: str = "", prefix: str = "", sensitive: bool = False) -> Meta:
    """The annotation of a section: ``slug`` is its name in old files, ``prefix`` begins its flags there."""
    marks = {"x-section": slug, "x-prefix": prefix, "x-sensitive": sensitive}
    return Meta(
        description=description,
        extra_json_schema={name: value for name, value in marks.items() if value} or None,
    )


def key_of(provider: str, *, flag: str) -> Mapping[str, Any]:
    """The schema of one named entry of a map of API keys."""
    return {"type": "string", "description": f"The API key of {provider}.", "x-flag": flag, "x-secret": True}


def url_of(provider: str, default: str, *, flag: str) -> Mapping[str, Any]:
    """The schema of one named entry of a map of base URLs."""
    return {
        "type": "string",
        "description": f"Where the API of {provider} is.",
        "default": default,
        "x-flag": flag,
        "x-sensitive": True,
    }


def no_entries() -> dict[str, Any]:
    """An empty map that, unlike ``dict``, does not show in the schema as a default."""
    return {}
