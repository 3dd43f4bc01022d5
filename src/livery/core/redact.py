"""What is a secret, decided in one place for every output: schema marks first, then names, then the value's shape."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from livery.core.paths import KEYED_LISTS, SETTINGS, Path
from livery.core.schema import FREE, SettingsSchema
from livery.core.values import REDACTED, Atom, SecretLiteral, hidden

_ENVIRONMENTS = ("env", "environment", "headers", "cookies")
_ROOTS = (SETTINGS, *KEYED_LISTS, "extensions")
_NAMED = ("profiles", "registries", "callers", "deleted_versions")  # mappings whose keys are names that people gave
_TRANSPARENT = ("$append", "$prepend", "$edits", "$replace", "$literal")  # what they hold stands where they stand
_LAST_WORDS = frozenset(
    {
        "key",
        "apikey",
        "token",
        "secret",
        "password",
        "passwd",
        "passwords",
        "pwd",
        "secrets",
        "passphrase",
        "credential",
        "credentials",
        "authorization",
    }
)
_LAST_TWO_WORDS = frozenset(
    (first, plural)
    for first in ("api", "access", "auth", "secret", "private", "refresh", "bearer")
    for plural in ("keys", "tokens")
)
_LONGEST_NAME = 128
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[A-Z]+")
# User and password; a password may hold what should have been escaped, unless it looks like a port: `host:80/a@b`.
# No part reaches beyond the next `://`, so that a text is read once however many addresses it holds.
_USER_INFO = re.compile(
    r"(?<![a-zA-Z0-9+.-])[a-zA-Z][a-zA-Z0-9+.-]{0,31}://"
    r"([^/?#\s]*|[^/?#\s@:]*:(?![0-9]*(?:[/?#]|$))(?:(?!://)\S)*)@",
    re.ASCII,
)
_QUERY = re.compile(r"[?&]([^=&#\s?]{1,128})=([^&#\s]{1,512})")
_CREDENTIALS = re.compile(r"[^\s/@:]*:[^\s/@]*@")  # an address without its scheme
_ADDRESS_NAME = re.compile(r"(?:url|uri|proxy|endpoint|address|host|dsn)s?$", re.IGNORECASE)
_CUT = "${CUT}"  # looks like a reference, which is no secret
_SPACES = re.compile(r"(\s+)")
COMMANDS = ("cmd", "args", "command")
_BRACED = (
    r"\$\{[A-Za-z_][A-Za-z0-9_]*(?::-)?\}"  # with a default it is no mere reference: the default may be the secret
)
_REFERENCE = re.compile(_BRACED, re.ASCII)
_SHELL_REFERENCE = re.compile(rf"{_BRACED}|\$[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_SCHEME_WORD = re.compile(r"\s*+(?:(?:bearer|basic|token)\b)?\s*", re.IGNORECASE)
_ASSIGNMENT = re.compile(r"-{0,2}([A-Za-z][A-Za-z0-9_.-]*)\s*[=:]\s*(.+)", re.DOTALL)


def secret_name(name: str) -> bool:
    """Whether the last words of a key name say that its value is a secret (``max_response_tokens`` does not)."""
    return _secret_name(name[-_LONGEST_NAME:])


@lru_cache(maxsize=4096)
def _secret_name(name: str) -> bool:
    words = [word.lower() for word in _WORDS.findall(name)]
    return bool(words) and (words[-1] in _LAST_WORDS or tuple(words[-2:]) in _LAST_TWO_WORDS)


def is_reference(text: str, *, shell: bool = False) -> bool:
    """Whether a text is nothing but ``${NAME}`` (``shell``: or ``$NAME``), after an optional ``Bearer`` or the like."""
    if "$" not in text:
        return False
    references = _SHELL_REFERENCE if shell else _REFERENCE
    return _SCHEME_WORD.fullmatch(references.sub("", text)) is not None


def is_secret(path: Path, value: Any, schema: SettingsSchema = FREE) -> bool:
    """Whether a scalar of a runtime document must never be shown; ``path`` starts at the document's root."""
    return _by_place(path, value, schema) or _by_shape(path, value, schema)


def _by_place(path: Path, value: Any, schema: SettingsSchema) -> bool:
    """Whether the schema or the names of the keys say so."""
    if value is None or value == "" or isinstance(value, bool) or not path:
        return False
    if isinstance(value, str) and is_reference(value, shell=_is_expanded(path, schema)):
        return False
    if path[0] == SETTINGS and schema.is_secret(path[1:]):
        return True
    return _in_environment(path) or any(map(secret_name, path[2:] if path[0] in KEYED_LISTS else path))


def _is_expanded(path: Path, schema: SettingsSchema) -> bool:
    """Whether ``$NAME`` without braces names a variable in a text that stands there."""
    return path[:1] == ("servers",) or schema.variables


def _by_shape(path: Path, value: Any, schema: SettingsSchema) -> bool:
    """Whether a text that nobody marks holds a secret."""
    if not isinstance(value, str) or is_reference(value, shell=_is_expanded(path, schema)):
        return False
    if "://" in value and (_has_user_info(value) or _has_secret_parameter(value)):
        return True
    if "@" in value and path and _ADDRESS_NAME.search(path[-1]) and _CREDENTIALS.match(value):
        return True
    if path[:1] and path[0] in KEYED_LISTS and path[-1] in COMMANDS:
        words = value.split()
        return any(secret_argument(words, index) for index in range(len(words)))
    return False


def literal(path: Path, value: Any, schema: SettingsSchema = FREE) -> SecretLiteral:
    """A secret scalar; a text that is secret by its shape alone keeps what surrounds the secret as its outline."""
    if not isinstance(value, str) or _by_place(path, value, schema):
        return SecretLiteral(value)
    outline = _outline(value)
    return SecretLiteral(value, "" if _by_shape(path, outline, schema) else outline)


def literal_argument(arguments: list[Any], index: int) -> SecretLiteral:
    """A word of a command line that carries a secret."""
    word = arguments[index]
    if not isinstance(word, str) or _follows_secret_flag(arguments, index):
        return SecretLiteral(word)
    outline = _outline(word)
    return SecretLiteral(word, "" if secret_argument([outline], 0) else outline)


def _outline(text: str) -> str:
    """A text with ``***`` for what is secret in it."""
    assigned = _ASSIGNMENT.fullmatch(text)
    if assigned and secret_name(assigned[1]):
        return text[: assigned.start(2)] + _CUT
    words = _SPACES.split(text)  # words and the spaces between them, in turn
    plain = words[::2]
    hidden_words = [_outlined(plain, index) for index in range(len(plain))]
    return "".join(part for pair in zip(hidden_words, [*words[1::2], ""], strict=True) for part in pair)


def _outlined(words: list[str], index: int) -> str:
    word = words[index]
    assigned = _ASSIGNMENT.fullmatch(word)
    if assigned and secret_name(assigned[1]):
        return word[: assigned.start(2)] + _CUT
    if _follows_secret_flag(words, index):
        return _CUT
    word = _USER_INFO.sub(lambda found: found[0].partition("://")[0] + f"://{_CUT}@", word)
    word = _CREDENTIALS.sub(f"{_CUT}@", word, count=1)
    return _QUERY.sub(lambda q: q[0][: q.start(2) - q.start()] + _CUT if secret_name(q[1]) else q[0], word)


def _has_secret_parameter(url: str) -> bool:
    return any(secret_name(name) and not is_reference(value) for name, value in _QUERY.findall(url))


def _has_user_info(text: str) -> bool:
    return any(not is_reference(info.replace(":", " ")) for info in _USER_INFO.findall(text))


def _in_environment(path: Path) -> bool:
    """Values of the ``env`` and of the headers of a server or middleware, wherever they stand in it."""
    return path[0] in KEYED_LISTS and any(part.lower() in _ENVIRONMENTS for part in path[2:])


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
        return not word.startswith("--")
    words = word.split()
    if len(words) > 1 and any(secret_argument(words, position) for position in range(len(words))):
        return True  # a command line within one word, as `sh -c` takes it
    return "://" in word and (_has_user_info(word) or _has_secret_parameter(word))


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
            literal_argument(items, index)
            if command and secret_argument(items, index)
            else marked((*path, str(index)), item, schema)
            for index, item in enumerate(items)
        ]
    return literal(path, value, schema) if is_secret(path, value, schema) else value


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
    url = re.sub(r"((?:://|^\s*(?:postgres(?:ql)?|https?):)[^/?#\s:@]*):(?![0-9]*(?:[/?#]|$))[^\s]*@", r"\1:***@", url)
    return re.sub(r"([?&]([^=&#\s]+)=)[^&#\s]*", lambda m: f"{m[1]}***" if secret_name(m[2]) else m[0], url)
