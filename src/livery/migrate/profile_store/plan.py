"""What a migration will do, worked out without touching anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from livery.core.schema import SettingsSchema
from livery.formats.edits import Change, Drop, Put
from livery.formats.yaml import read_yaml
from livery.migrate.profile_store.clients import Choices, Client, clients_of, servers_of
from livery.migrate.profile_store.layout import SERVERS, ProfileContent, layout_of_store
from livery.migrate.profile_store.monolith import Monolith
from livery.migrate.profile_store.report import report_of
from livery.migrate.profile_store.rewriting import rewritten
from livery.migrate.profile_store.sub_agent import KEY, SWITCH, TAGS


class Plan(NamedTuple):
    """``files`` are texts by path inside the store, ``clients`` who is to be served, ``lines`` are for a person."""

    monolith: Monolith
    choices: Choices
    clients: tuple[Client, ...]
    files: dict[str, str]
    lines: tuple[str, ...]

    def __repr__(self) -> str:
        """Without the texts, which may hold secrets."""
        return f"Plan({self.monolith!r}, {', '.join(self.files)})"


def plan_of(monolith: Monolith, choices: Choices, schema: SettingsSchema) -> Plan:
    """The plan for one old file; UsageError for a choice that does not fit it."""
    clients = clients_of(monolith.tags, choices)
    contents = [_content(client, monolith, choices) for client in clients]
    text = rewritten(monolith.text, monolith.document, monolith.moves, _removals(monolith), monolith.file)
    document = read_yaml(text, monolith.file)
    layout = layout_of_store(text, document, contents)
    lines = dict.fromkeys([*report_of(monolith, document, contents, choices, schema), *layout.losses])
    return Plan(monolith, choices, tuple(clients), layout.files, tuple(lines))


def _content(client: Client, monolith: Monolith, choices: Choices) -> ProfileContent:
    has_sub_agent = not monolith.sub_agent.tags.isdisjoint(client.tags)
    return ProfileContent(client, servers_of(client, monolith.servers, choices), has_sub_agent)


def _removals(monolith: Monolith) -> list[Change]:
    """What is left out everywhere: tags are profiles now, and so is the part of the sub-agent that is not for all."""
    tags = [Drop((SERVERS, number, "tags")) for number, server in enumerate(monolith.servers) if "tags" in server]
    return [*tags, *_sub_agent_changes(monolith)]


def _sub_agent_changes(monolith: Monolith) -> list[Change]:
    settings = monolith.document.get(KEY)
    if not isinstance(settings, Mapping):
        return []
    switch = monolith.sub_agent.switch
    dropped = [key for key in (TAGS, SWITCH) if key in settings and not (key == SWITCH and switch is settings[key])]
    if switch is None and not settings.keys() - set(dropped):
        return [Drop((KEY,))]
    put = [Put((KEY, SWITCH), switch)] if switch is not None and switch is not settings.get(SWITCH) else []
    return [*(Drop((KEY, key)) for key in dropped if not (key == SWITCH and put)), *put]
