"""A resolution that was made before and still holds: a hit in the service's cache."""

from __future__ import annotations

from bench import merges
from bench.layers import LAYERS
from bench.resolve_cold import OVERRIDDEN, PLAIN, team
from bench.results import Gate, Result, figures
from bench.rounds import microseconds
from livery import ResolveInput

NAME = "resolve-warm"
MOST_US = 5.0

_REFERENCE = "bare merge, sharing"
_HIT = "hit"
_HIT_OVERRIDE = "hit with 3 overrides"


def run(*, quick: bool) -> Result:
    registry = team()
    ask = registry.resolve_effective_profile
    first = ask(PLAIN)
    rounds = microseconds(
        {
            _REFERENCE: lambda: merges.sharing(LAYERS),
            _HIT: lambda: ask(PLAIN),
            "hit, with a new request object": lambda: ask(ResolveInput(registry_slug="team", profile_slug="coder")),
            _HIT_OVERRIDE: lambda: ask(OVERRIDDEN),
        },
        rounds=5 if quick else 61,
    )
    if ask(PLAIN) is not first:
        raise AssertionError("the cache was missed")
    return Result(
        NAME,
        "resolve_effective_profile of the same six layers, answered from the cache",
        f"a bare recursive merge of the six layers ({rounds.median(_REFERENCE):.1f} us)",
        figures=figures(rounds, "us", _REFERENCE),
        gates=[Gate(what, rounds.median(what), MOST_US, "us") for what in (_HIT, _HIT_OVERRIDE)],
    )
