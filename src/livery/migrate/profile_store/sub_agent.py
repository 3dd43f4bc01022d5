"""Which clients have the sub-agent. The old file says it with tags, a profile store with a switch in each profile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from livery.errors import UsageError
from livery.migrate.profile_store.clients import Choices, Tags, normal_tags
from livery.migrate.profile_store.older_keys import Undecided

KEY, TAGS, SWITCH = "subAgent", "enabledTags", "enabled"

_OPEN = (
    "it is open which clients have the sub-agent: without enabledTags it was for all clients in versions before the "
    "key 'enabled', and for none since; say --sub-agent all or --sub-agent none"
)


class SubAgent(NamedTuple):
    """``tags``: only clients with one of them have it. Else ``switch`` is for all; None: it is off, and not written."""

    tags: Tags = frozenset()
    switch: bool | None = None

    def enabled_for(self, client: Tags) -> bool | None:
        """What the old rule gives a client with these tags; None where the file says nothing of it."""
        return (not self.tags.isdisjoint(client) or None) if self.tags else self.switch


def sub_agent_of(document: Mapping[str, Any], choices: Choices) -> SubAgent | Undecided:
    """Who has the sub-agent, or what has to be decided; UsageError for a choice that the file leaves no room for."""
    settings = document.get(KEY)
    settings = settings if isinstance(settings, Mapping) else {}
    tags = frozenset(normal_tags(settings.get(TAGS)))
    switch = settings.get(SWITCH)
    if switch is False or tags or not (settings.get("model") and settings.get("provider")):
        if choices.sub_agent:
            raise UsageError(f"--sub-agent {choices.sub_agent} is not needed: the file leaves nothing open there")
        return SubAgent(frozenset() if switch is False else tags, switch if not tags or switch is False else None)
    if not choices.sub_agent:
        return Undecided((KEY,), _OPEN)
    return SubAgent(switch=True if choices.sub_agent == "all" else None)
