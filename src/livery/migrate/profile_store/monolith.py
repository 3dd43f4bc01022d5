"""The old single file, read strictly: whatever it holds is known, or the migration says where it is not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from livery.core.names import type_name
from livery.errors import Fault, Place, ValidationError
from livery.formats.profile_store import read_profile_file
from livery.formats.yaml import locate_all, read_yaml
from livery.migrate.profile_store.clients import Choices, Tags, tag_faults, tags_of
from livery.migrate.profile_store.older_keys import (
    OLDER_RUNTIME_KEYS,
    OLDER_SERVER_KEYS,
    Move,
    Path,
    Undecided,
    moves_of,
)
from livery.migrate.profile_store.sub_agent import KEY, TAGS, SubAgent, sub_agent_of

MOST_TAGS = 1000
"""Each tag becomes a file with all servers that it shows."""

_READ_HERE = (*OLDER_SERVER_KEYS, *OLDER_RUNTIME_KEYS)


class Monolith(NamedTuple):
    """A sound old file: its text and value, what becomes of its older keys, and who has the sub-agent."""

    file: str
    text: str
    document: dict[str, Any]
    moves: tuple[Move, ...]
    sub_agent: SubAgent

    def __repr__(self) -> str:
        """Without the values, which may be secrets."""
        return f"Monolith({self.file!r}, {len(self.servers)} servers)"

    @property
    def servers(self) -> list[dict[str, Any]]:
        servers: list[dict[str, Any]] = self.document["servers"]
        return servers

    @property
    def tags(self) -> Tags:
        """Every tag that the file names: each of them was a kind of client."""
        settings = self.document.get(KEY)
        enabled = tags_of(settings, TAGS) if isinstance(settings, Mapping) else frozenset()
        return enabled.union(*map(tags_of, self.servers))

    def places(self, paths: Sequence[Path]) -> list[Place]:
        """Where the keys at some paths stand."""
        return [place or Place(self.file) for place in locate_all(self.text, self.file, paths)]


def read_monolith(data: bytes, file: str, choices: Choices) -> Monolith:
    """The file, or a ValidationError with everything that is wrong with it or has to be decided first."""
    document = read_yaml(data, file)
    text = data.decode().removeprefix("\ufeff")
    _demand_servers(document, text, file)
    decisions = list(_decisions(document, choices))
    undecided = [decision for decision in decisions if isinstance(decision, Undecided)]
    faults = [*_faults_of_format(text, document, file), *_placed(undecided, text, file)]
    if faults:
        raise ValidationError.of(sorted(faults, key=_line))
    moves = tuple(decision for decision in decisions if isinstance(decision, Move))
    (sub_agent,) = (decision for decision in decisions if isinstance(decision, SubAgent))
    return Monolith(file, text, document, moves, sub_agent)


def _demand_servers(document: Any, text: str, file: str) -> None:
    """Refuse what is another kind of file."""
    if document is None:
        raise ValidationError("", "the file is empty", Place(file))
    if not isinstance(document, Mapping):
        raise ValidationError("", f"the file is a mapping at its top level, not {type_name(document)}", Place(file))
    servers = document.get("servers")
    if not isinstance(servers, list) or not servers:
        reason = (
            "a list of servers was expected here" if servers else "the file has no servers, and there is no profile"
        )
        place = locate_all(text, file, [("servers",)])[0] if "servers" in document else Place(file)
        raise ValidationError("servers", f"{reason}; an empty store is made by: livery store init DIR", place)
    paths = [("servers", n) for n, server in enumerate(servers) if not isinstance(server, Mapping)]
    odd = [Undecided(path, f"a server is a mapping, not {type_name(servers[path[1]])}") for path in paths]
    if odd:
        raise ValidationError.of(_placed(odd, text, file))


def _decisions(document: dict[str, Any], choices: Choices) -> Iterator[Move | Undecided | SubAgent]:
    yield from moves_of(document)
    yield sub_agent_of(document, choices)
    settings = document.get(KEY)
    yield from tag_faults(document["servers"], settings.get(TAGS) if isinstance(settings, Mapping) else None)
    tags = {tag for server in document["servers"] for tag in tags_of(server)}
    if len(tags) > MOST_TAGS:
        yield Undecided(("servers",), f"{len(tags)} tags, each of which would become a profile; at most {MOST_TAGS}")


def _faults_of_format(text: str, document: Mapping[str, Any], file: str) -> list[Fault]:
    """The faults that the file would have as a profile, which holds all that it does, but for the older keys."""
    faults = read_profile_file(text, file).faults
    return [fault for fault in faults if fault.field.rpartition(".")[2] not in _READ_HERE]


def _placed(undecided: Sequence[Undecided], text: str, file: str) -> list[Fault]:
    places = locate_all(text, file, [decision.path for decision in undecided])
    return [
        Fault(field_text(decision.path), decision.reason, place or Place(file))
        for decision, place in zip(undecided, places, strict=True)
    ]


def field_text(path: Path) -> str:
    """A path as faults write it: ``servers[0].tags[1]``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")


def _line(fault: Fault) -> int:
    return (fault.place.line if fault.place else None) or 0
