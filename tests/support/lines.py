"""Standard input for those who also have to know whether there is something to read."""

from __future__ import annotations

import os
import select


class Lines:
    """Standard input line by line, of which one can also ask whether there is a next one."""

    def __init__(self) -> None:
        self._read = b""

    def is_waiting(self, seconds: float) -> bool:
        return b"\n" in self._read or bool(select.select([0], [], [], seconds)[0])

    def read(self) -> str:
        """The next line without its end; empty at the end of the input."""
        while b"\n" not in self._read:
            more = os.read(0, 65_536)
            if not more:
                return ""
            self._read += more
        line, _, self._read = self._read.partition(b"\n")
        return line.decode()
