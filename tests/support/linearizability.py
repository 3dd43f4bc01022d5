"""Whether what several askers saw of one profile could have happened one after the other: Wing and Gong's search.

An operation takes effect at one moment between its call and its answer. The model is a register with versions, which
go on counting after a deletion.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class Register(NamedTuple):
    """A profile: its last version, and the number it holds; None where it is not there."""

    version: int = 0
    number: int | None = None

    @property
    def actual(self) -> int:
        return self.version if self.number is not None else 0


class Operation(NamedTuple):
    called: int
    answered: int
    asked: tuple[Any, ...]
    answer: tuple[Any, ...]


def after(state: Register, operation: Operation) -> Register | None:
    """The register after an operation; None where it could not have answered so."""
    match operation.asked, operation.answer:
        case ("save", expected, number), ("saved", version):
            fits = expected in (None, state.actual) and version == state.version + 1
            return Register(version, number) if fits else None
        case ("save", expected, _), ("conflict", actual):
            return state if expected is not None and expected != actual == state.actual else None
        case ("delete", *_), ("deleted",):
            return Register(state.version) if state.number is not None else None
        case ("delete" | "get" | "follow", *_), ("absent",):
            return state if state.number is None else None
        case ("get" | "follow",), ("found", version, number):
            return state if state == (version, number) else None
    return None


def is_linearizable(operations: list[Operation]) -> bool:
    """Whether there is an order that answers for all of them."""
    operations = sorted(operations)
    everything = (1 << len(operations)) - 1
    open_ = [(0, Register())]
    known = set(open_)
    while open_:
        done, state = open_.pop()
        if done == everything:
            return True
        for position in _next(operations, done):
            state_after = after(state, operations[position])
            found = (done | 1 << position, state_after)
            if state_after is not None and found not in known:
                known.add(found)
                open_.append((found[0], state_after))
    return False


def _next(operations: list[Operation], done: int) -> list[int]:
    """Those that may come next: called before any of the others that are left was answered."""
    left = [position for position in range(len(operations)) if not done >> position & 1]
    first = min(operations[position].answered for position in left)
    return [position for position in left if operations[position].called <= first]
