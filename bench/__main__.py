"""``python -m bench``: every benchmark, JSON on standard output, progress on standard error."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys

from bench import (
    change_latency,
    config_listing,
    durable_writes,
    loading,
    profile_store_loading,
    resolve_cold,
    resolve_warm,
    sql_latency,
    sql_listing,
    sql_memory,
    sql_reads,
    sql_updates,
    startup,
    writing,
)
from bench.results import Result
from bench.rounds import say

_MODULES = (
    *(resolve_warm, resolve_cold, loading, profile_store_loading, config_listing, startup),
    *(writing, durable_writes, change_latency),
    *(sql_updates, sql_reads, sql_listing, sql_latency, sql_memory),
)
BENCHMARKS = {module.NAME: module for module in _MODULES}


def main() -> int:
    """Run what was asked for; the exit code is 1 where a gate is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", action="append", choices=BENCHMARKS, help="run only this one (repeatable)")
    parser.add_argument("--quick", action="store_true", help="few rounds and small files: to see that it runs")
    parser.add_argument("--no-gates", action="store_true", help="report missed gates, but do not fail")
    arguments = parser.parse_args()
    results = [_run(name, quick=arguments.quick) for name in arguments.only or BENCHMARKS]
    missed = [f"{result.name}: {gate.what}" for result in results for gate in result.gates if not gate.met]
    document = {
        "machine": _machine(),
        "quick": arguments.quick,
        "benchmarks": [result.document() for result in results],
        "gates_missed": missed,
    }
    print(json.dumps(document, indent=2))
    return 1 if missed and not arguments.no_gates else 0


def _run(name: str, *, quick: bool) -> Result:
    say(f"{name} ...")
    result: Result = BENCHMARKS[name].run(quick=quick)
    for figure in result.figures:
        times = f"  ({figure.ratio:.3g} x)" if figure.ratio is not None else ""
        say(f"  {figure.what}: {figure.value:.4g} {figure.unit}{times}")
    for gate in result.gates:
        bound = f"{'at least' if gate.at_least else 'at most'} {gate.limit:g} {gate.unit}"
        say(f"  {'met   ' if gate.met else 'MISSED'} {gate.what}: {gate.value:.4g} {gate.unit}, {bound}")
    return result


def _machine() -> dict[str, object]:
    return {"python": platform.python_version(), "system": platform.platform(), "cpus": os.cpu_count()}


if __name__ == "__main__":
    sys.exit(main())
