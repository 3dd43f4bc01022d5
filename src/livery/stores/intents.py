"""What a journal is told of a write before it is made, and what it can say of it later by the digests of contents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any, Literal, NamedTuple

import msgspec

from livery.core.profile import Profile, Registry
from livery.stores.protocols import Event

Outcome = Literal["done", "failed", "unknown"]

_PRESENTATION = ("display_name", "description", "extensions", "tags")
_encoded = msgspec.json.Encoder(enc_hook=str, order="sorted").encode


class Stored(NamedTuple):
    """How an item stands in a store: its version and the digest of its content; 0 and "" where it is not there."""

    version: int = 0
    digest: str = ""


Look = Callable[[str, str], Stored | None]
"""How a registry (the second empty) or a profile stands now; None where that cannot be told."""


class Intent(NamedTuple):
    """One change of one item that is about to be written to ``source``.

    ``to_version`` is the version that it will have, as far as that is known before.
    """

    source: str
    event: Event
    digest_before: str
    digest_after: str


def outcome(intent: Intent, since: Sequence[str], now: Stored) -> Outcome:
    """What became of an open intent, by how the item stands now and the digests that later writes found."""
    after, before = intent.digest_after, intent.digest_before
    if after == before:
        return "done" if now.version > intent.event.from_version else "failed"
    if now.digest == after or after in since:
        return "done"
    return "failed" if before in since or now.digest == before else "unknown"


def content_digest(item: Profile | Registry) -> str:
    """A digest of what a writer sets of a profile, or of a registry without its profiles; equal for equal content.

    What is empty counts as absent: some layouts have one form for both.
    """
    content = _content(item)
    for name in ("runtime", "defaults", "enforced"):
        content[name] = _filled(content.get(name, {}))
    return "sha256:" + sha256(_encoded(_filled(content))).hexdigest()


def _content(item: Profile | Registry) -> dict[str, Any]:
    document = item.head() if isinstance(item, Registry) else item.document()
    tags = document.pop("metadata", {}).get("tags")
    return {**document, "tags": tags}


def _filled(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value not in ({}, [], "", None)}


def stored_as(item: Profile | Registry | str | None) -> Stored:
    """How an item stands, or by its digest alone what cannot be read."""
    if isinstance(item, Profile | Registry):
        return Stored(item.version, content_digest(item))
    return Stored(0, item or "")


def scope_of(before: Profile | Registry | str | None, after: Profile | Registry | None) -> str:
    """``presentation`` where only names, descriptions, tags or extensions are different."""
    if not isinstance(before, Profile | Registry) or after is None:
        return "runtime"
    return "presentation" if _encoded(_runtime_part(before)) == _encoded(_runtime_part(after)) else "runtime"


def _runtime_part(item: Profile | Registry) -> dict[str, Any]:
    return {name: value for name, value in _content(item).items() if name not in _PRESENTATION}
