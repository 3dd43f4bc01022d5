"""What a migration tells a person: where everything goes, what was decided, and what deserves a look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from livery.core.schema import SettingsSchema
from livery.migrate.profile_store.clients import DEFAULT, Choices, unknown_tags
from livery.migrate.profile_store.layout import RUNTIME, SERVERS, ProfileContent, profile_path
from livery.migrate.profile_store.monolith import Monolith, field_text
from livery.migrate.profile_store.secrets import secret_paths
from livery.migrate.profile_store.sub_agent import KEY, SWITCH, TAGS

MOST_NAMED = 20


def report_of(
    monolith: Monolith,
    document: Mapping[str, Any],
    contents: Sequence[ProfileContent],
    choices: Choices,
    schema: SettingsSchema,
) -> Iterator[str]:
    """One line for each file and each move, then the warnings; ``document`` is the value in today's keys."""
    runtime = [key for key in document if key != SERVERS]
    if runtime:
        yield f"{monolith.file}: {', '.join(runtime)} -> {RUNTIME}, for all profiles"
    for content in contents:
        path = profile_path(content.client.profile)
        yield f"{monolith.file}: {_who(content, choices)} -> {path}: {_servers(content, monolith)}"
    told = [move for move in monolith.moves if move.says]
    for move, place in zip(told, monolith.places([move.path for move in told]), strict=True):
        yield f"{place}: {move.says}"
    yield from _sub_agent(monolith, contents, KEY in document)
    yield from (f"warning: {line}" for line in unknown_tags(monolith.tags, choices))
    yield from _secrets(monolith, schema)


def _who(content: ProfileContent, choices: Choices) -> str:
    client = content.client
    if client.profile == DEFAULT:
        return "all servers" if choices.default == "all" else "servers without tags"
    what = "tag" if len(client.tags) == 1 else "tags"
    caller = f" of client {client.caller}" if client.tags != {client.caller} else ""
    return f"{what} {', '.join(sorted(client.tags))}{caller}"


def _servers(content: ProfileContent, monolith: Monolith) -> str:
    return _named([str(monolith.servers[number].get("name")) for number in content.servers]) or "no servers"


def _named(names: Sequence[str], count: int = 0) -> str:
    """The first of many names; ``count`` is how many there are, where not all are given."""
    more = max(count, len(names)) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _sub_agent(monolith: Monolith, contents: Sequence[ProfileContent], has_rest: bool) -> Iterator[str]:
    settings = monolith.document.get(KEY)
    if not isinstance(settings, Mapping):
        return
    (place,), decided = monolith.places([(KEY,)]), monolith.sub_agent
    if decided.tags:
        profiles = [profile_path(content.client.profile) for content in contents if content.sub_agent]
        old = f"{KEY}.{TAGS}: [{', '.join(sorted(decided.tags))}]"
        rest = f"; the rest of {KEY} -> {RUNTIME}" if has_rest else ""
        yield f"{place}: {old} -> {KEY}: {{{SWITCH}: true}} in {_named(profiles)}{rest}"
    elif decided.switch is not settings.get(SWITCH) or TAGS in settings:
        yield f"{place}: the sub-agent is {'on' if decided.switch else 'off'} for all profiles; no {TAGS} are written"


def _secrets(monolith: Monolith, schema: SettingsSchema) -> Iterator[str]:
    """Where secrets are written out, never what they are."""
    paths = list(secret_paths(monolith.document, schema))
    if paths:
        first = paths[:MOST_NAMED]
        places = zip(first, monolith.places(first), strict=True)
        named = _named([f"{field_text(path)} (line {place.line})" for path, place in places], len(paths))
        yield (
            f"warning: {named}: may be secrets, stand in clear, and were moved as they are into files of mode 0600; "
            "a reference like ${NAME} in their place keeps them out of the store"
        )
