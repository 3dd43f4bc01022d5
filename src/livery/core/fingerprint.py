"""Canonical JSON (RFC 8785) and the digests made of it: the identity of a runtime."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any

import orjson

from livery.core.values import encoder

_INTEGRAL = re.compile(rb"\.0[,\]}]")
_EXPONENT = re.compile(rb"e[-+]?[0-9]+[,\]}]")
_SORTED = orjson.OPT_SORT_KEYS
_LITERAL = encoder(lambda secret: secret.outline or {"$secret": "literal"})


def canonical_json(value: Any) -> bytes:
    """The RFC 8785 form of a JSON value; a secret literal enters as ``{"$secret": "literal"}``,
    one of which only parts are secret as the rest of it.

    orjson's sorted output is that form wherever no number has an exponent or a trailing ``.0`` and no key is outside
    ASCII (its keys are sorted by code point, RFC 8785 sorts by UTF-16 unit); anything else goes to the reference
    implementation.
    """
    data = orjson.dumps(value, default=_LITERAL, option=_SORTED)
    if data.isascii() and not _number_forms_differ(data):
        return data
    import rfc8785

    return rfc8785.dumps(orjson.loads(data))


def _number_forms_differ(data: bytes) -> bool:
    if data[:1] in b"-0123456789":  # a bare number, which nothing follows
        return True
    return _INTEGRAL.search(data) is not None or _EXPONENT.search(data) is not None


def digest(value: Any) -> str:
    """``sha256:`` and the hex digest of the canonical JSON of a value."""
    return "sha256:" + sha256(canonical_json(value)).hexdigest()


def fingerprint(registry: str, profile: str, lineage: Iterable[tuple[str, str, int]], runtime_digest: str) -> str:
    """``lv1:sha256:…`` of a resolved profile: which one, over which bases at which runtime versions, and its runtime.

    ``lineage`` are (registry, profile, runtime version), base first; where a profile comes from does not enter.
    """
    bases: Sequence[dict[str, Any]] = [
        {"registry": base, "profile": slug, "runtime_version": version} for base, slug, version in lineage
    ]
    identity = {"registry": registry, "profile": profile, "lineage": bases, "runtime": runtime_digest}
    return "lv1:" + digest(identity)
