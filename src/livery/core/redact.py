"""What is a secret, decided in one place for every output: schema marks first, then names, then the value's shape."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from livery.core.paths import SETTINGS, Path
from livery.core.schema import FREE, SettingsSchema
from livery.core.values import REDACTED, Atom, SecretLiteral, hidden

_KEYED = ("middlewares", "servers")  # the second part of their paths is the name of an element
_ROOTS = (SETTINGS, *_KEYED, "extensions")
_NAMED = ("profiles", "registries", "callers", "deleted_versions")  # mappings whose keys are names that people gave
_TRANSPARENT = ("$append", "$prepend", "$replace", "$literal")  # what they hold stands where they stand
_LAST_WORDS = frozenset(
    {
        "key",
        "apikey",
        "token",
        "secret",
        "password",
        "passwd",
        "passphrase",
        "credential",
        "credentials",
        "authorization",
    }
)
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[A-Z]+")
# User and password; a password may hold what should have been escaped, unless it looks like a port: `host:80/a@b`.
_USER_INFO = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://([^/?#\s@]*|[^/?#\s@:]*:(?![0-9]*(?:[/?#]|$))[^\s@]*)@", re.ASCII)
_CREDENTIALS = re.compile(r"[^\s/@:]*:[^\s/@]*@")  # an address without its scheme
_ADDRESS_NAME = re.compile(r"(?:url|uri|proxy|endpoint|address|host|dsn)s?$", re.IGNORECASE)
COMMANDS = ("cmd", "args", "command")
_BRACED = (
    r"\$\{[A-Za-z_][A-Za-z0-9_]*(?::-)?\}"  # with a default it is no mere reference: the default may be the secret
)
_REFERENCE = re.compile(_BRACED, re.ASCII)
_SHELL_REFERENCE = re.compile(rf"{_BRACED}|\$[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_SCHEME_WORD = re.compile(r"\s*(?:(?:bearer|basic|token)\b)?\s*", re.IGNORECASE)
_ASSIGNMENT = re.compile(r"-{0,2}([A-Za-z][A-Za-z0-9_.-]*)\s*[=:]\s*(.+)", re.DOTALL)


@lru_cache(maxsize=4096)
def secret_name(name: str) -> bool:
    """Whether the last word of a key name says that its value is a secret (``max_response_tokens`` does not)."""
    words = _WORDS.findall(name)
    return bool(words) and words[-1].lower() in _LAST_WORDS


def is_reference(text: str, *, shell: bool = False) -> bool:
    """Whether a text is nothing but ``${NAME}`` (``shell``: or ``$NAME``), after an optional ``Bearer`` or the like."""
    if "$" not in text:
        return False
    references = _SHELL_REFERENCE if shell else _REFERENCE
    return _SCHEME_WORD.fullmatch(references.sub("", text)) is not None


def is_secret(path: Path, value: Any, schema: SettingsSchema = FREE) -> bool:
    """Whether a scalar of a runtime document must never be shown; ``path`` starts at the document's root."""
    if value is None or value == "" or isinstance(value, bool):
        return False
    if isinstance(value, str):
        if is_reference(value, shell=path[:1] == ("servers",)):  # there, and only there, `$NAME` is expanded
            return False
        if "://" in value and _has_user_info(value):
            return True
        if "@" in value and path and _ADDRESS_NAME.search(path[-1]) and _CREDENTIALS.match(value):
            return True
        if path[:1] == ("servers",) and path[-1] in COMMANDS:
            words = value.split()
            return any(secret_argument(words, index) for index in range(len(words)))
    if not path:
        return False
    if path[0] == SETTINGS and schema.is_secret(path[1:]):
        return True
    if _in_environment(path):
        return True
    return any(map(secret_name, path[2:] if path[0] in _KEYED else path))


def _has_user_info(text: str) -> bool:
    return any(not is_reference(info.replace(":", " ")) for info in _USER_INFO.findall(text))


def _in_environment(path: Path) -> bool:
    """Values of a server's ``env`` and of its HTTP headers."""
    if path[0] != "servers":
        return False
    return "env" in path[2:] or ("http" in path[2:] and "headers" in path[2:])


def secret_argument(arguments: list[Any], index: int) -> bool:
    """Whether one word of a command line carries a secret.

    ``--token=x``, ``x`` after ``--token``, ``API_KEY=x``, ``Authorization: x`` and user-info in a URL do.
    """
    word = arguments[index]
    if not isinstance(word, str):
        return word is not None and not isinstance(word, Mapping) and _follows_secret_flag(arguments, index)
    if is_reference(word, shell=True):
        return False
    assigned = _ASSIGNMENT.fullmatch(word)
    if assigned and secret_name(assigned[1]) and not is_reference(assigned[2], shell=True):
        return True
    if _follows_secret_flag(arguments, index):
        return not word.startswith("-")
    return "://" in word and _has_user_info(word)


def _follows_secret_flag(arguments: list[Any], index: int) -> bool:
    before = arguments[index - 1] if index else None
    return isinstance(before, str) and before.startswith("-") and "=" not in before and secret_name(before)


def marked(path: Path, value: Any, schema: SettingsSchema = FREE) -> Any:
    """A copy of a plain value with every secret in it as a :class:`SecretLiteral`."""
    if isinstance(value, Mapping):
        if len(value) == 1 and ("$secret" in value or "$redacted" in value):
            return Atom(value if is_secret_reference(value) else REDACTED)
        return {key: marked(_below(path, str(key)), child, schema) for key, child in value.items()}
    if isinstance(value, list | tuple):
        items = list(value)
        command = bool(path) and path[-1] in COMMANDS
        return [
            SecretLiteral(item)
            if command and secret_argument(items, index)
            else marked((*path, str(index)), item, schema)
            for index, item in enumerate(items)
        ]
    return SecretLiteral(value) if is_secret(path, value, schema) else value


def is_secret_reference(value: Mapping[str, Any]) -> bool:
    """Whether a mapping is ``{"$secret": "env:NAME"}`` or ``{"$secret": "file:/path"}``."""
    reference = value.get("$secret")
    return isinstance(reference, str) and re.match(r"(?:env|file):.", reference) is not None


def _below(path: Path, key: str) -> Path:
    """Paths start anew at each runtime, so that a profile inside a registry is judged as the profile alone."""
    if path[:1] and path[0] in _ROOTS:
        return path if key in _TRANSPARENT else (*path, key)
    if key in _ROOTS:
        return (key,)
    return () if path[-1:] and path[-1] in _NAMED else (*path, key)


def redact(document: Any, schema: SettingsSchema = FREE, root: Path = ()) -> Any:
    """A copy of a document that holds runtimes, with ``{"$redacted": true}`` for every secret.

    ``root`` is where the document stands in a runtime, e.g. ``("step_settings_patch",)`` for bare settings.
    """
    return hidden(marked(root, document, schema))


def mask_url(url: str) -> str:
    """A source URL with its password and secret parameters as ``***``, for messages and listings."""
    url = re.sub(r"(://[^/?#\s:@]*):(?![0-9]*(?:[/?#]|$))[^\s]*@", r"\1:***@", url)
    return re.sub(r"([?&]([^=&#\s]+)=)[^&#\s]*", lambda m: f"{m[1]}***" if secret_name(m[2]) else m[0], url)
