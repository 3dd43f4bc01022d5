"""What a change of a profile, of the settings for all, or of the callers is in its file: only what differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from livery.core.values import same
from livery.formats.edits import Change, Drop, Put
from livery.formats.profile_store import CallersFile, ProfileFile
from livery.formats.yaml import write_yaml
from livery.formats.yaml_edit import edit_yaml
from livery.stores.profile_store.places import older_key

Settings = Mapping[str, Any]
Servers = Sequence[Mapping[str, Any]]

_NO_CALLERS = "# Which caller gets which profile; every other one gets default.\n"


def profile_text(text: str, before: ProfileFile | None, servers: Servers, settings: Settings, file: str) -> str:
    """The text of a profile's file with these servers and settings; a new one begins with the servers."""
    if before is None:
        return write_yaml({"servers": list(servers), **settings})
    changes = [
        *_server_changes(before.servers, servers),
        *_setting_changes(before.document, before.settings, settings),
    ]
    return edit_yaml(text, changes, file)


def runtime_text(text: str, document: Any, before: Settings, settings: Settings, file: str) -> str:
    """The text of the file for all profiles with these settings."""
    return edit_yaml(text, list(_setting_changes(document, before, settings)), file)


def callers_text(text: str, before: CallersFile | None, callers: Mapping[str, str], fallback: str, file: str) -> str:
    """The text of the file of the callers with these; names that differ only by blanks around them stay as they are."""
    document = before.document if before and before.document else {}
    old = before.callers if before else {}
    names = {name.strip(): name for name in document.get("callers") or {}}
    changes: list[Change] = [] if document.get("callers") is not None else [Put(("callers",), {})]
    changes += [Drop(("callers", names[caller])) for caller in old if caller not in callers]
    new = {caller: slug for caller, slug in callers.items() if old.get(caller) != slug}
    changes += [Put(("callers", names.get(caller, caller)), slug) for caller, slug in new.items()]
    if fallback != (before.fallback if before else ""):
        changes.append(Put(("fallback",), fallback) if fallback else Drop(("fallback",)))
    return edit_yaml(text or _NO_CALLERS, changes, file)


def _setting_changes(document: Any, before: Settings, after: Settings) -> Iterator[Change]:
    for change in _differences(before, after, ()):
        older = older_key(document, str(change.path[0]))
        if older:
            yield Drop((older,))
        yield change


def _differences(before: Settings, after: Settings, path: tuple[str | int, ...]) -> Iterator[Change]:
    for key in before:
        if key not in after:
            yield Drop((*path, key))
    for key, value in after.items():
        old = before.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            yield from _differences(old, value, (*path, key))
        elif key not in before or not same(old, value):
            yield Put((*path, key), value)


def _server_changes(before: Servers, after: Servers) -> Iterator[Change]:
    """Changes server by server, as long as those that stay keep their order; else the list is written anew."""
    names = [server["name"] for server in before]
    wanted = [server.get("name") for server in after]
    kept = [name for name in names if name in wanted]
    if wanted[: len(kept)] != kept or not kept:
        if not same(list(before), list(after)):
            yield Put(("servers",), list(after))
        return
    for position in reversed(range(len(names))):
        if names[position] not in wanted:
            yield Drop(("servers", position))
    old = {server["name"]: server for server in before}
    for position, server in enumerate(after):
        known = old.get(server["name"])
        if known is None:
            yield Put(("servers", position), dict(server))
        else:
            yield from _differences(known, server, ("servers", position))
