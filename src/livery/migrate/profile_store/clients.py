"""Which profile each client gets. Clients had tags of their own; in a profile store a caller's name leads to a profile.

A server was visible to a client where either of them had no tags, or they had one in common.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from livery.core.names import nearest, profile_slug
from livery.errors import UsageError, ValidationError
from livery.migrate.profile_store.older_keys import Path, Undecided

DEFAULT = "default"

Tags = frozenset[str]


class Choices(NamedTuple):
    """What the old file cannot say: ``clients`` are names with the tags that each of them was started with.

    ``default`` is what a client without a profile of its own gets: all servers, as before, or those without tags.
    ``sub_agent`` is which clients have the sub-agent where the file leaves that open.
    """

    clients: tuple[tuple[str, tuple[str, ...]], ...] = ()
    default: Literal["all", "untagged"] = "all"
    sub_agent: Literal["", "all", "none"] = ""


NO_CHOICES = Choices()


class Client(NamedTuple):
    """One kind of client: the name that it calls with, the tags that it had, and the profile that it gets."""

    caller: str
    profile: str
    tags: Tags


def parse_client(text: str) -> tuple[str, tuple[str, ...]]:
    """The name and the tags of ``NAME=a,b``; a UsageError for anything else."""
    name, equals, written = text.partition("=")
    tags = normal_tags(written.split(","))
    if not name.strip() or not equals or not tags:
        raise UsageError(f"--client takes NAME=TAG,TAG, not {text!r}; a client without tags needs no mapping")
    return name.strip(), tags


def normal_tags(written: object) -> tuple[str, ...]:
    """Tags as they are compared: trimmed, in lower case, each once; what is no text is left to the checks."""
    texts = written if isinstance(written, list) else []
    folded = (tag.strip().lower() for tag in texts if isinstance(tag, str))
    return tuple(dict.fromkeys(tag for tag in folded if tag))


def tags_of(mapping: Mapping[str, Any], key: str = "tags") -> Tags:
    return frozenset(normal_tags(mapping.get(key)))


def is_visible(server: Mapping[str, Any], client: Tags) -> bool:
    """Whether a client with these tags saw a server."""
    tags = tags_of(server)
    return not tags or not client or not tags.isdisjoint(client)


def servers_of(client: Client, servers: Sequence[Mapping[str, Any]], choices: Choices) -> list[int]:
    """The positions of the servers in a client's profile."""
    if client.profile == DEFAULT and choices.default == "untagged":
        return [number for number, server in enumerate(servers) if not tags_of(server)]
    return [number for number, server in enumerate(servers) if is_visible(server, client.tags)]


def clients_of(known: Iterable[str], choices: Choices) -> list[Client]:
    """Every kind of client, the one without tags first; UsageError for a choice that does not fit the tags."""
    tags = sorted(set(known))
    found = [Client(DEFAULT, DEFAULT, frozenset()), *(Client(tag, tag, frozenset((tag,))) for tag in tags)]
    for name, wanted in choices.clients:
        _add(found, Client(name, _profile_of(name), frozenset(wanted)))
    return found


def _add(found: list[Client], client: Client) -> None:
    """Add a client, to the profile of the same tags where one has its name already."""
    namesake = next((other for other in found if other.profile == client.profile), client)
    if namesake.tags != client.tags:
        raise UsageError(f"--client {client.caller}: {_taken(namesake)}; give the client another name")
    if client not in found:
        found.append(client)


def _taken(other: Client) -> str:
    if other.caller == DEFAULT:
        return f"{other.profile!r} is the profile of all others"
    if other.tags == {other.caller}:
        return f"{other.profile!r} is a tag, and so a profile, already"
    return f"it is given twice, or folds to the same profile as {other.caller!r}"


def _profile_of(name: str) -> str:
    try:
        return profile_slug(name, "--client")
    except ValidationError as error:
        raise UsageError(f"--client {name}: no profile can have this name: {error.reason}") from None


def unknown_tags(known: Iterable[str], choices: Choices) -> Iterator[str]:
    """Why a chosen tag shows nothing of its own, for each that the file does not name."""
    tags = sorted(set(known))
    for name, wanted in choices.clients:
        for tag in wanted:
            if tag not in tags:
                close = nearest(tag, tags, 1)
                hint = f" (did you mean {close[0]!r}?)" if close else ""
                effect = "it adds none" if len(wanted) > 1 else "it shows only servers without tags"
                yield f"--client {name}: no server has the tag {tag!r}{hint}; {effect}"


def tag_faults(servers: Sequence[Mapping[str, Any]], enabled_tags: object) -> list[Undecided]:
    """The tags that cannot become profiles, each where it stands first."""
    places: list[tuple[Path, object]] = [
        (("servers", n, "tags"), server.get("tags")) for n, server in enumerate(servers)
    ]
    places.append((("subAgent", "enabledTags"), enabled_tags))
    faults: dict[str, Undecided] = {}
    for path, written in places:
        for number, tag in enumerate(written if isinstance(written, list) else []):
            for folded in normal_tags([tag]):
                reason = _tag_fault(folded)
                if reason:
                    faults.setdefault(folded, Undecided((*path, number), reason))
    return list(faults.values())


def _tag_fault(tag: str) -> str:
    if tag == DEFAULT:
        return "the tag 'default' cannot become a profile: that name is for clients without a profile; rename the tag"
    try:
        profile_slug(tag, "tag")
    except ValidationError as error:
        return f"the tag cannot become a profile: {error.reason}; rename it"
    return ""
