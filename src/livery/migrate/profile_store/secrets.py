"""Secrets in the files of a store: where they are, and the files as they may be shown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from livery.core.redact import marked, redact, secret_argument
from livery.core.schema import SettingsSchema
from livery.core.values import REDACTED, SecretLiteral
from livery.errors import ValidationError
from livery.formats.edits import Put
from livery.formats.yaml import read_yaml, write_yaml
from livery.formats.yaml_edit import edit_yaml
from livery.migrate.profile_store.older_keys import Path

_SETTINGS, _SERVERS = "step_settings_patch", "servers"
_COMMENT = re.compile(r"((?:^|[ \t])#[ \t]*)(\S[^\r\n]*)", re.MULTILINE)

_SUSPICIOUS = re.compile(
    r"[:=]|key|token|secret|pass|credential|authori|bearer|(?=\S*[0-9])(?=\S*[A-Za-z])\S{16,}", re.IGNORECASE
)


def secret_paths(document: Mapping[str, Any], schema: SettingsSchema) -> Iterator[Path]:
    """Where a file in this format holds what may be a secret, in clear."""
    settings = {key: value for key, value in document.items() if key != _SERVERS}
    yield from _literals(marked((_SETTINGS,), settings, schema), ())
    yield from _literals(marked((_SERVERS,), document.get(_SERVERS, []), schema), (_SERVERS,))


def _literals(value: Any, path: Path) -> Iterator[Path]:
    if isinstance(value, SecretLiteral):
        yield path
    elif isinstance(value, Mapping):
        for key, child in value.items():
            yield from _literals(child, (*path, key))
    elif isinstance(value, list):
        for number, child in enumerate(value):
            yield from _literals(child, (*path, number))


def without_secrets(text: str, schema: SettingsSchema) -> str:
    """The text of a file with ``{$redacted: true}`` for each secret; comments that may hold one are not shown."""
    document = read_yaml(text, "")
    paths = list(secret_paths(document, schema)) if isinstance(document, Mapping) else []
    try:
        shown = edit_yaml(text, [Put(path, dict(REDACTED)) for path in paths])
    except ValidationError:
        shown = write_yaml(_redacted(document, schema))
    return _COMMENT.sub(_without_secret, shown)


def _redacted(document: Mapping[str, Any], schema: SettingsSchema) -> dict[str, Any]:
    settings = {key: value for key, value in document.items() if key != _SERVERS}
    shown: dict[str, Any] = redact(settings, schema, (_SETTINGS,))
    servers = {_SERVERS: redact(document[_SERVERS], schema, (_SERVERS,))} if _SERVERS in document else {}
    return {**shown, **servers}


def _without_secret(comment: re.Match[str]) -> str:
    """A comment, if it is prose: one that was a setting, or speaks of secrets, is not shown."""
    words = comment[2].split()
    is_secret = _SUSPICIOUS.search(comment[2]) or any(secret_argument(words, n) for n in range(len(words)))
    return f"{comment[1]}(not shown)" if is_secret else comment[0]
