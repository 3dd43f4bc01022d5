"""What a benchmark answers: figures with their ratio to a reference of the same run, and gates."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from bench.rounds import Rounds


@dataclass
class Figure:
    """One measurement. ``ratio`` is how many times the reference it is; None where there is none to compare with."""

    what: str
    value: float
    unit: str
    ratio: float | None = None


@dataclass
class Gate:
    """A bound that has to hold. ``limit`` is the most that is allowed, or with ``at_least`` the least."""

    what: str
    value: float
    limit: float
    unit: str
    at_least: bool = False

    @property
    def met(self) -> bool:
        return self.value >= self.limit if self.at_least else self.value <= self.limit


@dataclass
class Result:
    """All of one benchmark."""

    name: str
    measures: str
    reference: str
    figures: list[Figure] = field(default_factory=list)
    gates: list[Gate] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "name": self.name,
            "measures": self.measures,
            "reference": self.reference,
            "figures": [_rounded(asdict(figure)) for figure in self.figures],
            "gates": [{**_rounded(asdict(gate)), "met": gate.met} for gate in self.gates],
            "notes": self.notes,
        }


def figures(rounds: Rounds, unit: str, reference: str) -> list[Figure]:
    """The median of each subject, and its ratio to the reference."""
    return [Figure(name, rounds.median(name), unit, rounds.ratio(name, reference)) for name in rounds.found]


def _rounded(fields: dict[str, Any]) -> dict[str, Any]:
    return {key: float(f"{value:.4g}") if isinstance(value, float) else value for key, value in fields.items()}
