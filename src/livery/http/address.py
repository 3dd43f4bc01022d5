"""The address of the start page: what somebody chose, and the links that change a part of it."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlencode

from livery.http.listing import Query

_PER_PAGE = 100


class Asked(NamedTuple):
    """What the address of the page says: a registry ('' is all), a search, a page of it, and the chosen profile."""

    registry: str = ""
    q: str = ""
    tag: str = ""
    cursor: str = ""
    profile: str = ""

    def link(self, **changes: str) -> str:
        """The address of the page with some of that changed."""
        asked = self._replace(**changes)._asdict()
        return "?" + urlencode({name: value for name, value in asked.items() if value})

    @property
    def query(self) -> Query:
        return Query(self.registry or "*", self.q, (self.tag,) if self.tag else (), _PER_PAGE, self.cursor)
