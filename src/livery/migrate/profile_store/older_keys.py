"""Keys of older single files and the keys that say the same today.

Each becomes another key at the same place, with the same meaning; where an older key says something that no key of
today says, or contradicts one that stands beside it, that is a fault that a person has to decide.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from livery.core.values import same
from livery.settings import REPLACED_KEYS

OLDER_SERVER_KEYS = ("sticky", "persistent", "startupStrategy")
OLDER_RUNTIME_KEYS = ("startupStrategy", "callerCheckSeconds", "callerInactiveSeconds")

Path = tuple[str | int, ...]

_ACTIVATION = {"lazy": "on-demand", "eager": "always-on"}
_UNBOUND = (
    "sticky and persistent are both true, and no strategy is both: a persistent server is not bound to a session; "
    "write strategy: stateful or strategy: persistent in place of the two"
)
_BOOTSTRAP = "bootstrapMode stays at its default, metadata: each server runs once at the start to tell its tools"
_SESSIONS_END = "its sessions end after 300 s without use, unless you add sessionTTLSeconds (0: never)"


class Move(NamedTuple):
    """The key at ``path`` becomes ``key: value`` beside it; an empty key: it is left out. ``says`` is for a person."""

    path: Path
    key: str
    value: Any
    says: str


class Undecided(NamedTuple):
    """What at ``path`` needs a decision, and which."""

    path: Path
    reason: str


def moves_of(document: Mapping[str, Any]) -> Iterator[Move | Undecided]:
    """What becomes of every older key of a single file, in the order of the keys."""
    for old, new in REPLACED_KEYS.items():
        if old in document:
            yield _moved((old,), new, document[old], document)
    if "startupStrategy" in document:
        then = _BOOTSTRAP if "bootstrapMode" not in document else ""
        yield _startup(("startupStrategy",), "defaultActivationMode", document, then)
    for number, server in enumerate(document["servers"]):
        yield from _server_moves(("servers", number), server)


def _server_moves(path: Path, server: Mapping[str, Any]) -> Iterator[Move | Undecided]:
    if "startupStrategy" in server:
        yield _startup((*path, "startupStrategy"), "activationMode", server)
    flags = {key: server[key] for key in ("sticky", "persistent") if key in server}
    odd = [key for key, value in flags.items() if not isinstance(value, bool)]
    if odd:
        yield from (Undecided((*path, key), "expected true or false") for key in odd)
    elif flags:
        yield from _strategy(path, flags, server)


def _strategy(path: Path, flags: Mapping[str, bool], server: Mapping[str, Any]) -> Iterator[Move | Undecided]:
    first, *others = flags
    if all(flags.get(key) for key in ("sticky", "persistent")):
        yield Undecided((*path, first), _UNBOUND)
        return
    strategy = "stateful" if flags.get("sticky") else "persistent" if flags.get("persistent") else "stateless"
    if strategy == "stateless" and _agrees(server.get("strategy"), flags):
        strategy = server["strategy"]
    written = "; ".join(f"{key}: {_text(flags[key])}" for key in flags)
    then = _SESSIONS_END if strategy == "stateful" and "sessionTTLSeconds" not in server else ""
    yield _moved((*path, first), "strategy", strategy, server, written, then)
    yield from (Move((*path, key), "", None, "") for key in others)


def _agrees(strategy: object, flags: Mapping[str, bool]) -> bool:
    """Whether a strategy of today is none that the flags, all of them false, deny."""
    denied = {"sticky": "stateful", "persistent": "persistent"}
    return isinstance(strategy, str) and strategy not in [denied[key] for key in flags]


def _startup(path: Path, key: str, mapping: Mapping[str, Any], then: str = "") -> Move | Undecided:
    written = mapping["startupStrategy"]
    mode = _ACTIVATION.get(written.strip().lower()) if isinstance(written, str) else None
    if mode is None:
        return Undecided(path, f"expected lazy or eager; write {key}: on-demand or {key}: always-on in its place")
    return _moved(path, key, mode, mapping, then=then)


def _moved(
    path: Path, key: str, value: Any, mapping: Mapping[str, Any], old: str = "", then: str = ""
) -> Move | Undecided:
    """The move to a key of today, with what follows from it; undecided where it stands there with another value."""
    old = old or f"{path[-1]}: {_text(mapping[str(path[-1])])}"
    if key not in mapping:
        return Move(path, key, value, f"{old} -> {key}: {_text(value)}" + (f"; {then}" if then else ""))
    if same(mapping[key], value):
        return Move(path, "", None, f"{old} left out: {key}: {_text(value)} says the same")
    return Undecided(path, f"{old} and {key}: {_text(mapping[key])} say different things; keep one of them")


def _text(value: Any) -> str:
    """A value of an older key as it is written; they hold no secrets, and what is no scalar is not repeated."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float | str) else "(not a plain value)"
