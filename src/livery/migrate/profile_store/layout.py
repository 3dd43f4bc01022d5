"""The files of the new store: what is for all in runtime.yaml, the servers of each profile, and who gets which.

Texts are cut out of the old file, so that comments, quotes and references stand as they stood, and a server that is in
several profiles has the same text in each of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from livery.errors import ValidationError
from livery.formats.edits import Drop, Put
from livery.formats.yaml import read_yaml, write_yaml
from livery.formats.yaml_edit import edit_yaml
from livery.formats.yaml_values import same
from livery.migrate.profile_store.aliases import written_out
from livery.migrate.profile_store.clients import Client
from livery.migrate.profile_store.pieces import Pieces, pieces_of
from livery.migrate.profile_store.sub_agent import KEY, SWITCH

RUNTIME, CALLERS, SERVERS = "runtime.yaml", "callers.yaml", "servers"

Way = Callable[[], str]
"""Makes a text; a ValidationError where it cannot."""

_NOTHING = Pieces("", {})


class Layout(NamedTuple):
    """Text by path inside the store, and what was lost on the way to it (comments of odd texts), for a person."""

    files: dict[str, str]
    losses: tuple[str, ...] = ()


class ProfileContent(NamedTuple):
    """What a profile holds: the positions of its servers, and whether it switches the sub-agent on."""

    client: Client
    servers: Sequence[int]
    sub_agent: bool = False


def profile_path(profile: str) -> str:
    return f"profiles/{profile}.yaml"


def layout_of_store(text: str, document: Mapping[str, Any], profiles: Sequence[ProfileContent]) -> Layout:
    """The files that a text in today's keys becomes."""
    is_divided = len(document) > 1 or any(len(content.servers) < len(document[SERVERS]) for content in profiles)
    cutter = _Cutting(written_out(text) if is_divided else text, document)
    files = {RUNTIME: cutter.runtime()} if len(document) > 1 else {}
    files[CALLERS] = write_yaml({"callers": {content.client.caller: content.client.profile for content in profiles}})
    for content in profiles:
        files[profile_path(content.client.profile)] = cutter.profile(content)
    return Layout(files, tuple(cutter.losses))


class _Cutting:
    """One text and its pieces; every text that it gives out was read again."""

    def __init__(self, text: str, document: Mapping[str, Any]) -> None:
        self.text, self.document = text, document
        self.pieces = pieces_of(text, SERVERS) or _NOTHING
        self.losses: list[str] = []

    def runtime(self) -> str:
        wanted = {key: value for key, value in self.document.items() if key != SERVERS}
        kept = [piece for key, piece in self.pieces.keys.items() if key != SERVERS]
        ways: list[Way] = [lambda: self.pieces.head + "".join(kept), partial(edit_yaml, self.text, [Drop((SERVERS,))])]
        return self._first_right(RUNTIME, wanted, ways)

    def profile(self, content: ProfileContent) -> str:
        servers = self.document[SERVERS]
        wanted: dict[str, Any] = {SERVERS: [servers[number] for number in content.servers]}
        text = self._first_right(profile_path(content.client.profile), wanted, self._ways(content.servers))
        return edit_yaml(text, [Put((KEY, SWITCH), True)]) if content.sub_agent else text

    def _ways(self, kept: Sequence[int]) -> list[Way]:
        if not kept:
            return [lambda: f"{SERVERS}: []\n"]
        head = self.pieces.head if len(self.document) == 1 else ""
        items = [self.pieces.items[number] for number in kept] if self.pieces.items else []
        others = set(range(len(self.document[SERVERS]))) - set(kept)
        drops = [Drop((SERVERS, number)) for number in sorted(others, reverse=True)]
        rest = [Drop((key,)) for key in self.document if key != SERVERS]
        return [
            lambda: head + self.pieces.list_head + "".join(items),
            lambda: edit_yaml(head + self.pieces.keys.get(SERVERS, ""), drops),
            lambda: edit_yaml(self.text, [*drops, *rest]),
        ]

    def _first_right(self, path: str, wanted: Any, ways: Sequence[Way]) -> str:
        """The first of the texts that has the value; else that value written anew."""
        for text in _texts(ways):
            if _holds(text, wanted):
                return text
        self.losses.append(f"{path}: written anew, without the comments and quotes of the old file")
        return write_yaml(wanted)


def _texts(ways: Sequence[Way]) -> Iterator[str]:
    """Each text without blank lines around it, then as it is, for values that end in blank lines."""
    for way in ways:
        try:
            text = way()
        except ValidationError:
            continue
        yield text.strip("\r\n") + ("\r\n" if "\r\n" in text else "\n")
        yield text


def _holds(text: str, wanted: Any) -> bool:
    try:
        return same(read_yaml(text, ""), wanted)
    except ValidationError:
        return False
