"""Registries as one document that can be read anywhere, secrets left out."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from livery.core.catalogue import Catalogue, RegistryView
from livery.core.redact import redact
from livery.errors import LiveryError
from livery.service.redacted_fields import redacted_fields

Told = Callable[[str, int, int], None]
"""Is told what is being done, how much of it is done, and how much there is (0: nobody knows)."""

_LONG = re.compile(r"^(?:runtime\.)?(?:step_settings_patch\.)?")  # as everywhere, settings are named by their path
_EVERY = 500  # profiles between two words about how far it is


def silent(what: str, done: int, total: int) -> None:
    """Tells nobody."""


class Exported(NamedTuple):
    """A bundle; which secrets are hidden in it (``team/coder api.api_keys.x``); why some profiles are not in it."""

    document: dict[str, Any]
    hidden: list[str]
    left_out: list[str]


def exported(catalogue: Catalogue, slugs: Sequence[str], told: Told = silent) -> Exported:
    """The bundle of some registries as they are seen over all sources; what cannot be used is left out, and said."""
    result = Exported({"registries": {}}, [], [])
    for slug in slugs:
        result.document["registries"][slug] = _document(catalogue.view(slug), result, told)
    return result


def _document(view: RegistryView, result: Exported, told: Told) -> dict[str, Any]:
    head = _redacted(view.head.head(), view.slug, view, result)
    metadata = head.pop("metadata", None)
    profiles: dict[str, Any] = {}
    total = len(view.profiles)
    for number, stack in enumerate(view.profiles.every()):
        if number % _EVERY == 0:
            told(f"reading {view.slug}", number, total)
        try:
            if stack.fault is not None:
                raise stack.fault
            document = stack.profile.document()
            profiles[stack.reference.profile] = _redacted(document, str(stack.reference), view, result)
        except LiveryError as error:
            result.left_out.append(f"{stack.reference}: {error}")
    ordered = {slug: profiles[slug] for slug in sorted(profiles)}
    return {**head, "profiles": ordered, **({"metadata": metadata} if metadata else {})}


def _redacted(document: dict[str, Any], name: str, view: RegistryView, result: Exported) -> dict[str, Any]:
    shown: dict[str, Any] = redact(document, view.schema)
    for field in redacted_fields(shown):
        result.hidden.append(f"{name} {_LONG.sub('', field)}")
    return shown
